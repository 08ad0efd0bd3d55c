"""Lists and single records of every type but exchanges."""

from typing import Any, TypeVar

import apsw
import msgspec

from steno_schema.errors import bad_request
from steno_schema.ids import format_id
from steno_schema.replies import Messages, MessageView, Rows
from steno_schema.requests import Filters, List
from steno_schema.times import format_ms
from stenod.query.exchanges import (
    PAGE_MAX_BYTES,
    decode_cursor,
    encode_cursor,
    encoded_bytes,
)
from stenod.query.filters import bounds, exchange_condition
from stenod.store.packs import WHOLE_TEXT
from stenod.store.rows import fetch_all, fetch_one
from stenod.store.target import find

View = TypeVar("View")

_MESSAGE = f"""
SELECT m.uid, m.id, c.key, e.uid, m.role, m.kind, {WHOLE_TEXT}, m.created_at, m.model,
  m.token_count, m.processing_time_s, m.tool_name, m.call_id, m.is_error, m.importance, m.metadata, m.position,
  m.conversation_id
FROM message AS m
JOIN conversation AS c ON c.id = m.conversation_id
JOIN session AS s ON s.id = c.session_id
LEFT JOIN exchange AS e ON e.id = m.exchange_id
"""
_VIEWS = {
    "session": "sessions",
    "conversation": "conversations",
    "source": "sources",
    "usage": "cost_tracking",
    "agent_interaction": "agent_interactions",
    "routing_decision": "routing_decisions",
    "preference": "user_preferences",
    "pattern": "learned_patterns",
    "handoff": "session_handoffs",
    "metric": "memory_metrics",
    "task": "tasks",
    "command": "commands",
    "error_event": "errors",
    "workflow": "workflow_state",
    "metadata_entry": "metadata",
    "pattern_usage": "pattern_usage",
}
_TABLES = {"pattern_usage": "pattern_use"}
_TIMES = {"session": "last_active_at", "conversation": "created_at"}
_FILTER_COLUMNS = {
    "session": "session_id",
    "conversation": "conversation_id",
    "user": "user_id",
    "model": "model",
    "agent": "agent",
    "project": "project_id",
}


def list_messages(connection: apsw.Connection, request: List) -> Messages:
    """Return messages: of one conversation or session in their order, else newest first."""
    condition, values = _message_condition(request.filters)
    of_one = bool(request.filters.conversation)
    in_order = of_one or bool(request.filters.session and not request.newest_first)
    forward = not request.newest_first if in_order else request.oldest_first
    order, beyond = ("ASC", ">") if forward else ("DESC", "<")
    parts = 3 if in_order else 1
    key = "(m.conversation_id, m.position, m.id)" if in_order else "(m.id)"
    if request.cursor is not None:
        condition += f" AND {key} {beyond} ({', '.join('?' * parts)})"
        values += decode_cursor(request.cursor, parts)
    ordering = ", ".join(f"{column} {order}" for column in key.strip("()").split(", "))
    rows = fetch_all(
        connection,
        f"{_MESSAGE} WHERE {condition} ORDER BY {ordering} LIMIT ?",
        (*values, request.limit + 1),
    )
    items = within([_message(row) for row in rows[: request.limit]])
    following = None
    if len(items) < len(rows):
        last = rows[len(items) - 1]
        following = encode_cursor(*((last[17], last[16], last[1]) if in_order else (last[1],)))
    return Messages(items=items, next_cursor=following)


def within(views: list[View]) -> list[View]:
    """Return the first of the records, as many as fit a reply; at least one if there is."""
    size_bytes = 0
    for index, view in enumerate(views):
        size_bytes += encoded_bytes(view)
        if index and size_bytes > PAGE_MAX_BYTES:
            return views[:index]
    return views


def get_message(connection: apsw.Connection, target: str) -> MessageView:
    """Return one message; raises ``not_found``."""
    row_id, _ = find(connection, "message", target)
    row = fetch_one(connection, f"{_MESSAGE} WHERE m.id = ?", (row_id,))
    assert row is not None
    return _message(row)


def _message_condition(filters: Filters) -> tuple[str, list[Any]]:
    """Return which messages are meant: those of chosen exchanges, and what is like them."""
    of_exchange = msgspec.structs.replace(filters, role=[])
    condition, values = exchange_condition(of_exchange, "coalesce(e.created_at, m.created_at)")
    if filters.role:
        condition += f" AND m.role IN ({', '.join('?' * len(filters.role))})"
        values += filters.role
    return condition, values


