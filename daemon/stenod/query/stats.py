"""Statistics over exchanges: totals, and groups by day, week, hour, model, tag, keyword and more.

Without filters, or with a range of time alone, whole clean days come from the roll-ups and only
the rest is scanned; with other filters everything that fits is scanned.
"""

from typing import Any

import apsw

from steno_schema.replies import Statistics
from steno_schema.requests import Filters, Stats
from stenod.followers.rollup import DIMENSIONS, OUTSIDE_DIMENSION, SUMS
from stenod.query.calls import outside, outside_condition
from stenod.query.exchanges import FROM
from stenod.query.filters import bounds, exchange_condition
from stenod.store.days import DAY_SQL, bounds_of, day_of, monday_of, text_of
from stenod.store.rows import Row, fetch_all, fetch_one

_COLUMNS = (
    "exchanges",
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
    "tokens",
    "cost_nanousd",
    "unknown_costs",
    "incomplete_costs",
    "timed",
    "response_ms",
    "rated",
    "rating_thousandths",
)
_TOP = 10
_TOPS = ("agent", "model", "framework", "tag", "project", "category", "complexity", "day")
"""What totals come with. Hours and keywords have many rows a day: they wait to be asked for."""
_SCANNED = {"session": "s.key", "user": "coalesce(e.user, c.user, s.user, '')"}
"""Groupings without a roll-up: what sessions say may change without a change of exchanges."""
_OF_DAYS = {"day", "week"}
_SCANNED_DAYS_MAX = 40
"""With more days to scan than this, one pass over everything is cheaper."""

Group = dict[str, Any]
_NOTHING: Group = dict.fromkeys(_COLUMNS, 0) | {"cost_nanousd": None}


def statistics(
    connection: apsw.Connection, request: Stats, *, use_rollup: bool = True
) -> Statistics:
    """Return totals and the groups asked for; without ``by``, the top of each kind.

    ``use_rollup`` is for when the roll-ups have heard of every change.
    """
    scan = _Scan(connection, request.filters)
    may_roll = use_rollup and request.by not in _SCANNED
    rolled = _rolled(connection, request.filters) if may_roll else None
    source = rolled or scan
    whole = source.groups("") or [_NOTHING]
    totals = _told({name: whole[0][name] for name in _COLUMNS})
    totals |= _extent(connection, request.filters)
    totals["projects"] = len([group for group in source.groups("project") if group["name"]])
    totals["outside"] = [_told_calls(group) for group in source.outside()]
    if request.by is not None:
        groups = source.groups(request.by)[: request.limit]
        return Statistics(totals=totals, groups=[_told(group) for group in groups])
    for name in _TOPS:
        totals[f"by_{name}"] = [_told(group) for group in source.groups(name)[:_TOP]]
    return Statistics(totals=totals)


def _told(group: Group) -> Group:
    """Return a group with its cost in dollars, and means over what was timed and rated."""
    told = dict(group)
    nanousd, response_ms = told.pop("cost_nanousd"), told.pop("response_ms")
    thousandths = told.pop("rating_thousandths")
    return told | {
        "cost_usd": None if nanousd is None else nanousd / 1e9,
        "mean_response_ms": response_ms / told["timed"] if told["timed"] else None,
        "mean_rating": thousandths / told["rated"] / 1000 if told["rated"] else None,
    }


def _told_calls(group: Group) -> Group:
    """Return a group of calls outside of exchanges; nobody times or rates those."""
    told = _told(group)
    for name in ("timed", "mean_response_ms", "rated", "mean_rating"):
        del told[name]
    return {"calls": told.pop("exchanges"), **told}


def _extent(connection: apsw.Connection, filters: Filters) -> dict[str, Any]:
    """Return first and last moment and how many sessions and projects there are."""
    condition, values = exchange_condition(filters)
    row = fetch_one(
        connection,
        f"SELECT (SELECT strftime('%Y-%m-%dT%H:%M:%fZ', e.created_at / 1000.0, 'unixepoch') {FROM}"
        f" WHERE {condition} ORDER BY e.created_at LIMIT 1),"
        f" (SELECT strftime('%Y-%m-%dT%H:%M:%fZ', e.created_at / 1000.0, 'unixepoch') {FROM}"
        f" WHERE {condition} ORDER BY e.created_at DESC LIMIT 1),"
        " (SELECT count(*) FROM session AS s WHERE EXISTS (SELECT 1 FROM conversation AS c"
        f" JOIN exchange AS e ON e.conversation_id = c.id WHERE c.session_id = s.id"
        f" AND {condition}))",
        values * 3,
    )
    assert row is not None
    return dict(zip(("first_at", "last_at", "sessions"), row, strict=True))


class _Scan:
    """Groups made by scanning all exchanges that filters choose."""

    def __init__(self, connection: apsw.Connection, filters: Filters) -> None:
        self._connection = connection
        self._filters = filters
        self._condition, self._values = exchange_condition(filters)
        self._made: dict[str, list[Group]] = {}

    def groups(self, by: str) -> list[Group]:
        """Return the groups of a dimension, the largest (newest day, first hour) first."""
        if by not in self._made:
            rows = scanned(self._connection, by, self._condition, self._values)
            self._made[by] = _sorted(by, rows)
        return self._made[by]

    def outside(self) -> list[Group]:
        """Return the groups of calls outside of exchanges, by what they were for."""
        condition, values = outside_condition(self._filters)
        return _sorted("", _grouped(outside(self._connection, SUMS, condition, values)))


