"""Work of a job on the write connection, in slices between the writes."""

import time
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any, Protocol

import apsw
from msgspec import Struct

from steno_schema.config import Settings
from stenod.store.context import Context

if TYPE_CHECKING:
    from stenod.background import Background

Slices = Generator[None, None, dict[str, Any]]
"""Each step is short and leaves no transaction open; what it returns is told of the run."""


class OnWriter(Struct, frozen=True):
    """What a job has at hand on the writer's thread."""

    connection: apsw.Connection
    background: "Background"
    settings: Settings
    forget: Callable[[Callable[[Context], None]], None]
    """Takes text away, in one commit of its own."""


class Told(Protocol):
    """Hears the end of a task, on the writer's thread."""

    def __call__(
        self, result: dict[str, Any] | None = None, error: Exception | None = None
    ) -> None: ...


class Interrupted(Exception):
    """The task was given up: its connection is gone, or the daemon stops."""


class Task:
    """One run of a job's steps; ``advance`` takes it forward by a slice."""

    def __init__(self, start: Callable[[OnWriter], Slices], slice_s: float, told: Told) -> None:
        self._start = start
        self._slice_s = slice_s
        self._told = told
        self._steps: Slices | None = None

    @property
    def begun(self) -> bool:
        return self._steps is not None

    def advance(self, work: OnWriter) -> bool:
        """Do steps until the slice is used up; ``True`` when the job is done."""
        deadline = time.monotonic() + self._slice_s
        if self._steps is None:
            self._steps = self._start(work)
        try:
            next(self._steps)
            while time.monotonic() < deadline:
                next(self._steps)
        except StopIteration as end:
            self._told(result=end.value)
            return True
        return False

    def fail(self, error: Exception) -> None:
        """Give the task up and tell why."""
        if self._steps is not None:
            self._steps.close()
        self._told(error=error)
