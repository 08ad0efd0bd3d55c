"""``client.errors``: errors that happened in somebody's work, by how bad they were."""

import math
import time

from msgspec import Struct

from steno.errors import Misuse
from steno.filters import When, time_text
from steno.results import Page, Saved
from steno.rows import listed, select
from steno.verbs import Namespace, Runner, Steps, store_one, verb
from steno_schema.ids import uuid7
from steno_schema.records import ErrorEvent as ErrorRecord
from steno_schema.requests import Filters, List
from steno_schema.times import format_ms

_MS_PER_HOUR = 3_600_000
_SUMMARY = """
SELECT count(*) AS total, coalesce(sum(severity >= 8), 0) AS critical,
  max(severity) AS worst_severity, avg(severity) AS mean_severity,
  count(DISTINCT command) AS commands, count(DISTINCT session_id) AS sessions,
  max(timestamp) AS last_at
FROM errors WHERE timestamp >= :since
"""


class ErrorEvent(Struct, frozen=True, kw_only=True):
    """A row of ``errors``: ``id`` is its UUID, ``number`` the view's integer."""

    id: str
    number: int
    command: str | None
    severity: int
    message: str
    context: str | None
    timestamp: str
    session_id: str | None
    created_at: str


class ErrorSummary(Struct, frozen=True, kw_only=True):
    """The errors of some hours. Severity is from 0 to 10; 8 and more is ``critical``.

    ``commands`` and ``sessions`` are how many different ones had errors.
    """

    total: int
    critical: int
    worst_severity: int | None
    mean_severity: float | None
    commands: int
    sessions: int
    last_at: str | None


class Errors(Namespace[Runner]):
    """Log errors and see how bad it is."""

    @verb
    def log(
        self,
        message: str,
        *,
        severity: int = 5,
        command: str | None = None,
        context: str | None = None,
        session: str | None = None,
        occurred_at: When | None = None,
        id: str | None = None,
    ) -> Steps[Saved]:
        """Record an error; ``severity`` is from 0 to 10, ``context`` is text of your own.

        The session defaults to the settings, then to this process's own. Raises ``Misuse`` for a
        value that breaks a rule; without a daemon it is spooled like any save.

        Example::

            client.errors.log("The build broke.", severity=8, command="make")
        """
        record = ErrorRecord(
            id=id or uuid7(),
            message=message,
            severity=severity,
            command=command,
            context=context,
            session=session or self._context.session(),
            occurred_at=None if occurred_at is None else time_text(occurred_at),
        )
        return (yield from store_one(record))

    @verb
    def recent(
        self,
        limit: int = 20,
        *,
        session: str | None = None,
        since: When | None = None,
        cursor: str | None = None,
    ) -> Steps[Page[ErrorEvent]]:
        """Return errors (of a session) in pages, the last logged first.

        Raises ``Refused`` for a time that is none, ``Unreachable`` without a daemon.

        Example::

            for error in client.errors.recent(5):
                print(error.severity, error.message)
        """
        filters = Filters(
            session=[] if session is None else [session],
            since=None if since is None else time_text(since),
        )
        request = List(type="error_event", filters=filters, limit=limit, cursor=cursor)
        return (yield from listed(request, ErrorEvent))

    @verb
    def summary(self, hours: float = 24.0) -> Steps[ErrorSummary]:
        """Return how many errors the last ``hours`` had, how many critical, and the worst.

        Raises ``Misuse`` unless ``hours`` is a number above 0, ``Unreachable`` without a daemon.

        Example::

            if client.errors.summary(hours=1).critical:
                print("look at client.errors.recent()")
        """
        if not (math.isfinite(hours) and hours > 0):
            raise Misuse(f"A summary is of some hours, not of {hours}.")
        since = format_ms(int(time.time() * 1000 - hours * _MS_PER_HOUR))
        return (yield from select(_SUMMARY, {"since": since}, ErrorSummary))[0]
