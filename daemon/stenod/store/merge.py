"""Captured messages and turns: seen many times, in any order, kept once.

Which of several sightings counts is said in ``owners``. What was seen before is completed (a status
by the later line), so that any order of reading and any number of readings end in the same rows.
"""

from steno_schema.limits import CAPTURED_TEXT_MAX_CHARS
from steno_schema.records import Message, Turn
from stenod.store import rivals
from stenod.store.context import Context, json_or_none, moment, uid_of
from stenod.store.days import mark_unclean
from stenod.store.owners import conversation_of, exchange_of, rank
from stenod.store.packs import WHOLE_TEXT
from stenod.store.rows import fetch_one
from stenod.store.sameness import prompt_hash, rehash

_REFRESH = """
UPDATE exchange SET
  output_id = (SELECT m.id FROM message AS m WHERE m.exchange_id = exchange.id
    AND m.role = 'assistant' AND m.kind = 'text'
    AND m.conversation_id = exchange.conversation_id ORDER BY m.position DESC LIMIT 1),
  response_time_ms = (SELECT max(m.created_at) - exchange.created_at FROM message AS m
    WHERE m.exchange_id = exchange.id AND m.role = 'assistant'
    AND m.conversation_id = exchange.conversation_id),
  model = (SELECT u.model FROM usage AS u WHERE u.exchange_id = exchange.id
    AND u.nested = 0 AND u.model IS NOT NULL ORDER BY u.position DESC LIMIT 1),
  (input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, cache_write_5m_tokens,
   cache_write_1h_tokens, reasoning_tokens, tokens_complete, cost_usd) =
  (SELECT sum(u.input_tokens), sum(u.output_tokens), sum(u.cache_read_tokens),
     sum(u.cache_write_tokens), sum(u.cache_write_5m_tokens), sum(u.cache_write_1h_tokens),
     sum(u.reasoning_tokens), min(u.tokens_complete),
     iif(sum(u.cost_usd IS NULL AND u.input_tokens + u.output_tokens + u.cache_read_tokens
       + u.cache_write_tokens > 0), NULL, sum(u.cost_usd))
   FROM usage AS u WHERE u.exchange_id = exchange.id AND u.nested = 0
     AND u.conversation_id = exchange.conversation_id),
  updated_at = coalesce(?1, updated_at)
WHERE id = ?2
"""


def merge_message(context: Context, record: Message) -> str:
    """Store a captured message, or settle it with the sighting known already."""
    uid = uid_of(record.id)
    if context.is_gone(uid):
        return "gone"
    conversation_id = conversation_of(context, record.conversation, record.session)
    exchange_id = exchange_of(context, record.exchange)
    position = record.position or 0
    text = record.content[:CAPTURED_TEXT_MAX_CHARS]
    known = fetch_one(
        context.connection,
        f"SELECT id, conversation_id, copied, position, exchange_id, {WHOLE_TEXT},"
        " coalesce(metadata ->> 'nested', 0) FROM message AS m WHERE uid = ?",
        (uid,),
    )
    if known is None:
        _insert_message(context, record, uid, conversation_id, exchange_id)
        return "created"
    row_id, known_conversation, known_copied, known_position, known_exchange, content, nested = (
        known
    )
    if _is_nested(record) != bool(nested):
        if not nested:
            return "existed"
    elif known_conversation == conversation_id:
        same = (position, exchange_id, text) == (
            known_position,
            known_exchange,
            content,
        )
        if same or position < known_position:
            return "existed"
    elif not _is_owner(context, record.copied, conversation_id, known_copied, known_conversation):
        turn = None if record.exchange is None else uid_of(record.exchange)
        rivals.note_message(context, uid, conversation_id, record.copied, position, turn)
        return "existed"
    else:
        rivals.take_message(context, uid, conversation_id)
    place = context.place(record)
    context.connection.execute(
        "UPDATE message SET conversation_id = ?, exchange_id = ?, position = ?, copied = ?,"
        " content = ?, pack_id = ?, pack_start = ?, pack_size = ?, is_error = ?, metadata = ?"
        " WHERE id = ?",
        (
            conversation_id,
            exchange_id,
            position,
            record.copied,
            place.content,
            place.pack_id,
            place.start,
            place.size,
            record.is_error,
            json_or_none(record.metadata),
            row_id,
        ),
    )
    if text != content:
        rehash(context, row_id, text)
    context.changes.add("message", row_id)
    context.touched.update(each for each in (exchange_id, known_exchange) if each is not None)
    return "updated"


def _is_nested(record: Message) -> bool:
    """Tell whether a message was found inside of another record only."""
    return bool(record.metadata and record.metadata.get("nested"))


