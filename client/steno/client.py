"""The blocking client."""

import os
from types import TracebackType
from typing import Self, Unpack

from steno import storing
from steno.batch import Batch
from steno.connection import Connection, Pool
from steno.context import Context
from steno.errors import StenoError, Unreachable
from steno.filters import FilterWords, filters_of
from steno.root import Root
from steno.verbs import Answer, Ask, Result, Spool, Step, Steps, Sync, Work, Worked
from steno.wire import Deadline, begun, refusal
from steno_schema.replies import Done, Error, Event
from steno_schema.requests import Subscribe

TIMEOUT_S = 30.0
SAVE_TIMEOUT_S = 2.0
"""A save waits this long for its commit before it goes to the spool."""


class BlockingRunner:
    """Runs the steps of a verb while the caller waits."""

    def __init__(self, context: Context, timeout_s: float, may_spool: bool) -> None:
        self.pool = Pool(context.paths.socket)
        self.timeout_s = timeout_s
        self._context = context
        self._may_spool = may_spool

    def run(self, steps: Steps[Result]) -> Result:
        """Return what the verb returns, or raise what it raises."""
        answer: Answer = None
        problem: StenoError | None = None
        try:
            while True:
                try:
                    step = steps.send(answer) if problem is None else steps.throw(problem)
                except StopIteration as done:
                    result: Result = done.value
                    return result
                answer, problem = None, None
                try:
                    answer = self._perform(step)
                except StenoError as error:
                    problem = error
        finally:
            steps.close()

    def _perform(self, step: Step) -> Answer:
        if isinstance(step, Ask):
            timeout_s = self.timeout_s if step.timeout_s is None else step.timeout_s
            return self.pool.ask(step.request, timeout_s)
        if isinstance(step, Spool):
            storing.keep(self._context, step.append)
            return None
        if isinstance(step, Work):
            return Worked(step.call())
        return self.run(
            storing.store(
                step.append,
                may_spool=self._may_spool,
                save_timeout_s=min(SAVE_TIMEOUT_S, self.timeout_s),
                timeout_s=self.timeout_s,
            )
        )


class Client(Root[Sync]):
    """Everything steno can do, from any thread.

    ``home`` addresses a private instance (as ``STENO_HOME`` does), ``socket`` another socket.
    ``timeout_s`` is how long an answer may take, in seconds. With ``spool=False`` a write raises
    ``Unreachable`` when no daemon takes it, instead of being kept on disk until one does. Making
    a client raises nothing: the daemon is called at the first verb.

    Example::

        with Client() as client:
            client.history.save("Why is the sky blue?", "Rayleigh.", model="gpt-5")
            print(client.history.search("sky")[0].snippet)
    """

    def __init__(
        self,
        home: str | os.PathLike[str] | None = None,
        socket: str | os.PathLike[str] | None = None,
        *,
        timeout_s: float = TIMEOUT_S,
        spool: bool = True,
    ) -> None:
        context = Context(home, socket)
        self._blocking = BlockingRunner(context, timeout_s, spool)
        super().__init__(self._blocking, context)

    def batch(self) -> Batch:
        """Return a context whose writes land together, or not at all, when it ends.

        Its verbs raise ``Misuse`` for a value that breaks a rule; its end raises what a save
        raises, and ``Misuse`` for more than 4 MiB.

        Example::

            with client.batch() as batch:
                batch.tasks.create("login")
                batch.history.save("Plan the login page", "1. A form.")
        """
        return Batch(self._context, self._blocking)

    def subscribe(self, after: int | None = None, **words: Unpack[FilterWords]) -> "Subscription":
        """Return new exchanges as they are stored: iterate, then close (or use ``with``).

        ``after`` is the ``sequence`` of the last event seen: those missed since come first.
        Raises ``Refused`` for a filter that is none, ``Unreachable`` without a daemon.

        Example::

            with client.subscribe(0, agent="python") as events:
                for event in events:
                    print(event.sequence, event.exchange.prompt)
                    break
        """
        request = Subscribe(filters=filters_of(words), after=after)
        deadline = Deadline(self._blocking.timeout_s)
        connection = self._blocking.pool.new(deadline)
        return Subscription(connection, request, deadline)

    def close(self) -> None:
        """Close the connections; the client is of no more use.

        Closing twice is no harm. It raises nothing.

        Example::

            client.close()
        """
        self._blocking.pool.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


class Subscription:
    """New exchanges, one ``Event`` each, for as long as one cares to wait.

    It has begun when it is made: what is stored from then on is told. ``sequence`` is how far.
    ``gap`` is true once something was missed because the daemon's change log (the newest 100,000
    changes) no longer has it; ``history.between`` finds it.

    Iteration ends when it is closed (from another thread too) and raises ``Unreachable`` when the
    daemon goes away; subscribe again with ``after=subscription.sequence`` to miss nothing.

    Example::

        subscription = client.subscribe(after=0)
        event = next(subscription)
        print(event.exchange.prompt, subscription.sequence)
        subscription.close()
    """

    def __init__(self, connection: Connection, request: Subscribe, deadline: Deadline) -> None:
        self._connection = connection
        self._closed = False
        try:
            self.sequence, self.gap = begun(connection.ask(request, deadline))
        except BaseException:
            connection.close()
            raise

    def __iter__(self) -> "Subscription":
        return self

    def __next__(self) -> Event:
        while not self._closed:
            try:
                reply = self._connection.next_reply()
            except Unreachable:
                if self._closed:
                    break
                self._connection.close()
                raise
            if isinstance(reply, Error):
                self.close()
                raise refusal(reply)
            if isinstance(reply, Event):
                self.sequence = reply.sequence
                return reply
            if isinstance(reply, Done):
                self.sequence, self.gap = begun(reply)
        raise StopIteration

    def close(self) -> None:
        """End the subscription; a thread that waits for the next event is done waiting.

        It raises nothing.

        Example::

            subscription.close()
        """
        self._closed = True
        self._connection.end()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
