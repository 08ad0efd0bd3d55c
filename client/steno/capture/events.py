"""Hints that something changed: file events from the operating system, lines from the daemon.

Events are only hints: they overflow in silence, stop when a folder is made anew and never come
from some file systems. Whatever goes wrong here ends in a rescan, never in a loss.
"""

import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

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


class FolderEvents(threading.Thread):
    """Watches the agents' folders and calls ``changed`` with paths, ``blind`` when it lost sight.

    Folders that do not exist yet are awaited in the nearest one that does.
    """

    def __init__(
        self,
        roots: Sequence[tuple[Agent, Path]],
        changed: Callable[[list[Path]], None],
        blind: Callable[[], None],
    ) -> None:
        super().__init__(name="events", daemon=True)
        self._roots = [root for _, root in roots]
        self._changed = changed
        self._blind = blind
        self._stopping = threading.Event()
        self._restart = threading.Event()
        self._wake: Callable[[], None] = _nothing

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
                # Watch limits, folders that vanish, names that are no text: all of them raise.
                log.warning("file events failed (%s); scanning instead", type(error).__name__)
                if time.monotonic() - started > BACK_OFF_MAX_S:
                    back_off_s = BACK_OFF_FIRST_S
                self._stopping.wait(back_off_s)
                back_off_s = min(back_off_s * 2, BACK_OFF_MAX_S)
            self._blind()

    def _watch(self) -> None:
        """Watch the folders that are there until one goes or one comes."""
        if AVAILABLE:
            self._watch_with_kernel()
        else:
            self._watch_with_library()

    def _watch_with_kernel(self) -> None:
        with Inotify() as kernel:
            self._wake = kernel.stop
            try:
                for root in self._roots:
                    if root.is_dir():
                        kernel.watch_tree(root)
                    else:
                        kernel.await_folder(root)
                # What was written while the watches were being set told nobody.
                self._blind()
                while not self._stopping.is_set() and (paths := kernel.read()):
                    self._changed(paths)
            except LostSight:
                return
            finally:
                self._wake = _nothing

    def _watch_with_library(self) -> None:
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
