"""Hints that something changed: file events from the operating system, lines from the daemon.

Events are only hints: they overflow in silence, stop when a folder is made anew and never come
from some file systems. Whatever goes wrong here ends in a rescan, never in a loss.
"""

import contextlib
import errno
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import watchfiles
from msgspec import Struct

from steno.capture.agent import Agent
from steno.capture.inotify import AVAILABLE, Inotify, LostSight, nearest_folder

DEBOUNCE_MS = 50
STEP_MS = 40
"""How often the watching thread wakes to look: half of what a line waits until it is found."""
BACK_OFF_FIRST_S = 1.0
BACK_OFF_MAX_S = 30.0
"""Without events everything is scanned this often."""
AWAIT_MS = 10_000

log = logging.getLogger("steno.capture")
# It tells of every change; in a folder that holds the log itself it would never stop.
logging.getLogger("watchfiles").setLevel(logging.WARNING)


class Sight(Struct, frozen=True):
    """How well changes are seen, for the person who asks.

    ``way``: ``kernel`` (inotify), ``library`` (watchfiles), or ``scans`` alone because of
    ``problem``. ``unwatched`` folders are only looked at; ``overflows`` counts the times that the
    kernel dropped events, each followed by a scan.
    """

    way: Literal["kernel", "library", "scans"]
    watched: int = 0
    unwatched: int = 0
    overflows: int = 0
    problem: str | None = None


class FolderEvents(threading.Thread):
    """Watches the agents' folders and calls ``changed`` with paths, ``blind`` when it lost sight.

    Folders that do not exist yet are awaited in the nearest one that does. ``standing`` is set
    once the first watches stand, or cannot.
    """

    def __init__(
        self,
        roots: Sequence[tuple[Agent, Path]],
        changed: Callable[[list[Path]], None],
        blind: Callable[[], None],
    ) -> None:
        super().__init__(name="events", daemon=True)
        self._roots = [root for _, root in roots]
        self._agents = tuple(roots)
        self._changed = changed
        self._blind = blind
        self._stopping = threading.Event()
        self._restart = threading.Event()
        self._wake: Callable[[], None] = _nothing
        self._kernel: Inotify | None = None
        self._overflows = 0
        self._problem: str | None = None
        self.standing = threading.Event()

    @property
    def sight(self) -> Sight:
        kernel = self._kernel
        if kernel is not None:
            return Sight("kernel", kernel.watched, kernel.unwatched, self._overflows)
        way: Literal["library", "scans"] = "library" if self._is_library else "scans"
        return Sight(way, overflows=self._overflows, problem=self._problem)

    @property
    def _is_library(self) -> bool:
        return not AVAILABLE and self._problem is None

    @property
    def is_partial(self) -> bool:
        """Tell whether there are folders whose changes no event tells of."""
        sight = self.sight
        return sight.way == "scans" or sight.unwatched > 0

    def also(self, folder: Path) -> None:
        """Watch a folder that was left out and that something happened in."""
        kernel = self._kernel
        if kernel is not None:
            with contextlib.suppress(OSError):
                kernel.watch_also(folder)

    def stop(self) -> None:
        self._stopping.set()
        self._wake()

    def again(self) -> None:
        """Set the watches anew: something changed and no event told of it."""
        self._restart.set()
        self._wake()

    def run(self) -> None:
        back_off_s = BACK_OFF_FIRST_S
        while self._roots and not self._stopping.is_set():
            started = time.monotonic()
            try:
                self._watch()
            except Exception as error:
                self._problem = _problem(error)
                # Watch limits, folders that vanish, names that are no text: all of them raise.
                log.warning("file events failed (%s); scanning instead", type(error).__name__)
                if time.monotonic() - started > BACK_OFF_MAX_S:
                    back_off_s = BACK_OFF_FIRST_S
                self.standing.set()
                self._stopping.wait(back_off_s)
                back_off_s = min(back_off_s * 2, BACK_OFF_MAX_S)
                self._blind()
        self.standing.set()

    def _watch(self) -> None:
        """Watch the folders that are there until one goes or one comes."""
        if AVAILABLE:
            self._watch_with_kernel()
        else:
            self._watch_with_library()
            self._blind()

    def _watch_with_kernel(self) -> None:
        with Inotify(is_watched=self._is_watched) as kernel:
            self._wake = kernel.stop
            try:
                for root in self._roots:
                    if root.is_dir():
                        kernel.watch_tree(root)
                    else:
                        kernel.await_folder(root)
                self._kernel, self._problem = kernel, None
                # What was written while the watches were being set told nobody.
                self._blind()
                self.standing.set()
                while not self._stopping.is_set() and (paths := kernel.read()):
                    self._changed(paths)
            except LostSight as lost:
                if lost.is_overflow:
                    self._overflows += 1
                    log.warning("file events were dropped; everything is looked at")
            finally:
                self._wake, self._kernel = _nothing, None

    def _is_watched(self, folder: Path) -> bool:
        """Tell whether any agent has something below a folder that is worth a watch."""
        return any(
            root == folder or (folder.is_relative_to(root) and agent.is_watched(folder))
            for agent, root in self._agents
        )

    def _watch_with_library(self) -> None:
        self.standing.set()
        present = [root for root in self._roots if root.is_dir()]
        missing = [root for root in self._roots if root not in present]
        self._restart = restart = threading.Event()
        stop = _Either(self._stopping, restart)
        if not present:
            self._await_missing(missing, restart, stop)
            return
        if missing:
            threading.Thread(
                target=self._await_missing, args=(missing, restart, stop), daemon=True
            ).start()
        for changes in watchfiles.watch(
            *present,
            watch_filter=None,
            debounce=DEBOUNCE_MS,
            step=STEP_MS,
            stop_event=stop,
            rust_timeout=0,
            raise_interrupt=False,
        ):
            self._changed([Path(path) for _, path in changes])
            gone = {Path(path) for kind, path in changes if kind is watchfiles.Change.deleted}
            if not gone.isdisjoint(present):
                # Made anew, a folder of the same name is another one, and not watched.
                restart.set()

    def _await_missing(
        self, missing: list[Path], restart: threading.Event, stop: "_Either"
    ) -> None:
        """Look again whenever something changes where a folder is awaited, and now and then."""
        parents = {nearest_folder(root) for root in missing}
        try:
            for _ in watchfiles.watch(
                *parents,
                watch_filter=None,
                recursive=False,
                stop_event=stop,
                rust_timeout=AWAIT_MS,
                yield_on_timeout=True,
                raise_interrupt=False,
            ):
                nearest = {nearest_folder(root) for root in missing}
                if nearest != parents or not nearest.isdisjoint(missing):
                    break
        except Exception as error:
            log.warning("waiting for a folder failed (%s)", type(error).__name__)
            self._stopping.wait(BACK_OFF_MAX_S)
        restart.set()


