"""The same prompt again: found by the hash of its normalised text, counted once a sighting."""

import hashlib

from steno_schema.prompts import normalised
from stenod.store.context import Context
from stenod.store.rows import fetch_one

CANDIDATES = """
SELECT e.id, e.uid, p.content FROM exchange AS e JOIN message AS p ON p.id = e.prompt_id
WHERE e.prompt_hash = ?1 AND (?2 IS NULL OR e.conversation_id IN
  (SELECT id FROM conversation WHERE session_id = ?2))
ORDER BY e.id DESC
"""


def prompt_hash(prompt: str) -> int:
    """Return 64 bits of the normalised prompt, as the database keeps them."""
    data = normalised(prompt).encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), signed=True)


def find_same(context: Context, prompt: str, session_id: int | None) -> tuple[int, bytes] | None:
    """Return (row id, uid) of the newest exchange with this prompt, in a session or anywhere."""
    text = normalised(prompt)
    rows = context.connection.execute(CANDIDATES, (prompt_hash(prompt), session_id))
    for row_id, uid, content in rows:
        if normalised(content) == text:
            return row_id, uid
    return None


def sighted_before(context: Context, uid: bytes) -> bytes | None:
    """Return the uid of the exchange that record ``uid`` was a duplicate of, if it was one."""
    row = fetch_one(
        context.connection,
        "SELECT e.uid FROM sighting AS s JOIN exchange AS e ON e.id = s.exchange_id"
        " WHERE s.uid = ?",
        (uid,),
    )
    return None if row is None else row[0]


def count_sighting(context: Context, exchange_id: int, uid: bytes | None, seen_at: int) -> None:
    """Note that a prompt was met again, under the id it would have had."""
    context.connection.execute(
        "INSERT INTO sighting (exchange_id, seen_at, uid) VALUES (?, ?, ?)",
        (exchange_id, seen_at, uid),
    )


def rehash(context: Context, message_id: int, content: str) -> None:
    """Keep the hash right when the text of a prompt changes."""
    context.connection.execute(
        "UPDATE exchange SET prompt_hash = ? WHERE prompt_id = ? AND id ="
        " (SELECT exchange_id FROM message WHERE id = ?)",
        (prompt_hash(content), message_id, message_id),
    )
