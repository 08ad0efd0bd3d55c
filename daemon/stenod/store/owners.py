"""Whose a captured thing is when several files carry it.

That is decided by what the files say, never by which was read first: an original before a copy,
then the smaller session key, then the smaller conversation key.
"""

from stenod.store.context import Context, uid_of
from stenod.store.rows import fetch_one

_KEYS_OF = (
    "SELECT s.key, c.key FROM conversation AS c JOIN session AS s ON s.id = c.session_id"
    " WHERE c.id = ?"
)


def owns(
    context: Context,
    copied: bool,
    conversation_id: int | None,
    known_copied: int,
    known_conversation: int | None,
) -> bool:
    """Tell whether a new sighting in another conversation is the owner."""
    if copied != bool(known_copied):
        return not copied
    if known_conversation is None or conversation_id is None:
        return known_conversation is None
    keys = fetch_one(context.connection, _KEYS_OF, (conversation_id,))
    known_keys = fetch_one(context.connection, _KEYS_OF, (known_conversation,))
    return keys is not None and known_keys is not None and keys < known_keys


def conversation_of(context: Context, key: str, session: str | None) -> int:
    """Return the row id of a conversation by its key; one not heard of before gets a stub."""
    known = context.keys.known_conversation(key)
    if known is not None:
        return known
    now = context.now()
    return context.keys.conversation(key, context.keys.session(session or key, now), now)


def exchange_of(context: Context, record_id: str | None) -> int | None:
    """Return the row id of an exchange by its record's id, ``None`` if there is none (yet)."""
    if record_id is None:
        return None
    row_id = context.connection.execute(
        "SELECT id FROM exchange WHERE uid = ?", (uid_of(record_id),)
    ).get
    return None if row_id is None else int(row_id)
