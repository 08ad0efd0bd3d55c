"""``client.sessions``: stretches of work; a session is named by its key (or its id)."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import UNSET, UnsetType

from steno.errors import Refused
from steno.results import Page, Saved
from steno.verbs import Namespace, Runner, Steps, ask, store_one, verb
from steno_schema.errors import ErrorCode
from steno_schema.ids import uuid7
from steno_schema.records import Session, SessionStatus
from steno_schema.replies import Done, Rows, Table
from steno_schema.requests import Amend, Get, List, Sql
from steno_schema.times import format_ms

Row = dict[str, Any]
"""A row of the view of the same name; see the view's columns."""


class Sessions(Namespace[Runner]):
    """Create sessions, look them up, end them."""

    @verb
    def create(
        self,
        key: str | None = None,
        *,
        user: str | None = None,
        project: str | None = None,
        agent: str = "python",
        title: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        id: str | None = None,
    ) -> Steps[Saved]:
        """Create a session; without a key its id is its key. The result's ``key`` names it."""
        return (yield from self._create(key, user, project, agent, title, metadata, id))

    @verb
    def start(
        self,
        key: str | None = None,
        *,
        user: str | None = None,
        project: str | None = None,
        agent: str = "python",
        title: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        id: str | None = None,
    ) -> Steps[Saved]:
        """The same as ``create``."""
        return (yield from self._create(key, user, project, agent, title, metadata, id))

    def _create(
        self,
        key: str | None,
        user: str | None,
        project: str | None,
        agent: str,
        title: str | None,
        metadata: Mapping[str, Any] | None,
        id: str | None,
    ) -> Steps[Saved]:
        record_id = id or uuid7()
        now = now_text()
        session = Session(
            id=record_id,
            key=key or record_id,
            user=user or self.context.user(),
            project=project or self.context.project(),
            agent=agent,
            title=title,
            created_at=now,
            started_at=now,
            metadata=None if metadata is None else dict(metadata),
        )
        return (yield from store_one(session))

    @verb
    def get(self, session: str | int) -> Steps[Row]:
        """Return one session; raise ``Refused`` (``not_found``) if there is none."""
        reply = yield from ask(Get(target=str(session), type="session"), Rows)
        return only(reply, "session", session)

    @verb
    def update(
        self,
        session: str | int,
        *,
        status: SessionStatus | UnsetType = UNSET,
        title: str | UnsetType | None = UNSET,
        metadata: Mapping[str, Any] | UnsetType | None = UNSET,
    ) -> Steps[int]:
        """Change a session; ``None`` empties a field. Returns how many sessions changed."""
        given = {"status": status, "title": title, "metadata": metadata}
        changes = {name: value for name, value in given.items() if value is not UNSET}
        reply = yield from ask(Amend(target=str(session), type="session", set=changes), Done)
        return reply.changed

    @verb
    def end(self, session: str | int) -> Steps[int]:
        """Mark a session completed, ended now. Returns how many sessions changed."""
        changes = {"status": "completed", "ended_at": now_text()}
        reply = yield from ask(Amend(target=str(session), type="session", set=changes), Done)
        return reply.changed

    @verb
    def active(self, user: str | None = None, *, limit: int = 100) -> Steps[list[Row]]:
        """Return the active sessions (of one user), the last active first."""
        query = (
            "SELECT * FROM sessions WHERE status = 'active' AND (?1 IS NULL OR user_id = ?1)"
            " ORDER BY last_active_at DESC"
        )
        table = yield from ask(Sql(query=query, parameters=[user], limit=limit), Table)
        return rows_of(table)

    @verb
    def all(self, limit: int = 100, *, cursor: str | None = None) -> Steps[Page[Row]]:
        """Return all sessions in pages, newest first."""
        reply = yield from ask(List(type="session", limit=limit, cursor=cursor), Rows)
        return Page(reply.items, reply.next_cursor)


def only(reply: Rows, what: str, target: object) -> Row:
    """Return the one row of a reply; raise ``Refused`` (``not_found``) if it has none."""
    if not reply.items:
        raise Refused(ErrorCode.NOT_FOUND, f"There is no {what} {target}.")
    return reply.items[0]


def rows_of(table: Table) -> list[Row]:
    """Return the rows of a ``sql`` reply as maps by column."""
    columns: Sequence[str] = table.columns
    return [dict(zip(columns, row, strict=True)) for row in table.rows]


def now_text() -> str:
    """Return the time as records carry it."""
    return format_ms(time.time_ns() // 1_000_000)
