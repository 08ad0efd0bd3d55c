"""Scripts' exchanges and messages: created once, whole, under the id their sender made."""

from steno_schema.errors import ErrorCode, RequestError
from steno_schema.ids import output_id
from steno_schema.limits import RECORD_TEXT_MAX_BYTES
from steno_schema.records import Exchange, Message, Tokens, Usage
from stenod.store.context import (
    Context,
    OutcomeName,
    check_same,
    hash_of,
    json_or_none,
    moment,
    uid_of,
)
from stenod.store.rows import fetch_one
from stenod.store.sameness import count_sighting, find_same, prompt_hash, sighted_before

_INSERT_EXCHANGE = """
INSERT INTO exchange (uid, content_hash, conversation_id, prompt_id, output_id, created_at,
  updated_at, origin, status, agent, user, project, framework, template, model,
  input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, cache_write_5m_tokens,
  cache_write_1h_tokens, reasoning_tokens, total_tokens, tokens_complete, cost_usd,
  response_time_ms, category, complexity, technique, stage, phase, current_file, keywords,
  response_summary, rating, follow_up, notes, files_created, files_modified, commands_executed,
  metadata, prompt_hash)
VALUES (?, ?, ?, ?, ?, ?, ?, 'script', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
  ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
RETURNING id
"""
_TOKEN_COLUMNS = (
    "input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens",
    "cache_write_5m_tokens", "cache_write_1h_tokens", "reasoning_tokens", "total_tokens",
    "tokens_complete",
)  # fmt: skip
_INSERT_MESSAGE = """
INSERT INTO message (id, uid, content_hash, conversation_id, exchange_id, role, kind, content,
  created_at, position, model, token_count, processing_time_s, importance, tool_name, call_id,
  is_error, metadata)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_INSERT_USAGE = """
