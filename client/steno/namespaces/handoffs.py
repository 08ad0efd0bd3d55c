"""``client.handoffs``: what one session leaves to the next."""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from steno.filters import When, time_text
from steno.results import Page, Saved
from steno.rows import chosen, select
from steno.verbs import Namespace, Runner, Steps, store_one, verb
from steno_schema.ids import uuid7
from steno_schema.records import Handoff as HandoffRecord

_LATEST = """
SELECT * FROM session_handoffs
WHERE (:to_session IS NULL OR to_session_id = :to_session)
  AND (:from_session IS NULL OR from_session_id = :from_session)
ORDER BY created_at DESC, id DESC LIMIT 1
"""


class Handoff(Struct, frozen=True, kw_only=True):
    """A row of ``session_handoffs``: ``id`` is its UUID, ``number`` the view's integer."""

    id: str
    number: int
    from_session_id: str
    to_session_id: str | None
    summary: str
    open_tasks: list[str] | None
    context: dict[str, Any] | None
    created_at: str


class Handoffs(Namespace[Runner]):
    """Leave a hand-off at the end of a session, pick it up in the next."""

    @verb
    def create(
        self,
        summary: str,
        *,
        from_session: str | None = None,
        to_session: str | None = None,
        open_tasks: Sequence[str] | None = None,
        context: Mapping[str, Any] | None = None,
        created_at: When | None = None,
        id: str | None = None,
    ) -> Steps[Saved]:
        """Record what a session leaves, for another session or (without one) for whoever comes.

        ``from_session`` defaults to the settings, then to this process's own. Raises ``Misuse``
        for a value that breaks a rule; without a daemon it is spooled like any save.

        Example::

            client.handoffs.create("Login works.", open_tasks=["write the tests"])
        """
        record = HandoffRecord(
            id=id or uuid7(),
            from_session=from_session or self._context.session(),
            to_session=to_session,
            summary=summary,
            open_tasks=None if open_tasks is None else list(open_tasks),
            context=None if context is None else dict(context),
            created_at=None if created_at is None else time_text(created_at),
        )
        return (yield from store_one(record))

    @verb
    def latest(
        self, *, to_session: str | None = None, from_session: str | None = None
    ) -> Steps[Handoff | None]:
        """Return the newest hand-off (to a session, from a session), ``None`` if there is none.

        Raises ``Unreachable`` without a daemon.

        Example::

            handoff = client.handoffs.latest()
        """
        wanted = {"to_session": to_session, "from_session": from_session}
        found = yield from select(_LATEST, wanted, Handoff)
        return found[0] if found else None

    @verb
    def list(
        self,
        *,
        to_session: str | None = None,
        from_session: str | None = None,
        limit: int = 100,
        cursor: str | None = None,
    ) -> Steps[Page[Handoff]]:
        """Return hand-offs (to a session, from a session) in pages, newest first.

        Raises ``Unreachable`` without a daemon.

        Example::

            for handoff in client.handoffs.list(limit=5):
                print(handoff.created_at, handoff.summary)
        """
        wanted = {"to_session_id": to_session, "from_session_id": from_session}
        return (yield from chosen("session_handoffs", wanted, Handoff, limit, cursor))