def _problem(error: Exception) -> str:
    """Say why there are no events, without what a hostile file name would put into it."""
    number = error.errno if isinstance(error, OSError) else None
    if number == errno.ENOSPC:
        return "the system's limit of watched folders is reached (fs.inotify.max_user_watches)"
    if number == errno.EMFILE:
        return "the system's limit of watchers is reached (fs.inotify.max_user_instances)"
    return type(error).__name__ if number is None else os.strerror(number)


def _nothing() -> None:
    """Nobody waits in the kernel just now."""


class _Either:
    """Set when one of two events is; what ``watchfiles`` asks of a stop event."""

    def __init__(self, first: threading.Event, second: threading.Event) -> None:
        self._events = (first, second)

    def is_set(self) -> bool:
        return any(event.is_set() for event in self._events)


class Order(Struct, frozen=True):
    """Something the daemon wants done; ``number`` is reported back when it is."""

    what: str
    number: int
    argument: str


class Commands(threading.Thread):
    """Reads the daemon's orders; the end of its pipe is the end of the watcher.

    One a line: ``scan NUMBER``, ``read NUMBER PATH``, ``rederive NUMBER AGENT``.
    """

    def __init__(self, ordered: Callable[[Order], None], ended: Callable[[], None]) -> None:
        super().__init__(name="commands", daemon=True)
        self._ordered = ordered
        self._ended = ended

    def run(self) -> None:
        for line in sys.stdin.buffer:
            what, _, rest = line.rstrip(b"\n").partition(b" ")
            number, _, argument = rest.partition(b" ")
            if number.isdigit():
                order = Order(what.decode(), int(number), os.fsdecode(argument))
                self._ordered(order)
        self._ended()
