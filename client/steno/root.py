"""What both clients and a batch offer: the namespaces, and verbs of the client itself."""

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from steno.context import Context
from steno.namespaces.conversations import Conversations
from steno.namespaces.costs import Costs
from steno.namespaces.history import History
from steno.namespaces.messages import Messages
from steno.namespaces.sessions import Sessions
from steno.results import Saved
from steno.verbs import Ask, Namespace, Runner, Steps, ask, store_append, verb
from steno_schema.records import AnyRecord
from steno_schema.replies import AnyReply, Pong, StatusReport, Table
from steno_schema.requests import AnyRequest, Append, Ping, Sql, Status


class Root(Namespace[Runner]):
    """The verbs of the client itself; every namespace is an attribute."""

    def __init__(self, runner: Runner, context: Context) -> None:
        super().__init__(runner, context)
        self.history: History[Runner] = History(runner, context)
        self.sessions: Sessions[Runner] = Sessions(runner, context)
        self.conversations: Conversations[Runner] = Conversations(runner, context)
        self.messages: Messages[Runner] = Messages(runner, context)
        self.costs: Costs[Runner] = Costs(runner, context)

    @verb
    def request(self, request: AnyRequest, timeout_s: float | None = None) -> Steps[AnyReply]:
        """Send any request and return its reply; a write is never spooled here.

        Raises ``Refused`` for an error reply, ``Unreachable`` if there is none.
        """
        reply = yield Ask(request, timeout_s)
        assert reply is not None
        assert not isinstance(reply, list)
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
        """
        append = Append(records=list(records), duplicate_check=duplicate_check)
        return (yield from store_append(append))

    @verb
    def ping(self) -> Steps[float]:
        """Return the seconds a round trip to the daemon took."""
        start = time.perf_counter()
        yield from ask(Ping(), Pong)
        return time.perf_counter() - start

    @verb
    def status(self) -> Steps[dict[str, Any]]:
        """Return the daemon's own report: versions, database, queue, followers, spool."""
        reply = yield from ask(Status(), StatusReport)
        return reply.report

    @verb
    def sql(
        self,
        query: str,
        parameters: Sequence[Any] | Mapping[str, Any] = (),
        *,
        limit: int = 1000,
    ) -> Steps[Table]:
        """Run one read-only SQL statement over the views; return at most ``limit`` rows."""
        values = dict(parameters) if isinstance(parameters, Mapping) else list(parameters)
        return (yield from ask(Sql(query=query, parameters=values, limit=limit), Table))
