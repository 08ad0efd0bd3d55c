"""From the fields of an exported line to the record they mean."""

import math
from typing import Any

import msgspec

from steno.cli.jsontext import is_map
from steno.errors import Misuse
from steno.transfer.csvcells import LISTS, split
from steno_schema.exported import FORMAT, AnyExported
from steno_schema.ids import is_id, uuid8

_ALIASES = {
    "conversation_id": "conversation",
    "cost": "cost_usd",
    "exchange_id": "exchange",
    "framework_used": "framework",
    "importance_score": "importance",
    "metadata_json": "metadata",
    "processing_time": "processing_time_s",
    "project_id": "project",
    "prompt_category": "category",
    "prompt_complexity": "complexity",
    "prompt_date": "created_at",
    "prompt_technique": "technique",
    "prompt_text": "prompt",
    "session_id": "session",
    "template_used": "template",
    "thread_id": "conversation",
    "timestamp": "created_at",
    "user_id": "user",
}
"""Other names of the same things: of ``list --json``, of the views, of CSV."""
_OWN_MESSAGES = ("prompt_message", "output_message")
_TOKENS = "tokens_"


def is_header(fields: dict[str, Any]) -> bool:
    """Tell whether a line is an export's first; raise ``Misuse`` if it is of a later format."""
    if fields.get("type") != "steno":
        return False
    number = fields.get("format")
    if not isinstance(number, int) or number > FORMAT:
        raise Misuse(
            f"The file is of format {str(number)[:20]}; this steno reads up to {FORMAT}.",
            "Update steno, then import it again.",
        )
    return True


def record_of(fields: dict[str, Any], *, is_csv: bool = False) -> AnyExported:
    """Return the record that a line means; ``ValueError`` says why it means none."""
    kind = str(fields.get("type", "exchange"))
    told = {_ALIASES.get(name, name): value for name, value in fields.items() if value is not None}
    if kind in {"session", "conversation"} and "key" not in told:
        told["key"] = told.pop(kind, None)
    if kind == "exchange":
        _spell_out(told)
    told |= {"type": kind, "id": _id_of(kind, fields)}
    try:
        record: AnyExported = msgspec.convert(told, AnyExported, strict=not is_csv)
    except (ValueError, TypeError) as error:
        raise ValueError(_sentence(error)) from error
    return record


def _id_of(kind: str, fields: dict[str, Any]) -> str:
    for name in ("uid", "id"):
        value = fields.get(name)
        if isinstance(value, str) and is_id(value.lower()):
            return value.lower()
    try:
        told = msgspec.json.encode(fields, order="sorted").decode()
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError("it cannot be read") from error
    return uuid8("import", kind, told)


def _spell_out(told: dict[str, Any]) -> None:
    """Make of the shapes that lists, views and CSV have the one that records have."""
    if told.get("cost_source") == "computed" and told.get("origin", "script") == "script":
        # It follows from the tokens again. Of an agent's turn it does not: that was many calls.
        told.pop("cost_usd", None)
    for own in _OWN_MESSAGES:
        message_id = told.pop(f"{own}_id", None)
        if message_id is not None and own not in told:
            told[own] = {"id": message_id}
    for name in LISTS & told.keys():
        if isinstance(told[name], str):
            told[name] = split(told[name])
    if isinstance(told.get("metadata"), str):
        told["metadata"] = _metadata(told["metadata"])
    tokens = {
        name.removeprefix(_TOKENS): told.pop(name)
        for name in list(told)
        if name.startswith(_TOKENS)
    }
    if tokens:
        told["tokens"] = tokens
    elif "tokens" in told and not is_map(told["tokens"]):
        told["tokens"] = {"total": told["tokens"]}
    if isinstance(told.get("cost_usd"), float) and not math.isfinite(told["cost_usd"]):
        raise ValueError("its cost is no amount")


def _metadata(text: str) -> Any:
    try:
        return msgspec.json.decode(text or "{}")
    except (msgspec.MsgspecError, RecursionError) as error:
        raise ValueError("its metadata is not JSON") from error


def _sentence(error: Exception) -> str:
    """Return what msgspec says, the field first, in one line of moderate length."""
    problem, _, place = " ".join(str(error).split()).partition(" - at ")
    field = place.strip("`$.")
    problem = problem[:1].lower() + problem[1:]
    return (f"{field}: {problem}" if field else problem)[:200].rstrip(".")
