"""What each type of record is read from for an export: its table, its columns, its filters.

Every query names the table and, beside it, exchange ``e``, conversation ``c`` and session ``s``
where the record has them, so that the filters of exchanges serve for all: what a record does not
have matches no filter that asks for it.
"""

import json
from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from steno_schema.ids import format_id
from steno_schema.times import format_ms
from stenod.store.packs import WHOLE_TEXT

Read = Callable[[Any], Any]


class Column(NamedTuple):
    """A field of a record and how it is read; what is NULL, or read as ``None``, is left out."""

    field: str
    sql: str
    read: Read | None = None


class RecordType(NamedTuple):
    """``joins`` give ``e``, ``c`` and ``s``; ``created`` is the time that filters are about."""

    name: str
    table: str
    joins: str
    created: str
    columns: tuple[Column, ...]
    only: str = "1"
    """Which rows of the table are meant at all."""


def flag(value: Any) -> bool | None:
    """Read a flag that is false unless told."""
    return True if value else None


def boolean(value: Any) -> bool:
    return bool(value)


def decoded(text: str) -> Any:
    return msgspec.json.decode(text)


def sightings_of(text: str) -> list[dict[str, str]] | None:
    """Read pairs of a time and the hexadecimal digits of an id, or none."""
    return [
        {"seen_at": format_ms(at)} | ({} if uid is None else {"id": format_id(bytes.fromhex(uid))})
        for at, uid in json.loads(text)
    ] or None


def rivals_of_message(text: str) -> list[dict[str, Any]] | None:
    """Read sightings of a message in other conversations."""
    return [
        _told(
            conversation=key,
            copied=copied == 1 or None,
            position=position or None,
            exchange=format_id(bytes.fromhex(uid)) if uid else None,
        )
        for key, copied, position, uid in json.loads(text)
    ] or None


def rivals_of_exchange(text: str) -> list[dict[str, Any]] | None:
    """Read sightings of an exchange in other conversations."""
    return [
        _told(
            conversation=key,
            copied=copied == 1 or None,
            status=status,
            origin=origin,
            project=project,
        )
        for key, copied, status, origin, project in json.loads(text)
    ] or None


