"""Records made of what Claude Code's lines say, with their ids."""

from typing import Any, NamedTuple

from steno.capture.agent import position
from steno.capture.beside import Helper
from steno.capture.claude_content import Part
from steno.capture.claude_lines import Body, CacheCreation, OutputDetails, text_or_none
from steno.capture.claude_state import RunningTurn, SessionFacts
from steno_schema.ids import uuid8
from steno_schema.limits import CAPTURED_TEXT_MAX_CHARS
from steno_schema.records import (
    Conversation,
    Message,
    Role,
    Session,
    Tokens,
    Turn,
    Usage,
)
from steno_schema.times import format_ms

AGENT_NAME = "claude-code"
_COUNT_MAX = 2**53
_TITLE_MAX_CHARS = 500
_PATH_MAX_CHARS = 4096
_NO_CACHE = CacheCreation()
_NO_DETAILS = OutputDetails()


class Place(NamedTuple):
    """Where a record stands: its line, its thread, its time."""

    number: int
    first_block: int
    key: str
    session: str
    conversation: str
    exchange: str | None
    at: str | None
    project: str | None
    of_agent: bool
    copied: bool
    nested: bool = False


def record_id(kind: str, key: str) -> str:
    """Return the id of a record by what Claude Code itself names it."""
    return uuid8(AGENT_NAME, kind, key)


def message_record(place: Place, role: Role, part: Part, model: str | None = None) -> Message:
    """Return the message for one block; the same block read again gives the same id."""
    return Message(
        id=_message_id(place, part),
        conversation=place.conversation,
        session=place.session,
        role=role,
        kind=part.kind,
        content=part.text[:CAPTURED_TEXT_MAX_CHARS],
        exchange=place.exchange,
        created_at=place.at,
        position=position(place.number, place.first_block + part.block),
        model=model,
        tool_name=text_or_none(part.tool_name),
        call_id=part.call_id,
        is_error=part.is_error,
        copied=place.copied,
        metadata={"nested": True} if place.nested else None,
    )


def _message_id(place: Place, part: Part) -> str:
    if part.kind == "tool_call" and part.call_id:
        return record_id("tool_call", part.call_id)
    if part.kind == "tool_result" and part.call_id:
        return record_id("tool_result", f"{place.key}/{part.call_id}")
    return record_id("message", f"{place.key}#{part.block}" if part.block else place.key)


def turn_record(turn: RunningTurn, *, withdrawn: bool = False) -> Turn:
    """Return the turn as it stands now."""
    return Turn(
        id=turn.id,
        conversation=turn.conversation,
        prompt_message=turn.prompt_message,
        origin=turn.origin,
        created_at=turn.created_at,
        agent=AGENT_NAME,
        project=turn.project,
        status=turn.status,
        copied=turn.copied,
        withdrawn=withdrawn,
    )


def session_record(facts: SessionFacts) -> Session:
    """Return the session as it is known now."""
    started_at = None if facts.first_ms is None else format_ms(facts.first_ms)
    metadata = {
        "version": facts.version,
        "git_branch": facts.git_branch,
        "entrypoint": facts.entrypoint,
        "forked_from": facts.parent or facts.forked_from,
    }
    told = {name: value for name, value in metadata.items() if value}
    return Session(
        id=record_id("session", facts.key),
        key=facts.key,
        agent=AGENT_NAME,
        project=facts.project,
        title=facts.title,
        created_at=started_at,
        started_at=started_at,
        last_active_at=None if facts.last_ms is None else format_ms(facts.last_ms),
        metadata=told or None,
    )


def conversation_record(place: Place, helper: Helper | None) -> Conversation:
    """Return the thread that ``place`` is in; a sub-agent's names the main one.

    ``helper`` is what is told of the sub-agent beside its file.
    """
    return Conversation(
        id=record_id("conversation", place.conversation),
        key=place.conversation,
        session=place.session,
        parent=place.session if place.of_agent else None,
        kind="subagent" if place.of_agent else "main",
        title=helper.title if helper else None,
        metadata=dict[str, Any](helper.metadata or {}) or None if helper else None,
        created_at=place.at,
        started_at=place.at,
    )


def usage_key(place: Place, body: Body) -> str:
    """Return what names a model call: its message id, without one its line or its session."""
    if body.id:
        return body.id
    return place.key if body.usage else f"{place.session}/unnamed"


def usage_record(place: Place, body: Body, request_id: str | None) -> Usage:
    """Return the tokens of one model call, as far as this line tells them."""
    return Usage(
        id=record_id("usage", usage_key(place, body)),
        tokens=tokens_of(body),
        session=place.session,
        conversation=place.conversation,
        exchange=place.exchange,
        agent=AGENT_NAME,
        model=text_or_none(body.model),
        recorded_at=place.at,
        request_id=request_id,
        position=position(place.number, place.first_block),
        nested=place.nested,
        copied=place.copied,
    )


def tokens_of(body: Body) -> Tokens:
    """Return a message's tokens; complete once the line has a reason for stopping.

    Until then Claude Code writes a placeholder for the output, some versions for ever. A call that
    was cut off has a reason too, but an output smaller than the reasoning it includes.
    """
    stopped = body.stop_reason is not None
    counts = body.usage
    if counts is None:
        return Tokens(complete=stopped)
    cache = counts.cache_creation or _NO_CACHE
    details = counts.output_tokens_details or _NO_DETAILS
    output, reasoning = _count(counts.output_tokens), _count(details.thinking_tokens)
    return Tokens(
        input=_count(counts.input_tokens),
        output=output,
        cache_read=_count(counts.cache_read_input_tokens),
        cache_write=_count(counts.cache_creation_input_tokens),
        cache_write_5m=_count(cache.ephemeral_5m_input_tokens),
        cache_write_1h=_count(cache.ephemeral_1h_input_tokens),
        reasoning=reasoning,
        complete=stopped and reasoning <= output,
    )


def levels(usage: Usage) -> list[int]:
    """Return what can rise in a usage that is said again."""
    tokens = usage.tokens
    return [
        tokens.input,
        tokens.output,
        tokens.cache_read,
        tokens.cache_write,
        tokens.cache_write_5m,
        tokens.cache_write_1h,
        tokens.reasoning,
        int(tokens.complete),
        int(not usage.nested),
    ]


def title_text(value: object) -> str | None:
    """Return a title cut to a sensible length, or None if there is none."""
    return text_or_none(value, _TITLE_MAX_CHARS)


def path_text(value: object) -> str | None:
    """Return a path as written, or None if there is none."""
    return text_or_none(value, _PATH_MAX_CHARS)


def _count(value: int | None) -> int:
    return min(max(value or 0, 0), _COUNT_MAX)
