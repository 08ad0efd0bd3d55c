"""Roll-ups: sums by day and dimension, made in idle moments, equal to a scan by construction.

A change only marks its day; a day that is past and marked is summed up anew when there is nothing
else to do. Statistics take clean days from here and scan the others, so they are exact always.
"""

import time
from collections.abc import Iterator

import apsw

from stenod.store.calls import CALLS, COST, OUTSIDE, OUTSIDE_NAME, TOKENS
from stenod.store.changes import Kind
from stenod.store.days import HOUR_SQL, bounds_of, day_of, mark_unclean

SUMS = f"""
  count(*) AS exchanges,
  coalesce(sum(e.input_tokens), 0) AS input_tokens,
  coalesce(sum(e.output_tokens), 0) AS output_tokens,
  coalesce(sum(e.cache_read_tokens), 0) AS cache_read_tokens,
  coalesce(sum(e.cache_write_tokens), 0) AS cache_write_tokens,
  coalesce(sum(e.reasoning_tokens), 0) AS reasoning_tokens,
  coalesce(sum({TOKENS}), 0) AS tokens,
  sum(round({COST} * 1e9)) AS cost_nanousd,
  count(*) FILTER (WHERE {COST} IS NULL AND {TOKENS} > 0) AS unknown_costs,
  count(*) FILTER (WHERE e.cost_usd IS NULL AND e.computed_cost_usd IS NOT NULL
    AND e.cost_complete = 0) AS incomplete_costs,
  count(e.response_time_ms) AS timed,
  coalesce(sum(CAST(round(e.response_time_ms) AS INTEGER)), 0) AS response_ms,
  count(e.rating) AS rated,
  coalesce(sum(CAST(round(e.rating * 1000) AS INTEGER)), 0) AS rating_thousandths
"""
"""Money is added up in whole nanodollars: exact up to 9 million dollars, in any order."""
_ANALYSIS = "LEFT JOIN analysis AS a ON a.exchange_id = e.id"
DIMENSIONS = {
    "": ("''", ""),
    "agent": ("coalesce(e.agent, '')", ""),
    "model": ("coalesce(e.model, '')", ""),
    "project": ("coalesce(e.project, '')", ""),
    "framework": ("coalesce(e.framework, e.agent, '')", ""),
    "tag": ("t.tag", "JOIN exchange_tag AS t ON t.exchange_id = e.id"),
    "category": ("coalesce(e.category, a.category, '')", _ANALYSIS),
    "complexity": ("coalesce(e.complexity, a.complexity, '')", _ANALYSIS),
    "stage": ("coalesce(e.stage, a.stage, '')", _ANALYSIS),
    "keyword": (
        "k.value",
        f"{_ANALYSIS} JOIN json_each(coalesce(e.keywords, a.keywords, '[]')) AS k",
    ),
    "hour": (f"coalesce({HOUR_SQL}, '')", ""),
}
"""Dimension: (the name an exchange has in it, what must be joined)."""
OUTSIDE_DIMENSION = "outside"
"""Not of exchanges, but of the model calls that no exchange counts."""


class RollUp:
    """Keeps ``rollup`` in step with ``exchange`` and ``usage``, a day at a time.

    Days of calls are marked by triggers of the database.
    """

    name = "rollup"
    table = "exchange"
    kinds: frozenset[Kind] = frozenset({"exchange"})

    def __init__(self) -> None:
        self.version = f"3:{'/'.join(time.tzname)}:{time.timezone}"
        """Days are those of the zone; another zone means other days."""

    def reset(self, connection: apsw.Connection) -> None:
        connection.execute("DELETE FROM rollup")
        connection.execute("DELETE FROM rollup_day")
        connection.executemany(
            "INSERT INTO rollup_day (day, clean) VALUES (?, 0)",
            [(day,) for day in _days_of_calls(connection)],
        )

    def put(self, connection: apsw.Connection, first_id: int, last_id: int) -> None:
        mark_unclean(connection, "e.id BETWEEN ? AND ?", (first_id, last_id))

    def gone(self, connection: apsw.Connection, first_id: int, last_id: int) -> None:
        """Nothing to do: whoever deletes exchanges marks their days."""


def _days_of_calls(connection: apsw.Connection) -> Iterator[int]:
    """Yield the days that have model calls, a step in an index for each."""
    first = "SELECT min(recorded_at) FROM usage WHERE recorded_at >= ?"
    moment = connection.execute(first, (-(2**62),)).get
    while moment is not None:
        day = day_of(moment)
        yield day
        moment = connection.execute(first, (bounds_of(day)[1],)).get


def next_unclean_day(connection: apsw.Connection) -> int | None:
    """Return a past day that must be summed up, or ``None``."""
    today = day_of(time.time_ns() // 1_000_000)
    row = connection.execute(
        "SELECT max(day) FROM rollup_day WHERE clean = 0 AND day < ?", (today,)
    ).get
    return None if row is None else int(row)


def roll_up(connection: apsw.Connection, day: int) -> None:
    """Sum up one day anew, inside the caller's transaction."""
    start, end = bounds_of(day)
    connection.execute("DELETE FROM rollup WHERE day = ?", (day,))
    for dimension, (name, join) in DIMENSIONS.items():
        connection.execute(
            f"INSERT INTO rollup SELECT ?, ?, {name} AS name, {SUMS} FROM exchange AS e {join}"
            " WHERE e.created_at >= ? AND e.created_at < ? GROUP BY name",
            (dimension, day, start, end),
        )
    connection.execute(
        f"INSERT INTO rollup SELECT ?, ?, {OUTSIDE_NAME} AS name, {SUMS} {CALLS}"
        f" WHERE {OUTSIDE} AND e.recorded_at >= ? AND e.recorded_at < ? GROUP BY name",
        (OUTSIDE_DIMENSION, day, start, end),
    )
    connection.execute("UPDATE rollup_day SET clean = 1 WHERE day = ?", (day,))
