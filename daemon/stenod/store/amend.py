"""Amend and forget: what a person changes afterwards."""

from typing import Any

import msgspec

from steno_schema.errors import bad_request
from steno_schema.records import (
    AgentInteraction,
    Annotations,
    Conversation,
    Session,
    Share,
    Task,
)
from steno_schema.requests import Amend
from stenod.store.context import Context, json_or_none, optional_moment
from stenod.store.exchanges import add_tags
from stenod.store.packs import WHOLE_TEXT
from stenod.store.sameness import rehash
from stenod.store.target import find

_EXCHANGE_FIELDS = frozenset(Annotations.__struct_fields__) - {"id", "tags"}
_JSON_FIELDS = frozenset(
    {"metadata", "keywords", "files_created", "files_modified", "commands_executed"}
)
_SESSION_FIELDS = frozenset({"title", "status", "ended_at", "project", "user", "metadata"})
_CONVERSATION_FIELDS = frozenset({"title", "summary", "ended_at", "user", "metadata"})
_MESSAGE_FIELDS = frozenset({"importance", "is_summarized", "content", "metadata"})
_INTERACTION_FIELDS = frozenset(
    {"status", "result_summary", "input_tokens", "output_tokens", "cost_usd", "completed_at"}
)
_TASK_FIELDS = frozenset(
    {
        *("session", "specialist", "task_type", "complexity"),
        *("started_at", "completed_at", "duration_hours", "estimation_hours"),
    }
)
_TIMES = frozenset({"started_at", "ended_at", "completed_at"})
_KNOW_THEIR_CHANGE = frozenset({"exchange", "session", "conversation"})
"""Records with an ``updated_at``."""


def amend(context: Context, request: Amend) -> dict[str, Any]:
    """Change annotations of one record; return its id and how many fields changed."""
    if request.type not in _AMENDERS:
        raise bad_request(
            f"A {request.type} cannot be amended.",
            f"These can: {', '.join(sorted(_AMENDERS))}.",
        )
    table, fields = _AMENDERS[request.type]
    unknown = sorted(set(request.set) - fields)
    if unknown:
        raise bad_request(
            f"A {request.type} has no field {unknown[0]!r} that can be amended.",
            f"These can: {', '.join(sorted(fields))}.",
        )
    row_id, uid = find(context.connection, table, request.target)
    values = _checked(request)
    if request.type == "message" and "content" in values:
        _keep_original(context, row_id)
    if values:
        assignments = ", ".join(f"{name} = ?" for name in values)
        context.connection.execute(
            f"UPDATE {table} SET {assignments} WHERE id = ?", (*values.values(), row_id)
        )
    if request.type == "message" and "content" in values:
        rehash(context, row_id, values["content"])
    if request.type == "exchange":
        _amend_tags(context, request, row_id)
        if request.add_tags or request.remove_tags or "notes" in values:
            _index_anew(context, row_id)
        context.changes.add("exchange", row_id)
    if request.type == "message":
        context.changes.add("message", row_id)
    if request.type in _KNOW_THEIR_CHANGE:
        context.connection.execute(
            f"UPDATE {table} SET updated_at = ? WHERE id = ?", (context.now(), row_id)
        )
    return {"id": uid, "fields": sorted(values)}


def _amend_tags(context: Context, request: Amend, exchange_id: int) -> None:
    add_tags(context, exchange_id, request.add_tags)
    context.connection.executemany(
        "DELETE FROM exchange_tag WHERE exchange_id = ? AND tag = ?",
        [(exchange_id, tag) for tag in request.remove_tags],
    )


def _index_anew(context: Context, exchange_id: int) -> None:
    """Tell the index that what an exchange's messages are found by has changed."""
    context.connection.execute(
        "INSERT OR IGNORE INTO stale_facet SELECT id FROM message WHERE exchange_id = ?",
        (exchange_id,),
    )


def _keep_original(context: Context, message_id: int) -> None:
    context.connection.execute(
        f"UPDATE message AS m SET original_content = coalesce(original_content, {WHOLE_TEXT}),"
        " pack_id = NULL, pack_start = NULL, pack_size = NULL WHERE id = ?",
        (message_id,),
    )


def _checked(request: Amend) -> dict[str, Any]:
    """Return column values, checked by the same types a new record is checked by."""
    try:
        checked: msgspec.Struct = msgspec.convert(
            _REQUIRED.get(request.type, {}) | request.set, _CHECKED[request.type], strict=False
        )
    except msgspec.ValidationError as error:
        raise bad_request(f"The new value does not fit: {error}.") from error
    values = {name: getattr(checked, name) for name in request.set}
    for name, value in values.items():
        if name in _JSON_FIELDS:
            values[name] = json_or_none(value)
        elif name in _TIMES:
            values[name] = optional_moment(value)
    return values


class _CheckedAnnotations(Annotations, tag="annotations", kw_only=True):
    pass


class _CheckedMessage(msgspec.Struct, kw_only=True):
    importance: Share | None = None
    is_summarized: bool = False
    content: str = ""
    metadata: dict[str, Any] | None = None


_CHECKED: dict[str, type[msgspec.Struct]] = {
    "exchange": _CheckedAnnotations,
    "session": Session,
    "conversation": Conversation,
    "message": _CheckedMessage,
    "agent_interaction": AgentInteraction,
    "task": Task,
}
_REQUIRED: dict[str, dict[str, Any]] = {
    "exchange": {"type": "annotations", "id": ""},
    "session": {"type": "session", "id": "", "key": "k"},
    "conversation": {"type": "conversation", "id": "", "key": "k"},
    "agent_interaction": {
        "type": "agent_interaction",
        "id": "",
        "conversation": "c",
        "agent_type": "a",
        "task_description": "",
    },
    "task": {"type": "task", "id": "", "key": "k"},
}
_AMENDERS = {
    "exchange": ("exchange", _EXCHANGE_FIELDS),
    "session": ("session", _SESSION_FIELDS),
    "conversation": ("conversation", _CONVERSATION_FIELDS),
    "message": ("message", _MESSAGE_FIELDS),
    "agent_interaction": ("agent_interaction", _INTERACTION_FIELDS),
    "task": ("task", _TASK_FIELDS),
}
