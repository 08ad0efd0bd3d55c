"""Readers: a few threads with read-only connections, each statement under a deadline."""

import logging
import queue
import threading
import time
from collections.abc import Callable
from pathlib import Path

import apsw

from steno_schema.errors import ErrorCode, RequestError
from steno_schema.limits import STATEMENT_DEADLINE_S
from steno_schema.replies import AnyReply
from stenod.search import rank
from stenod.store.connection import is_damage, open_reader, sqlite_error
from stenod.traces import place_of
from stenod.writer import error_reply

PROGRESS_STEPS = 2000
"""SQLite steps between two looks at the clock: some tens of microseconds."""
QUEUE_MAX = 1024

log = logging.getLogger("stenod.readers")


class ReadJob:
    """A question under way: what to run on a connection, and where the answer goes."""

    def __init__(
        self,
        request_id: int | str,
        run: Callable[[apsw.Connection], AnyReply],
        deliver: Callable[[AnyReply], None],
        deadline_s: float = STATEMENT_DEADLINE_S,
    ) -> None:
        self.request_id = request_id
        self.run = run
        self.deliver = deliver
        self.deadline_s = deadline_s
        self.cancelled = False


class Readers:
    """A bounded pool of reading threads."""

    def __init__(
        self,
        path: Path,
        name: str = "reader",
        size: int = 3,
        on_damage: Callable[[str, Exception], None] = lambda _where, _error: None,
    ) -> None:
        self._path = path
        self._on_damage = on_damage
        self._jobs: queue.Queue[ReadJob | None] = queue.Queue(QUEUE_MAX)
        self._threads = [
            threading.Thread(target=self._run, name=f"{name}-{number}", daemon=True)
            for number in range(size)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def put(self, job: ReadJob) -> bool:
        """Queue a question; ``False`` when too many wait."""
        try:
            self._jobs.put_nowait(job)
        except queue.Full:
            return False
        return True

    def stop(self) -> None:
        """Finish what is queued and end the threads."""
        for _ in self._threads:
            self._jobs.put(None)
        for thread in self._threads:
            if thread.is_alive():
                thread.join()

    def _run(self) -> None:
        connection = open_reader(self._path)
        rank.register(connection)
        while (job := self._jobs.get()) is not None:
            try:
                reply = self._answer(connection, job)
            except Exception as error:  # what ends a question must not end its thread
                log.error("a reader could not be reset: %s", place_of(error))
                reply = error_reply(job.request_id, sqlite_error(error))
                connection.close(force=True)
                connection = open_reader(self._path)
                rank.register(connection)
            job.deliver(reply)
        connection.close()

    def _answer(self, connection: apsw.Connection, job: ReadJob) -> AnyReply:
        deadline = time.monotonic() + job.deadline_s
        if job.cancelled:
            return error_reply(job.request_id, _CANCELLED)
        connection.set_progress_handler(
            lambda: job.cancelled or time.monotonic() > deadline, PROGRESS_STEPS
        )
        try:
            # One snapshot for all statements of a question.
            connection.execute("BEGIN")
            reply = job.run(connection)
        except Exception as error:
            if is_damage(error):
                self._on_damage("a question", error)
            refusal = _CANCELLED if job.cancelled else sqlite_error(error)
            if refusal.code is ErrorCode.INTERNAL:
                log.error("a question failed: %s", place_of(error))
            return error_reply(job.request_id, refusal)
        finally:
            connection.set_progress_handler(None)
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        reply.id = job.request_id
        return reply


_CANCELLED = RequestError(ErrorCode.CANCELLED, "The request was cancelled.")
