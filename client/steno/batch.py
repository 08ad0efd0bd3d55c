"""A batch: many writes that land in one transaction, or not at all."""

from types import TracebackType
from typing import Self

from steno import storing
from steno.context import Context
from steno.errors import Misuse
from steno.results import Saved
from steno.root import Root
from steno.verbs import Answer, Async, Result, Steps, Store, Sync, store_append
from steno_schema.limits import BULK_FRAME_MAX_BYTES, STAGED_MAX_BYTES
from steno_schema.records import AnyRecord
from steno_schema.requests import Append


class Collector:
    """Runs the steps of verbs by noting down the records they store."""

    def __init__(self) -> None:
        self.records: list[AnyRecord] = []

    def run(self, steps: Steps[Result]) -> Result:
        """Return what the verb returns; raise ``Misuse`` if it asks the daemon something."""
        answer: Answer = None
        while True:
            try:
                step = steps.send(answer)
            except StopIteration as done:
                result: Result = done.value
                return result
            if not isinstance(step, Store) or step.append.duplicate_check != "off":
                steps.close()
                raise Misuse("A batch only takes plain writes.", "Ask the client itself.")
            answer = self._collect(step.append)

    def _collect(self, append: Append) -> list[Saved]:
        records = storing.stamped(append.records)
        storing.check(Append(records=records), STAGED_MAX_BYTES)
        self.records += records
        return [
            Saved(id=record.id, stored="batch", key=storing.key_of(record)) for record in records
        ]


class _Collected(Root[Sync]):
    """The verbs of a batch. They never wait, so they are plain calls in an async batch too."""

    saved: list[Saved]
    """One ``Saved`` for each record, in order, once the batch has been sent."""

    def __init__(self, context: Context) -> None:
        self._collector = Collector()
        self.saved = []
        super().__init__(self._collector, context)

    def __len__(self) -> int:
        """Return how many records are waiting to be sent."""
        return len(self._collector.records)

    def _take(self) -> Append | None:
        records, self._collector.records = self._collector.records, []
        if not records:
            return None
        append = Append(records=records)
        storing.check(append, BULK_FRAME_MAX_BYTES, "batch")
        return append


class Batch(_Collected):
    """The writes of a ``with`` block, sent together at its end; an exception sends nothing.

    Its end raises what a save raises, and ``Misuse`` for more than a bulk frame (4 MiB) holds.
    ``len`` of it is how many records wait; after the end ``saved`` holds one ``Saved`` for each.

    Example::

        with client.batch() as batch:
            batch.history.save("one")
            batch.history.save("two")
        print([saved.outcome for saved in batch.saved])
    """

    def __init__(self, context: Context, runner: Sync) -> None:
        super().__init__(context)
        self._sender = runner

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if exception_type is None and (append := self._take()) is not None:
            self.saved = self._sender.run(store_append(append))


class AsyncBatch(_Collected):
    """``Batch`` for asyncio; its verbs are plain calls. Its end raises what that of ``Batch`` does.

    Example::

        async with client.batch() as batch:
            batch.history.save("one")
            batch.history.save("two")
        print([saved.outcome for saved in batch.saved])
    """

    def __init__(self, context: Context, runner: Async) -> None:
        super().__init__(context)
        self._sender = runner

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if exception_type is None and (append := self._take()) is not None:
            self.saved = await self._sender.run(store_append(append))
