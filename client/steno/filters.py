"""Filters as keyword arguments, the same words everywhere.

``client.history.recent(tag="auth", since="7d")`` means ``Filters(tag=["auth"], since="7d")``.
"""

import time
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, TypedDict, cast

from steno.errors import Misuse
from steno_schema.requests import Filters
from steno_schema.times import format_ms

When = str | date | datetime
"""Text as ``Filters`` takes it, or a date, or a time (without a zone: local time)."""
Words = str | Sequence[str]
"""One alternative, or several."""


class FilterWords(TypedDict, total=False):
    """The fields of ``Filters``, but one word may stand for a list of one."""

    since: When
    until: When
    tag: Words
    model: Words
    framework: Words
    agent: Words
    project: Words
    session: Words
    conversation: Words
    user: Words
    role: Words
    category: Words
    complexity: Words
    stage: Words
    origin: Words
    min_rating: float
    min_cost: float


_SCALARS = frozenset({"min_rating", "min_cost"})
_TIMES = frozenset({"since", "until"})


def filters_of(words: FilterWords) -> Filters:
    """Return the ``Filters`` that keyword arguments mean; ``None`` counts as not given."""
    fields: dict[str, Any] = {}
    for name, value in words.items():
        if value is None:
            continue
        if name in _TIMES:
            fields[name] = time_text(value)
        elif name in _SCALARS:
            fields[name] = value
        else:
            fields[name] = [value] if isinstance(value, str) else list(_words(name, value))
    try:
        return Filters(**fields)
    except TypeError as error:
        raise Misuse(f"There is no such filter: {error}.", _names_hint()) from None


def time_text(value: object) -> str:
    """Return a time as text; a ``datetime`` without a zone is local time."""
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.astimezone()).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str):
        return value
    raise Misuse(f"A time is text, a date or a datetime, not {type(value).__name__}.")


def now_text() -> str:
    """Return the time as records carry it."""
    return format_ms(time.time_ns() // 1_000_000)


def bound(when: When | None, *, end: bool = False) -> str | None:
    """Return a moment as views show it, to compare with; a day's last one with ``end``.

    Takes what ``Filters`` takes. Raises ``Misuse`` for text that is no moment.
    """
    if when is None:
        return None
    from steno_schema.moments import parse_moment  # only some reads need it

    try:
        return format_ms(parse_moment(time_text(when), datetime.now().astimezone(), end))
    except ValueError as error:
        raise Misuse(str(error)) from None


def monday() -> str:
    """Return the date of this week's Monday, local time."""
    today = datetime.now().astimezone().date()
    return (today - timedelta(days=today.weekday())).isoformat()


def _words(name: str, value: object) -> Sequence[str]:
    if isinstance(value, Sequence):
        return cast("Sequence[str]", value)
    raise Misuse(f"Filter {name!r} takes text or a list of texts, not {type(value).__name__}.")


def _names_hint() -> str:
    return f"Filters are: {', '.join(Filters.__struct_fields__)}."
