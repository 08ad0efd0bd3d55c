"""``client.sessions``: stretches of work; a session is named by its key (or its id)."""

from collections.abc import Mapping
from typing import Any

from msgspec import UNSET, Struct, UnsetType

from steno.filters import now_text
from steno.results import Page, Saved
from steno.rows import Row, amended, only, rows_of, select
from steno.verbs import Namespace, Runner, Steps, ask, store_one, verb
from steno_schema.ids import uuid7
from steno_schema.records import Session, SessionStatus
from steno_schema.replies import Rows, Table
from steno_schema.requests import Get, List, Sql

_RUNS_OF_DAYS = """
WITH chosen AS (
  SELECT coalesce(started_at, created_at) AS began_at, last_active_at FROM sessions
  WHERE (:user IS NULL OR user_id = :user) AND (:project IS NULL OR project_id = :project)
), day AS (
  SELECT date(began_at, 'localtime') AS day FROM chosen
  UNION SELECT date(last_active_at, 'localtime') FROM chosen
), run AS (
  SELECT day, julianday(day) - row_number() OVER (ORDER BY day) AS run FROM day
)
SELECT count(*) AS days, max(day) AS last_day,
  max(day) >= date('now', 'localtime', '-1 day') AS goes_on
FROM run GROUP BY run ORDER BY last_day DESC
"""


class Streak(Struct, frozen=True, kw_only=True):
    """Days in a row. ``current_days`` is 0 once a whole day went by without any."""

    current_days: int
    longest_days: int
    last_day: str | None


class _Run(Struct, frozen=True, kw_only=True):
    days: int
    last_day: str
    goes_on: bool


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
        """Create a session; without a key its id is its key. The result's ``key`` names it.

        User and project default to the settings. Raises ``Misuse`` for a value that breaks a rule.

        Example::

            session = client.sessions.create("release 1.2", project="/home/ada/api").key
        """
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
        """The same as ``create``.

        Raises what ``create`` raises.

        Example::

            session = client.sessions.start().key
        """
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
            user=user or self._context.user(),
            project=project or self._context.project(),
            agent=agent,
            title=title,
            created_at=now,
            started_at=now,
            metadata=None if metadata is None else dict(metadata),
        )
        return (yield from store_one(session))

    @verb
    def get(self, session: str | int) -> Steps[Row]:
        """Return one session; raise ``Refused`` (``not_found``) if there is none.

        Example::

            print(client.sessions.get("release 1.2")["duration_hours"])
        """
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
        """Change a session; ``None`` empties a field. Returns how many sessions changed.

        Raises ``Refused`` if there is none or a value does not fit.

        Example::

            client.sessions.update("release 1.2", status="paused")
        """
        given = {"status": status, "title": title, "metadata": metadata}
        changes = {name: value for name, value in given.items() if value is not UNSET}
        return (yield from amended("session", session, changes))

    @verb
    def end(self, session: str | int) -> Steps[int]:
        """Mark a session completed, ended now. Returns how many sessions changed.

        Raises ``Refused`` (``not_found``) if there is none.

        Example::

            client.sessions.end("release 1.2")
        """
        changes = {"status": "completed", "ended_at": now_text()}
        return (yield from amended("session", session, changes))

    @verb
    def active(self, user: str | None = None, *, limit: int = 100) -> Steps[list[Row]]:
        """Return the active sessions (of one user), the last active first.

        Raises ``Unreachable`` without a daemon.

        Example::

            for row in client.sessions.active():
                print(row["session_id"], row["last_active_at"])
        """
        query = (
            "SELECT * FROM sessions WHERE status = 'active' AND (?1 IS NULL OR user_id = ?1)"
            " ORDER BY last_active_at DESC"
        )
        table = yield from ask(Sql(query=query, parameters=[user], limit=limit), Table)
        return rows_of(table)

    @verb
    def all(self, limit: int = 100, *, cursor: str | None = None) -> Steps[Page[Row]]:
        """Return all sessions in pages, newest first.

        Raises ``Unreachable`` without a daemon.

        Example::

            page = client.sessions.all(50)
            following = client.sessions.all(50, cursor=page.next_cursor)
        """
        reply = yield from ask(List(type="session", limit=limit, cursor=cursor), Rows)
        return Page(reply.items, reply.next_cursor)

    @verb
    def streak(self, user: str | None = None, *, project: str | None = None) -> Steps[Streak]:
        """Return how many local days in a row had a session (of a user, of a project).

        A day counts if a session began on it or was last active on it. The current run may end
        today or yesterday. Raises ``Unreachable`` without a daemon.

        Example::

            days = client.sessions.streak().current_days
        """
        runs = yield from select(_RUNS_OF_DAYS, {"user": user, "project": project}, _Run)
        return Streak(
            current_days=runs[0].days if runs and runs[0].goes_on else 0,
            longest_days=max((run.days for run in runs), default=0),
            last_day=runs[0].last_day if runs else None,
        )
