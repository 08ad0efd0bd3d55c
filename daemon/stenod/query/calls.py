"""Model calls behind costs: what was spent outside of exchanges, and every row of a figure."""

from typing import Any

import apsw

from steno_schema.ids import format_id
from steno_schema.replies import Rows
from steno_schema.requests import Filters, List
from steno_schema.times import format_ms
from stenod.query.exchanges import FROM, decode_cursor, encode_cursor
from stenod.query.filters import exchange_condition
from stenod.query.records import within
from stenod.store.calls import (
    CALLS,
    COST,
    INSIDE,
    OUTSIDE,
    OUTSIDE_NAME,
    SAYS_ITSELF,
    TOKENS,
)
from stenod.store.rows import Row, fetch_all

_OF_CALLS = frozenset(
    {"since", "until", "model", "agent", "project", "session", "conversation", "user"}
)
"""Filters that a call without an exchange can satisfy."""
_BUCKETS = (
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
)
_RATES = (
    "version",
    "provider",
    "model",
    "input_usd",
    "output_usd",
    "cache_read_usd",
    "cache_write_usd",
    "cache_write_1h_usd",
    "above_tokens",
)
_TOLD = ", ".join(
    [
        "e.id, s.key, c.key, e.agent, e.model",
        *(f"coalesce(e.{name}, 0)" for name in _BUCKETS),
        f"coalesce({TOKENS}, 0), coalesce(e.tokens_complete, 1), e.cost_usd, {COST}",
        *(f"p.{name}" for name in _RATES),
    ]
)
_CALL_ROWS = f"""
SELECT e.recorded_at, 0, {_TOLD}, x.uid, x.id, iif({INSIDE}, 'exchange', {OUTSIDE_NAME}),
  e.copied, iif(e.nested, 'nested', iif({INSIDE} AND {SAYS_ITSELF}, 'said_by_exchange', NULL))
{CALLS} LEFT JOIN price AS p ON p.id = e.price_id
"""
_EXCHANGE_ROWS = f"""
SELECT e.created_at, 1, {_TOLD}, e.uid, e.id, 'exchange', 0, NULL
{FROM} LEFT JOIN price AS p ON p.id = e.price_id
"""


def outside(
    connection: apsw.Connection, sums: str, condition: str, values: list[Any]
) -> list[Row]:
    """Return rows of (what for, sums…) over the calls outside of exchanges that are meant."""
    return fetch_all(
        connection,
        f"SELECT {OUTSIDE_NAME} AS name, {sums} {CALLS} WHERE {OUTSIDE} AND {condition}"
        " GROUP BY 1",
        values,
    )


def outside_condition(filters: Filters) -> tuple[str, list[Any]]:
    """Return which calls outside of exchanges filters choose: none, if they ask for more."""
    given = {
        name
        for name in filters.__struct_fields__
        if getattr(filters, name) != getattr(_NO_FILTERS, name)
    }
    if not given <= _OF_CALLS:
        return "0", []
    return exchange_condition(filters, created="e.recorded_at")


_NO_FILTERS = Filters()


def cost_rows(connection: apsw.Connection, request: List) -> Rows:
    """Return a page of the rows behind a cost: calls, and exchanges that said their own.

    Newest first unless asked otherwise. Rows that are not counted are among them, each with its
    ``reason``; the costs of the others add up to the figure of ``stats`` with the same filters,
    what was spent outside of exchanges included.
    """
    order, beyond = ("ASC", ">") if request.oldest_first else ("DESC", "<")
    after = () if request.cursor is None else tuple(decode_cursor(request.cursor, 3))
    rows: list[Row] = []
    for number, (query, moment, condition, values) in enumerate(_sources(request.filters)):
        following = f"({moment}, {number}, e.id) {beyond} (?, ?, ?)" if after else "1"
        rows += fetch_all(
            connection,
            f"{query} WHERE {condition} AND {following}"
            f" ORDER BY {moment} {order}, e.id {order} LIMIT ?",
            (*values, *after, request.limit + 1),
        )
    rows.sort(key=lambda row: row[:3], reverse=not request.oldest_first)
    items = within([_row(row) for row in rows[: request.limit]])
    cursor = encode_cursor(*rows[len(items) - 1][:3]) if len(items) < len(rows) else None
    return Rows(items=items, next_cursor=cursor)


def _sources(filters: Filters) -> list[tuple[str, str, str, list[Any]]]:
    """Return (query, column of its time, condition, values) of both kinds of rows."""
    chosen, values = exchange_condition(filters)
    apart, apart_values = outside_condition(filters)
    calls = f"iif({INSIDE}, EXISTS (SELECT 1 {FROM} WHERE e.id = x.id AND {chosen}), {apart})"
    says_itself = SAYS_ITSELF.replace("x.", "e.")
    return [
        (_CALL_ROWS, "e.recorded_at", calls, [*values, *apart_values]),
        (_EXCHANGE_ROWS, "e.created_at", f"{says_itself} AND {chosen}", values),
    ]


def _row(row: Row) -> dict[str, Any]:
    at, is_exchange, _, session, conversation, agent, model = row[:7]
    counts = dict(zip(_BUCKETS, row[7:13], strict=True))
    tokens, complete, reported, cost = row[13:17]
    price = dict(zip(_RATES, row[17:26], strict=True))
    exchange, number, place, copied, reason = row[26:]
    if reason is None and cost is None:
        reason = _why_unknown(model, tokens, any(counts.values()))
    return {
        "at": format_ms(at),
        "kind": "exchange" if is_exchange else "call",
        "place": place,
        "exchange_id": None if exchange is None else format_id(exchange),
        "exchange_number": number,
        "session_id": session,
        "conversation_id": conversation,
        "agent": agent,
        "model": model,
        **counts,
        "tokens": tokens,
        "tokens_complete": bool(complete),
        "copied": bool(copied),
        "cost_usd": cost,
        "cost_source": None if cost is None else "computed" if reported is None else "reported",
        "price": None if reported is not None or price["version"] is None else price,
        "counted": reason is None,
        "reason": reason,
    }


def _why_unknown(model: str | None, tokens: int, has_parts: bool) -> str:
    if not tokens:
        return "no_tokens"
    if not has_parts:
        return "only_a_total"
    return "no_model" if model is None else "unknown_model"
