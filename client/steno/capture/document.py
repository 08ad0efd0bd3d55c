"""Files that are written anew as a whole at each change: session documents, exports.

A program that rewrites a file in place empties it first, so it may be met torn. A torn document
is left for later as long as its writer may still be at it; after that it is unreadable.
"""

import os
import stat
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from steno.capture.snapshot import Parts, Snapshot
from steno.capture.source import Look, NotYet, Source, Unreadable, now_ns

DOCUMENT_MAX_BYTES = 256 * 1024 * 1024
"""A document is taken apart in memory; a larger one is reported as unreadable."""
WRITING_NS = 10_000_000_000
"""Whoever empties a file to write it anew has written it this long after."""
_ATTEMPTS = 5

Cut = Callable[[bytes], Parts]
"""Cuts the bytes of a document into its units; raises ``ValueError`` when they are no whole one."""


class Document(Struct, frozen=True):
    """The reader of documents that ``cut`` takes apart."""

    cut: Cut
    pause_s: float = 0.0

    def look(self, path: Path) -> Look:
        """Return what the file looks like in its folder."""
        return look_at(path)

    def open(self, path: Path) -> Source:
        """Return a file as it is now."""
        return Snapshot(look_at(path), lambda: self._parts(path))

    def _parts(self, path: Path) -> Parts:
        data, mtime_ns = read_whole(path)
        if not data.strip():
            raise NotYet
        try:
            return self.cut(data)
        except (ValueError, RecursionError) as error:
            if now_ns() - mtime_ns < WRITING_NS:
                raise NotYet from error
            raise Unreadable(0, "is no whole document", str(path)) from error


def look_at(path: Path) -> Look:
    """Return what a regular file looks like in its folder; links are not followed."""
    found = path.lstat()
    if not stat.S_ISREG(found.st_mode):
        raise Unreadable(0, "is no regular file", str(path))
    return Look(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)


def read_whole(path: Path) -> tuple[bytes, int]:
    """Return what is in a file and when it was written; not what two writes left together."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    descriptor = os.open(path, flags)
    with os.fdopen(descriptor, "rb") as file:
        for _ in range(_ATTEMPTS):
            before = os.fstat(descriptor)
            if not stat.S_ISREG(before.st_mode):
                raise Unreadable(0, "is no regular file", str(path))
            if before.st_size > DOCUMENT_MAX_BYTES:
                raise Unreadable(0, "is too large", str(path))
            file.seek(0)
            data = file.read(DOCUMENT_MAX_BYTES + 1)
            after = os.fstat(descriptor)
            if (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns):
                return data, after.st_mtime_ns
    raise NotYet
