"""From keys and times to row ids: sessions, conversations, and the ids of new messages.

Caches hold only what is committed or being committed; a rollback clears them.
"""

import apsw

from steno_schema.ids import parse_id, uuid8

DAY_MS = 86_400_000
DAY_SHIFT = 24
CACHE_MAX = 10_000


class Keys:
    """Row ids by key, making stubs for sessions and conversations not heard of before."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._sessions: dict[str, int] = {}
        self._conversations: dict[str, int] = {}
        self._next_message: dict[int, int] = {}

    def clear(self) -> None:
        """Forget everything: a transaction or a part of it was rolled back."""
        self._sessions.clear()
        self._conversations.clear()
        self._next_message.clear()

    def session(self, key: str, now: int, *, agent: str | None = None,
                project: str | None = None, user: str | None = None) -> int:  # fmt: skip
        """Return the id of the session named ``key``, making a stub if there is none."""
        known = self._sessions.get(key)
        if known is not None:
            return known
        row = self._connection.execute("SELECT id FROM session WHERE key = ?", (key,)).get
        if row is None:
            uid = parse_id(uuid8("stub", "session", key))
            row = self._connection.execute(
                "INSERT INTO session (uid, key, agent, project, user, created_at, updated_at,"
                " last_active_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
                (uid, key, agent, project, user, now, now, now),
            ).get
        return _remember(self._sessions, key, int(row))

    def conversation(self, key: str, session_id: int, now: int, *, user: str | None = None) -> int:
        """Return the id of the conversation named ``key``, making a stub in that session."""
        known = self.known_conversation(key)
        if known is not None:
            return known
        row = self._connection.execute(
            "INSERT INTO conversation (uid, key, session_id, user, created_at, updated_at,"
            " started_at) VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING id",
            (parse_id(uuid8("stub", "conversation", key)), key, session_id, user, now, now, now),
        ).get
        return _remember(self._conversations, key, int(row))

    def known_conversation(self, key: str) -> int | None:
        """Return the id of the conversation named ``key``, or ``None``."""
        known = self._conversations.get(key)
        if known is not None:
            return known
        row = self._connection.execute("SELECT id FROM conversation WHERE key = ?", (key,)).get
        return None if row is None else _remember(self._conversations, key, int(row))

    def message(self, created_at: int) -> int:
        """Return a new message id: the day in its upper part, so that ids go with time."""
        day = max(created_at // DAY_MS, 0)
        following = self._following(day)
        self._next_message[day] = following + 1
        return following

    def message_kept(self, created_at: int, number: int | None) -> int:
        """Return ``number`` as the id of a message if it is free and of that day, else a new id."""
        day = max(created_at // DAY_MS, 0)
        if number is None or number >> DAY_SHIFT != day:
            return self.message(created_at)
        taken = self._connection.execute("SELECT 1 FROM message WHERE id = ?", (number,)).get
        if taken is not None:
            return self.message(created_at)
        self._next_message[day] = max(self._following(day), number + 1)
        return number

    def _following(self, day: int) -> int:
        following = self._next_message.get(day)
        if following is not None:
            return following
        if len(self._next_message) > CACHE_MAX:
            self._next_message.clear()
        newest = self._connection.execute(
            "SELECT max(id) FROM message WHERE id >= ? AND id < ?",
            (day << DAY_SHIFT, (day + 1) << DAY_SHIFT),
        ).get
        return (day << DAY_SHIFT) if newest is None else int(newest) + 1


def _remember(cache: dict[str, int], key: str, row_id: int) -> int:
    if len(cache) >= CACHE_MAX:
        cache.clear()
    cache[key] = row_id
    return row_id
