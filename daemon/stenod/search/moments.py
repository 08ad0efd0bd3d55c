"""Moments as people write them, in requests: what is none is a bad request."""

from datetime import datetime

from steno_schema import moments
from steno_schema.errors import bad_request


def parse_moment(text: str, now: datetime, end_of_day: bool) -> int:
    """Return milliseconds since 1970; see ``moments.parse_moment``. Raises ``bad_request``."""
    try:
        return moments.parse_moment(text, now, end_of_day)
    except ValueError as error:
        raise bad_request(str(error)) from error
