"""Exchanges from an export, each with its prompt's and its output's message."""

from typing import Any

from steno_schema.exported import ExportedExchange, ExportedMessage, OwnMessage
from steno_schema.ids import format_id, output_id
from steno_schema.records import Turn
from stenod.store import rivals
from stenod.store.context import (
    Context,
    json_or_none,
    moment,
    optional_moment,
    told_moment,
    uid_of,
)
from stenod.store.exchanges import add_tags, check_text, place_of, token_columns
from stenod.store.merge import merge_turn
from stenod.store.owners import conversation_of, exchange_of
from stenod.store.restore_talk import message_number, put_message
from stenod.store.rows import fetch_all, fetch_one
from stenod.store.sameness import count_sighting, prompt_hash
from stenod.store.settle import complete, hash_told, insert, stored

_JSON = ("keywords", "files_created", "files_modified", "commands_executed", "metadata")
_SAID = ("category", "complexity", "technique", "stage", "phase", "current_file",
         "response_summary", "rating", "follow_up", "notes", "user", "project", "framework",
         "template")  # fmt: skip
_PLAIN = OwnMessage()
Text = tuple[OwnMessage, ExportedMessage]
"""A prompt or an output: what its exchange says of it, and the message it is."""


def restore_exchange(context: Context, record: ExportedExchange) -> str:
    """Store an exchange as it was, or complete the one that has its id."""
    uid = uid_of(record.id)
    row = fetch_one(context.connection, "SELECT origin FROM exchange WHERE uid = ?", (uid,))
    if row is None:
        return "gone" if context.is_gone(uid) else _create(context, record, uid)
    completed = _complete_scripts if row[0] == "script" else _complete_captured
    outcomes = [completed(context, record, uid), _complete_tags(context, record, uid)]
    return next((each for each in ("conflict", "updated") if each in outcomes), "existed")


def _create(context: Context, record: ExportedExchange, uid: bytes) -> str:
    check_text(record.prompt, record.output)
    now = context.now()
    created = moment(record.created_at, now)
    conversation_id, _ = place_of(context, record, now)
    texts = _texts(record, uid)
    ids = [_message_row(context, message, created) for _, message in texts]
    columns = {
        "uid": uid,
        "content_hash": hash_told(record.content_hash),
        "conversation_id": conversation_id,
        "prompt_id": ids[0],
        "output_id": ids[1] if len(ids) > 1 else None,
        "created_at": created,
        "updated_at": moment(record.updated_at, now),
        "origin": record.origin,
        "copied": record.copied,
        "prompt_hash": prompt_hash(record.prompt),
        **_said(record),
        **_answered(record),
    }
    exchange_id = insert(context, "exchange", columns)
    add_tags(context, exchange_id, record.tags)
    _add_sightings(context, record, exchange_id)
    _note_rivals(context, record, uid)
    for text, message_id in zip(texts, ids, strict=True):
        _put_text(context, record, text, exchange_id, message_id)
    context.changes.add("exchange", exchange_id)
    return "created"


def _said(record: ExportedExchange) -> dict[str, Any]:
    """Return the columns of what was said about an exchange."""
    told = {name: getattr(record, name) for name in _SAID}
    return told | {name: json_or_none(getattr(record, name)) for name in _JSON}


def _answered(record: ExportedExchange) -> dict[str, Any]:
    """Return the columns of what came of it."""
    return {
        "status": record.status,
        "agent": record.agent,
        "model": record.model,
        **({} if record.tokens is None else token_columns(record.tokens)),
        "cost_usd": record.cost_usd,
        "response_time_ms": record.response_time_ms,
    }


def _texts(record: ExportedExchange, uid: bytes) -> list[Text]:
    """Return the prompt and, if there is one, the output."""
    texts = [_text(record, record.prompt_message, "user", record.prompt, uid)]
    if record.output_message is not None or record.output:
        given = (record.output_message, "assistant", record.output, output_id(uid))
        texts.append(_text(record, *given))
    return texts


def _text(
    record: ExportedExchange, own: OwnMessage | None, role: Any, text: str, usual: bytes
) -> Text:
    own = own or _PLAIN
    fields = {name: getattr(own, name) for name in OwnMessage.__struct_fields__}
    del fields["detached"]
    fields["id"] = own.id or format_id(usual)
    fields["role"] = own.role or role
    fields["conversation"] = own.conversation or record.conversation or ""
    fields["created_at"] = own.created_at or record.created_at
    if role == "assistant" and record.origin == "script":
        fields["model"] = own.model or record.model
    return own, ExportedMessage(content=text, **fields)


def _message_row(context: Context, message: ExportedMessage, otherwise: int) -> int:
    """Return the row id of a message: the one it has, or one that is its own from now on."""
    known = context.connection.execute(
        "SELECT id FROM message WHERE uid = ?", (uid_of(message.id),)
    ).get
    if known is not None:
        return int(known)
    return message_number(context, message, moment(message.created_at, otherwise))


