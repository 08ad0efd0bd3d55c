"""The watcher: reads what there is, newest first, then keeps up with what comes.

One thread does all reading; hints from events and commands come in through a queue and go before
the backfill, so that what is said now is searchable now.
"""

import logging
import queue
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import msgspec

from steno.capture.agent import Agent
from steno.capture.agents import AGENTS
from steno.capture.discovery import Found, scan, source_of
from steno.capture.events import Commands, FolderEvents, Order
from steno.capture.hooks import told
from steno.capture.ingest import Ingest, go_on
from steno.capture.ledger import Ledger
from steno.capture.progress import Progress
from steno.capture.retention import retentions
from steno.client import Client
from steno.errors import Refused, Unreachable
from steno_schema.config import Capture
from steno_schema.requests import Admin

NEWEST_FILES = 20
"""Once so many of the newest files are read, ``steno up`` calls the newest sessions ready."""
SETTLE_S = 2.0
"""A file is looked at once more this long after its last event: the last one may be lost."""
ACTIVE_S = 600.0
STANDING_WAIT_S = 5.0
"""How long the first scan waits for the watches to stand; with none it is done again later."""
REPORT_S = 0.25
BACK_OFF_FIRST_S = 0.2
BACK_OFF_MAX_S = 30.0

_LOOK = Order("scan", 0, "")

log = logging.getLogger("steno.capture")


class Ended(Exception):
    """The daemon has gone; so does the watcher."""


