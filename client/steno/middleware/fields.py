"""Find prompts in a request: text under keys that contain ``prompt`` or ``query``."""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple, cast
from urllib.parse import parse_qsl

import msgspec

from steno_schema.limits import KIB, MIB

BODY_MAX_BYTES = 1 * MIB
"""A longer body passes by unread."""
URL_QUERY_MAX_BYTES = 64 * KIB
FIELDS_MAX = 1000
PROMPTS_MAX = 20
"""Of one request."""
DEPTH_MAX = 32

_KEY = re.compile("prompt|query", re.IGNORECASE)
_FORM = "application/x-www-form-urlencoded"
_MULTIPART = "multipart/form-data"
_BOUNDARY = re.compile(r';\s*boundary=(?:"([^"]{1,200})"|([^\s;]{1,200}))', re.IGNORECASE)
_NAME = re.compile(rb';\s*name="([^"\r\n]*)"', re.IGNORECASE)
_FILE = re.compile(rb";\s*filename\*?=", re.IGNORECASE)


class Field(NamedTuple):
    """A prompt, the key it stood under, and the part of the request: ``url`` or ``body``."""

    key: str
    text: str
    part: str


def is_readable(content_type: str) -> bool:
    """Tell whether bodies of this type can hold fields."""
    kind = _kind(content_type)
    return kind in {_FORM, _MULTIPART} or _is_json(kind)


def fields_of(url_query: bytes, content_type: str, body: bytes) -> list[Field]:
    """Return the prompts of a request, at most ``PROMPTS_MAX``; what cannot be read holds none."""
    found = [
        *_named(_urlencoded(url_query[:URL_QUERY_MAX_BYTES]), "url"),
        *_named(_body_pairs(content_type, body), "body"),
    ]
    return list(dict.fromkeys(found))[:PROMPTS_MAX]


def _named(pairs: Iterator[tuple[str, str]], part: str) -> Iterator[Field]:
    for key, text in pairs:
        if _KEY.search(key):
            yield Field(key[:200], text, part)


def _body_pairs(content_type: str, body: bytes) -> Iterator[tuple[str, str]]:
    kind = _kind(content_type)
    if not body:
        return iter(())
    if kind == _FORM:
        return _urlencoded(body)
    if kind == _MULTIPART:
        return _multipart(content_type, body)
    return _json(body) if _is_json(kind) else iter(())


def _urlencoded(data: bytes) -> Iterator[tuple[str, str]]:
    try:
        pairs = parse_qsl(data, errors="replace", max_num_fields=FIELDS_MAX)
    except ValueError:
        return
    for key, text in pairs:
        yield key.decode("utf-8", "replace"), text.decode("utf-8", "replace")


def _multipart(content_type: str, body: bytes) -> Iterator[tuple[str, str]]:
    """Yield the fields that are no files (RFC 7578)."""
    boundary = _BOUNDARY.search(content_type)
    if boundary is None:
        return
    marker = b"\r\n--" + (boundary[1] or boundary[2]).encode("latin-1", "replace")
    for part in (b"\r\n" + body).split(marker)[1 : FIELDS_MAX + 1]:
        head, separator, content = part.partition(b"\r\n\r\n")
        name = _NAME.search(head)
        if separator and name is not None and not _FILE.search(head):
            yield name[1].decode("utf-8", "replace"), content.decode("utf-8", "replace")


def _json(body: bytes) -> Iterator[tuple[str, str]]:
    try:
        value = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return
    yield from _texts("", value, DEPTH_MAX)


def _texts(key: str, value: object, depth: int) -> Iterator[tuple[str, str]]:
    """Yield every text in a JSON value with the key it, or the list it is in, stands under."""
    if isinstance(value, str):
        yield key, value
    elif isinstance(value, dict) and depth:
        for inner, each in cast("Mapping[str, object]", value).items():
            yield from _texts(inner, each, depth - 1)
    elif isinstance(value, list) and depth:
        for each in cast("list[object]", value):
            yield from _texts(key, each, depth - 1)


def _kind(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


def _is_json(kind: str) -> bool:
    return kind == "application/json" or kind.endswith("+json")
