"""Notice spool files that clients write while the daemon runs (it was busy, or slow)."""

import logging
from collections.abc import Callable
from pathlib import Path

import anyio
from watchfiles import awatch

from steno_schema.spool import SUFFIX
from stenod.traces import place_of

log = logging.getLogger("stenod.spoolwatch")

logging.getLogger("watchfiles").setLevel(logging.WARNING)

LOOK_ANYWAY_S = 60.0
"""Between two looks where the system cannot watch the folder."""
STEP_MS = 200
"""How often the watching thread looks whether it should end."""


async def watch_spool(folder: Path, wake: Callable[[], None]) -> None:
    """Call ``wake`` whenever a record appears in ``folder``, until cancelled.

    Where the system cannot watch (no watches are left, say), look now and then instead.
    """
    try:
        await _watch(folder, wake)
    except* Exception as problems:
        log.warning("the spool cannot be watched: %s", place_of(problems.exceptions[0]))
    while True:
        await anyio.sleep(LOOK_ANYWAY_S)
        wake()


async def _watch(folder: Path, wake: Callable[[], None]) -> None:
    stop = anyio.Event()
    async with anyio.create_task_group() as group:
        group.start_soon(_set_when_cancelled, stop)
        async for changes in awatch(
            folder, recursive=False, step=STEP_MS, rust_timeout=0, stop_event=stop
        ):
            if any(path.endswith(SUFFIX) for _change, path in changes):
                wake()


async def _set_when_cancelled(stop: anyio.Event) -> None:
    """The watching thread cannot be cancelled, only asked to end."""
    try:
        await anyio.sleep_forever()
    finally:
        stop.set()
