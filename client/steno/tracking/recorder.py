"""Recording beside the caller's work: a queue, and a thread that stores what is in it.

Whoever records puts a job on the queue and goes on; everything that could take time or fail
(building records, the daemon, the disk) happens in the thread. Nothing is waited for but the end
of the process, which stores what is left. A forked child begins with an empty queue: what waited
is its parent's to store.
"""

import atexit
import os
import queue
import sys
import threading
import weakref

from msgspec import Struct

from steno.context import Context
from steno.tracking.failures import LOGGER, Failures
from steno.tracking.guards import Seen
from steno.tracking.jobs import Job, Storage, store_jobs
from steno_schema.limits import MIB

QUEUE_MAX_JOBS = 20_000
QUEUE_MAX_CHARS = 64 * MIB
"""Beyond either a prompt is not recorded but counted: the caller's work comes first."""
BATCH_MAX_JOBS = 500
BATCH_MAX_CHARS = 1 * MIB
BEHIND_JOBS = 2000
"""With more than this waiting the daemon is not asked any more: the spool takes everything. So
it does with what gathered while the daemon was asked in vain."""
STORE_TIMEOUT_S = 1.0
EXIT_WAIT_S = 10.0


class Mark(Struct, frozen=True, kw_only=True):
    """Reached when everything put on the queue before it is stored."""

    reached: threading.Event
    is_end: bool = False


class Recorder:
    """Stores jobs of any thread in the order they were put, each once.

    ``home`` and ``socket`` address an instance as those of ``Client`` do.
    """

    def __init__(
        self,
        home: str | os.PathLike[str] | None = None,
        socket: str | os.PathLike[str] | None = None,
    ) -> None:
        self.context = Context(home, socket)
        self._storage = Storage(self.context, STORE_TIMEOUT_S)
        self._begin()
        _recorders.add(self)

    def _begin(self) -> None:
        self.failures = Failures(self.context.paths)
        self.seen = Seen()
        self._waiting: queue.SimpleQueue[Job | Mark] = queue.SimpleQueue()
        self._waiting_chars = 0
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self._ended = False

    def after_fork(self) -> None:
        """Be as new in a forked child: the locks, the thread and the jobs are its parent's."""
        self._begin()

    def put(self, job: Job) -> None:
        """Take a job without waiting. One too many is counted as a failure."""
        if self._ended:
            self._store([job], in_spool=False)
            self.failures.write()
        elif (
            self._waiting.qsize() >= QUEUE_MAX_JOBS
            or self._waiting_chars + job.chars > QUEUE_MAX_CHARS
        ):
            self.failures.note("QueueFull")
        else:
            self._waiting_chars += job.chars
            self._waiting.put(job)
            self._ensure_thread()

    def note(self, error: BaseException | str) -> None:
        """Count a failure, and see to it that it is written down."""
        self.failures.note(error)
        if self._ended:
            self.failures.write()
        elif self._waiting.empty():
            self._waiting.put(Mark(reached=threading.Event()))
            self._ensure_thread()

    def skipped(self, reason: str) -> None:
        """Tell why a prompt was not recorded, where ``tracking.debug`` asks for it."""
        if self.context.settings.tracking.debug:
            import logging  # most processes never need it

            logging.getLogger(LOGGER).warning("a prompt was not recorded: %s", reason)

    def flush(self, timeout_s: float) -> bool:
        """Wait until everything put so far is stored; tell whether it was in time."""
        if self._ended or self._thread is None:
            return True
        mark = Mark(reached=threading.Event())
        self._waiting.put(mark)
        return mark.reached.wait(timeout_s)

    def end(self) -> None:
        """Store what is left. From then on a job is stored by whoever puts it."""
        thread, self._thread, self._ended = self._thread, None, True
        if thread is None:
            return
        mark = Mark(reached=threading.Event(), is_end=True)
        self._waiting.put(mark)
        if not mark.reached.wait(EXIT_WAIT_S):
            self._store(self._rest(), in_spool=True)
        self.failures.write()

    def _rest(self) -> list[Job]:
        """Take what the thread did not get to."""
        rest: list[Job] = []
        try:
            while True:
                taken = self._waiting.get_nowait()
                if isinstance(taken, Job):
                    rest.append(taken)
        except queue.Empty:
            return rest

    def _ensure_thread(self) -> None:
        """Start the thread if there is none; never waits for another who is doing so."""
        if self._thread is not None or not self._starting.acquire(blocking=False):
            return
        try:
            if self._thread is None and not self._ended:
                thread = threading.Thread(target=self._work, name="steno-tracking", daemon=True)
                thread.start()
                self._thread = thread
                self._end_with_the_process()
        finally:
            self._starting.release()

    def _end_with_the_process(self) -> None:
        """A child of ``multiprocessing`` ends without ``atexit``, but runs finalizers."""
        atexit.register(self.end)
        utilities = sys.modules.get("multiprocessing.util")
        if utilities is not None:
            utilities.Finalize(None, self.end, exitpriority=0)

    def _work(self) -> None:
        waiting = self._waiting
        while True:
            batch, mark = self._next_batch(waiting)
            is_behind = self._storage.is_spooling or waiting.qsize() > BEHIND_JOBS
            self._store(batch, in_spool=is_behind)
            if waiting.empty():
                self._storage.is_spooling = False
            self.failures.write()
            if mark is not None:
                mark.reached.set()
                if mark.is_end:
                    return

    def _next_batch(
        self, waiting: "queue.SimpleQueue[Job | Mark]"
    ) -> tuple[list[Job], Mark | None]:
        """Wait for a job and take what has come with it, up to the next mark."""
        batch: list[Job] = []
        chars = 0
        mark: Mark | None = None
        taken = waiting.get()
        while True:
            if isinstance(taken, Mark):
                mark = taken
                break
            batch.append(taken)
            chars += taken.chars
            if len(batch) >= BATCH_MAX_JOBS or chars > BATCH_MAX_CHARS:
                break
            try:
                taken = waiting.get_nowait()
            except queue.Empty:
                break
        # Counted without a lock, so it is set right whenever nothing waits.
        self._waiting_chars = 0 if waiting.empty() else max(self._waiting_chars - chars, 0)
        return batch, mark

    def _store(self, jobs: list[Job], *, in_spool: bool) -> None:
        if not jobs:
            return
        try:
            store_jobs(self._storage, jobs, self.failures.note, in_spool=in_spool)
        except Exception as error:
            for _ in jobs:
                self.failures.note(error)


_recorders: "weakref.WeakSet[Recorder]" = weakref.WeakSet()


def _after_fork() -> None:
    for recorder in list(_recorders):
        recorder.after_fork()


os.register_at_fork(after_in_child=_after_fork)
