"""Hints that something changed: file events from the operating system, lines from the daemon.

Events are only hints: they overflow in silence, stop when a folder is made anew and never come
from some file systems. Whatever goes wrong here ends in a rescan, never in a loss.
"""

import logging
import os
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import watchfiles
from msgspec import Struct

from steno.capture.agent import Agent

DEBOUNCE_MS = 50
STEP_MS = 10
BACK_OFF_FIRST_S = 1.0
BACK_OFF_MAX_S = 300.0

log = logging.getLogger("steno.capture")


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
        self._stop = threading.Event()

    def stop(self) -> None:
        self._stop.set()

    def run(self) -> None:
        back_off_s = BACK_OFF_FIRST_S
        while not self._stop.is_set():
            try:
                self._watch()
                back_off_s = BACK_OFF_FIRST_S
            except Exception as error:
                # Watch limits, folders that vanish, names that are no text: all of them raise.
                log.warning("file events failed (%s); scanning instead", type(error).__name__)
                self._stop.wait(back_off_s)
                back_off_s = min(back_off_s * 2, BACK_OFF_MAX_S)
            self._blind()

    def _watch(self) -> None:
        present = [root for root in self._roots if root.is_dir()]
        missing = [root for root in self._roots if not root.is_dir()]
        restart = threading.Event()
        parents = {_nearest(root) for root in missing}
        if not present:
            self._await_missing(parents, missing, restart)
            return
        if parents:
            threading.Thread(
                target=self._await_missing, args=(parents, missing, restart), daemon=True
            ).start()
        stop = _Either(self._stop, restart)
        for changes in watchfiles.watch(
            *present,
            watch_filter=None,
            debounce=DEBOUNCE_MS,
            step=STEP_MS,
            stop_event=stop,
            rust_timeout=0 if not missing else 60_000,
            yield_on_timeout=bool(missing),
            raise_interrupt=False,
        ):
            self._changed([Path(path) for _, path in changes])
            if not all(root.is_dir() for root in present):
                return

    def _await_missing(
        self, parents: set[Path], missing: list[Path], restart: threading.Event
    ) -> None:
        try:
            for _ in watchfiles.watch(
                *parents,
                watch_filter=None,
                recursive=False,
                stop_event=self._stop,
                rust_timeout=0,
                raise_interrupt=False,
            ):
                if any(root.is_dir() for root in missing) or parents != {
                    _nearest(root) for root in missing
                }:
                    break
        except Exception as error:
            log.warning("waiting for a folder failed (%s)", type(error).__name__)
            self._stop.wait(BACK_OFF_MAX_S)
        restart.set()


class _Either:
    """Set when one of two events is; what ``watchfiles`` asks of a stop event."""

    def __init__(self, first: threading.Event, second: threading.Event) -> None:
        self._events = (first, second)

    def is_set(self) -> bool:
        return any(event.is_set() for event in self._events)


def _nearest(path: Path) -> Path:
    """Return the nearest folder upwards that exists."""
    while not path.is_dir():
        path = path.parent
    return path


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
