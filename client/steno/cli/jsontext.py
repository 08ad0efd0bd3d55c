"""JSON as programs read it, harmless on a terminal as well."""

import re
from typing import Any, TypeGuard

import msgspec

_HOSTILE = re.compile(
    "[\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ue000\ue001\ufeff]"
)
_NOT_ASCII = re.compile("[^\x00-\x7e]")


def to_json(value: object, *, ascii_only: bool = False, indent: int = 0) -> str:
    """Return ``value`` as JSON text on one line, or indented.

    Control and bidirectional characters are written as ``\\uXXXX``, with ``ascii_only`` every
    character outside of ASCII. A lone surrogate in ``value`` raises ``UnicodeEncodeError``.

    >>> to_json({"text": "\\x9b"})
    '{"text":"\\\\u009b"}'
    """
    encoded = msgspec.json.encode(value)
    if indent:
        encoded = msgspec.json.format(encoded, indent=indent)
    text = encoded.decode()
    return to_ascii(text) if ascii_only else _HOSTILE.sub(_escaped, text)


def to_ascii(text: str) -> str:
    """Return JSON text with every character outside of ASCII as ``\\uXXXX``."""
    return _NOT_ASCII.sub(_escaped, text)


def _escaped(match: re.Match[str]) -> str:
    units = match.group().encode("utf-16-be")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))


def plain(value: Any) -> Any:
    """Return a struct, or each of a list, as a map that holds every field, also those at their default.

    The wire leaves defaults out; programs that read JSON want to find ``0`` and ``null``. What an
    older daemon does not say is left out.
    """
    if isinstance(value, msgspec.Struct):
        held = ((name, getattr(value, name)) for name in value.__struct_fields__)
        return {name: plain(each) for name, each in held if each is not msgspec.UNSET}
    return [plain(item) for item in value] if is_list(value) else value


def is_list(value: object) -> TypeGuard[list[Any]]:
    """Tell whether decoded JSON is a list."""
    return isinstance(value, list)


def is_map(value: object) -> TypeGuard[dict[str, Any]]:
    """Tell whether decoded JSON is an object; its names are always text."""
    return isinstance(value, dict)
