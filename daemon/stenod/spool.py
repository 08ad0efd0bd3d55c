"""Taking in the spool: what clients wrote while no daemon answered.

Files are taken in the order of their names. One is removed only after the commit that holds its
records, and the folder is synced after that; taking one in twice is harmless, because ids are the
sender's. What cannot be read is set aside and counted, and never blocks what comes after it.
"""

import errno
import logging
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import msgspec

from steno_schema.paths import Paths
from steno_schema.replies import AnyReply, Error
from steno_schema.requests import Append
from steno_schema.spool import SUFFIX, TornRecord, unpack
from stenod import failpoints
from stenod.traces import place_of

RETRY_S = 5.0
_FOR_LATER = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EINTR})
"""What is wrong with the moment, not with the file."""

log = logging.getLogger("stenod.spool")
_decoder = msgspec.msgpack.Decoder(Append)


class Spool:
    """Drains the spool folder into the writer."""

    def __init__(self, paths: Paths, write: Callable[[Append, int], Awaitable[AnyReply]]) -> None:
        self._folder = paths.spool
        self._quarantine = paths.quarantine
        self._write = write
        self._wake = anyio.Event()
        self._told: list[Callable[[], None]] = []
        self.taken = 0
        self.set_aside = 0

    def state(self) -> dict[str, Any]:
        """Return how many files wait, and what became of others."""
        waiting = [name for name in _names(self._folder) if name.endswith(SUFFIX)]
        aside = _names(self._quarantine)
        return {"waiting": len(waiting), "taken": self.taken, "quarantined": len(aside)}

    def wake(self, told: Callable[[], None] | None = None) -> None:
        """Look at the folder now; ``told`` is called when all of it was gone through."""
        if told is not None:
            self._told.append(told)
        self._wake.set()

    async def run(self) -> None:
        """Drain for as long as the daemon lives; waits to be woken in between."""
        while True:
            self._wake = anyio.Event()
            waiting, self._told = self._told, []
            try:
                drained = await self._drain()
            except OSError as error:
                log.error("the spool could not be gone through: %s", place_of(error))
                drained = False
            for told in waiting:
                told()
            if drained:
                await self._wake.wait()
            else:
                with anyio.move_on_after(RETRY_S):
                    await self._wake.wait()

    async def _drain(self) -> bool:
        """Take in everything there is; ``False`` when something must be tried again later."""
        removed = False
        try:
            for name in sorted(_names(self._folder)):
                if name.endswith(SUFFIX):
                    if not await self._take(self._folder / name):
                        return False
                    removed = True
        finally:
            if removed:
                _sync_folder(self._folder)
        return True

    async def _take(self, path: Path) -> bool:
        try:
            data = _read(path)
            request = _decoder.decode(unpack(data))
        except FileNotFoundError:
            return True
        except OSError as error:
            if error.errno in _FOR_LATER:
                return False
            self._set_aside(path, type(error).__name__)
            return True
        except (TornRecord, ValueError, RecursionError) as error:
            self._set_aside(path, type(error).__name__)
            return True
        reply = await self._write(request, len(data))
        if isinstance(reply, Error):
            if reply.retryable:
                return False
            self._set_aside(path, reply.code)
            return True
        failpoints.hit("spool.before_unlink")
        _remove(path)
        self.taken += 1
        return True

    def _set_aside(self, path: Path, reason: str) -> None:
        log.warning("spool file %s was set aside: %s", path.name, reason)
        self._quarantine.mkdir(mode=0o700, exist_ok=True)
        try:
            path.rename(self._quarantine / path.name)
        except OSError:
            log.exception("spool file %s could not be set aside", path.name)
        self.set_aside += 1


def _names(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _read(path: Path) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        return file.read()


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