def list_rows(connection: apsw.Connection, request: List) -> Rows:
    """Return records of a view, newest first; filtered by session and time where it has them."""
    view = _VIEWS[request.type]
    columns = [row[1] for row in connection.execute(f"PRAGMA table_info({view})")]
    order, beyond = ("ASC", ">") if request.oldest_first else ("DESC", "<")
    source, key = _in_order(request.type, view, columns)
    condition, values = _row_condition(request, columns)
    if request.cursor is not None:
        condition += f" AND ({', '.join(key)}) {beyond} ({', '.join('?' * len(key))})"
        values += decode_cursor(request.cursor, len(key))
    rows = fetch_all(
        connection,
        f"SELECT {', '.join(columns + key)} FROM {source} WHERE {condition}"
        f" ORDER BY {', '.join(f'{part} {order}' for part in key)} LIMIT ?",
        (*values, request.limit + 1),
    )
    width = len(columns)
    items = within([dict(zip(columns, row[:width], strict=True)) for row in rows[: request.limit]])
    following = encode_cursor(*rows[len(items) - 1][width:]) if len(items) < len(rows) else None
    return Rows(items=items, next_cursor=following)


def _in_order(kind: str, view: str, columns: list[str]) -> tuple[str, list[str]]:
    """Return what to select from, and the columns whose order is that of time.

    What is recorded as it happens goes by its number. Sessions and conversations do not: a backfill
    reads the newest first.
    """
    if kind in _TIMES:
        base = f"(SELECT id AS base_id, {_TIMES[kind]} AS base_time FROM {kind})"
        return f"{view} JOIN {base} ON base_id = id", ["base_time", "base_id"]
    if "id" in columns:
        return view, ["id"]
    numbered = f"SELECT row_number() OVER (ORDER BY updated_at) AS row_number, * FROM {view}"
    return f"({numbered})", ["row_number"]


def _row_condition(request: List, columns: list[str]) -> tuple[str, list[Any]]:
    filters = request.filters
    # Below 0 are exchanges that say their own cost.
    parts = ["id > 0" if request.type == "usage" else "1"]
    values: list[Any] = []
    for name, column in _FILTER_COLUMNS.items():
        wanted = getattr(filters, name)
        if not wanted:
            continue
        chosen = f"{column} IN ({', '.join('?' * len(wanted))})"
        if column not in columns:
            chosen = _by_another_view(name, chosen, columns)
        parts.append(chosen)
        values += wanted
    for column, wanted in request.where.items():
        if column not in columns:
            raise bad_request(
                f"These records have no {column[:60]!r}.", f"They have {', '.join(columns)}."
            )
        parts.append(f"{column} IN ({', '.join('?' * len(wanted))})")
        values += wanted
    since, until = bounds(filters)
    times = [c for c in columns if c.endswith("_at") or c in {"timestamp", "last_seen"}]
    for operator, value in ((">=", since), ("<=", until)):
        if value is not None and times:
            parts.append(f"{times[0]} {operator} ?")
            values.append(format_ms(value))
    return " AND ".join(parts), values


def _by_another_view(name: str, chosen: str, columns: list[str]) -> str:
    """Return the condition for records that say by their thread or session whose they are."""
    if name == "user" and "conversation_id" in columns:
        return f"conversation_id IN (SELECT thread_id FROM conversation_threads WHERE {chosen})"
    if name in {"user", "project"} and "session_id" in columns:
        return f"session_id IN (SELECT session_id FROM sessions WHERE {chosen})"
    raise bad_request(f"These records have no {name}.", f"Leave out --{name}.")


def get_row(connection: apsw.Connection, kind: str, target: str) -> dict[str, Any]:
    """Return one record of a view; raises ``not_found``."""
    if kind not in _VIEWS:
        raise bad_request(f"A {kind} has no id of its own.", "List them instead.")
    row_id, uid = find(connection, _TABLES.get(kind, kind), target)
    view = _VIEWS[kind]
    columns = [row[1] for row in connection.execute(f"PRAGMA table_info({view})")]
    by, value = ("id", row_id) if "id" in columns else ("uid", uid)
    row = fetch_one(
        connection, f"SELECT {', '.join(columns)} FROM {view} WHERE {by} = ?", (value,)
    )
    return dict(zip(columns, row or (), strict=True))


def _message(row: tuple[Any, ...]) -> MessageView:
    return MessageView(
        id=format_id(row[0]),
        number=row[1],
        conversation_id=row[2],
        exchange_id=None if row[3] is None else format_id(row[3]),
        role=row[4],
        kind=row[5],
        content=row[6],
        created_at=format_ms(row[7]),
        model=row[8],
        token_count=row[9],
        processing_time_s=row[10],
        tool_name=row[11],
        call_id=row[12],
        is_error=bool(row[13]),
        importance=row[14],
        metadata=None if row[15] is None else msgspec.json.decode(row[15]),
    )
