"""Forget a person: what they asked, where they asked it, what was logged there, what they prefer.

Where somebody else's words stand in a session or conversation of theirs, it stays for those, without
the name.
"""

from typing import Any

from steno_schema.errors import bad_request
from steno_schema.requests import Delete
from stenod.store.context import Context
from stenod.store.forget import bury, exchanges, forget_container, forget_exchanges
from stenod.store.remove import remove
from stenod.store.rows import fetch_all

_THEIRS = "coalesce(e.user, c.user, s.user) = ?"
_CONVERSATIONS = """
SELECT c.id FROM conversation AS c JOIN session AS s ON s.id = c.session_id
WHERE coalesce(c.user, s.user) = ?
  AND NOT EXISTS (SELECT 1 FROM exchange AS e WHERE e.conversation_id = c.id)
"""
_SESSIONS = """
SELECT s.id, s.key, NOT EXISTS (SELECT 1 FROM conversation AS c WHERE c.session_id = s.id)
FROM session AS s WHERE s.user = ?
"""
_LOGGED = {
    "task": "session",
    "command": "session",
    "error_event": "session",
    "pattern_use": "session",
    "handoff": "from_session",
    "workflow": "session",
}
"""Tables of what is logged in a session, and the column with the session's key."""


def forget_user(context: Context, request: Delete) -> tuple[int, dict[str, Any]]:
    """Forget everything about the user that is the target; return how many exchanges, and counts.

    A dry run counts exchanges, sessions and preferences.
    """
    user = request.target
    if user is None:
        raise bad_request("Whom to forget is not said.", "Give the user's name as the target.")
    if request.dry_run:
        return _counted(context, user)
    chosen = exchanges(context, _THEIRS, (user,))
    counts = forget_exchanges(context, chosen)
    conversations = fetch_all(context.connection, _CONVERSATIONS, (user,))
    for (row_id,) in conversations:
        counts["messages"] += forget_container(context, "conversation", row_id)
    sessions = fetch_all(context.connection, _SESSIONS, (user,))
    for row_id, key, is_empty in sessions:
        _forget_logged(context, row_id, key)
        if is_empty:
            forget_container(context, "session", row_id)
    for table in ("session", "conversation"):
        context.connection.execute(f"UPDATE {table} SET user = NULL WHERE user = ?", (user,))
    counts["conversations"] = len(conversations)
    counts["sessions"] = sum(is_empty for *_, is_empty in sessions)
    counts["preferences"] = _forget_preferences(context, user)
    return len(chosen), counts


def _counted(context: Context, user: str) -> tuple[int, dict[str, Any]]:
    chosen = exchanges(context, _THEIRS, (user,))
    counts: dict[str, Any] = {"exchanges": len(chosen)}
    for table in ("session", "preference"):
        query = f"SELECT count(*) FROM {table} WHERE user = ?"
        counts[f"{table}s"] = context.connection.execute(query, (user,)).get
    return len(chosen), counts


def _forget_logged(context: Context, session_id: int, key: str) -> None:
    _forget_rows(context, "usage", "session_id = ? AND conversation_id IS NULL", session_id)
    for table, column in _LOGGED.items():
        _forget_rows(context, table, f"{column} = ?", key)


def _forget_rows(context: Context, table: str, condition: str, value: int | str) -> None:
    bury(context, table, condition, [value])
    context.connection.execute(f"DELETE FROM {table} WHERE {condition}", (value,))


def _forget_preferences(context: Context, user: str) -> int:
    rows = fetch_all(context.connection, "SELECT id FROM preference WHERE user = ?", (user,))
    for (row_id,) in rows:
        remove(context, Delete(type="preference", target=str(row_id)))
    return len(rows)
