"""The watcher as the daemon sees it: a child process, restarted with back-off when it dies.

The child reads commands on its standard input, one a line, and ends when that closes: it cannot
outlive the daemon, however the daemon ends. It reports its progress through the socket like any
client.
"""

import logging
import os
import sys
import time
from collections.abc import Callable
from typing import Any

import anyio
from anyio.abc import Process

from steno_schema.paths import Paths

BACK_OFF_FIRST_S = 1.0
BACK_OFF_MAX_S = 60.0
HEALTHY_AFTER_S = 60.0
ORDERS_MAX = 256

log = logging.getLogger("stenod.watcher")


class Watcher:
    """Runs ``python -m steno.capture`` for as long as the daemon lives."""

    def __init__(self, paths: Paths, *, enabled: bool) -> None:
        self._paths = paths
        self.enabled = enabled
        self._process: Process | None = None
        self._commands: list[str] = []
        self._wake = anyio.Event()
        self._report: dict[str, Any] = {}
        self._orders = 0
        self._renewing = False
        self._waiting: list[tuple[int, Callable[[], None]]] = []
        self.restarts = 0
        self.sight: dict[str, Any] = {}
        """How well the watcher sees changes, as it says."""
        self.retention: list[dict[str, Any]] = []
        """What each agent deletes by itself, as the watcher read in its settings."""

    @property
    def running(self) -> bool:
        return self._process is not None

    def state(self) -> dict[str, Any]:
        """Return whether capture is on and what the watcher last said."""
        return {
            "enabled": self.enabled,
            "running": self.running,
            "pid": None if self._process is None else self._process.pid,
            "restarts": self.restarts,
            "backfill": self.backfill(),
            "sight": self.sight,
        }

    def backfill(self) -> dict[str, Any]:
        """Return how far the first reading is, as the watcher last reported it."""
        state = "scanning" if self.enabled else "off"
        empty = {"files_total": 0, "files_done": 0, "bytes_total": 0, "bytes_done": 0}
        return {"state": state, "newest_ready": not self.enabled} | empty | self._report

    def reported(self, report: dict[str, Any]) -> None:
        """Take the watcher's report of its progress, and what it found out."""
        self.retention = report.pop("retention", self.retention)
        self.sight = report.pop("sight", self.sight)
        self._report = {str(name): value for name, value in list(report.items())[:20]}
        done = report.get("done")
        if isinstance(done, int):
            finished = [told for number, told in self._waiting if number <= done]
            self._waiting = [each for each in self._waiting if each[0] > done]
            for told in finished:
                told()

    def order(self, what: str, argument: str = "", told: Callable[[], None] | None = None) -> None:
        """Have the watcher ``scan``, ``read`` a path or ``rederive`` an agent's kept bytes.

        ``told`` is called when it has; after a restart of the watcher, when that one has scanned.
        """
        self._orders += 1
        if told is not None:
            self._waiting.append((self._orders, told))
        self._commands.append(f"{what} {self._orders} {argument}".strip())
        self._wake.set()

    @property
    def is_far_behind(self) -> bool:
        """Tell whether more orders wait than a watcher that works would leave."""
        return len(self._commands) > ORDERS_MAX

    def reconfigure(self, *, enabled: bool) -> None:
        """Have another child go on, with the settings as they are in the file by now."""
        self.enabled = enabled
        self._renewing = True
        if not enabled:
            self._commands.clear()
            waiting, self._waiting = self._waiting, []
            for _, told in waiting:
                told()
        self._wake.set()

    async def run(self) -> None:
        """Keep the child alive until cancelled, as long as capture is on."""
        back_off_s = BACK_OFF_FIRST_S
        while True:
            while not self.enabled:
                self._wake = anyio.Event()
                await self._wake.wait()
            self._renewing = False
            started = time.monotonic()
            code = await self._run_once()
            self._report = {}
            if self._waiting:
                self._commands.append(f"scan {self._orders}")
            if self._renewing:
                back_off_s = BACK_OFF_FIRST_S
                continue
            self.restarts += 1
            if time.monotonic() - started > HEALTHY_AFTER_S:
                back_off_s = BACK_OFF_FIRST_S
            log.warning("the watcher ended with %s; again in %.0f s", code, back_off_s)
            await anyio.sleep(back_off_s)
            back_off_s = min(back_off_s * 2, BACK_OFF_MAX_S)

    async def _run_once(self) -> int | None:
        environment = dict(os.environ)
        environment["STENO_WATCHER_SOCKET"] = str(self._paths.socket)
        if self._paths.private:
            environment["STENO_HOME"] = str(self._paths.data)
        process = await anyio.open_process(
            [sys.executable, "-P", "-m", "steno.capture"],
            stdin=-1,
            stdout=None,
            stderr=None,
            env=environment,
        )
        self._process = process
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(self._send_commands, process)
                await process.wait()
                group.cancel_scope.cancel()
            return process.returncode
        finally:
            self._process = None
            with anyio.CancelScope(shield=True):
                if process.returncode is None:
                    process.terminate()
                    with anyio.move_on_after(5):
                        await process.wait()
                    if process.returncode is None:
                        process.kill()
                await process.aclose()

    async def _send_commands(self, process: Process) -> None:
        assert process.stdin is not None
        while True:
            self._wake = anyio.Event()
            while self._commands and not self._renewing:
                line = self._commands.pop(0)
                try:
                    await process.stdin.send(os.fsencode(line) + b"\n")
                except (anyio.BrokenResourceError, anyio.ClosedResourceError):
                    return
            if self._renewing:
                await process.stdin.aclose()
                return
            await self._wake.wait()
