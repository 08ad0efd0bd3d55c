"""When something in llm's log happened: by its column, else by its id, which is a ULID."""

from datetime import UTC, datetime

from steno_schema.times import format_ms

_DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_TIME_CHARS = 10
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MAX_US = 2**51
"""Some time in 2041; what lies after it was not written by a clock."""


def microseconds_of(text: str | None, identifier: str) -> int:
    """Return microseconds since 1970; 0 if neither the text nor the id tells."""
    return _of_text(text) or _of_ulid(identifier)


def text_of(microseconds: int) -> str | None:
    """Return ISO-8601 text, ``None`` for no time."""
    return format_ms(microseconds // 1000) if microseconds else None


def _of_text(text: str | None) -> int:
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        return 0
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    try:
        passed = moment - _EPOCH
    except OverflowError:
        return 0
    return _bounded((passed.days * 86_400 + passed.seconds) * 10**6 + passed.microseconds)


def _of_ulid(identifier: str) -> int:
    value = 0
    for character in identifier[:_TIME_CHARS].upper():
        digit = _DIGITS.find(character)
        if digit < 0:
            return 0
        value = value * 32 + digit
    return _bounded(value * 1000) if len(identifier) == 26 else 0


def _bounded(microseconds: int) -> int:
    return microseconds if 0 < microseconds < _MAX_US else 0
