"""A daemon in this process, for tests that change its limits or look into it.

Such a test must not open the database file by other means: SQLite's locks belong to a process.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import anyio
from anyio.abc import TaskStatus

from steno_schema import config
from steno_schema.config import Settings
from steno_schema.paths import resolve
from stenod.daemon import Daemon
from support.running import READY_TIMEOUT_S, STOP_TIMEOUT_S


class QuietDaemon(Daemon):
    """A daemon that leaves the process's signals alone and says when it serves."""

    ready: threading.Event

    async def _signals(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        task_status.started()
        self.ready.set()
        await anyio.sleep_forever()


@contextmanager
def serving(home: Path) -> Iterator[QuietDaemon]:
    """Run a daemon without capture in a thread, until the block ends."""
    home.mkdir(mode=0o700)
    paths = resolve({}, home=home)
    paths.spool.mkdir(mode=0o700)
    ready = threading.Event()
    running: list[QuietDaemon] = []
    loaded = config.Loaded(Settings(), {})

    async def serve() -> None:
        daemon = QuietDaemon(paths, loaded, capture=False)
        daemon.ready = ready
        running.append(daemon)
        await daemon.run()

    thread = threading.Thread(target=anyio.run, args=(serve,), name="daemon")
    thread.start()
    assert ready.wait(READY_TIMEOUT_S)
    try:
        yield running[0]
    finally:
        running[0].stop_from_elsewhere()
        thread.join(STOP_TIMEOUT_S)
        assert not thread.is_alive()
