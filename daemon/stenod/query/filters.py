"""Filters become one SQL condition over exchange ``e``, conversation ``c`` and session ``s``."""

from datetime import datetime
from typing import Any

from steno_schema.requests import Filters
from stenod.query.localzone import LOCAL
from stenod.search.language import parse_moment
from stenod.store.calls import COST

_ANALYSED = {"category": "category", "complexity": "complexity", "stage": "stage"}
_COLUMNS = {
    "model": "e.model",
    "framework": "coalesce(e.framework, e.agent)",
    "agent": "coalesce(e.agent, s.agent)",
    "session": "s.key",
    "conversation": "c.key",
    "origin": "e.origin",
}


def local_now() -> datetime:
    """Return the time in the zone of the person, which days follow."""
    return datetime.now(LOCAL)


def bounds(filters: Filters, now: datetime | None = None) -> tuple[int | None, int | None]:
    """Return (since, until) in milliseconds, ``until`` included."""
    moment = now or local_now()
    since = None if filters.since is None else parse_moment(filters.since, moment, False)
    until = None if filters.until is None else parse_moment(filters.until, moment, True)
    return since, until


def exchange_condition(
    filters: Filters | None, created: str = "e.created_at"
) -> tuple[str, list[Any]]:
    """Return a condition and its values.

    ``created`` is the time that ``since`` and ``until`` are about. ``role`` asks for an exchange
    with a message of that role.
    """
    if filters is None:
        return "1", []
    parts: list[str] = []
    values: list[Any] = []
    since, until = bounds(filters)
    if since is not None:
        parts.append(f"{created} >= ?")
        values.append(since)
    if until is not None:
        parts.append(f"{created} <= ?")
        values.append(until)
    for name, column in _COLUMNS.items():
        _any_of(parts, values, column, getattr(filters, name))
    for name, column in _ANALYSED.items():
        analysed = f"(SELECT a.{column} FROM analysis AS a WHERE a.exchange_id = e.id)"
        _any_of(parts, values, f"coalesce(e.{column}, {analysed})", getattr(filters, name))
    _any_of(parts, values, "coalesce(e.user, c.user, s.user)", filters.user)
    project_of = "coalesce(e.project, s.project)"
    if filters.project:
        parts.append(
            "("
            + " OR ".join(
                [f"{project_of} = ? OR substr({project_of}, 1, ?) = ?"] * len(filters.project)
            )
            + ")"
        )
        for project in filters.project:
            below = project.rstrip("/") + "/"
            values += [project.rstrip("/") or "/", len(below), below]
    if filters.role:
        parts.append(
            "EXISTS (SELECT 1 FROM message AS r WHERE r.exchange_id = e.id"
            f" AND r.role IN ({', '.join('?' * len(filters.role))}))"
        )
        values += filters.role
    for tag in filters.tag:
        parts.append(
            "EXISTS (SELECT 1 FROM exchange_tag AS t WHERE t.exchange_id = e.id AND t.tag = ?)"
        )
        values.append(tag)
    if filters.min_rating is not None:
        parts.append("e.rating >= ?")
        values.append(filters.min_rating)
    if filters.min_cost is not None:
        parts.append(f"{COST} >= ?")
        values.append(filters.min_cost)
    return " AND ".join(parts) or "1", values


def is_unfiltered(filters: Filters) -> bool:
    """Tell whether no filter is given."""
    return filters == Filters()


def _any_of(parts: list[str], values: list[Any], column: str, wanted: list[str]) -> None:
    if wanted:
        parts.append(f"{column} IN ({', '.join('?' * len(wanted))})")
        values += wanted
