"""``client.commands``: commands that were run, with what model, how long, and how they ended."""

from typing import Literal

from msgspec import Struct

from steno.filters import When, bound, time_text
from steno.results import Page, Saved
from steno.rows import listed, one_of, select
from steno.verbs import Namespace, Runner, Steps, store_one, verb
from steno_schema.ids import uuid7
from steno_schema.records import Command as CommandRecord
from steno_schema.requests import Filters, List

By = Literal["command", "model"]
_STATS = """
SELECT {by} AS name, count(*) AS runs, coalesce(sum(success = 1), 0) AS succeeded,
  coalesce(sum(success = 0), 0) AS failed, avg(duration_ms) AS mean_duration_ms,
  avg(thinking_budget) AS mean_thinking_budget, max(executed_at) AS last_at
FROM commands
WHERE (:session IS NULL OR session_id = :session)
  AND (:since IS NULL OR executed_at >= :since) AND (:until IS NULL OR executed_at <= :until)
GROUP BY 1 ORDER BY runs DESC, name
"""


class Command(Struct, frozen=True, kw_only=True):
    """A row of ``commands``: ``id`` is its UUID, ``number`` the view's integer."""

    id: str
    number: int
    command: str
    executed_at: str
    session_id: str | None
    model: str | None
    thinking_budget: int | None
    duration_ms: float | None
    success: bool | None
    created_at: str


class CommandStats(Struct, frozen=True, kw_only=True):
    """Runs of a command (or of a model's): ended well, badly, or (the rest) untold.

    ``mean_thinking_budget`` is in tokens; both means are over the runs that told theirs.
    """

    name: str | None
    runs: int
    succeeded: int
    failed: int
    mean_duration_ms: float | None
    mean_thinking_budget: float | None
    last_at: str


class Commands(Namespace[Runner]):
    """Log commands and count them."""

    @verb
    def log(
        self,
        command: str,
        *,
        model: str | None = None,
        thinking_budget: int | None = None,
        duration_ms: float | None = None,
        success: bool | None = None,
        session: str | None = None,
        executed_at: When | None = None,
        id: str | None = None,
    ) -> Steps[Saved]:
        """Record that a command was run: thinking budget in tokens, duration in milliseconds.

        The session defaults to the settings, then to this process's own. Raises ``Misuse`` for a
        value that breaks a rule; without a daemon it is spooled like any save.

        Example::

            client.commands.log("/review", model="gpt-5", duration_ms=5200, success=True)
        """
        record = CommandRecord(
            id=id or uuid7(),
            command=command,
            session=session or self._context.session(),
            model=model,
            thinking_budget=thinking_budget,
            duration_ms=duration_ms,
            success=success,
            executed_at=None if executed_at is None else time_text(executed_at),
        )
        return (yield from store_one(record))

    @verb
    def recent(
        self,
        limit: int = 20,
        *,
        session: str | None = None,
        model: str | None = None,
        since: When | None = None,
        cursor: str | None = None,
    ) -> Steps[Page[Command]]:
        """Return commands in pages, the last logged first: of a session, with a model.

        Raises ``Refused`` for a time that is none, ``Unreachable`` without a daemon.

        Example::

            for command in client.commands.recent(5):
                print(command.command, command.duration_ms)
        """
        filters = Filters(
            session=[] if session is None else [session],
            model=[] if model is None else [model],
            since=None if since is None else time_text(since),
        )
        request = List(type="command", filters=filters, limit=limit, cursor=cursor)
        return (yield from listed(request, Command))

    @verb
    def stats(
        self,
        by: By = "command",
        *,
        session: str | None = None,
        since: When | None = None,
        until: When | None = None,
    ) -> Steps[list[CommandStats]]:
        """Return runs, successes and mean duration (ms) by command or by model, most runs first.

        Raises ``Misuse`` for a time that is none, ``Unreachable`` without a daemon.

        Example::

            for stats in client.commands.stats(by="model"):
                print(stats.name, stats.runs, stats.mean_duration_ms)
        """
        words = {"session": session, "since": bound(since), "until": bound(until, end=True)}
        return (yield from select(_STATS.format(by=one_of(by, By)), words, CommandStats))
