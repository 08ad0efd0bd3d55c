"""Sessions, conversations, messages and model calls from an export."""

from typing import Any

from steno_schema.exported import (
    ExportedConversation,
    ExportedMessage,
    ExportedSession,
    ExportedUsage,
)
from steno_schema.ids import parse_id, uuid8
from stenod.store import rivals
from stenod.store.context import Context, json_or_none, moment, optional_moment, uid_of
from stenod.store.exchanges import check_text, token_columns
from stenod.store.merge import merge_message
from stenod.store.owners import conversation_of
from stenod.store.rows import fetch_one
from stenod.store.settle import complete, earliest, hash_told, insert, stored
from stenod.store.usages import merge_usage

_SESSION = ("agent", "user", "project", "title", "status", "metadata", "created_at", "started_at",
            "ended_at", "last_active_at")  # fmt: skip
_CONVERSATION = ("session_id", "parent_id", "kind", "user", "title", "summary", "metadata",
                 "created_at", "started_at", "ended_at")  # fmt: skip
_LATER_WINS = ("agent", "user", "title", "status", "metadata", "ended_at")


def restore_session(context: Context, record: ExportedSession) -> str:
    """Store a session as it was, or complete the one with its key; the later one says more."""
    uid, now = uid_of(record.id), context.now()
    created = moment(record.created_at, now)
    told: dict[str, Any] = {
        "agent": record.agent,
        "user": record.user,
        "project": record.project,
        "title": record.title,
        "status": record.status,
        "metadata": json_or_none(record.metadata),
        "created_at": created,
        "started_at": optional_moment(record.started_at),
        "ended_at": optional_moment(record.ended_at),
        "last_active_at": moment(record.last_active_at, created),
    }
    known = _keyed(context, "session", record.key, _SESSION)
    if known is None:
        if context.is_gone(uid):
            return "gone"
        updated = {"updated_at": moment(record.updated_at, now)}
        insert(context, "session", {"uid": uid, "key": record.key, **told, **updated})
        return "created"
    merged = {name: _first(known, told, name) for name in _SESSION}
    if told["last_active_at"] > known["last_active_at"]:
        merged |= {name: _first(told, known, name) for name in _LATER_WINS}
    merged["created_at"] = earliest(known["created_at"], optional_moment(record.created_at))
    merged["started_at"] = earliest(known["started_at"], told["started_at"])
    merged["last_active_at"] = max(known["last_active_at"], told["last_active_at"])
    if known["uid"] == _stub_uid("session", record.key):
        merged["uid"] = uid
    outcome = _rewrite(context, "session", known, merged, now)
    if merged["metadata"] != known["metadata"]:
        rivals.settle_session(context, record.key)
    return outcome


def restore_conversation(context: Context, record: ExportedConversation) -> str:
    """Store a conversation as it was, or complete the one with its key."""
    uid, now = uid_of(record.id), context.now()
    if context.is_gone(uid):
        return "gone"
    session_id = context.keys.session(record.session or record.key, now)
    parent_id = None
    if record.parent is not None:
        parent_id = context.keys.conversation(record.parent, session_id, now)
    known = _keyed(context, "conversation", record.key, _CONVERSATION)
    told: dict[str, Any] = {
        "session_id": session_id,
        "parent_id": parent_id,
        "kind": record.kind,
        "user": record.user,
        "title": record.title,
        "summary": record.summary,
        "metadata": json_or_none(record.metadata),
        "created_at": moment(record.created_at, now),
        "started_at": optional_moment(record.started_at),
        "ended_at": optional_moment(record.ended_at),
    }
    updated_at = moment(record.updated_at, now)
    if known is None:
        columns = {"uid": uid, "key": record.key, **told, "updated_at": updated_at}
        insert(context, "conversation", columns)
        return "created"
    if known["uid"] == _stub_uid("conversation", record.key):
        # Only its name was known; a child that came before it in the file made this row.
        merged = {name: _first(told, known, name) for name in _CONVERSATION}
        merged["created_at"] = min(known["created_at"], told["created_at"])
        return _rewrite(context, "conversation", known, {"uid": uid, **merged}, updated_at)
    merged = {name: _first(known, told, name) for name in _CONVERSATION}
    merged["created_at"] = earliest(known["created_at"], optional_moment(record.created_at))
    merged["started_at"] = earliest(known["started_at"], told["started_at"])
    if record.kind == "subagent":
        merged["kind"] = record.kind
    return _rewrite(context, "conversation", known, merged, now)


def _keyed(
    context: Context, table: str, key: str, names: tuple[str, ...]
) -> dict[str, Any] | None:
    row = fetch_one(
        context.connection,
        f"SELECT id, uid, {', '.join(names)} FROM {table} WHERE key = ?",
        (key,),
    )
    return None if row is None else dict(zip(("id", "uid", *names), row, strict=True))


def _first(first: dict[str, Any], second: dict[str, Any], name: str) -> Any:
    return second[name] if first[name] is None else first[name]


def _rewrite(
    context: Context,
    table: str,
    known: dict[str, Any],
    merged: dict[str, Any],
    updated_at: int,
) -> str:
    """Store what two sayings of a session or conversation come to, if that is anything new."""
    if all(known[name] == value for name, value in merged.items()):
        return "existed"
    merged["updated_at"] = updated_at
    assignments = ", ".join(f"{name} = ?" for name in merged)
    context.connection.execute(
        f"UPDATE {table} SET {assignments} WHERE id = ?", (*merged.values(), known["id"])
    )
    return "updated"


