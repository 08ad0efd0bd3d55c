"""Makes the records of one opencode session: messages, turns, usages, and the session itself."""

import re
from typing import NamedTuple

from steno.capture.opencode_ids import made_ms, position_of
from steno.capture.opencode_state import Head, OpenTurn, State, Thread
from steno.capture.opencode_wire import MessageData, TokenCounts
from steno_schema.ids import uuid8
from steno_schema.limits import CAPTURED_TEXT_MAX_CHARS, KEY_MAX_CHARS
from steno_schema.records import (
    AnyRecord,
    Conversation,
    Message,
    MessageKind,
    Role,
    Session,
    Tokens,
    Turn,
    Usage,
)
from steno_schema.times import format_ms

AGENT_NAME = "opencode"
_COUNT_MAX = 2**53
_COST_MAX_USD = 1e12
_QUOTED = re.compile(r'"((?:[^"]|(?<=\\)")*)"', re.DOTALL)


class Text(NamedTuple):
    """Who said a text, and what it is."""

    role: Role
    kind: MessageKind
    content: str
    tool_name: str | None = None
    call_id: str | None = None
    is_error: bool = False


class Records:
    """The records made since the last ``take``."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._made: list[AnyRecord] = []
        self._taken = 0

    @property
    def made(self) -> int:
        """Records made so far."""
        return self._taken + len(self._made)

    def take(self) -> list[AnyRecord]:
        """Return the records in order, what they name first."""
        made, self._made = self._made, []
        self._taken += len(made)
        return made

    def session(self, thread: Thread) -> None:
        """Say the session and its conversation; a sub-agent's is a conversation in its root's."""
        started_at = _moment(thread.created_ms)
        is_root = thread.parent is None
        self._made.append(
            Session(
                id=uuid8(AGENT_NAME, "session", thread.session),
                key=thread.session,
                agent=AGENT_NAME,
                project=thread.directory,
                title=thread.title if is_root else None,
                started_at=started_at if is_root else None,
                last_active_at=_moment(thread.updated_ms) if is_root else None,
                metadata={"version": thread.version} if is_root and thread.version else None,
            )
        )
        self._made.append(
            Conversation(
                id=uuid8(AGENT_NAME, "conversation", thread.key),
                key=thread.key,
                session=thread.session,
                parent=thread.parent,
                kind="main" if is_root else "subagent",
                title=thread.title,
                started_at=started_at,
            )
        )

    def message(self, native: str, head: Head, text: Text, block: int = 0) -> None:
        """Add what a part says (or a message, of itself); ``block`` tells several of one apart."""
        thread = self._thread()
        key = f"{native}:{block}" if block else native
        self._made.append(
            Message(
                id=uuid8(AGENT_NAME, "message", key),
                conversation=thread.key,
                session=thread.session,
                exchange=None if head.turn is None else _turn_id(head.turn),
                role=text.role,
                kind=text.kind,
                content=text.content[:CAPTURED_TEXT_MAX_CHARS],
                created_at=_moment(made_ms(native, head.created_ms)),
                position=position_of(native, head.created_ms, block),
                model=head.model if text.role == "assistant" else None,
                tool_name=text.tool_name,
                call_id=text.call_id,
                is_error=text.is_error,
            )
        )

    def turn(self, message: str, turn: OpenTurn) -> None:
        """Say a turn (again), with the status it has by now."""
        thread = self._thread()
        self._made.append(
            Turn(
                id=_turn_id(message),
                conversation=thread.key,
                prompt_message=uuid8(AGENT_NAME, "message", turn.prompt),
                origin=turn.origin,
                created_at=_moment(turn.created_ms),
                agent=AGENT_NAME,
                project=thread.directory,
                status=turn.status,
            )
        )

    def usage(self, message: str, head: Head, data: MessageData) -> None:
        """Add what one model call used; ``cost`` is what opencode reckoned, 0 in a subscription."""
        thread = self._thread()
        tokens = tokens_of(data.tokens or TokenCounts())
        tokens.complete = data.time.completed is not None and data.error is None
        cost_usd = min(max(data.cost, 0.0), _COST_MAX_USD)
        self._made.append(
            Usage(
                id=uuid8(AGENT_NAME, "usage", message),
                tokens=tokens,
                session=thread.session,
                conversation=thread.key,
                exchange=None if head.turn is None else _turn_id(head.turn),
                agent=AGENT_NAME,
                model=head.model,
                cost_usd=cost_usd or None,
                recorded_at=_moment(head.created_ms),
                position=position_of(message, head.created_ms),
            )
        )

    def _thread(self) -> Thread:
        thread = self._state.thread
        if thread is None:  # the parser takes nothing before the session is known
            raise RuntimeError("a record was made before its session was known")
        return thread


def tokens_of(counts: TokenCounts) -> Tokens:
    """Return counts in disjoint buckets, output including reasoning.

    ``output`` excludes reasoning where ``total`` says so (all of it since ``total`` is written);
    before that it includes it, as far as it is the larger of the two.
    """
    given, reasoning = _count(counts.output), _count(counts.reasoning)
    apart = _count(counts.input) + _count(counts.cache.read) + _count(counts.cache.write)
    if counts.total is None:
        is_included = reasoning <= given
    else:
        is_included = _count(counts.total) == apart + given
    return Tokens(
        input=_count(counts.input),
        output=given if is_included else min(given + reasoning, _COUNT_MAX),
        cache_read=_count(counts.cache.read),
        cache_write=_count(counts.cache.write),
        reasoning=reasoning,
    )


def unquoted(text: str) -> str:
    """Return a prompt as it was typed: ``opencode run`` puts quotes around one that has spaces.

    Quotes inside of it get a backslash then, so a text with a bare one was not quoted as a whole.
    """
    found = _QUOTED.fullmatch(text)
    if found is None or " " not in found[1] or not found[1].strip():
        return text
    return found[1].replace('\\"', '"')


def model_of(name: str | None) -> str | None:
    """Return a model's name, cut to what fits."""
    return name[:KEY_MAX_CHARS] if name else None


def milliseconds(value: float | None) -> int | None:
    """Return a time as opencode writes it; ``None`` for what cannot be one."""
    return None if value is None or not 0 < value < _COUNT_MAX / 4096 else int(value)


def _count(value: float) -> int:
    """Some providers' counts came out negative; those are no counts."""
    return int(min(max(value, 0), _COUNT_MAX))


def _moment(value_ms: int | None) -> str | None:
    return format_ms(value_ms) if value_ms else None


def _turn_id(message: str) -> str:
    return uuid8(AGENT_NAME, "turn", message)
