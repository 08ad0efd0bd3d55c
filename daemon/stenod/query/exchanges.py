"""Exchanges as ``list``, ``show``, exports and subscribers see them, in pages."""

import json
from typing import Any

import apsw
import msgspec

from steno_schema.errors import bad_request
from steno_schema.ids import format_id
from steno_schema.limits import BULK_FRAME_MAX_BYTES, KIB
from steno_schema.records import Tokens
from steno_schema.replies import Exchanges, ExchangeView, Signals
from steno_schema.requests import List
from steno_schema.times import format_ms
from stenod.query.filters import exchange_condition
from stenod.store.calls import COST
from stenod.store.rows import fetch_all
from stenod.store.target import find

PAGE_MAX_BYTES = BULK_FRAME_MAX_BYTES - 64 * KIB
"""What the records of one page may take, so that the reply fits a frame."""
_LOADED_TOGETHER = 50

FROM = """
FROM exchange AS e
JOIN conversation AS c ON c.id = e.conversation_id
JOIN session AS s ON s.id = c.session_id
"""
_SELECT = f"""
SELECT e.uid, e.id, p.content, coalesce(o.content, ''), e.created_at, e.agent, e.project, s.key,
  c.key, coalesce(e.user, c.user, s.user), e.model, e.input_tokens, e.output_tokens,
  e.cache_read_tokens, e.cache_write_tokens, e.cache_write_5m_tokens, e.cache_write_1h_tokens,
  e.reasoning_tokens, e.total_tokens, e.tokens_complete, {COST}, e.status, e.origin,
  (SELECT json_group_array(tag) FROM
    (SELECT tag FROM exchange_tag WHERE exchange_id = e.id ORDER BY tag)),
  coalesce(e.category, a.category), coalesce(e.complexity, a.complexity),
  coalesce(e.stage, a.stage), coalesce(e.technique, a.technique), e.phase, e.framework,
  e.template, w.current_file, e.rating, coalesce(e.follow_up, a.follow_up),
  coalesce(e.response_summary, a.response_summary), e.response_time_ms, e.notes,
  coalesce(e.keywords, a.keywords), e.metadata, p.uid, o.uid,
  e.cost_usd, e.cost_complete, w.files_created, w.files_modified, w.commands_executed
{FROM}
JOIN message AS p ON p.id = e.prompt_id
LEFT JOIN message AS o ON o.id = e.output_id
LEFT JOIN analysis AS a ON a.exchange_id = e.id
JOIN outcomes AS w ON w.id = e.id
"""
_SIGNALS = "SELECT tool_calls, tool_errors, interrupted, corrected FROM outcomes WHERE id = ?"


def get_exchange(connection: apsw.Connection, target: str) -> ExchangeView:
    """Return one exchange by UUID, prefix or number; raises ``not_found``."""
    row_id, _ = find(connection, "exchange", target)
    view = by_numbers(connection, [row_id])[0]
    calls, errors, interrupted, corrected = fetch_all(connection, _SIGNALS, (row_id,))[0]
    view.signals = Signals(
        tool_calls=calls,
        tool_errors=errors,
        interrupted=bool(interrupted),
        corrected=None if corrected is None else bool(corrected),
    )
    return view


def by_numbers(connection: apsw.Connection, numbers: list[int]) -> list[ExchangeView]:
    """Return the exchanges with these row ids, in that order; those gone are left out."""
    found = {}
    for start in range(0, len(numbers), 500):
        part = numbers[start : start + 500]
        marks = ", ".join("?" * len(part))
        for row in connection.execute(f"{_SELECT} WHERE e.id IN ({marks})", part):
            found[row[1]] = _view(row)
    return [found[number] for number in numbers if number in found]


def views_within(
    connection: apsw.Connection, numbers: list[int], max_bytes: int = PAGE_MAX_BYTES
) -> list[ExchangeView]:
    """Return the first of these exchanges, as many as fit a reply; at least one if there is."""
    views: list[ExchangeView] = []
    size_bytes = 0
    for start in range(0, len(numbers), _LOADED_TOGETHER):
        for view in by_numbers(connection, numbers[start : start + _LOADED_TOGETHER]):
            size_bytes += encoded_bytes(view)
            if views and size_bytes > max_bytes:
                return views
            views.append(view)
    return views