def _stub_uid(table: str, key: str) -> bytes:
    return parse_id(uuid8("stub", table, key))


def restore_message(context: Context, record: ExportedMessage) -> str:
    """Store a message as it was, or settle it with the one that has its id."""
    conversation_id = conversation_of(context, record.conversation, record.session)
    exchange_id = _exchange(context, record.exchange)
    return put_message(context, record, conversation_id, exchange_id)


def put_message(
    context: Context,
    record: ExportedMessage,
    conversation_id: int,
    exchange_id: int | None,
    message_id: int | None = None,
    *,
    is_captured: bool = True,
) -> str:
    """Store a message whose place is known, under ``message_id`` if it has one already."""
    uid = uid_of(record.id)
    told = _message_columns(record, conversation_id, exchange_id)
    known = stored(context, "message", uid, {**told, "content_hash": None})
    if known is None and context.is_gone(uid):
        return "gone"
    for rival in record.rivals or []:
        elsewhere = conversation_of(context, rival.conversation, None)
        exchange = None if rival.exchange is None else uid_of(rival.exchange)
        rivals.note_message(context, uid, elsewhere, rival.copied, rival.position, exchange)
    if known is None:
        check_text(record.content)
        _insert_message(context, record, {"uid": uid, **told}, message_id)
        return "created"
    if not is_captured or record.content_hash is not None or known["content_hash"] is not None:
        return complete(context, "message", known, told)
    if all(value in (None, known[name]) for name, value in told.items()):
        return "existed"
    return merge_message(context, record)


def _message_columns(
    record: ExportedMessage, conversation_id: int, exchange_id: int | None
) -> dict[str, Any]:
    """Return the columns of a message; ``None`` for what it does not say."""
    return {
        "conversation_id": conversation_id,
        "exchange_id": exchange_id,
        "role": record.role,
        "kind": record.kind,
        "content": record.content,
        "created_at": optional_moment(record.created_at),
        "position": record.position,
        "model": record.model,
        "token_count": record.token_count,
        "processing_time_s": record.processing_time_s,
        "importance": record.importance,
        "is_summarized": record.is_summarized or None,
        "original_content": record.original_content,
        "tool_name": record.tool_name,
        "call_id": record.call_id,
        "is_error": record.is_error or None,
        "copied": record.copied or None,
        "metadata": json_or_none(record.metadata),
    }


def _insert_message(
    context: Context, record: ExportedMessage, told: dict[str, Any], message_id: int | None
) -> None:
    created = moment(record.created_at, context.now())
    row_id = message_number(context, record, created) if message_id is None else message_id
    usual = {"created_at": created, "position": row_id}
    columns = {
        name: usual.get(name, 0 if name in _FLAGS else None) if value is None else value
        for name, value in told.items()
    }
    columns |= {"id": row_id, "content_hash": hash_told(record.content_hash)}
    insert(context, "message", columns)
    context.changes.add("message", row_id)


def message_number(context: Context, record: ExportedMessage, created: int) -> int:
    """Return the row id of a new message: that which it had, where it is free here."""
    number = record.position if record.number is None else record.number
    return context.keys.message_kept(created, number)


_FLAGS = frozenset({"is_summarized", "is_error", "copied", "nested"})


def restore_usage(context: Context, record: ExportedUsage) -> str:
    """Store a model call as it was, or settle it with the one that has its id."""
    uid, now = uid_of(record.id), context.now()
    session_id = conversation_id = None
    if record.session is not None:
        session_id = context.keys.session(record.session, now, agent=record.agent)
    if record.conversation is not None:
        conversation_id = conversation_of(context, record.conversation, record.session)
    told: dict[str, Any] = {
        "session_id": session_id,
        "conversation_id": conversation_id,
        "exchange_id": _exchange(context, record.exchange),
        "agent": record.agent,
        "model": record.model,
        **token_columns(record.tokens),
        "cost_usd": record.cost_usd,
        "request_id": record.request_id,
        "recorded_at": optional_moment(record.recorded_at),
        "position": record.position,
        "nested": record.nested or None,
        "copied": record.copied or None,
    }
    known = stored(context, "usage", uid, {**told, "content_hash": None})
    if known is not None:
        if record.content_hash is not None or known["content_hash"] is not None:
            return complete(context, "usage", known, told)
        return merge_usage(context, record)
    if context.is_gone(uid):
        return "gone"
    usual = {"recorded_at": now, "nested": 0, "copied": 0}
    columns: dict[str, Any] = {
        name: usual.get(name) if value is None else value for name, value in told.items()
    }
    columns |= {"uid": uid, "content_hash": hash_told(record.content_hash)}
    context.changes.add("usage", insert(context, "usage", columns))
    return "created"


def _exchange(context: Context, record_id: str | None) -> int | None:
    """Return the row id of an exchange; what a captured one comes to is derived again.

    Its time of change stays: nothing is said of it that was not said before.
    """
    if record_id is None:
        return None
    row = fetch_one(
        context.connection, "SELECT id, origin FROM exchange WHERE uid = ?", (uid_of(record_id),)
    )
    if row is None:
        return None
    if row[1] != "script":
        context.touched_quietly.add(row[0])
    return int(row[0])
