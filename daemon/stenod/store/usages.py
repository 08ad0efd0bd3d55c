"""Captured usages: what a model call cost, seen many times, in any order, kept once.

Each count is the highest seen. Where the call belongs is said by its owner: see ``owners``; within
one conversation by the sighting that stands first.
"""

from typing import Any

from steno_schema.records import Usage
from stenod.store.context import Context, moment, optional_moment, uid_of
from stenod.store.owners import conversation_of, exchange_of, owns
from stenod.store.rows import Row, fetch_one

_KNOWN = "id, exchange_id, conversation_id, copied, nested, position, request_id, model"
_TAKE_OVER = """
UPDATE usage SET conversation_id = ?, exchange_id = ?, copied = ?, nested = ?, position = ?,
  model = coalesce(?, model), request_id = coalesce(?, request_id),
  session_id = (SELECT session_id FROM conversation WHERE id = ?)
WHERE id = ?
"""


def merge_usage(context: Context, record: Usage) -> str:
    """Store a model call's counts, keeping the highest seen of each."""
    uid = uid_of(record.id)
    if context.is_gone(uid):
        return "gone"
    conversation_id = (
        None
        if record.conversation is None
        else conversation_of(context, record.conversation, record.session)
    )
    exchange_id = exchange_of(context, record.exchange)
    known = fetch_one(context.connection, f"SELECT {_KNOWN} FROM usage WHERE uid = ?", (uid,))
    if known is None:
        _insert_usage(context, record, uid, conversation_id, exchange_id)
        return "created"
    row_id, known_exchange = known[:2]
    before = _whole(context, row_id)
    _raise_counts(context, record, row_id)
    if _takes_over(context, record, conversation_id, known[2:]):
        context.connection.execute(
            _TAKE_OVER,
            (
                conversation_id,
                exchange_id,
                record.copied,
                record.nested,
                record.position,
                record.model,
                record.request_id,
                conversation_id,
                row_id,
            ),
        )
    if _whole(context, row_id) == before:
        return "existed"
    context.changes.add("usage", row_id)
    context.touched.update(each for each in (exchange_id, known_exchange) if each is not None)
    return "updated"


def _whole(context: Context, row_id: int) -> Row | None:
    return fetch_one(context.connection, "SELECT * FROM usage WHERE id = ?", (row_id,))


def _takes_over(
    context: Context, record: Usage, conversation_id: int | None, known: tuple[Any, ...]
) -> bool:
    """Tell whether this sighting says better than the known one where the call belongs."""
    conversation, copied, nested, position, request_id, model = known
    if record.nested != bool(nested):
        return not record.nested
    if conversation != conversation_id:
        return owns(context, record.copied, conversation_id, copied, conversation)
    order = (record.position or 0, record.request_id or "", record.model or "")
    return order < (position or 0, request_id or "", model or "")


def _raise_counts(context: Context, record: Usage, row_id: int) -> None:
    tokens = record.tokens
    context.connection.execute(
        "UPDATE usage SET input_tokens = max(input_tokens, ?),"
        " output_tokens = max(output_tokens, ?), cache_read_tokens = max(cache_read_tokens, ?),"
        " cache_write_tokens = max(cache_write_tokens, ?),"
        " cache_write_5m_tokens = max(cache_write_5m_tokens, ?),"
        " cache_write_1h_tokens = max(cache_write_1h_tokens, ?),"
        " reasoning_tokens = max(reasoning_tokens, ?),"
        " tokens_complete = max(tokens_complete, ?),"
        " model = coalesce(model, ?), request_id = coalesce(request_id, ?),"
        " cost_usd = coalesce(max(cost_usd, ?), cost_usd, ?),"
        " recorded_at = min(recorded_at, ?) WHERE id = ?",
        (
            tokens.input,
            tokens.output,
            tokens.cache_read,
            tokens.cache_write,
            tokens.cache_write_5m,
            tokens.cache_write_1h,
            tokens.reasoning,
            tokens.complete,
            record.model,
            record.request_id,
            record.cost_usd,
            record.cost_usd,
            moment(record.recorded_at, context.now()),
            row_id,
        ),
    )


def _insert_usage(
    context: Context,
    record: Usage,
    uid: bytes,
    conversation_id: int | None,
    exchange_id: int | None,
) -> None:
    tokens = record.tokens
    session_id = (
        None
        if record.session is None
        else context.keys.session(record.session, context.now(), agent=record.agent)
    )
    usage_id = context.connection.execute(
        "INSERT INTO usage (uid, session_id, conversation_id, exchange_id, agent, model,"
        " input_tokens, output_tokens, cache_read_tokens, cache_write_tokens,"
        " cache_write_5m_tokens, cache_write_1h_tokens, reasoning_tokens, total_tokens,"
        " tokens_complete, cost_usd, request_id, recorded_at, position, nested, copied)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " RETURNING id",
        (
            uid,
            session_id,
            conversation_id,
            exchange_id,
            record.agent,
            record.model,
            tokens.input,
            tokens.output,
            tokens.cache_read,
            tokens.cache_write,
            tokens.cache_write_5m,
            tokens.cache_write_1h,
            tokens.reasoning,
            tokens.total,
            tokens.complete,
            record.cost_usd,
            record.request_id,
            optional_moment(record.recorded_at) or context.now(),
            record.position,
            record.nested,
            record.copied,
        ),
    ).get
    context.changes.add("usage", usage_id)
    if exchange_id is not None:
        context.touched.add(exchange_id)
