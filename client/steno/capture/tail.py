"""Read what is new in one file: whole lines from a cursor on, and who the file is.

A file is known by what was read of it, not by its inode: the hash of its head and of the bytes
right before the cursor. If they still stand there, reading goes on; if not, the file was
rewritten and is read again from its start as a new generation (ids keep records from doubling).
"""

import hashlib
import os
import stat
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Self

import msgspec
from msgspec import Struct

from steno.capture.source import Batch, Identity, Look, Source, Unreadable, settled
from steno_schema.limits import TRANSCRIPT_LINE_MAX_BYTES

HEAD_MAX_BYTES = 4096
TAIL_MAX_BYTES = 1024
BATCH_BYTES = 1024 * 1024
"""Bytes of whole lines in one append: large enough for good compression, small enough that a
file of any size is read in constant memory."""
CUT_WITHIN_BYTES = 64 * 1024
"""A line that is too long is cut where a value ends if one does so near the end of the block: a
secret that stands across two blocks would be found in neither."""

_NEWLINE = ord("\n")
_any_json = msgspec.json.Decoder(msgspec.Raw)


class Tail:
    """An open file. Never follows a link, never blocks on a pipe, closes when left."""

    def __init__(self, path: Path) -> None:
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        try:
            self._descriptor = os.open(path, flags)
        except OSError as error:
            raise Unreadable(error.errno, "cannot be opened", str(path)) from error
        self.stat = os.fstat(self._descriptor)
        self._opened_ns = time.time_ns()
        if not stat.S_ISREG(self.stat.st_mode):
            os.close(self._descriptor)
            raise Unreadable(0, "is no regular file", str(path))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        os.close(self._descriptor)

    @property
    def look(self) -> Look:
        """What the file looked like when it was opened."""
        return look_of(self.stat)

    @property
    def settled_mtime_ns(self) -> int:
        """When the file was written last; 0 as long as another write could have the same time."""
        return settled(self.stat.st_mtime_ns, self._opened_ns)

    def is_whole(self, offset: int) -> bool:
        """Tell whether the file is read to the end it had when it was opened."""
        return offset >= self.stat.st_size

    def members(self) -> Iterable[tuple[str, Source]]:
        """A file of lines has nothing inside that is a source of its own."""
        return ()

    def is_same(self, known: Identity, offset: int) -> bool:
        """Tell whether what was read up to ``offset`` still stands in the file."""
        if self.stat.st_size < offset:
            return False
        head = self._hash(0, known.head_bytes)
        tail = self._hash(offset - known.tail_bytes, known.tail_bytes)
        return head == known.head_hash and tail == known.tail_hash

    def identity(self, offset: int) -> Identity:
        """Return who the file is once it is read up to ``offset``."""
        head_bytes = min(offset, HEAD_MAX_BYTES)
        tail_bytes = min(offset, TAIL_MAX_BYTES)
        return Identity(
            device=self.stat.st_dev,
            inode=self.stat.st_ino,
            head_hash=self._hash(0, head_bytes),
            head_bytes=head_bytes,
            tail_hash=self._hash(offset - tail_bytes, tail_bytes),
            tail_bytes=tail_bytes,
        )

    def _hash(self, start: int, size: int) -> str:
        if size == 0:
            return ""
        data = os.pread(self._descriptor, size, start)
        return hashlib.blake2b(data, digest_size=16).hexdigest()

    def batches(
        self, offset: int, *, in_oversized: bool = False, seen: bytes = b""
    ) -> Iterator[Batch]:
        """Yield what is new from ``offset`` on; a torn last line is left for later.

        ``in_oversized`` says that ``offset`` stands inside a line that is too long.
        """
        del seen  # where the file is read to says everything
        start = offset
        pending = bytearray()
        while True:
            block = os.pread(self._descriptor, BATCH_BYTES, start + len(pending))
            at_end = not block
            if in_oversized:
                size = _stretch_of(block)
                if not size:
                    return
                in_oversized = block[size - 1] != _NEWLINE
                yield _oversized(start, block[:size])
                start += size
                continue
            cut = block.rfind(b"\n") + 1
            cut = cut + len(pending) if cut else 0
            pending += block
            if at_end:
                cut = len(pending) if _is_whole_object(pending) else 0
            if _begins_too_long(pending):
                in_oversized = True
                pending.clear()
                continue
            if cut:
                data = bytes(pending[:cut])
                del pending[:cut]
                yield Batch(start, start + cut, data, _lines(data))
                start += cut
            if at_end:
                return


def _begins_too_long(pending: bytearray) -> bool:
    """Tell whether the first line, whole or torn, is too long; others lie within one block."""
    if len(pending) <= TRANSCRIPT_LINE_MAX_BYTES:
        return False
    return pending.find(b"\n", 0, TRANSCRIPT_LINE_MAX_BYTES + 1) < 0


def _stretch_of(block: bytes) -> int:
    """Return how much of a block of a line that is too long is taken now; 0: wait for more."""
    end = block.find(b"\n") + 1
    if end or len(block) < BATCH_BYTES:
        return end
    cut = block.rfind(b'",', len(block) - CUT_WITHIN_BYTES) + 2
    return cut if cut > 1 else len(block)


def _oversized(start: int, data: bytes) -> Batch:
    ends_line = data.endswith(b"\n")
    return Batch(start, start + len(data), data, [], len(data), ends_line=ends_line)


def _lines(data: bytes) -> list[bytes]:
    return [line for line in data.split(b"\n") if line and not line.isspace()]


def _is_whole_object(data: bytearray) -> bool:
    """Tell whether a last line without its newline is complete all the same.

    No beginning of a JSON object is a JSON object, so one that decodes cannot be torn.
    """
    if not data.rstrip().endswith(b"}"):
        return False
    try:
        _any_json.decode(bytes(data))
    except (ValueError, RecursionError):
        return False
    return True


def look_of(found: os.stat_result) -> Look:
    """Return the look of a file."""
    return Look(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)


class Lines(Struct, frozen=True):
    """The reader of files that lines are appended to."""

    pause_s: float = 0.0

    def look(self, path: Path) -> Look:
        """Return what the file looks like in its folder; whether it is one, reading says."""
        return look_of(path.lstat())

    def open(self, path: Path) -> Source:
        """Open a file; raise ``Unreadable`` if it is no regular one."""
        return Tail(path)


LINES = Lines()
