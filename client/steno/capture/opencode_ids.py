"""What opencode's ids tell: a prefix, the time in 48 bits, and chance.

The time is milliseconds times 4096 and a counter, cut to 48 bits: ids of one session sort by it.
Copies a fork makes have ids of their own time and keep the time of what they are copied from.
"""

import re

_ID = re.compile(r"(?:msg|prt)_([0-9a-f]{12})")
_KEY = re.compile(r"[A-Za-z0-9_.-]{1,200}")
_COUNTER = 4096
_SPAN = 2**48
COPIED_AFTER_MS = 1000
"""Ids are made within some milliseconds of the message; nobody forks a session this soon."""
BLOCKS = 4
"""Records of one part that have a place of their own in the order of messages."""


def is_key(text: str) -> bool:
    """Tell whether an id is one that can be a key and a file's name."""
    return _KEY.fullmatch(text) is not None and not text.startswith(".")


def stamp_of(identifier: str, near_ms: int) -> int:
    """Return the time an id was made, in milliseconds times 4096 plus its counter.

    The time is cut, so it is taken to be the one nearest to ``near_ms``; an id of another form
    was made at ``near_ms``.
    """
    near = near_ms * _COUNTER
    found = _ID.match(identifier)
    if found is None:
        return near
    return near + (int(found[1], 16) - near + _SPAN // 2) % _SPAN - _SPAN // 2


def position_of(identifier: str, near_ms: int, block: int = 0) -> int:
    """Return the place of a message or part in the order of its session."""
    return stamp_of(identifier, near_ms) * BLOCKS + block


def made_ms(identifier: str, near_ms: int) -> int:
    """Return when an id was made, in milliseconds since 1970."""
    return stamp_of(identifier, near_ms) // _COUNTER


def original_prefix(identifier: str, created_ms: int) -> str | None:
    """Return how the id of the message begins that this one is a copy of; ``None`` for no copy.

    A message's id is made with it, so one made later belongs to a copy of it. Nine of the twelve
    digits of an id are its milliseconds.
    """
    if made_ms(identifier, created_ms) - created_ms < COPIED_AFTER_MS:
        return None
    return f"msg_{created_ms * _COUNTER % _SPAN:012x}"[:-3]