class Watcher:
    """Keeps the daemon's records in step with the agents' files."""

    def __init__(
        self,
        client: Client,
        ingest: Ingest,
        ledger: Ledger,
        roots: list[tuple[Agent, Path]],
        settings: Capture,
        rederive: Callable[[Agent], int],
    ) -> None:
        self._rederive = rederive
        self._client = client
        self._ingest = ingest
        self._ledger = ledger
        self._roots = roots
        self._settings = settings
        self._hints: queue.SimpleQueue[list[Path] | Order] = queue.SimpleQueue()
        self._ended = False
        self._settling: dict[Path, float] = {}
        self._pausing: dict[Path, float] = {}
        self._last_event = float("-inf")
        self._last_scan = float("-inf")
        self._reported = float("-inf")
        self._back_off_s = BACK_OFF_FIRST_S
        self._settled = False
        self._has_scanned = False
        self._ordered = 0
        self._scans_due: list[int] = []
        self._progress: Progress | None = None
        self._reading: Path | None = None
        self._retention: list[dict[str, object]] = []
        self._events = FolderEvents(roots, self._hints.put, lambda: self._hints.put(_LOOK))

    def run(self) -> None:
        """Watch until the daemon goes away."""
        Commands(self._hints.put, self._end).start()
        self._events.start()
        try:
            self._load_ledger()
            # Watches first, then one scan: what is written from here on tells of itself.
            self._events.standing.wait(STANDING_WAIT_S)
            while True:
                self._rescan()
                self._settle_scan()
                self._keep_up()
        except Ended:
            log.info("the daemon has gone; the watcher ends")
        finally:
            self._events.stop()

    def _load_ledger(self) -> None:
        self._persist(self._ledger.load)

    def _end(self) -> None:
        self._ended = True
        self._hints.put([])

    # ----- the scan: what is the guarantee

    def _rescan(self) -> None:
        self._take_hints(wait_s=0)
        scans_begun = len(self._scans_due)
        self._last_scan = time.monotonic()
        found = scan(self._roots)
        waiting = [each for each in found if self._is_new(each)]
        if self._has_scanned:
            self._watch_better([each for each in waiting if self._came_unseen(each)])
        self._has_scanned = True
        total_bytes = sum(self._unread_bytes(each) for each in waiting)
        self._retention = msgspec.to_builtins(retentions(self._roots))
        progress = self._progress = Progress(len(waiting), total_bytes, NEWEST_FILES)
        self._report(force=True)
        for each in waiting:
            self._take_hints(wait_s=0)
            was_ready = progress.newest_ready
            self._read_in_turn(each, progress)
            self._report(force=progress.newest_ready and not was_ready)
        self._persist(partial(self._ingest.note_missing, found, self._roots))
        if waiting:
            self._check()
        del self._scans_due[:scans_begun]
        progress.over()
        self._report(force=True)

    def _watch_better(self, unseen: list[Found]) -> None:
        """Set watches where changes came that no event told of."""
        if self._events.is_partial:
            for folder in {each.path.parent for each in unseen}:
                self._events.also(folder)
        elif unseen:
            self._events.again()

    def _unread_bytes(self, found: Found) -> int:
        entry = self._ledger.get(str(found.path))
        is_grown = entry is not None and entry.offset <= found.size_bytes
        return found.size_bytes - entry.offset if entry and is_grown else found.size_bytes

    def _settle_scan(self) -> None:
        """Have the next scan follow soon: what was written while watches were being set.

        The kernel's watches stand when it says so; those of the library some time later.
        """
        if self._last_scan == float("-inf") or self._events.sight.way != "library":
            return
        if not self._settled:
            self._settled = True
            self._last_scan = time.monotonic() - self._settings.rescan_idle_s + SETTLE_S
            return
        self._settled = False

    def _is_new(self, found: Found) -> bool:
        entry = self._ledger.get(str(found.path))
        return entry is None or (entry.size_bytes, entry.mtime_ns, entry.inode, entry.state) != (
            found.size_bytes,
            found.mtime_ns,
            found.inode,
            "live",
        )

    def _came_unseen(self, found: Found) -> bool:
        """Tell whether a file changed a while ago and no event told of it."""
        entry = self._ledger.get(str(found.path))
        is_old = time.time_ns() - found.mtime_ns > SETTLE_S * 1e9
        return is_old and (entry is None or entry.state != "unreadable")

    def _report(self, *, force: bool = False) -> None:
        """Tell the daemon how far the scan is, and up to which number its orders are done."""
        now = time.monotonic()
        if force or now - self._reported >= REPORT_S:
            self._reported = now
            done = min(self._scans_due) - 1 if self._scans_due else self._ordered
            told = self._progress.told() if self._progress else {}
            told |= {"done": done, "retention": self._retention}
            told["sight"] = msgspec.to_builtins(self._events.sight)
            request = Admin(action="capture_report", arguments=told)
            self._persist(lambda: self._client.request(request))

    def _check(self) -> None:
        """Have the daemon look whether what was read gave what it should."""
        self._persist(lambda: self._client.request(Admin(action="capture_check")))

    # ----- keeping up: what is the hint

    def _keep_up(self) -> None:
        """Handle hints until the next scan is due."""
        while True:
            now = time.monotonic()
            active = now - self._last_event < ACTIVE_S or self._events.is_partial
            every = self._settings.rescan_active_s if active else self._settings.rescan_idle_s
            due = self._last_scan + (self._settings.rescan_idle_s if self._settled else every)
            settle = min([*self._settling.values(), *self._pausing.values()], default=due)
            if now >= due:
                return
            self._take_hints(wait_s=max(min(due, settle) - now, 0))
            self._look_again()
            if self._last_scan == float("-inf"):
                return

    def _take_hints(self, wait_s: float) -> None:
        """Read what the hints name that are there now; those that come meanwhile wait."""
        for _ in range(max(self._hints.qsize(), 1)):
            if self._ended:
                raise Ended
            try:
                hint = self._hints.get(timeout=wait_s) if wait_s else self._hints.get_nowait()
            except queue.Empty:
                return
            wait_s = 0
            if self._ended:
                raise Ended
            if isinstance(hint, Order):
                self._obey(hint)
            else:
                self._follow(hint)

    def _obey(self, order: Order) -> None:
        """Do what the daemon ordered; a scan becomes due, the rest is done at once."""
        if order.what == "scan":
            self._last_scan = float("-inf")
            self._settled = False
            self._scans_due += [order.number] if order.number else []
        elif order.what == "read":
            self._follow([Path(order.argument)])
        elif order.what == "hook":
            event = told(order.argument)
            self._follow(event.paths)
            if event.records:
                self._persist(partial(self._ingest.note, event.records, event.folder))
        elif order.what == "rederive":
            for agent in AGENTS:
                if order.argument in {"", agent.name}:
                    self._persist(partial(self._rederive, agent))
            self._check()
        self._ordered = max(self._ordered, order.number)
        if order.what != "scan":
            self._report(force=True)

    def _follow(self, paths: list[Path]) -> None:
        now = time.monotonic()
        for path in paths:
            if path.is_dir():
                self._read_folder(path)
                continue
            found = source_of(self._roots, path)
            if found is not None:
                self._last_event = now
                self._hear_of(*found, now)

    def _hear_of(self, agent: Agent, source: Path, now: float) -> None:
        """Read a source that changed; one that is dear to read lets changes come together."""
        pause_s = agent.reader(source).pause_s
        if not pause_s:
            self._settling[source] = now + SETTLE_S
            self._read(agent, source)
        elif source not in self._pausing:
            self._pausing[source] = now + pause_s

    def _read_folder(self, folder: Path) -> None:
        """A folder that is new may hold files written before it was watched."""
        for agent, root in self._roots:
            if folder.is_relative_to(root) or root.is_relative_to(folder):
                for found in scan([(agent, folder)]):
                    if self._is_new(found):
                        self._last_event = time.monotonic()
                        self._hear_of(agent, found.path, self._last_event)

    def _look_again(self) -> None:
        now = time.monotonic()
        for path in [path for path, due in self._pausing.items() if due <= now]:
            del self._pausing[path]
            self._settling[path] = now + SETTLE_S
            self._read_again(path)
        for path in [path for path, due in self._settling.items() if due <= now]:
            del self._settling[path]
            self._read_again(path)

    def _read_again(self, path: Path) -> None:
        found = source_of(self._roots, path)
        if found is not None:
            self._read(*found)

    # ----- one file, whatever happens

    def _read(self, agent: Agent, path: Path) -> None:
        if path != self._reading:
            self._persist(lambda: self._ingest.read(agent, path))

    def _read_in_turn(self, found: Found, progress: Progress) -> None:
        """Read a file of a scan; what changes meanwhile does not wait for the end of a large one."""

        def between(read_bytes: int) -> None:
            progress.stretch(read_bytes)
            self._report()
            self._ingest.between = go_on
            self._take_hints(wait_s=0)
            self._ingest.between = between

        unread_bytes = self._unread_bytes(found)
        self._reading, self._ingest.between = found.path, between
        try:
            self._persist(lambda: self._ingest.read(found.agent, found.path))
        finally:
            self._reading, self._ingest.between = None, go_on
        progress.read(unread_bytes)

    def _persist(self, step: Callable[[], object]) -> None:
        """Do a step; wait for a daemon that is away or busy, give up on what it refuses."""
        while True:
            try:
                step()
            except Refused as refusal:
                if not refusal.retryable:
                    log.error("a transcript was refused: %s", refusal.code)
                    self._back_off_s = BACK_OFF_FIRST_S
                    return
            except Unreachable:
                pass
            except Exception as error:
                # Whatever one file does to the code that reads it, the others are read.
                log.error("a transcript was not taken: %s", type(error).__name__)
                return
            else:
                self._back_off_s = BACK_OFF_FIRST_S
                return
            self._pause()

    def _pause(self) -> None:
        until = time.monotonic() + self._back_off_s
        self._back_off_s = min(self._back_off_s * 2, BACK_OFF_MAX_S)
        while (left := until - time.monotonic()) > 0:
            if self._ended:
                raise Ended
            try:
                hint = self._hints.get(timeout=left)
            except queue.Empty:
                return
            if isinstance(hint, Order):
                self._hints.put(hint)
            else:
                self._settling |= {path: time.monotonic() for path in hint}
        if self._ended:
            raise Ended
