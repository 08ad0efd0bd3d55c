"""Local days, as roll-ups count them: the day of an exchange, a day's bounds, and what is dirty."""

from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Any

import apsw

_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
_DAY_MS = 86_400_000
DAY_SQL = (
    "CAST(julianday(date(e.created_at / 1000, 'unixepoch', 'localtime')) - 2440587.5 AS INTEGER)"
)
"""The local day of exchange ``e`` since 1970-01-01."""
HOUR_SQL = "strftime('%H', e.created_at / 1000, 'unixepoch', 'localtime')"
"""The local hour of exchange ``e``, from 00 to 23."""


def day_of(milliseconds: int) -> int:
    """Return the local day of a time, in days since 1970-01-01."""
    try:
        moment = datetime.fromtimestamp(milliseconds / 1000).astimezone()
    except (OverflowError, ValueError):  # at the ends of the calendar no zone shifts any more
        return milliseconds // _DAY_MS
    return moment.date().toordinal() - _EPOCH_ORDINAL


def bounds_of(day: int) -> tuple[int, int]:
    """Return [start, end) of a local day in milliseconds; 23 to 25 hours, as clocks have it."""
    return _midnight_ms(day), _midnight_ms(day + 1)


def _midnight_ms(day: int) -> int:
    try:
        midnight = datetime.combine(date.fromordinal(day + _EPOCH_ORDINAL), time())
        return int(midnight.timestamp() * 1000)
    except (OverflowError, ValueError):
        return day * _DAY_MS


def monday_of(day: int) -> int:
    """Return the Monday of a day's week; 1970-01-01 was a Thursday."""
    return day - (day + 3) % 7


def text_of(day: int) -> str:
    """Return a day as ISO text."""
    return date.fromordinal(day + _EPOCH_ORDINAL).isoformat()


def mark_unclean(connection: apsw.Connection, condition: str, values: Sequence[Any] = ()) -> None:
    """Note that the roll-ups of these exchanges' days no longer hold."""
    connection.execute(
        f"INSERT INTO rollup_day (day, clean) SELECT DISTINCT {DAY_SQL}, 0 FROM exchange AS e"
        f" WHERE {condition} ON CONFLICT (day) DO UPDATE SET clean = 0 WHERE clean = 1",
        values,
    )
