"""Tracking that failed: said once in the log, counted in a small file that ``steno doctor`` reads.

Only the kind of an error is kept. Its text could hold a piece of a prompt.
"""

import os
import time
from collections import Counter, deque
from collections.abc import Iterator
from pathlib import Path

import msgspec
from msgspec import Struct

from steno_schema.limits import KIB
from steno_schema.paths import Paths
from steno_schema.times import format_ms

FILE = "tracking-failures.jsonl"
FILE_MAX_BYTES = 256 * KIB
"""A file that grew larger becomes the older one, of which one is kept."""
NOTED_MAX = 100_000
LOGGER = "steno.tracking"


class Failure(Struct, frozen=True, kw_only=True):
    """So many failures of one kind in one process, written down at a time (ISO, UTC)."""

    at: str
    pid: int
    kind: str
    count: int


class Failures:
    """Counts failures of this process; nothing here raises or waits for a lock."""

    def __init__(self, paths: Paths) -> None:
        self._path = file_of(paths)
        self._noted: deque[str] = deque(maxlen=NOTED_MAX)
        self._told = False
        self.count = 0

    def note(self, error: BaseException | str) -> None:
        """Count a failure; the first of this process is also logged, by its kind."""
        kind = error if isinstance(error, str) else type(error).__name__
        self._noted.append(kind[:100])
        self.count += 1
        if not self._told:
            self._told = True
            import logging  # most processes never need it

            logging.getLogger(LOGGER).warning(
                "a prompt was not recorded (%s); 'steno doctor' counts further ones", kind[:100]
            )

    def write(self) -> None:
        """Append what was counted since the last time to the file; later, if it cannot be."""
        counts: Counter[str] = Counter()
        while self._noted:
            counts[self._noted.popleft()] += 1
        if not counts:
            return
        try:
            _append(self._path, counts)
        except OSError:
            self._noted.extend(counts.elements())


def file_of(paths: Paths) -> Path:
    """Return where failures are counted: beside the daemon's log."""
    return paths.log.parent / FILE


def read(paths: Paths) -> Iterator[Failure]:
    """Yield what was written down, oldest first; a damaged line is left out."""
    newest = file_of(paths)
    for path in (_older(newest), newest):
        try:
            lines = path.read_bytes().splitlines()
        except OSError:
            continue
        for line in lines:
            try:
                yield msgspec.json.decode(line, type=Failure)
            except (msgspec.MsgspecError, UnicodeDecodeError):
                continue


def _append(path: Path, counts: Counter[str]) -> None:
    """One write of whole lines: other processes' lines stay whole beside it."""
    now = format_ms(time.time_ns() // 1_000_000)
    lines = [
        msgspec.json.encode(Failure(at=now, pid=os.getpid(), kind=kind, count=count)) + b"\n"
        for kind, count in counts.items()
    ]
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(path, flags, 0o600)
    try:
        os.write(descriptor, b"".join(lines))
        size_bytes = os.fstat(descriptor).st_size
    finally:
        os.close(descriptor)
    if size_bytes > FILE_MAX_BYTES:
        path.replace(_older(path))


def _older(path: Path) -> Path:
    return path.with_name(f"{path.name}.1")
