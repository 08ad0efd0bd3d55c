"""Sources that hold many sessions, a database above all: each session is a source of its own.

So each has its own log, cursor, project and kept bytes, and can be forgotten alone. The container
itself has no lines; its look tells whether there is any need to open it.
"""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

from msgspec import Struct

from steno.capture.snapshot import Parts, Snapshot
from steno.capture.source import Look, Source


class Member(Struct, frozen=True):
    """One session: a name that a folder's entry could have, what tells that it changed, units.

    Look like ``Look(size_bytes=…, mtime_ns=…)``: any two numbers that change with what is inside.
    """

    name: str
    look: Look
    cut: Callable[[], Parts]


class Container(Struct, frozen=True):
    """The reader of containers.

    ``look_at`` glances at the files; ``opened`` opens them (a database: a private copy of it),
    gives the members and cleans up when it is left. It is called only when the look changed.
    """

    look_at: Callable[[Path], Look]
    opened: Callable[[Path], AbstractContextManager[Iterable[Member]]]
    pause_s: float = 1.0

    def look(self, path: Path) -> Look:
        """Return what the container's files look like."""
        return self.look_at(path)

    def open(self, path: Path) -> Source:
        """Return the container as it is now; nothing is opened before its members are asked for."""
        return _Opened(self, path)


class _Opened(Snapshot):
    def __init__(self, container: Container, path: Path) -> None:
        super().__init__(container.look_at(path), lambda: Parts("", ()))
        self._container = container
        self._path = path
        self._stack = ExitStack()

    def __exit__(self, *_exception: object) -> None:
        self._stack.close()

    def members(self) -> Iterable[tuple[str, Source]]:
        """Yield each member as a source; all of them, as nobody knows here which changed."""
        for each in self._stack.enter_context(self._container.opened(self._path)):
            yield each.name, Snapshot(each.look, each.cut)
