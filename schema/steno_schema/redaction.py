"""Redaction: secrets leave a text before it is kept, and a placeholder says of which kind.

Pure functions, the same for whoever reads, sends or stores; doing it twice changes nothing more.
What is a secret is said in ``redaction_rules``.
"""

import re
from collections.abc import Sequence
from typing import Any, TypeGuard, TypeVar

import msgspec
from msgspec import Struct

from steno_schema.exported import AnyExported, ExportedExchange
from steno_schema.limits import NESTING_MAX
from steno_schema.records import AnyRecord
from steno_schema.redaction_rules import LEADS, Scan, compile_lead, is_random

_SCANS = tuple(compile_lead(lead) for lead in LEADS)
_PASSES_MAX = 8
_SHORTEST_FINDING = 12
"""No pattern matches less; shorter text is not searched."""
_SECRET_NAMES = ("secret", "token", "password", "passwd", "api_key", "apikey", "api-key")
_BACKSLASH = 0x5C

_Structure = TypeVar("_Structure", bound=Struct)


class Finding(Struct, frozen=True):
    """One secret that was taken out: its kind, and how many bytes of UTF-8 it had."""

    kind: str
    size_bytes: int


class _Span(Struct, frozen=True, order=True):
    start: int
    end: int
    rank: int
    kind: str


def redact_text(text: str) -> tuple[str, list[Finding]]:
    """Return ``text`` with ``[redacted:KIND]`` in place of each secret, and what was found.

    The same object comes back when nothing was found.

    >>> redact_text("postgres://app:k3!vdQz81@db/main")[0]
    'postgres://app:[redacted:url-password]@db/main'
    """
    if len(text) < _SHORTEST_FINDING:
        return text, []
    redacted, findings = _redact(text.encode("utf-8", "surrogatepass"), json=False)
    if not findings:
        return text, []
    return redacted.decode("utf-8", "surrogatepass"), findings


def redact_line(line: bytes) -> tuple[bytes, int]:
    """Return a line of JSON with its secrets replaced, and how many there were.

    What was valid JSON stays valid: the placeholder needs no escaping and no escape is cut.
    Several lines at once are fine too, their number stays the same. The same object comes back
    when nothing was found.
    """
    redacted, findings = _redact(line, json=True)
    return redacted, len(findings)


def redact_record(record: AnyRecord) -> tuple[AnyRecord, int]:
    """Return a record without secrets in any of its fields but ``id``, and how many there were.

    The same object comes back when nothing was found. Raises ``ValueError`` for metadata that is
    nested deeper than ``NESTING_MAX``.
    """
    return _redact_struct(record)


def redact_exported(record: AnyExported) -> AnyExported:
    """Return an exported record without secrets, what it says of its messages included."""
    redacted = _redact_struct(record)[0]
    if not isinstance(redacted, ExportedExchange):
        return redacted
    for name in ("prompt_message", "output_message"):
        own = getattr(redacted, name)
        if own is not None:
            redacted = msgspec.structs.replace(redacted, **{name: _redact_struct(own)[0]})
    return redacted


def redact_value(value: Any, depth: int = 0) -> tuple[Any, int]:
    """Return plain data (text, lists, maps) without secrets, and how many there were.

    A map's name counts as context: ``{"password": …}``. The same object comes back when nothing
    was found; see ``redact_record`` for the errors.
    """
    if isinstance(value, str):
        redacted, findings = redact_text(value)
        return redacted, len(findings)
    if _is_map(value):
        return _redact_map(value, _deeper(depth))
    if _is_sequence(value):
        below = _deeper(depth)
        pairs = [redact_value(item, below) for item in value]
        count = sum(found for _, found in pairs)
        return ([item for item, _ in pairs] if count else value), count
    return value, 0


def _is_map(value: Any) -> TypeGuard[dict[Any, Any]]:
    return isinstance(value, dict)


def _is_sequence(value: Any) -> TypeGuard[Sequence[Any]]:
    return isinstance(value, (list, tuple))


def _deeper(depth: int) -> int:
    if depth >= NESTING_MAX:
        raise ValueError(f"Data is nested deeper than {NESTING_MAX} levels; flatten it.")
    return depth + 1