def _told(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def text_of(alias: str) -> str:
    """Return the SQL for a message's whole text."""
    return WHOLE_TEXT.replace("m.", f"{alias}.")


def message_rivals(alias: str) -> Column:
    """Return the column of a message's sightings elsewhere."""
    return Column(
        "rivals",
        "(SELECT json_group_array(json_array(key, copied, position, exchange)) FROM"
        " (SELECT k.key, r.copied, r.position, hex(r.exchange_uid) AS exchange"
        " FROM message_rival AS r JOIN conversation AS k ON k.id = r.conversation_id"
        f" WHERE r.uid = {alias}.uid ORDER BY k.key))",
        rivals_of_message,
    )


def list_of(text: str) -> list[str] | None:
    return json.loads(text) or None


def columns(*names: str) -> tuple[Column, ...]:
    """Return columns of table ``t`` that are called and read as their name says."""
    return tuple(_column(name) for name in names)


def _column(name: str) -> Column:
    read: Read | None = None
    if name.endswith(("_at", "_seen")):
        read = format_ms
    elif name in {"open_tasks", "labels", "data", "metadata"}:
        read = decoded
    elif name == "content_hash":
        read = bytes.hex
    return Column(name, f"t.{name}", read)


ID = Column("id", "t.uid", format_id)
_NO_EXCHANGE = "LEFT JOIN exchange AS e ON 0"
_OUTSIDE = f"LEFT JOIN session AS s ON 0 LEFT JOIN conversation AS c ON 0 {_NO_EXCHANGE}"
_IN_SESSION = (
    f"LEFT JOIN session AS s ON s.key = t.session LEFT JOIN conversation AS c ON 0 {_NO_EXCHANGE}"
)
_IN_CONVERSATION = (
    "JOIN conversation AS c ON c.id = t.conversation_id JOIN session AS s ON s.id = c.session_id"
)
_OF_EXCHANGE = Column(
    "exchange", "(SELECT x.uid FROM exchange AS x WHERE x.id = t.exchange_id)", format_id
)
_OF_SESSION = Column("session", "(SELECT x.key FROM session AS x WHERE x.id = t.session_id)")
_OF_CONVERSATION = Column(
    "conversation", "(SELECT x.key FROM conversation AS x WHERE x.id = t.conversation_id)"
)
TOKENS = (
    "input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens",
    "cache_write_5m_tokens", "cache_write_1h_tokens", "reasoning_tokens", "total_tokens",
    "tokens_complete",
)  # fmt: skip


def tokens_of(text: str) -> dict[str, Any] | None:
    """Read the counts of ``tokens_sql``; ``None`` where nothing was told."""
    values = dict(zip(TOKENS, json.loads(text), strict=True))
    if values["input_tokens"] is None and values["total_tokens"] is None:
        return None
    complete = values.pop("tokens_complete") != 0
    told = {name.removesuffix("_tokens"): value for name, value in values.items() if value}
    if values["total_tokens"] is not None:
        told["total"] = values["total_tokens"]
    return told if complete else told | {"complete": False}


def tokens_sql(alias: str) -> str:
    return f"json_array({', '.join(f'{alias}.{name}' for name in TOKENS)})"


_SESSION = RecordType(
    "session",
    "session",
    "JOIN session AS s ON s.id = t.id",
    "t.created_at",
    (
        ID,
        *columns("key", "user", "project", "agent", "title", "status"),
        *columns("created_at", "started_at", "ended_at", "last_active_at", "updated_at"),
        *columns("metadata"),
    ),
)
_CONVERSATION_COLUMNS = (
    ID,
    *columns("key"),
    _OF_SESSION,
    Column("parent", "(SELECT x.key FROM conversation AS x WHERE x.id = t.parent_id)"),
    *columns("kind", "user", "title", "summary"),
    *columns("created_at", "started_at", "ended_at", "updated_at", "metadata"),
)
_CONVERSATION = RecordType(
    "conversation",
    "conversation",
    "JOIN conversation AS c ON c.id = t.id JOIN session AS s ON s.id = t.session_id",
    "t.created_at",
    _CONVERSATION_COLUMNS,
    "t.parent_id IS NULL",
)
_MESSAGE = RecordType(
    "message",
    "message",
    f"{_IN_CONVERSATION} LEFT JOIN exchange AS e ON e.id = t.exchange_id",
    "coalesce(e.created_at, t.created_at)",
    (
        ID,
        _OF_CONVERSATION,
        _OF_EXCHANGE,
        *columns("role", "kind"),
        Column("content", text_of("t")),
        *columns("created_at", "position"),
        Column("number", "nullif(t.id, t.position)"),
        *columns("model", "token_count"),
        *columns("processing_time_s", "importance"),
        Column("is_summarized", "t.is_summarized", flag),
        *columns("original_content", "tool_name", "call_id"),
        Column("is_error", "t.is_error", flag),
        Column("copied", "t.copied", flag),
        *columns("metadata"),
        message_rivals("t"),
        *columns("content_hash"),
    ),
    # An exchange's own text stands in its line.
    "(e.id IS NULL OR (t.id IS NOT e.prompt_id AND t.id IS NOT e.output_id))",
)
_USAGE = RecordType(
    "usage",
    "usage",
    "LEFT JOIN conversation AS c ON c.id = t.conversation_id"
    " LEFT JOIN session AS s ON s.id = coalesce(c.session_id, t.session_id)"
    " LEFT JOIN exchange AS e ON e.id = t.exchange_id",
    "coalesce(e.created_at, t.recorded_at)",
    (
        ID,
        _OF_SESSION,
        _OF_CONVERSATION,
        _OF_EXCHANGE,
        *columns("agent", "model"),
        Column("tokens", tokens_sql("t"), lambda text: tokens_of(text) or {}),
        *columns("cost_usd", "request_id", "recorded_at", "position"),
        Column("nested", "t.nested", flag),
        Column("copied", "t.copied", flag),
        *columns("content_hash"),
    ),
)


def _of_work(name: str, created: str, *names: str, table: str = "") -> RecordType:
    hashed = (*names, "content_hash")
    return RecordType(name, table or name, _IN_SESSION, created, (ID, *columns(*hashed)))


MEMORY: tuple[RecordType, ...] = (
    RecordType(
        "agent_interaction", "agent_interaction", f"{_IN_CONVERSATION} {_NO_EXCHANGE}",
        "t.started_at",
        (ID, _OF_CONVERSATION,
         *columns("agent_type", "task_description", "result_summary", "input_tokens",
                  "output_tokens", "cost_usd", "started_at", "completed_at", "status",
                  "content_hash")),
    ),
    RecordType(
        "routing_decision", "routing_decision", f"{_IN_CONVERSATION} {_NO_EXCHANGE}",
        "t.decided_at",
        (ID, _OF_CONVERSATION,
         *columns("intent", "complexity", "confidence", "selected_workflow", "routing_method",
                  "reasoning", "decided_at", "content_hash")),
    ),
    RecordType(
        "preference", "preference",
        "JOIN (SELECT id, user, NULL AS key, NULL AS agent, NULL AS project FROM preference) AS s"
        f" ON s.id = t.id LEFT JOIN conversation AS c ON 0 {_NO_EXCHANGE}",
        "t.updated_at",
        (ID, *columns("user", "key", "value", "updated_at")),
    ),
    RecordType(
        "pattern", "pattern", _OUTSIDE, "t.last_seen",
        (ID, *columns("pattern_type", "pattern_key", "pattern_value"),
         Column("occurrences", "t.occurrence_count"), Column("confidence", "t.confidence_score"),
         Column("seen_at", "t.last_seen", format_ms), *columns("first_seen")),
    ),
    RecordType(
        "handoff", "handoff",
        "LEFT JOIN session AS s ON s.key = t.from_session LEFT JOIN conversation AS c ON 0"
        f" {_NO_EXCHANGE}",
        "t.created_at",
        (ID, *columns("from_session", "to_session", "summary", "open_tasks"),
         Column("context", "t.context", decoded), *columns("created_at", "content_hash")),
    ),
    RecordType(
        "metric", "metric", _OUTSIDE, "t.recorded_at",
        (ID, *columns("metric", "value", "unit", "labels", "recorded_at", "content_hash")),
    ),
    _of_work("task", "t.created_at", "key", "session", "specialist", "task_type", "complexity",
             "started_at", "completed_at", "duration_hours", "estimation_hours", "created_at"),
    RecordType(
        "command", "command", _IN_SESSION, "t.executed_at",
        (ID, *columns("command", "session", "model", "thinking_budget", "duration_ms"),
         Column("success", "t.success", boolean),
         *columns("executed_at", "created_at", "content_hash")),
    ),
    _of_work("error_event", "t.occurred_at", "message", "severity", "command", "context",
             "session", "occurred_at", "created_at"),
    RecordType(
        "workflow", "workflow", _IN_SESSION, "t.updated_at",
        (ID, *columns("current_task", "current_command", "session", "data", "updated_at")),
    ),
    RecordType(
        "metadata_entry", "metadata_entry", _OUTSIDE, "t.updated_at",
        (ID, *columns("key", "value", "updated_at")),
    ),
    _of_work("pattern_usage", "t.created_at", "pattern_name", "task", "session",
             "time_saved_hours", "confidence", "source", "created_at", table="pattern_use"),
)  # fmt: skip
TALK = (
    _SESSION,
    _CONVERSATION,
    _CONVERSATION._replace(only="t.parent_id IS NOT NULL"),
    _MESSAGE,
    _USAGE,
)