def encoded_bytes(view: Any) -> int:
    """Return what a record takes in a reply, in the wordier encoding."""
    return len(msgspec.json.encode(view))


def list_exchanges(
    connection: apsw.Connection, request: List, without: str | None = None
) -> Exchanges:
    """Return a page of exchanges, newest first unless asked otherwise.

    ``without`` is a full-text expression: exchanges with a message that matches are left out.
    """
    condition, values = exchange_condition(request.filters)
    if without is not None:
        condition += (
            " AND NOT EXISTS (SELECT 1 FROM message AS x WHERE x.exchange_id = e.id AND x.id IN"
            " (SELECT rowid FROM message_index WHERE message_index MATCH ?))"
        )
        values.append(without)
    order, beyond = ("ASC", ">") if request.oldest_first else ("DESC", "<")
    if request.cursor is not None:
        created, number = decode_cursor(request.cursor, 2)
        condition += f" AND (e.created_at, e.id) {beyond} (?, ?)"
        values += [created, number]
    rows = fetch_all(
        connection,
        f"SELECT e.id, e.created_at {FROM} WHERE {condition}"
        f" ORDER BY e.created_at {order}, e.id {order} LIMIT ?",
        (*values, request.limit + 1),
    )
    times: dict[int, int] = dict(rows[: request.limit])
    numbers = list(times)
    items = views_within(connection, numbers)
    reached = items[-1].number if items else (numbers[-1] if numbers else None)
    following = None
    if reached is not None and (len(rows) > request.limit or reached != numbers[-1]):
        following = encode_cursor(times[reached], reached)
    return Exchanges(items=items, next_cursor=following)


def encode_cursor(*parts: int) -> str:
    """Return a page's end as opaque text."""
    return ".".join(f"{part:x}" for part in parts)


def decode_cursor(cursor: str, count: int) -> list[int]:
    """Return the parts of a cursor, or refuse one that was not made here."""
    try:
        parts = [int(part, 16) for part in cursor[:100].split(".")]
    except ValueError:
        parts = []
    if len(parts) != count or any(abs(part) >= 2**63 for part in parts):
        raise bad_request("The cursor was not made by this question.", "Start without one.")
    return parts


def _view(row: tuple[Any, ...]) -> ExchangeView:
    return ExchangeView(
        id=format_id(row[0]),
        number=row[1],
        prompt=row[2],
        output=row[3],
        created_at=format_ms(row[4]),
        agent=row[5],
        project=row[6],
        session_id=row[7],
        conversation_id=row[8],
        user=row[9],
        model=row[10],
        tokens=_tokens(row[11:20]),
        cost_usd=row[20],
        status=row[21],
        origin=row[22],
        tags=json.loads(row[23]),
        category=row[24],
        complexity=row[25],
        stage=row[26],
        technique=row[27],
        phase=row[28],
        framework=row[29],
        template=row[30],
        current_file=row[31],
        rating=row[32],
        follow_up=None if row[33] is None else bool(row[33]),
        response_summary=row[34],
        response_time_ms=row[35],
        notes=row[36],
        keywords=_decoded(row[37]),
        metadata=_decoded(row[38]),
        prompt_message_id=format_id(row[39]),
        output_message_id=None if row[40] is None else format_id(row[40]),
        cost_source=None if row[20] is None else "computed" if row[41] is None else "reported",
        cost_complete=None if row[20] is None else row[41] is not None or row[42] != 0,
        files_created=_decoded(row[43]),
        files_modified=_decoded(row[44]),
        commands_executed=_decoded(row[45]),
    )


def _tokens(columns: tuple[Any, ...]) -> Tokens | None:
    if columns[0] is None and columns[7] is None:
        return None
    return Tokens(
        input=columns[0] or 0,
        output=columns[1] or 0,
        cache_read=columns[2] or 0,
        cache_write=columns[3] or 0,
        cache_write_5m=columns[4] or 0,
        cache_write_1h=columns[5] or 0,
        reasoning=columns[6] or 0,
        total=columns[7],
        complete=columns[8] != 0,
    )


def _decoded(text: str | None) -> Any:
    return None if text is None else msgspec.json.decode(text)
