"""The async client: every verb of the blocking one, awaited, on asyncio alone."""

import asyncio
import os
from types import TracebackType
from typing import Self, Unpack

from steno import storing
from steno.aconnection import AsyncConnection, AsyncPool
from steno.batch import AsyncBatch
from steno.client import SAVE_TIMEOUT_S, TIMEOUT_S
from steno.context import Context
from steno.errors import StenoError, Unreachable
from steno.filters import FilterWords, filters_of
from steno.root import Root
from steno.verbs import Answer, Ask, Async, Result, Spool, Step, Steps, Work, Worked
from steno.wire import begun, refusal
from steno_schema.replies import Done, Error, Event
from steno_schema.requests import Subscribe


class AsyncRunner:
    """Runs the steps of a verb in a coroutine."""

    def __init__(self, context: Context, timeout_s: float, may_spool: bool) -> None:
        self.pool = AsyncPool(context.paths.socket)
        self.timeout_s = timeout_s
        self._context = context
        self._may_spool = may_spool

    async def run(self, steps: Steps[Result]) -> Result:
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
                    answer = await self._perform(step)
                except StenoError as error:
                    problem = error
        finally:
            steps.close()

    async def _perform(self, step: Step) -> Answer:
        if isinstance(step, Ask):
            timeout_s = self.timeout_s if step.timeout_s is None else step.timeout_s
            return await self.pool.ask(step.request, timeout_s)
        if isinstance(step, Spool):
            await asyncio.to_thread(storing.keep, self._context, step.append)
            return None
        if isinstance(step, Work):
            return Worked(await asyncio.to_thread(step.call))
        return await self.run(
            storing.store(
                step.append,
                may_spool=self._may_spool,
                save_timeout_s=min(SAVE_TIMEOUT_S, self.timeout_s),
                timeout_s=self.timeout_s,
            )
        )


class AsyncClient(Root[Async]):
    """``Client`` for asyncio: the same verbs, awaited; the same arguments.

    It may be used from one event loop after the other, by any number of tasks. Making a client
    raises nothing: the daemon is called at the first verb.

    Example::

        async with AsyncClient() as client:
            await client.history.save("Why is the sky blue?", "Rayleigh.", model="gpt-5")
            print((await client.history.search("sky"))[0].snippet)
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
        self._awaiting = AsyncRunner(context, timeout_s, spool)
        super().__init__(self._awaiting, context)

    def batch(self) -> AsyncBatch:
        """Return a context whose writes land together, or not at all, when it ends.

        Its verbs are plain calls, for they wait for nothing; they and its end raise what those of
        ``Client.batch`` raise.

        Example::

            async with client.batch() as batch:
                batch.tasks.create("login")
                batch.history.save("Plan the login page", "1. A form.")
        """
        return AsyncBatch(self._context, self._awaiting)

    def subscribe(
        self, after: int | None = None, **words: Unpack[FilterWords]
    ) -> "AsyncSubscription":
        """Return new exchanges as they are stored: iterate, then close (or use ``async with``).

        ``after`` is the ``sequence`` of the last event seen: those missed since come first.
        Beginning it raises ``Refused`` for a filter that is none, ``Unreachable`` without a
        daemon.

        Example::

            async with client.subscribe(0, agent="python") as events:
                async for event in events:
                    print(event.sequence, event.exchange.prompt)
                    break
        """
        request = Subscribe(filters=filters_of(words), after=after)
        return AsyncSubscription(self._awaiting, request)

    async def close(self) -> None:
        """Close the connections; the client is of no more use.

        Closing twice is no harm. It raises nothing.

        Example::

            await client.close()
        """
        self._awaiting.pool.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()


class AsyncSubscription:
    """New exchanges, one ``Event`` each, for as long as one cares to wait; see ``Subscription``.

    It begins with ``async with`` or, without, with the first event asked for. Asking for the next
    event raises ``Unreachable`` when the daemon goes away.

    Example::

        subscription = client.subscribe(after=0)
        event = await anext(subscription)
        print(event.exchange.prompt, subscription.sequence)
        await subscription.close()
    """

    def __init__(self, runner: AsyncRunner, request: Subscribe) -> None:
        self.sequence = request.after
        self.gap = False
        self._runner = runner
        self._request = request
        self._connection: AsyncConnection | None = None
        self._closed = False

    def __aiter__(self) -> "AsyncSubscription":
        return self

    async def __anext__(self) -> Event:
        while not self._closed:
            connection = await self._open()
            try:
                reply = await connection.next_reply()
            except Unreachable:
                connection.close()
                if self._closed:
                    break
                raise
            if isinstance(reply, Error):
                await self.close()
                raise refusal(reply)
            if isinstance(reply, Event):
                self.sequence = reply.sequence
                return reply
            if isinstance(reply, Done):
                self.sequence, self.gap = begun(reply)
        raise StopAsyncIteration

    async def _open(self) -> AsyncConnection:
        if self._connection is None:
            connection, reply = await self._runner.pool.begin(
                self._request, self._runner.timeout_s
            )
            try:
                self.sequence, self.gap = begun(reply)
            except BaseException:
                connection.close()
                raise
            self._connection = connection
        return self._connection

    async def close(self) -> None:
        """End the subscription; a task that waits for the next event is done waiting.

        It raises nothing.

        Example::

            await subscription.close()
        """
        self._closed = True
        if self._connection is not None:
            self._connection.end()

    async def __aenter__(self) -> Self:
        await self._open()
        return self

    async def __aexit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()