def _insert_message(
    context: Context,
    record: Message,
    uid: bytes,
    conversation_id: int,
    exchange_id: int | None,
) -> None:
    created = moment(record.created_at, context.now())
    message_id = context.keys.message(created)
    place = context.place(record)
    context.connection.execute(
        "INSERT INTO message (id, uid, conversation_id, exchange_id, role, kind, content,"
        " created_at, position, model, token_count, processing_time_s, tool_name, call_id,"
        " is_error, copied, metadata, pack_id, pack_start, pack_size)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            message_id,
            uid,
            conversation_id,
            exchange_id,
            record.role,
            record.kind,
            place.content,
            created,
            record.position or 0,
            record.model,
            record.token_count,
            record.processing_time_s,
            record.tool_name,
            record.call_id,
            record.is_error,
            record.copied,
            json_or_none(record.metadata),
            place.pack_id,
            place.start,
            place.size,
        ),
    )
    context.changes.add("message", message_id)
    if exchange_id is not None and record.role == "assistant":
        context.touched.add(exchange_id)


def merge_turn(context: Context, record: Turn) -> str:
    """Store a captured exchange whose prompt message is stored already."""
    uid = uid_of(record.id)
    known = fetch_one(
        context.connection,
        "SELECT id, conversation_id, copied, status, origin FROM exchange WHERE uid = ?",
        (uid,),
    )
    if record.withdrawn:
        return "existed" if known is None else _withdraw(context, known[0])
    if known is None:
        return _insert_turn(context, record, uid)
    row_id, known_conversation, known_copied, status, origin = known
    conversation_id = conversation_of(context, record.conversation, None)
    if record.copied:
        rivals.is_copied(context, uid_of(record.prompt_message), conversation_id)
    if known_conversation == conversation_id:
        if (record.status, record.origin, record.copied) == (status, origin, bool(known_copied)):
            return "existed"
    elif not _is_owner(context, record.copied, conversation_id, known_copied, known_conversation):
        said = (record.status, record.origin, record.project)
        rivals.note_exchange(context, uid, conversation_id, record.copied, said)
        return "existed"
    else:
        rivals.take_exchange(context, uid, conversation_id)
    context.connection.execute(
        "UPDATE exchange SET conversation_id = ?, status = ?, origin = ?, copied = ?,"
        " project = coalesce(?, project), updated_at = ? WHERE id = ?",
        (
            conversation_id,
            record.status,
            record.origin,
            record.copied,
            record.project,
            context.now(),
            row_id,
        ),
    )
    context.touched.add(row_id)
    if record.copied and not known_copied:
        rivals.settle_exchange(context, uid)
    return "updated"


def _is_owner(
    context: Context, copied: bool, conversation_id: int, known_copied: int, known: int
) -> bool:
    return rank(context, conversation_id, copied) < rank(context, known, known_copied)


def _insert_turn(context: Context, record: Turn, uid: bytes) -> str:
    prompt = fetch_one(
        context.connection,
        "SELECT id, content FROM message WHERE uid = ?",
        (uid_of(record.prompt_message),),
    )
    if context.is_gone(uid):
        return "gone"
    if prompt is None:
        return "existed"
    now = context.now()
    exchange_id = context.connection.execute(
        "INSERT INTO exchange (uid, conversation_id, prompt_id, created_at, updated_at, origin,"
        " status, agent, project, framework, copied, metadata, prompt_hash)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
        (
            uid,
            conversation_of(context, record.conversation, None),
            prompt[0],
            moment(record.created_at, now),
            now,
            record.origin,
            record.status,
            record.agent,
            record.project,
            record.framework,
            record.copied,
            json_or_none(record.metadata),
            prompt_hash(prompt[1]),
        ),
    ).get
    context.connection.execute(
        "UPDATE message SET exchange_id = ? WHERE id = ?", (exchange_id, prompt[0])
    )
    context.changes.add("exchange", exchange_id)
    context.changes.add("message", prompt[0])
    context.touched.add(exchange_id)
    return "created"


def _withdraw(context: Context, exchange_id: int) -> str:
    """Take back a turn that was none after all; its messages stay, but a queued prompt's own.

    That one is said again by the ordinary turn it became.
    """
    connection = context.connection
    row = fetch_one(
        connection, "SELECT uid, origin, prompt_id FROM exchange WHERE id = ?", (exchange_id,)
    )
    assert row is not None
    uid, origin, prompt_id = row
    for table in ("message", "usage"):
        connection.execute(
            f"UPDATE {table} SET exchange_id = NULL WHERE exchange_id = ?", (exchange_id,)
        )
    mark_unclean(connection, "e.id = ?", (exchange_id,))
    if origin == "queued":
        connection.execute("DELETE FROM message WHERE id = ?", (prompt_id,))
        context.changes.add("message_gone", prompt_id)
    connection.execute("DELETE FROM exchange WHERE id = ?", (exchange_id,))
    rivals.forget(context, "exchange", [uid])
    context.touched.discard(exchange_id)
    return "updated"


def refresh_touched(context: Context) -> None:
    """Derive output, model, tokens and cost of every exchange this transaction touched."""
    now = context.now()
    quietly = context.touched_quietly - context.touched
    for exchange_id, at in (*((each, now) for each in context.touched),
                            *((each, None) for each in quietly)):  # fmt: skip
        context.connection.execute(_REFRESH, (at, exchange_id))
        context.changes.add("exchange", exchange_id)
    context.touched.clear()
    context.touched_quietly.clear()