class _Rolled:
    """Groups made of clean days' roll-ups and a scan of the rest."""

    def __init__(
        self,
        connection: apsw.Connection,
        days: tuple[int, int],
        rest: list[tuple[int, int]],
    ) -> None:
        self._connection = connection
        self._days = days
        self._rest = rest
        self._values = [bound for one in rest for bound in one]
        self._made: dict[str, list[Group]] = {}

    def groups(self, by: str) -> list[Group]:
        """Return the groups of a dimension, the largest (newest day, first hour) first."""
        if by not in self._made:
            rest = scanned(self._connection, by, self._in_rest("e.created_at"), self._values)
            self._made[by] = _sorted(by, _merged(self._clean(by), rest))
        return self._made[by]

    def outside(self) -> list[Group]:
        """Return the groups of calls outside of exchanges, by what they were for."""
        rest = outside(self._connection, SUMS, self._in_rest("e.recorded_at"), self._values)
        return _sorted("", _merged(self._clean(OUTSIDE_DIMENSION), _grouped(rest)))

    def _in_rest(self, moment: str) -> str:
        parts = [f"({moment} >= ? AND {moment} < ?)"] * len(self._rest)
        return f"({' OR '.join(parts) or '0'})"

    def _clean(self, by: str) -> dict[str, Group]:
        name = "r.day" if by in _OF_DAYS else "r.name"
        sums = ", ".join(f"sum(r.{column})" for column in _COLUMNS)
        rows = fetch_all(
            self._connection,
            f"SELECT {name}, {sums} FROM rollup AS r"
            " JOIN rollup_day AS d ON d.day = r.day AND d.clean = 1"
            " WHERE r.dimension = ? AND r.day BETWEEN ? AND ? GROUP BY 1",
            ("" if by in _OF_DAYS else by, *self._days),
        )
        return _grouped(rows, by)


def scanned(
    connection: apsw.Connection, by: str, condition: str, values: list[Any]
) -> dict[str, Group]:
    """Return the groups of a dimension by one pass over the exchanges that are meant."""
    if by in _SCANNED:
        name, join = _SCANNED[by], ""
    else:
        name, join = (DAY_SQL, "") if by in _OF_DAYS else DIMENSIONS[by]
    rows = fetch_all(
        connection,
        f"SELECT {name} AS name, {SUMS} {FROM} {join} WHERE {condition} GROUP BY 1",
        values,
    )
    return _grouped(rows, by)


def _grouped(rows: list[Row], by: str = "") -> dict[str, Group]:
    if by not in _OF_DAYS:
        return {row[0]: dict(zip(_COLUMNS, row[1:], strict=True)) for row in rows}
    groups: dict[str, Group] = {}
    for row in rows:
        day = text_of(monday_of(row[0]) if by == "week" else row[0])
        _merged(groups, {day: dict(zip(_COLUMNS, row[1:], strict=True))})
    return groups


def _merged(rows: dict[str, Group], others: dict[str, Group]) -> dict[str, Group]:
    for name, group in others.items():
        rows[name] = _added(rows[name], group) if name in rows else group
    return rows


def _rolled(connection: apsw.Connection, filters: Filters) -> _Rolled | None:
    """Return the roll-ups' answer, if they have one and it is worth it."""
    if filters != Filters(since=filters.since, until=filters.until):
        return None
    known = fetch_one(connection, "SELECT min(day), max(day) FROM rollup_day")
    if known is None or known[0] is None:
        return None
    since, until = bounds(filters)
    first, last, edges = _whole_days(known, since, until)
    unclean = fetch_all(
        connection,
        "SELECT day FROM rollup_day WHERE clean = 0 AND day BETWEEN ? AND ?",
        (first, last),
    )
    if len(unclean) > _SCANNED_DAYS_MAX:
        return None
    rest = [bounds_of(day) for (day,) in unclean] + edges
    return _Rolled(connection, (first, last), rest)


def _whole_days(
    known: tuple[Any, ...], since: int | None, until: int | None
) -> tuple[int, int, list[tuple[int, int]]]:
    """Return the first and last whole day of a range, and the ranges at its edges."""
    first, last = known
    edges: list[tuple[int, int]] = []
    if since is not None:
        day = day_of(since)
        start, end = bounds_of(day)
        first = max(first, day)
        if since > start and day >= known[0]:
            first = day + 1
            edges.append((since, end if until is None else min(end, until + 1)))
    if until is not None:
        day = day_of(until)
        start, end = bounds_of(day)
        last = min(last, day)
        if until + 1 < end and day <= known[1]:
            last = day - 1
            if first <= day:
                edges.append((start, until + 1))
    return first, last, edges


def _added(one: Group, other: Group) -> Group:
    return {name: _sum(one[name], other[name]) for name in _COLUMNS}


def _sum(one: float | None, other: float | None) -> float | None:
    return one if other is None else other if one is None else one + other


def _sorted(by: str, rows: dict[str, Group]) -> list[Group]:
    named = [{"name": name, **group} for name, group in rows.items()]
    if by in _OF_DAYS:
        return sorted(named, key=lambda group: str(group["name"]), reverse=True)
    if by == "hour":
        return sorted(named, key=lambda group: str(group["name"]))
    return sorted(named, key=lambda group: (-group["exchanges"], str(group["name"])))
