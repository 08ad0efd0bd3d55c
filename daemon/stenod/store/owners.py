"""Whose a captured thing is when several files carry it.

That is decided by what the files say, never by which was read first: the session that others were
forked from before its forks, an original before a copy, then the smaller session key, then the
smaller conversation key.
"""

from typing import NamedTuple

from stenod.store.context import Context, uid_of
from stenod.store.rows import fetch_one

_FORKED_FROM = "SELECT metadata ->> 'forked_from' FROM session WHERE key = ?"
LINEAGE_MAX = 32
"""Forks of forks that are followed: files name each other as they like, in a ring even."""

_KEYS_OF = (
    "SELECT s.key, c.key FROM conversation AS c JOIN session AS s ON s.id = c.session_id"
    " WHERE c.id = ?"
)


class Rank(NamedTuple):
    """What sightings of one thing are compared by; the lowest owns it."""

    forks: int
    copied: bool
    session: str
    conversation: str


def rank(context: Context, conversation_id: int, copied: bool | int) -> Rank:
    """Return the rank of a sighting in a conversation; all that is said there has it."""
    row = fetch_one(context.connection, _KEYS_OF, (conversation_id,))
    session, conversation = row or ("", "")
    return Rank(_forks(context, session), bool(copied), session, conversation)


def _forks(context: Context, session: str) -> int:
    """Return how many forks lie between a session and the one it all began with."""
    seen: list[str] = []
    while session not in seen and len(seen) <= LINEAGE_MAX:
        seen.append(session)
        parent = context.connection.execute(_FORKED_FROM, (session,)).get
        if not isinstance(parent, str):
            break
        session = parent
    return len(seen) - 1


def owns(
    context: Context,
    copied: bool,
    conversation_id: int | None,
    known_copied: int,
    known_conversation: int | None,
) -> bool:
    """Tell whether a new sighting of a model call in another conversation is the owner.

    Its line itself says whether it is a copy, so what is learned of a session later is of no
    account (``rivals`` sees to that for the rest).
    """
    if known_conversation is None or conversation_id is None:
        return known_conversation is None
    mine = rank(context, conversation_id, copied)
    return mine[1:] < rank(context, known_conversation, known_copied)[1:]


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
