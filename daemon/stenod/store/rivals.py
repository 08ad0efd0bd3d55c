"""Sightings that lost against the owner of a captured thing, and giving it back to them.

A fork's file repeats its parent's history, and may say so only later: the prompt is read before the
line that tells it a copy, the copy before the line that names the parent. Nothing may depend on
which file was read first, so the loser of a comparison is kept until the comparison is sure, that
is for good: forks are few.
"""

from stenod.store.context import Context
from stenod.store.owners import rank
from stenod.store.rows import Row, fetch_all, fetch_one

_NOTE_MESSAGE = """
INSERT INTO message_rival (uid, conversation_id, copied, position, exchange_uid)
VALUES (?, ?, ?, ?, ?)
ON CONFLICT (uid, conversation_id) DO UPDATE SET copied = max(copied, excluded.copied),
  exchange_uid = iif(excluded.position < position, exchange_uid, excluded.exchange_uid),
  position = max(position, excluded.position)
"""
_NOTE_EXCHANGE = """
INSERT INTO exchange_rival (uid, conversation_id, copied, status, origin, project)
VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (uid, conversation_id) DO UPDATE SET copied = excluded.copied,
  status = excluded.status, origin = excluded.origin, project = coalesce(excluded.project, project)
"""
_MESSAGE = """
SELECT conversation_id, copied, id, position, exchange_id,
  (SELECT e.uid FROM exchange AS e WHERE e.id = exchange_id) FROM message WHERE uid = ?
"""
_EXCHANGE = (
    "SELECT conversation_id, copied, id, status, origin, project FROM exchange WHERE uid = ?"
)
_OF_SESSION = """
SELECT t.uid FROM {table} AS t JOIN conversation AS c ON c.id = t.conversation_id
JOIN session AS s ON s.id = c.session_id WHERE s.key = ?1
  AND EXISTS (SELECT 1 FROM {table}_rival AS r WHERE r.uid = t.uid)
UNION
SELECT r.uid FROM {table}_rival AS r JOIN conversation AS c ON c.id = r.conversation_id
JOIN session AS s ON s.id = c.session_id WHERE s.key = ?1
"""


def note_message(
    context: Context,
    uid: bytes,
    conversation_id: int,
    copied: bool,
    position: int,
    exchange_uid: bytes | None,
) -> None:
    """Keep a message's sighting in a conversation that does not own it."""
    values = (uid, conversation_id, copied, position, exchange_uid)
    context.connection.execute(_NOTE_MESSAGE, values)


def note_exchange(
    context: Context,
    uid: bytes,
    conversation_id: int,
    copied: bool,
    said: tuple[str, str, str | None],
) -> None:
    """Keep an exchange's sighting elsewhere; ``said`` is its status, origin and project there."""
    context.connection.execute(_NOTE_EXCHANGE, (uid, conversation_id, copied, *said))


def _is_none_any_more(context: Context, table: str, uid: bytes, conversation_id: int) -> None:
    context.connection.execute(
        f"DELETE FROM {table}_rival WHERE uid = ? AND conversation_id = ?", (uid, conversation_id)
    )


def take_message(context: Context, uid: bytes, conversation_id: int) -> None:
    """Owner and rival change places: the owner until now is kept as one, the new one is none."""
    known = fetch_one(context.connection, _MESSAGE, (uid,))
    if known is not None:
        conversation, copied, _, position, _, exchange_uid = known
        note_message(context, uid, conversation, copied, position, exchange_uid)
    _is_none_any_more(context, "message", uid, conversation_id)


def take_exchange(context: Context, uid: bytes, conversation_id: int) -> None:
    """The same for an exchange."""
    known = fetch_one(context.connection, _EXCHANGE, (uid,))
    if known is not None:
        conversation, copied, _, *said = known
        note_exchange(context, uid, conversation, copied, (said[0], said[1], said[2]))
    _is_none_any_more(context, "exchange", uid, conversation_id)


def is_copied(context: Context, prompt: bytes, conversation_id: int) -> None:
    """Note that a prompt is a copy in a conversation: only what followed it told."""
    for table in ("message", "message_rival"):
        context.connection.execute(
            f"UPDATE {table} SET copied = 1 WHERE uid = ? AND conversation_id = ?",
            (prompt, conversation_id),
        )
    settle_message(context, prompt)


def settle_message(context: Context, uid: bytes) -> None:
    """Give a message to the best of its sightings."""
    known = fetch_one(context.connection, _MESSAGE, (uid,))
    best = None if known is None else _better(context, "message", uid, known)
    if known is None or best is None:
        return
    take_message(context, uid, best[0])
    conversation_id, copied, position, exchange_uid = best
    exchange_id = _exchange_id(context, exchange_uid)
    context.connection.execute(
        "UPDATE message SET conversation_id = ?, copied = ?, position = ?, exchange_id = ?"
        " WHERE id = ?",
        (conversation_id, copied, position, exchange_id, known[2]),
    )
    context.changes.add("message", known[2])
    context.touched.update(each for each in (exchange_id, known[4]) if each is not None)


def settle_exchange(context: Context, uid: bytes) -> None:
    """Give an exchange to the best of its sightings."""
    known = fetch_one(context.connection, _EXCHANGE, (uid,))
    best = None if known is None else _better(context, "exchange", uid, known)
    if known is None or best is None:
        return
    take_exchange(context, uid, best[0])
    conversation_id, copied, status, origin, project = best
    context.connection.execute(
        "UPDATE exchange SET conversation_id = ?, copied = ?, status = ?, origin = ?,"
        " project = coalesce(?, project), updated_at = ? WHERE id = ?",
        (conversation_id, copied, status, origin, project, context.now(), known[2]),
    )
    context.touched.add(known[2])


_COLUMNS = {
    "message": "conversation_id, copied, position, exchange_uid",
    "exchange": "conversation_id, copied, status, origin, project",
}


def _better(context: Context, table: str, uid: bytes, known: Row) -> Row | None:
    rivals = fetch_all(
        context.connection, f"SELECT {_COLUMNS[table]} FROM {table}_rival WHERE uid = ?", (uid,)
    )
    if not rivals:
        return None
    best = min(rivals, key=lambda rival: rank(context, rival[0], rival[1]))
    is_better = rank(context, best[0], best[1]) < rank(context, known[0], known[1])
    return best if is_better else None


def settle_session(context: Context, key: str) -> None:
    """Compare anew what a session shares with others: it turned out to be a fork.

    So do the forks that were made of it: they stand one further away from the first now.
    """
    keys, waiting = {key}, [key]
    while waiting:
        rows = fetch_all(
            context.connection,
            "SELECT key FROM session WHERE metadata ->> 'forked_from' = ?",
            (waiting.pop(),),
        )
        waiting += [name for (name,) in rows if name not in keys]
        keys.update(name for (name,) in rows)
    for each in keys:
        for table, settle in (("message", settle_message), ("exchange", settle_exchange)):
            shared = fetch_all(context.connection, _OF_SESSION.format(table=table), (each,))
            for (uid,) in shared:
                settle(context, uid)


def forget(context: Context, table: str, uids: list[bytes]) -> None:
    """Delete what is kept of the sightings of messages or exchanges that are forgotten."""
    context.connection.executemany(
        f"DELETE FROM {table}_rival WHERE uid = ?", [(uid,) for uid in uids]
    )


def _exchange_id(context: Context, uid: bytes | None) -> int | None:
    if uid is None:
        return None
    found = context.connection.execute("SELECT id FROM exchange WHERE uid = ?", (uid,)).get
    return None if found is None else int(found)
