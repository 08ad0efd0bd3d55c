"""Moments as people write them: a date, a time, ``7d``, ``yesterday``, ``week``.

Client and daemon read them alike, by the clock and the zone that the caller passes in.
"""

import re
from datetime import UTC, date, datetime, time, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_AGO = re.compile(r"([0-9]{1,9})([mhdw])", re.ASCII)
_UNITS = {
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
_DATE_CHARS = 10


def parse_moment(text: str, now: datetime, end_of_day: bool) -> int:
    """Return the milliseconds since 1970 that ``text`` means.

    An ISO date or time, ``now``, ``today``, ``yesterday``, ``week`` (since Monday), or so long
    ago: ``30m``, ``12h``, ``7d``, ``2w``. ``now`` has the zone that days and times without an
    offset follow. What means a day or a week begins with it; with ``end_of_day`` it is its last
    millisecond. Raises ``ValueError`` with one sentence for anything else.
    """
    word = text.strip().lower()
    try:
        days = _days(word, now)
        if days is None:
            return _milliseconds(_instant(word, now))
        first, last = days
        if end_of_day:
            return _milliseconds(_midnight(last + timedelta(days=1), now)) - 1
        return _milliseconds(_midnight(first, now))
    except (ValueError, OverflowError) as error:
        raise ValueError(
            f"{text[:40]!r} is no date; write 2026-02-28, 2026-02-28T14:30, 7d, yesterday or week."
        ) from error


def _days(word: str, now: datetime) -> tuple[date, date] | None:
    """Return the first and the last day meant, or None where a point in time is meant."""
    today = now.date()
    if word == "today":
        return today, today
    if word == "yesterday":
        return today - timedelta(days=1), today - timedelta(days=1)
    if word == "week":
        monday = today - timedelta(days=today.weekday())
        return monday, monday + timedelta(days=6)
    if len(word) == _DATE_CHARS and word.count("-") == 2:
        day = date.fromisoformat(word)
        return day, day
    return None


def _instant(word: str, now: datetime) -> datetime:
    if word == "now":
        return now
    ago = _AGO.fullmatch(word)
    if ago is not None:
        return now.astimezone(UTC) - int(ago[1]) * _UNITS[ago[2]]
    if len(word) <= _DATE_CHARS:
        raise ValueError("no moment has so few characters")
    moment = datetime.fromisoformat(word.upper())
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=now.tzinfo)


def _midnight(day: date, now: datetime) -> datetime:
    return datetime.combine(day, time.min, tzinfo=now.tzinfo)


def _milliseconds(moment: datetime) -> int:
    return (moment.astimezone(UTC) - _EPOCH) // _MILLISECOND
