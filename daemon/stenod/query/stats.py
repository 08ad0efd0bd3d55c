"""Statistics over exchanges: totals, and groups by day, model, agent, project, tag and more."""

from typing import Any

import apsw

from steno_schema.replies import Statistics
from steno_schema.requests import Stats
from stenod.query.exchanges import FROM
from stenod.query.filters import exchange_condition
from stenod.store.rows import fetch_one

_SUMS = """
  count(*) AS exchanges,
  coalesce(sum(e.input_tokens), 0) AS input_tokens,
  coalesce(sum(e.output_tokens), 0) AS output_tokens,
  coalesce(sum(e.cache_read_tokens), 0) AS cache_read_tokens,
  coalesce(sum(e.cache_write_tokens), 0) AS cache_write_tokens,
  coalesce(sum(e.reasoning_tokens), 0) AS reasoning_tokens,
  coalesce(sum(coalesce(e.total_tokens, e.input_tokens + e.output_tokens
    + e.cache_read_tokens + e.cache_write_tokens)), 0) AS tokens,
  sum(e.cost_usd) AS cost_usd
"""
_GROUPS = {
    "day": "strftime('%Y-%m-%d', e.created_at / 1000, 'unixepoch', 'localtime')",
    "model": "coalesce(e.model, '')",
    "agent": "coalesce(e.agent, '')",
    "project": "coalesce(e.project, '')",
    "tag": "t.tag",
    "category": "coalesce(e.category, a.category, '')",
    "complexity": "coalesce(e.complexity, a.complexity, '')",
    "session": "s.key",
}
_TOP = 10


def statistics(connection: apsw.Connection, request: Stats) -> Statistics:
    """Return totals and the groups asked for; without ``by``, the top of each kind."""
    condition, values = exchange_condition(request.filters)
    totals = _rows(connection, f"SELECT {_SUMS} {FROM} WHERE {condition}", values)[0]
    first_last = fetch_one(
        connection,
        "SELECT strftime('%Y-%m-%dT%H:%M:%fZ', min(e.created_at) / 1000.0, 'unixepoch'),"
        " strftime('%Y-%m-%dT%H:%M:%fZ', max(e.created_at) / 1000.0, 'unixepoch'),"
        f" count(DISTINCT s.id), count(DISTINCT e.project) {FROM} WHERE {condition}",
        values,
    )
    assert first_last is not None
    totals |= dict(zip(("first_at", "last_at", "sessions", "projects"), first_last, strict=True))
    if request.by is not None:
        groups = _group(connection, request.by, condition, values, request.limit)
        return Statistics(totals=totals, groups=groups)
    for name in ("agent", "model", "tag", "project", "category", "complexity", "day"):
        totals[f"by_{name}"] = _group(connection, name, condition, values, _TOP)
    return Statistics(totals=totals)


def _group(
    connection: apsw.Connection, by: str, condition: str, values: list[Any], limit: int
) -> list[dict[str, Any]]:
    joins = FROM
    if by == "tag":
        joins += "JOIN exchange_tag AS t ON t.exchange_id = e.id\n"
    if by in {"category", "complexity"}:
        joins += "LEFT JOIN analysis AS a ON a.exchange_id = e.id\n"
    order = "name DESC" if by == "day" else "exchanges DESC, name"
    return _rows(
        connection,
        f"SELECT {_GROUPS[by]} AS name, {_SUMS} {joins} WHERE {condition}"
        f" GROUP BY name ORDER BY {order} LIMIT ?",
        [*values, limit],
    )


def _rows(connection: apsw.Connection, sql: str, values: list[Any]) -> list[dict[str, Any]]:
    cursor = connection.execute(sql, values)
    names: list[str] = []
    rows = []
    for row in cursor:
        names = names or [name for name, _type in cursor.get_description()]
        rows.append(dict(zip(names, row, strict=True)))
    return rows