def _redact_struct(record: _Structure) -> tuple[_Structure, int]:
    if _is_clean(record):
        return record, 0
    changes: dict[str, Any] = {}
    total = 0
    for name in _fields(record):
        redacted, count = redact_value(getattr(record, name))
        if count:
            changes[name] = redacted
            total += count
    return (msgspec.structs.replace(record, **changes) if changes else record), total


def _fields(record: Struct) -> list[str]:
    return [name for name in record.__struct_fields__ if name != "id"]


def _is_clean(record: Struct) -> bool:
    """Tell for all texts at once whether there is nothing to find: most records have nothing.

    Only text and lists of text: maps are looked through name by name.
    """
    texts: list[str] = []
    for name in _fields(record):
        value = getattr(record, name)
        if not value:
            continue
        if isinstance(value, str):
            texts.append(value)
        elif _is_sequence(value) and all(isinstance(item, str) for item in value):
            texts += value
        elif _is_map(value) or _is_sequence(value):
            return False
    joined = "\n".join(texts)
    return not redact_text(joined)[1]


def _redact_map(value: dict[Any, Any], depth: int) -> tuple[dict[Any, Any], int]:
    result: dict[Any, Any] = {}
    total = 0
    for name, item in value.items():
        new_name, in_name = redact_value(name, depth)
        new_item, in_item = redact_value(item, depth)
        if not in_item and isinstance(item, str) and _is_named_secret(name, item):
            new_item, in_item = _placeholder("secret"), 1
        result[new_name] = new_item
        total += in_name + in_item
    return (result if total else value), total


def _is_named_secret(name: Any, item: str) -> bool:
    if not isinstance(name, str) or len(item) < _SHORTEST_FINDING or " " in item:
        return False
    lowered = name.lower()
    return lowered.endswith(_SECRET_NAMES) and is_random(item)


def _placeholder(kind: str) -> str:
    return f"[redacted:{kind}]"


def _redact(data: bytes, *, json: bool) -> tuple[bytes, list[Finding]]:
    """Replace until nothing is found any more: a placeholder may uncover what stood behind."""
    findings: list[Finding] = []
    for _ in range(_PASSES_MAX):
        spans = _find(data, json)
        if not spans:
            break
        data = _replace(data, spans)
        findings += [Finding(span.kind, span.end - span.start) for span in spans]
    return data, findings


def _find(data: bytes, json: bool) -> list[_Span]:
    lowered = data.lower()
    spans: list[_Span] = []
    for scan in _SCANS:
        if scan.only_with in data:
            text = lowered if scan.lowered else data
            match = scan.search(text)
            while match is not None:
                span = _span(data, match, scan, json, len(spans))
                if span is not None:
                    spans.append(span)
                match = scan.search(text, match.start() + 1 if span is None else match.end())
    return _merge(spans) if spans else spans


def _span(data: bytes, match: re.Match[bytes], scan: Scan, json: bool, rank: int) -> _Span | None:
    row = scan.rows[match.lastindex or 0]
    start = match.start(row.group) - row.before
    end = match.end(row.group)
    if json and _is_escaped(data, start):
        return None
    if row.check is not None and not row.check(data[start:end].decode("utf-8", "replace")):
        return None
    return _Span(start, end, rank, row.kind)


def _is_escaped(data: bytes, position: int) -> bool:
    """Tell whether the character there belongs to an escape: an odd number of backslashes."""
    first = position
    while first and data[first - 1] == _BACKSLASH:
        first -= 1
    return (position - first) % 2 == 1


def _merge(spans: list[_Span]) -> list[_Span]:
    """Return the spans in order, those that overlap as one; the rule named first names it."""
    merged: list[_Span] = []
    for span in sorted(spans):
        last = merged[-1] if merged else None
        if last is not None and span.start < last.end:
            rank, kind = min((last.rank, last.kind), (span.rank, span.kind))
            merged[-1] = _Span(last.start, max(last.end, span.end), rank, kind)
        else:
            merged.append(span)
    return merged


def _replace(data: bytes, spans: list[_Span]) -> bytes:
    pieces: list[bytes] = []
    end = 0
    for span in spans:
        newlines = data.count(b"\n", span.start, span.end)
        pieces += (data[end : span.start], _placeholder(span.kind).encode(), b"\n" * newlines)
        end = span.end
    return b"".join((*pieces, data[end:]))
