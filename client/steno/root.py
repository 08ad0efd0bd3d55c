"""What both clients and a batch offer: the namespaces, and verbs of the client itself."""

import time
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from msgspec import Struct
from msgspec.structs import replace

from steno.context import Context
from steno.namespaces.conversations import Conversations
from steno.namespaces.costs import Costs
from steno.namespaces.history import History
from steno.namespaces.messages import Messages
from steno.namespaces.sessions import Sessions
from steno.results import Saved
from steno.rows import select
from steno.verbs import Ask, Namespace, Runner, Steps, Worked, ask, store_append, verb
from steno_schema.records import AnyRecord
from steno_schema.replies import AnyReply, Pong, StatusReport, Table
from steno_schema.requests import AnyRequest, Append, Ping, Sql, Status

if TYPE_CHECKING:
    from steno.namespaces.admin import Admin
    from steno.namespaces.agents import Agents
    from steno.namespaces.commands import Commands
    from steno.namespaces.errors import Errors
    from steno.namespaces.handoffs import Handoffs
    from steno.namespaces.metadata import Metadata
    from steno.namespaces.metrics import Metrics
    from steno.namespaces.patterns import Patterns
    from steno.namespaces.preferences import Preferences
    from steno.namespaces.routing import Routing
    from steno.namespaces.tasks import Tasks
    from steno.namespaces.workflow import Workflow

_TOTALS = """
SELECT (SELECT count(DISTINCT user_id) FROM conversation_threads) AS users,
  (SELECT count(*) FROM conversation_threads) AS threads,
  (SELECT count(*) FROM conversation_messages) AS messages
"""


class StorageStats(Struct, frozen=True, kw_only=True):
    """What is stored, and where: ``mode`` is ``private`` when ``home`` chose the instance."""

    users: int
    threads: int
    messages: int
    backend: Literal["sqlite"] = "sqlite"
    mode: Literal["user", "private"] = "user"


class Root(Namespace[Runner]):
    """The verbs of the client itself; every namespace is an attribute.

    Those that many programs never use are loaded when they are first asked for.
    """

    def __init__(self, runner: Runner, context: Context) -> None:
        super().__init__(runner, context)
        self.history: History[Runner] = History(runner, context)
        self.sessions: Sessions[Runner] = Sessions(runner, context)
        self.conversations: Conversations[Runner] = Conversations(runner, context)
        self.messages: Messages[Runner] = Messages(runner, context)
        self.costs: Costs[Runner] = Costs(runner, context)

    @cached_property
    def agents(self) -> "Agents[Runner]":
        """What agents were asked to do, and what came of it."""
        from steno.namespaces.agents import Agents

        return Agents(self.runner, self._context)

    @cached_property
    def routing(self) -> "Routing[Runner]":
        """Which workflow a request was sent to, and why."""
        from steno.namespaces.routing import Routing

        return Routing(self.runner, self._context)

    @cached_property
    def preferences(self) -> "Preferences[Runner]":
        """Small settings of a person."""
        from steno.namespaces.preferences import Preferences

        return Preferences(self.runner, self._context)

    @cached_property
    def patterns(self) -> "Patterns[Runner]":
        """What was learned from work, and the time it saves."""
        from steno.namespaces.patterns import Patterns

        return Patterns(self.runner, self._context)

    @cached_property
    def handoffs(self) -> "Handoffs[Runner]":
        """What one session leaves to the next."""
        from steno.namespaces.handoffs import Handoffs

        return Handoffs(self.runner, self._context)

    @cached_property
    def metrics(self) -> "Metrics[Runner]":
        """Numbers worth watching."""
        from steno.namespaces.metrics import Metrics

        return Metrics(self.runner, self._context)

    @cached_property
    def tasks(self) -> "Tasks[Runner]":
        """Pieces of work, estimated and actual time."""
        from steno.namespaces.tasks import Tasks

        return Tasks(self.runner, self._context)

    @cached_property
    def commands(self) -> "Commands[Runner]":
        """Commands that were run."""
        from steno.namespaces.commands import Commands

        return Commands(self.runner, self._context)

    @cached_property
    def errors(self) -> "Errors[Runner]":
        """Errors that happened in somebody's work."""
        from steno.namespaces.errors import Errors

        return Errors(self.runner, self._context)

    @cached_property
    def workflow(self) -> "Workflow[Runner]":
        """What is being worked on right now."""
        from steno.namespaces.workflow import Workflow

        return Workflow(self.runner, self._context)

    @cached_property
    def metadata(self) -> "Metadata[Runner]":
        """Small facts about the whole instance."""
        from steno.namespaces.metadata import Metadata

        return Metadata(self.runner, self._context)

    @cached_property
    def admin(self) -> "Admin[Runner]":
        """Care of the database."""
        from steno.namespaces.admin import Admin

        return Admin(self.runner, self._context)

    @verb
    def request(self, request: AnyRequest, timeout_s: float | None = None) -> Steps[AnyReply]:
        """Send any request and return its reply; a write is never spooled here.

        Raises ``Refused`` for an error reply, ``Unreachable`` if there is none.

        Example::

            reply = client.request(steno_schema.requests.Ping())
        """
        reply = yield Ask(request, timeout_s)
        assert reply is not None
        assert not isinstance(reply, list | Worked)
        return reply

    @verb
    def append(
        self,
        records: Iterable[AnyRecord],
        *,
        duplicate_check: Literal["off", "session", "all"] = "off",
    ) -> Steps[list[Saved]]:
        """Store records of any type, all of them or none; return one ``Saved`` each.

        Without a daemon they are spooled together. Raises ``Refused`` on a conflict.

        Example::

            client.append([Metric(id=uuid7(), metric="m", value=1.0)])
        """
        append = Append(records=list(records), duplicate_check=duplicate_check)
        return (yield from store_append(append))

    @verb
    def ping(self) -> Steps[float]:
        """Return the seconds a round trip to the daemon took.

        Raises ``Unreachable`` without a daemon.

        Example::

            print(client.ping())
        """
        start = time.perf_counter()
        yield from ask(Ping(), Pong)
        return time.perf_counter() - start

    @verb
    def status(self) -> Steps[dict[str, Any]]:
        """Return the daemon's own report: versions, database, queue, followers, spool.

        Raises ``Unreachable`` without a daemon.

        Example::

            print(client.status()["database"]["size_bytes"])
        """
        reply = yield from ask(Status(), StatusReport)
        return reply.report

    @verb
    def storage_stats(self) -> Steps[StorageStats]:
        """Return how many users, threads and messages there are, and what keeps them.

        Raises ``Unreachable`` without a daemon.

        Example::

            print(client.storage_stats().messages)
        """
        totals = (yield from select(_TOTALS, {}, StorageStats))[0]
        mode: Literal["user", "private"] = "private" if self._context.paths.private else "user"
        return replace(totals, mode=mode)

    @verb
    def sql(
        self,
        query: str,
        parameters: Sequence[Any] | Mapping[str, Any] = (),
        *,
        limit: int = 1000,
    ) -> Steps[Table]:
        """Run one read-only SQL statement over the views; return at most ``limit`` rows.

        Raises ``Refused`` for a statement that cannot be run or takes too long.

        Example::

            print(client.sql("SELECT COUNT(*) FROM sessions").rows)
        """
        values = dict(parameters) if isinstance(parameters, Mapping) else list(parameters)
        return (yield from ask(Sql(query=query, parameters=values, limit=limit), Table))
