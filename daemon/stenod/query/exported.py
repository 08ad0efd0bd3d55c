"""Everything as records for an export, page by page, each page a bounded amount of work.

A page looks at so many rows of one table, in the order of their ids, and gives those that are
chosen. What is stored while an export goes on is left out where it would name something that has
been passed already: ``Position`` says up to where exchanges and conversations are meant.
"""

import time
from typing import Any, NamedTuple

import apsw

from steno_schema.errors import bad_request
from steno_schema.replies import Rows
from steno_schema.requests import Export
from stenod.query.exchanges import (
    FROM,
    PAGE_MAX_BYTES,
    decode_cursor,
    encode_cursor,
    encoded_bytes,
)
from stenod.query.exported_choice import Wanted, choice_of
from stenod.query.exported_exchanges import EXCHANGE, exchange_of, fields_of
from stenod.query.exported_types import MEMORY, TALK, RecordType
from stenod.query.filters import exchange_condition
from stenod.store.rows import fetch_one

WINDOW_ROWS = 1000
LOOK_FOR_S = 0.5
"""A page that found nothing goes on for this long before it says so."""
TYPES = (*TALK[:3], EXCHANGE, *TALK[3:], *MEMORY)
"""In the order of an export: what is named comes before what names it."""
_EXCHANGES, _CONVERSATIONS = "exchanges", "conversations"
_BOUNDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "conversation": ("t.id <= ?", (_CONVERSATIONS,)),
    "exchange": ("t.id <= ?", (_EXCHANGES,)),
    "message": (
        "t.conversation_id <= ? AND coalesce(t.exchange_id, 0) <= ?",
        (_CONVERSATIONS, _EXCHANGES),
    ),
    "usage": (
        "coalesce(t.conversation_id, 0) <= ? AND coalesce(t.exchange_id, 0) <= ?",
        (_CONVERSATIONS, _EXCHANGES),
    ),
    "agent_interaction": ("t.conversation_id <= ?", (_CONVERSATIONS,)),
    "routing_decision": ("t.conversation_id <= ?", (_CONVERSATIONS,)),
}


class Position(NamedTuple):
    """Where an export stands; the cursor holds it."""

    type_index: int
    after_id: int
    exchanges: int
    conversations: int
    floor_ms: int
    floor_id: int
    """With ``newest``: time and id of the oldest exchange that is meant; 0 without."""


def export_page(connection: apsw.Connection, request: Export) -> Rows:
    """Return the next records of an export; none of them only after looking for a while."""
    position = _position(connection, request)
    floor = (position.floor_ms, position.floor_id) if position.floor_id else None
    wanted = Wanted(request.filters, floor)
    deadline = time.monotonic() + LOOK_FOR_S
    items: list[dict[str, Any]] = []
    while not items and position.type_index < len(TYPES) and time.monotonic() < deadline:
        kind = TYPES[position.type_index]
        reached = None
        if not request.types or kind.name in request.types:
            items, reached = _records(connection, wanted, kind, position)
        if reached is None:
            position = position._replace(type_index=position.type_index + 1, after_id=0)
        else:
            position = position._replace(after_id=reached)
    ended = position.type_index == len(TYPES)
    return Rows(items=items, next_cursor=None if ended else encode_cursor(*position))


def _position(connection: apsw.Connection, request: Export) -> Position:
    if request.cursor is not None:
        position = Position(*decode_cursor(request.cursor, len(Position._fields)))
        if not 0 <= position.type_index < len(TYPES):
            raise bad_request("The cursor was not made by this question.", "Start without one.")
        return position
    bounds = fetch_one(
        connection,
        "SELECT coalesce((SELECT max(id) FROM exchange), 0),"
        " coalesce((SELECT max(id) FROM conversation), 0)",
    )
    assert bounds is not None
    floor_ms, floor_id = _floor(connection, request)
    return Position(0, 0, bounds[0], bounds[1], floor_ms, floor_id)


def _floor(connection: apsw.Connection, request: Export) -> tuple[int, int]:
    if request.newest is None:
        return 0, 0
    condition, values = exchange_condition(request.filters)
    row = fetch_one(
        connection,
        f"SELECT e.created_at, e.id {FROM} WHERE {condition}"
        " ORDER BY e.created_at DESC, e.id DESC LIMIT 1 OFFSET ?",
        (*values, request.newest - 1),
    )
    # With fewer exchanges than that, all of them are meant, and still nothing but theirs.
    return (row[0], row[1]) if row is not None else (-(2**62), 1)


def _records(
    connection: apsw.Connection, wanted: Wanted, kind: RecordType, position: Position
) -> tuple[list[dict[str, Any]], int | None]:
    """Return records of one window of a table, and the id reached; ``None`` at its end."""
    last = connection.execute(
        f"SELECT max(id) FROM (SELECT id FROM {kind.table} WHERE id > ? ORDER BY id LIMIT ?)",
        (position.after_id, WINDOW_ROWS),
    ).get
    if last is None:
        return [], None
    choice = choice_of(wanted, kind)
    bound, names = _BOUNDS.get(kind.name, ("1", ()))
    rows = connection.execute(
        f"SELECT t.id, {', '.join(column.sql for column in kind.columns)}"
        f" FROM {kind.table} AS t {kind.joins} WHERE t.id > ? AND t.id <= ? AND {kind.only}"
        f" AND {bound} AND {choice.sql} ORDER BY t.id",
        (
            position.after_id,
            last,
            *(getattr(position, name) for name in names),
            *choice.values,
        ),
    )
    return _within(kind, rows, int(last))


def _within(kind: RecordType, rows: apsw.Cursor, last: int) -> tuple[list[dict[str, Any]], int]:
    """Return the records of as many rows as fit a reply, and the id of the last one looked at."""
    items: list[dict[str, Any]] = []
    size_bytes = 0
    reached = last
    for row in rows:
        told = exchange_of(row[1:]) if kind is EXCHANGE else fields_of(kind.columns, row[1:])
        size_bytes += encoded_bytes(told)
        if items and size_bytes > PAGE_MAX_BYTES:
            return items, reached
        items.append({"type": kind.name, **told})
        reached = row[0]
    return items, last
