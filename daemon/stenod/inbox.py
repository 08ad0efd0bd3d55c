"""The writer's queue: bounded by count and by bytes, refusing rather than growing."""

import threading
from collections import deque
from collections.abc import Callable

from msgspec import Struct

from steno_schema.limits import WRITER_QUEUE_MAX_BYTES, WRITER_QUEUE_MAX_REQUESTS
from steno_schema.replies import AnyReply
from steno_schema.requests import Request

Deliver = Callable[[AnyReply], None]


class Job(Struct):
    """A write under way: the request, its size on the wire, and where its reply goes."""

    request: Request
    size_bytes: int
    deliver: Deliver


class Inbox:
    """Jobs on their way to the writer's thread."""

    def __init__(
        self,
        max_requests: int = WRITER_QUEUE_MAX_REQUESTS,
        max_bytes: int = WRITER_QUEUE_MAX_BYTES,
    ) -> None:
        self._max_requests = max_requests
        self._max_bytes = max_bytes
        self._jobs: deque[Job] = deque()
        self._bytes = 0
        self._closed = False
        self._poked = False
        self._changed = threading.Condition()

    def put(self, job: Job) -> bool:
        """Queue a job; ``False`` when the queue is full or closed, and nothing was queued."""
        with self._changed:
            full = len(self._jobs) >= self._max_requests or (
                self._jobs and self._bytes + job.size_bytes > self._max_bytes
            )
            if full or self._closed:
                return False
            self._jobs.append(job)
            self._bytes += job.size_bytes
            self._changed.notify()
            return True

    def take(self, most: int, wait_s: float | None) -> list[Job]:
        """Return up to ``most`` waiting jobs, after at most ``wait_s`` (``None``: any time)."""
        with self._changed:
            self._changed.wait_for(lambda: self._jobs or self._closed or self._poked, wait_s)
            self._poked = False
            jobs = [self._jobs.popleft() for _ in range(min(most, len(self._jobs)))]
            self._bytes -= sum(job.size_bytes for job in jobs)
            return jobs

    def poke(self) -> None:
        """Wake the writer though there is no job."""
        with self._changed:
            self._poked = True
            self._changed.notify()

    def close(self) -> None:
        """Take no more jobs; those queued are still handed out."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    @property
    def closed(self) -> bool:
        return self._closed

    def __len__(self) -> int:
        return len(self._jobs)

    @property
    def size_bytes(self) -> int:
        """Bytes of all queued jobs."""
        return self._bytes
