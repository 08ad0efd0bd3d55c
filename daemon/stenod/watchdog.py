"""The supervisor's watchdog, fed by a write and a read that really went through.

A pulse from the event loop would go on while the writer hangs in a dead disk. What is refused (a
full disk, say) is an answer: a restart would mend nothing.
"""

import asyncio
import os
from functools import partial
from typing import TYPE_CHECKING

import anyio

from steno_schema.replies import AnyReply, Done
from steno_schema.requests import Admin
from stenod import instance
from stenod.inbox import Job
from stenod.outbox import settle
from stenod.readers import ReadJob

if TYPE_CHECKING:
    from stenod.daemon import Daemon

FEEDS_PER_TIMEOUT = 2


def interval_s(environ: dict[str, str] | None = None) -> float | None:
    """Return how often to feed, ``None`` when nobody watches (``WATCHDOG_USEC``, sd_watchdog(3))."""
    env = dict(os.environ) if environ is None else environ
    usec = env.get("WATCHDOG_USEC", "")
    watched = env.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
    if not watched or not usec.isdigit() or not int(usec):
        return None
    return int(usec) / 1e6 / FEEDS_PER_TIMEOUT


async def feed(daemon: "Daemon") -> None:
    """Feed for as long as the daemon runs; a writer or reader that hangs ends the feeding."""
    every_s = interval_s()
    if every_s is None:
        return
    seen = -1
    while True:
        seen = await probe(daemon, seen)
        instance.notify("WATCHDOG=1")
        await anyio.sleep(every_s)


async def probe(daemon: "Daemon", seen: int) -> int:
    """Return once a write and a read were answered; return the newest change.

    Nothing is written if something was committed since ``seen``: that was proof enough.
    """
    head = daemon.writer.progress.head
    if head == seen:
        await _answered(daemon, on_writer=True)
    await _answered(daemon, on_writer=False)
    return head


async def _answered(daemon: "Daemon", *, on_writer: bool) -> None:
    answer: asyncio.Future[AnyReply] = asyncio.get_running_loop().create_future()
    deliver = daemon.on_loop(partial(settle, answer))
    if on_writer:
        queued = daemon.writer.inbox.put(Job(Admin(action="probe"), 0, deliver))
    else:
        queued = daemon.readers.put(ReadJob(0, lambda _connection: Done(), deliver))
    if queued:  # a full queue is one that moves, or nothing could have filled it
        await answer