def _put_text(
    context: Context,
    record: ExportedExchange,
    text: Text,
    exchange_id: int,
    message_id: int | None = None,
) -> str:
    """Store an exchange's own message where it belongs."""
    own, message = text
    belongs_to: int | None = exchange_id
    if own.detached:
        belongs_to = None
    elif own.exchange is not None:
        belongs_to = exchange_of(context, own.exchange)
    if own.conversation is not None:
        conversation_id = conversation_of(context, own.conversation, None)
    else:
        conversation_id = context.connection.execute(
            "SELECT conversation_id FROM exchange WHERE id = ?", (exchange_id,)
        ).get
    return put_message(
        context,
        message,
        conversation_id,
        belongs_to,
        message_id,
        is_captured=record.origin != "script",
    )


def _complete_scripts(context: Context, record: ExportedExchange, uid: bytes) -> str:
    told = _said(record) | _answered(record) | {"created_at": optional_moment(record.created_at)}
    known = stored(context, "exchange", uid, told)
    assert known is not None
    outcomes = [complete(context, "exchange", known, told)]
    outcomes += [_put_text(context, record, text, known["id"]) for text in _texts(record, uid)]
    if "updated" in outcomes:
        context.changes.add("exchange", known["id"])
    return next((each for each in ("conflict", "updated") if each in outcomes), "existed")


def _complete_captured(context: Context, record: ExportedExchange, uid: bytes) -> str:
    """Complete what was said of a captured exchange; the rest follows from its messages."""
    told = _said(record)
    known = stored(context, "exchange", uid, {**told, "status": None, "conversation_id": None})
    assert known is not None
    outcomes = [complete(context, "exchange", known, told)]
    if known["status"] == "running" != record.status:
        context.connection.execute(
            "UPDATE exchange SET status = ? WHERE id = ?", (record.status, known["id"])
        )
        outcomes.append("updated")
    _note_rivals(context, record, uid)
    outcomes.append(_settle_owner(context, record, known))
    outcomes += [_put_text(context, record, text, known["id"]) for text in _texts(record, uid)]
    if "updated" in outcomes:
        context.changes.add("exchange", known["id"])
    return next((each for each in ("conflict", "updated") if each in outcomes), "existed")


def _note_rivals(context: Context, record: ExportedExchange, uid: bytes) -> None:
    for rival in record.rivals or []:
        elsewhere = conversation_of(context, rival.conversation, None)
        said = (rival.status, rival.origin, rival.project)
        rivals.note_exchange(context, uid, elsewhere, rival.copied, said)


def _settle_owner(context: Context, record: ExportedExchange, known: dict[str, Any]) -> str:
    """Where another conversation carries the turn too, find whose it is."""
    if record.conversation is None or record.prompt_message is None:
        return "existed"
    if conversation_of(context, record.conversation, record.session) == known["conversation_id"]:
        return "existed"
    return merge_turn(
        context,
        Turn(
            id=record.id,
            conversation=record.conversation,
            prompt_message=record.prompt_message.id or record.id,
            origin=record.origin,
            created_at=record.created_at,
            agent=record.agent,
            project=record.project,
            framework=record.framework,
            status=record.status if known["status"] == "running" else known["status"],
            copied=record.copied,
        ),
    )


def _complete_tags(context: Context, record: ExportedExchange, uid: bytes) -> str:
    row = fetch_one(context.connection, "SELECT id, prompt_id FROM exchange WHERE uid = ?", (uid,))
    assert row is not None
    there = {
        tag
        for (tag,) in fetch_all(
            context.connection, "SELECT tag FROM exchange_tag WHERE exchange_id = ?", row[:1]
        )
    }
    added = _add_sightings(context, record, row[0])
    if not set(record.tags) - there:
        return "updated" if added else "existed"
    add_tags(context, row[0], record.tags)
    context.changes.add("message", row[1])
    context.changes.add("exchange", row[0])
    return "updated"


def _add_sightings(context: Context, record: ExportedExchange, exchange_id: int) -> bool:
    """Add the sightings that are not known; tell whether there were any. Once, the guess too."""
    known = set(
        fetch_all(
            context.connection,
            "SELECT seen_at, uid FROM sighting WHERE exchange_id = ?",
            (exchange_id,),
        )
    )
    told = {
        (told_moment(each.seen_at), None if each.id is None else uid_of(each.id)): None
        for each in record.sightings or []
    }
    new = [each for each in told if each not in known]
    for seen_at, uid in new:
        count_sighting(context, exchange_id, uid, seen_at)
    if record.guessed_category is not None:
        context.connection.execute(
            "INSERT OR IGNORE INTO analysis (exchange_id, category) VALUES (?, ?)",
            (exchange_id, record.guessed_category),
        )
    return bool(new)
