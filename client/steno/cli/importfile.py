"""From the lines of an exported file to records."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from steno.cli.command import Failed
from steno.cli.jsontext import is_list, is_map
from steno_schema import records
from steno_schema.ids import is_id, uuid8
from steno_schema.records import AnyRecord

_ALIASES = {
    "session_id": "session",
    "conversation_id": "conversation",
    "exchange_id": "exchange",
    "timestamp": "created_at",
    "framework_used": "framework",
    "template_used": "template",
    "cost": "cost_usd",
    "user_id": "user",
    "project_id": "project",
    "processing_time": "processing_time_s",
    "importance_score": "importance",
    "metadata_json": "metadata",
}
"""Other names of the same things: of the views, and of what older exports hold."""

_TYPES: dict[str, type[AnyRecord]] = {
    "exchange": records.Exchange,
    "session": records.Session,
    "conversation": records.Conversation,
    "message": records.Message,
}


def read_records(path: Path | None) -> Iterator[AnyRecord]:
    """Yield the records of a file (``None``: standard input), one line or item at a time.

    Raises ``Failed`` with the place of the first that is none. Messages that are only the text of
    an exchange read before are left out.
    """
    name = "standard input" if path is None else str(path)
    try:
        with _open(path) as file:
            yield from _records(_items(name, file))
    except OSError as error:
        raise Failed(f"{name} cannot be read: {error.strerror}.") from error


def record_of(fields: dict[str, Any]) -> AnyRecord:
    """Return the record that a line means; ``ValueError`` if it means none."""
    kind = fields.get("type", "exchange")
    record_type = _TYPES.get(kind) if isinstance(kind, str) else None
    if record_type is None:
        raise ValueError(f"there is no type {kind!r}")
    told = {_ALIASES.get(name, name): value for name, value in fields.items() if value is not None}
    if kind in {"session", "conversation"}:
        told["key"] = told.pop(kind, None)
    if fields.get("cost_source") == "computed" and fields.get("origin") == "script":
        # It follows from the tokens again. Of an agent's turn it does not: that was many calls.
        told.pop("cost_usd", None)
    told |= {"type": kind, "id": _id_of(kind, fields)}
    _spell_out(told)
    return msgspec.convert(told, record_type)


def _open(path: Path | None) -> BinaryIO:
    if path is None:
        return sys.stdin.buffer
    return path.open("rb")


def _items(name: str, file: BinaryIO) -> Iterator[tuple[str, Any]]:
    first = file.readline()
    while first and not first.strip():
        first = file.readline()
    if first and not first.lstrip().startswith((b"[", b"{")):
        raise Failed(
            f"{name} is no export that can be read back: it does not begin with JSON.",
            "Import what steno export --format jsonl or --format json has written.",
        )
    if first.lstrip().startswith(b"["):
        yield from _listed(name, first + file.read())
        return
    line, number = first, 1
    while line:
        if line.strip():
            place = f"{name}, line {number}"
            yield from _pages_or_record(place, _decoded(place, line))
        line, number = file.readline(), number + 1


def _pages_or_record(place: str, item: Any) -> Iterator[tuple[str, Any]]:
    """Yield a record, or those of a page as ``list --json`` prints it."""
    held = item.get("items") if is_map(item) and "type" not in item else None
    yield from ((place, each) for each in held) if is_list(held) else [(place, item)]


def _listed(name: str, data: bytes) -> Iterator[tuple[str, Any]]:
    held: list[Any] = _decoded(name, data)
    for place, item in enumerate(held, 1):
        yield f"{name}, item {place}", item


def _decoded(place: str, data: bytes) -> Any:
    try:
        return msgspec.json.decode(data)
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
        raise _failed(place, f"it is not JSON ({error})") from error


def _records(items: Iterator[tuple[str, Any]]) -> Iterator[AnyRecord]:
    texts: set[str] = set()
    for place, item in items:
        if not is_map(item):
            raise _failed(place, "it is not a JSON object")
        if item.get("type") == "message" and item.get("id") in texts:
            continue
        if item.get("type", "exchange") == "exchange":
            texts.update(_text_ids(item))
        try:
            yield record_of(item)
        except (ValueError, TypeError) as error:
            raise _failed(place, str(error)) from error


def _text_ids(fields: dict[str, Any]) -> set[str]:
    """Return the ids of the messages that are an exchange's own text."""
    ids = (fields.get("prompt_message_id"), fields.get("output_message_id"))
    return {each for each in ids if isinstance(each, str)}


def _id_of(kind: str, fields: dict[str, Any]) -> str:
    for name in ("uid", "id"):
        value = fields.get(name)
        if isinstance(value, str) and is_id(value):
            return value
    return uuid8("import", kind, msgspec.json.encode(fields, order="sorted").decode())


def _spell_out(told: dict[str, Any]) -> None:
    if isinstance(told.get("metadata"), str):
        told["metadata"] = msgspec.json.decode(told["metadata"] or "{}")
    for name in ("tags", "keywords"):
        if isinstance(told.get(name), str):
            told[name] = [part.strip() for part in told[name].split(",") if part.strip()]
    if isinstance(told.get("tokens"), int):
        told["tokens"] = {"total": told["tokens"]}


def _failed(place: str, problem: str) -> Failed:
    return Failed(
        f"{place} is no record: {problem}.",
        "What came before it is stored; correct it and import again.",
    )