INSERT INTO usage (uid, content_hash, session_id, conversation_id, exchange_id, agent, model,
  input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, cache_write_5m_tokens,
  cache_write_1h_tokens, reasoning_tokens, total_tokens, tokens_complete, cost_usd, request_id,
  recorded_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
RETURNING id
"""


def create_exchange(
    context: Context, record: Exchange, check: str = "off"
) -> tuple[OutcomeName, bytes | None]:
    """Store an exchange; return the outcome and, for a duplicate, the id that exists."""
    uid = uid_of(record.id)
    stored = fetch_one(
        context.connection, "SELECT content_hash FROM exchange WHERE uid = ?", (uid,)
    )
    if stored is not None:
        check_same(stored[0], record, record.id)
        return "existed", None
    if context.is_gone(uid):
        return "gone", None
    check_text(record.prompt, record.output)
    now = context.now()
    created = moment(record.created_at, now)
    place = place_of(context, record, now)
    if check != "off" and not record.output:
        twin = _duplicate(context, record, created, None if check == "all" else place[1])
        if twin is not None:
            return "duplicate", twin
    _insert_exchange(context, record, uid, place, created, now)
    return "created", None


def place_of(context: Context, record: Exchange, now: int) -> tuple[int, int]:
    """Return (conversation, session) row ids; keys not given follow from each other."""
    session_key = record.session or record.conversation or "default"
    if record.session is None and record.conversation is not None:
        known = context.keys.known_conversation(record.conversation)
        if known is not None:
            session_id = context.connection.execute(
                "SELECT session_id FROM conversation WHERE id = ?", (known,)
            ).get
            return known, session_id
    session_id = context.keys.session(
        session_key, now, agent=record.agent, project=record.project, user=record.user
    )
    conversation_id = context.keys.conversation(
        record.conversation or session_key, session_id, now, user=record.user
    )
    return conversation_id, session_id


def _duplicate(
    context: Context, record: Exchange, created: int, session_id: int | None
) -> bytes | None:
    """Return the uid of the exchange that has the same prompt, if any, with the sighting counted.

    A record that is sent again is answered as before.
    """
    uid = uid_of(record.id)
    known = sighted_before(context, uid)
    if known is not None:
        return known
    twin = find_same(context, record.prompt, session_id)
    if twin is None:
        return None
    count_sighting(context, twin[0], uid, created)
    return twin[1]


def _insert_exchange(
    context: Context, record: Exchange, uid: bytes, place: tuple[int, int], created: int, now: int
) -> None:
    conversation_id, session_id = place
    prompt_id = context.keys.message(created)
    reply_id = context.keys.message(created) if record.output else None
    tokens = record.tokens
    exchange_id = context.connection.execute(
        _INSERT_EXCHANGE,
        (
            uid,
            hash_of(record),
            conversation_id,
            prompt_id,
            reply_id,
            created,
            now,
            record.status,
            record.agent,
            record.user,
            record.project,
            record.framework,
            record.template,
            record.model,
            *(_buckets(tokens) if tokens else (None,) * 9),
            record.cost_usd,
            record.response_time_ms,
            record.category,
            record.complexity,
            record.technique,
            record.stage,
            record.phase,
            record.current_file,
            json_or_none(record.keywords),
            record.response_summary,
            record.rating,
            record.follow_up,
            record.notes,
            json_or_none(record.files_created),
            json_or_none(record.files_modified),
            json_or_none(record.commands_executed),
            json_or_none(record.metadata),
            prompt_hash(record.prompt),
        ),
    ).get
    if record.tags:
        add_tags(context, exchange_id, record.tags)
    within = (conversation_id, exchange_id)
    _insert_text(context, (prompt_id, uid), within, "user", record.prompt, created, None)
    if reply_id is not None:
        reply = (reply_id, output_id(uid))
        _insert_text(context, reply, within, "assistant", record.output, created, record.model)
    context.changes.add("exchange", exchange_id)
    context.was_active(session_id, created)


def check_text(*texts: str) -> None:
    """Refuse text that no reply could carry back."""
    if 4 * sum(map(len, texts)) <= RECORD_TEXT_MAX_BYTES:
        return
    size_bytes = sum(len(text.encode("utf-8")) for text in texts)
    if size_bytes > RECORD_TEXT_MAX_BYTES:
        raise RequestError(
            ErrorCode.TOO_LARGE,
            f"A record with {size_bytes} bytes of text is too large.",
            f"At most {RECORD_TEXT_MAX_BYTES} are kept; save the rest as another message.",
        )


def add_tags(context: Context, exchange_id: int, tags: list[str]) -> None:
    """Add tags to an exchange; those it has already stay."""
    context.connection.executemany(
        "INSERT OR IGNORE INTO exchange_tag (exchange_id, tag) VALUES (?, ?)",
        [(exchange_id, tag) for tag in tags],
    )


def token_columns(tokens: Tokens) -> dict[str, int | None]:
    """Return the columns that hold token counts."""
    return dict(zip(_TOKEN_COLUMNS, _buckets(tokens), strict=True))


def _buckets(tokens: Tokens) -> tuple[int | None, ...]:
    return (
        tokens.input,
        tokens.output,
        tokens.cache_read,
        tokens.cache_write,
        tokens.cache_write_5m,
        tokens.cache_write_1h,
        tokens.reasoning,
        tokens.total,
        int(tokens.complete),
    )


def _insert_text(
    context: Context,
    ids: tuple[int, bytes],
    place: tuple[int, int],
    role: str,
    content: str,
    created: int,
    model: str | None,
) -> None:
    message_id, uid = ids
    context.connection.execute(
        _INSERT_MESSAGE,
        (
            message_id, uid, None, *place, role, "text", content, created, message_id,
            model, None, None, None, None, None, 0, None,
        ),
    )  # fmt: skip
    context.changes.add("message", message_id)


def create_message(context: Context, record: Message) -> str:
    """Store a message of a conversation that a script keeps."""
    uid = uid_of(record.id)
    stored = fetch_one(
        context.connection, "SELECT content_hash FROM message WHERE uid = ?", (uid,)
    )
    if stored is not None:
        check_same(stored[0], record, record.id)
        return "existed"
    if context.is_gone(uid):
        return "gone"
    check_text(record.content)
    now = context.now()
    created = moment(record.created_at, now)
    conversation_id = context.keys.known_conversation(record.conversation)
    if conversation_id is None:
        session_id = context.keys.session(record.session or record.conversation, now)
        conversation_id = context.keys.conversation(record.conversation, session_id, now)
    message_id = context.keys.message(created)
    exchange_id = None
    if record.exchange is not None:
        exchange_id = context.connection.execute(
            "SELECT id FROM exchange WHERE uid = ?", (uid_of(record.exchange),)
        ).get
    position = message_id if record.position is None else record.position
    context.connection.execute(
        _INSERT_MESSAGE,
        (
            message_id,
            uid,
            hash_of(record),
            conversation_id,
            exchange_id,
            record.role,
            record.kind,
            record.content,
            created,
            position,
            record.model,
            record.token_count,
            record.processing_time_s,
            record.importance,
            record.tool_name,
            record.call_id,
            record.is_error,
            json_or_none(record.metadata),
        ),
    )
    context.changes.add("message", message_id)
    return "created"


def create_usage(context: Context, record: Usage) -> str:
    """Store one model call's tokens and cost."""
    uid = uid_of(record.id)
    stored = fetch_one(context.connection, "SELECT content_hash FROM usage WHERE uid = ?", (uid,))
    if stored is not None:
        check_same(stored[0], record, record.id)
        return "existed"
    if context.is_gone(uid):
        return "gone"
    now = context.now()
    session_id = conversation_id = exchange_id = None
    if record.session is not None:
        session_id = context.keys.session(record.session, now, agent=record.agent)
    if record.conversation is not None:
        conversation_id = context.keys.conversation(
            record.conversation,
            session_id or context.keys.session(record.conversation, now, agent=record.agent),
            now,
        )
    if record.exchange is not None:
        exchange_id = context.connection.execute(
            "SELECT id FROM exchange WHERE uid = ?", (uid_of(record.exchange),)
        ).get
    usage_id = context.connection.execute(
        _INSERT_USAGE,
        (
            uid,
            hash_of(record),
            session_id,
            conversation_id,
            exchange_id,
            record.agent,
            record.model,
            *_buckets(record.tokens),
            record.cost_usd,
            record.request_id,
            moment(record.recorded_at, now),
        ),
    ).get
    context.changes.add("usage", usage_id)
    if exchange_id is not None:  # what it cost is summed up anew
        context.changes.add("exchange", exchange_id)
    return "created"
