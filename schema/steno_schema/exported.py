"""Records as exports carry them: what their sender said, and what became of them since.

A line of a JSON Lines export is one of these as JSON, told apart by ``type``; a field that is left
out has its default. They are the records of ``records.py`` with a few fields more, so that what
was exported and read back in is the same again: ids, order, times, statuses, annotations, counts.

- A file begins with ``{"type":"steno","format":1}``; a reader refuses a format it does not know.
- Sessions come first, then conversations (parents before children), exchanges, messages, model
  calls, and the records of memory and work.
- An exchange carries its text, and beside it in ``prompt_message`` and ``output_message`` whatever
  else is known of these two messages; all other messages are lines of their own. Output, model,
  tokens, time and reported cost of a captured exchange (``origin`` is not ``script``) follow from
  its messages and calls again; they stand in its line for readers.
- What follows from the rest is left out: analysis, computed costs, the full-text index.
"""

from typing import Any

from msgspec import Struct

from steno_schema import records
from steno_schema.records import (
    Count,
    ExchangeStatus,
    Int64,
    Key,
    MessageKind,
    Origin,
    Role,
    Seconds,
    Share,
)

FORMAT = 1
"""Number of the line format; raised when an older reader would misunderstand a newer file."""
HEADER = {"type": "steno", "format": FORMAT}


class ExportedSession(records.Session, tag="session", kw_only=True):
    updated_at: str | None = None


class ExportedConversation(records.Conversation, tag="conversation", kw_only=True):
    updated_at: str | None = None


class Rival(Struct, kw_only=True, omit_defaults=True):
    """A sighting of a captured thing in another conversation, that of a fork, than its owner's.

    ``position`` and ``exchange`` are those of a message there, the rest those of an exchange.
    """

    conversation: Key
    copied: bool = False
    position: Int64 = 0
    exchange: str | None = None
    status: ExchangeStatus = "completed"
    origin: Origin = "human"
    project: str | None = None


class OwnMessage(Struct, kw_only=True, omit_defaults=True):
    """A message whose text is an exchange's prompt or output; what is left out is as usual.

    Usual are the exchange's conversation and time, the roles ``user`` and ``assistant``, and the
    ids that a saved exchange gives its messages. ``detached``: it belongs to no exchange.
    """

    id: str | None = None
    conversation: Key | None = None
    exchange: str | None = None
    detached: bool = False
    role: Role | None = None
    kind: MessageKind = "text"
    created_at: str | None = None
    position: Int64 | None = None
    number: Int64 | None = None
    model: Key | None = None
    token_count: Count | None = None
    processing_time_s: Seconds | None = None
    importance: Share | None = None
    is_summarized: bool = False
    original_content: str | None = None
    tool_name: str | None = None
    call_id: str | None = None
    is_error: bool = False
    copied: bool = False
    metadata: dict[str, Any] | None = None
    rivals: list[Rival] | None = None


class Sighting(Struct, kw_only=True, omit_defaults=True):
    """A time when the duplicate check met a prompt again, and the id it came with."""

    seen_at: str
    id: str | None = None


class ExportedExchange(records.Exchange, tag="exchange", kw_only=True):
    """An exchange with its text; ``guessed_category`` is the tag that the analysis put already."""

    origin: Origin = "script"
    updated_at: str | None = None
    copied: bool = False
    prompt_message: OwnMessage | None = None
    output_message: OwnMessage | None = None
    sightings: list[Sighting] | None = None
    rivals: list[Rival] | None = None
    guessed_category: Key | None = None
    content_hash: str | None = None


class ExportedMessage(records.Message, tag="message", kw_only=True):
    """A message; ``number`` orders those of a day, its ``position`` where it is left out.

    ``content_hash`` (of all types): by it a repeated save is told from another record.
    """

    number: Int64 | None = None
    is_summarized: bool = False
    original_content: str | None = None
    rivals: list[Rival] | None = None
    content_hash: str | None = None


class ExportedUsage(records.Usage, tag="usage", kw_only=True):
    content_hash: str | None = None


class ExportedInteraction(records.AgentInteraction, tag="agent_interaction", kw_only=True):
    content_hash: str | None = None


class ExportedRoutingDecision(records.RoutingDecision, tag="routing_decision", kw_only=True):
    content_hash: str | None = None


class ExportedPattern(records.Pattern, tag="pattern", kw_only=True):
    """A learned pattern with all its sightings so far; ``seen_at`` is the last."""

    first_seen: str | None = None


class ExportedHandoff(records.Handoff, tag="handoff", kw_only=True):
    content_hash: str | None = None


class ExportedMetric(records.Metric, tag="metric", kw_only=True):
    content_hash: str | None = None


class ExportedTask(records.Task, tag="task", kw_only=True):
    content_hash: str | None = None


class ExportedCommand(records.Command, tag="command", kw_only=True):
    content_hash: str | None = None


class ExportedErrorEvent(records.ErrorEvent, tag="error_event", kw_only=True):
    content_hash: str | None = None


class ExportedPatternUsage(records.PatternUsage, tag="pattern_usage", kw_only=True):
    content_hash: str | None = None


AnyExported = (
    ExportedSession
    | ExportedConversation
    | ExportedExchange
    | ExportedMessage
    | ExportedUsage
    | ExportedInteraction
    | ExportedRoutingDecision
    | records.Preference
    | ExportedPattern
    | ExportedHandoff
    | ExportedMetric
    | ExportedTask
    | ExportedCommand
    | ExportedErrorEvent
    | records.Workflow
    | records.MetadataEntry
    | ExportedPatternUsage
)
