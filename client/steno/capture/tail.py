"""Read what is new in one file: whole lines from a cursor on, and who the file is.

A file is known by what was read of it, not by its inode: the hash of its head and of the bytes
right before the cursor. If they still stand there, reading goes on; if not, the file was
rewritten and is read again from its start as a new generation (ids keep records from doubling).
"""

import hashlib
import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import msgspec
from msgspec import Struct

from steno_schema.limits import TRANSCRIPT_LINE_MAX_BYTES

HEAD_MAX_BYTES = 4096
TAIL_MAX_BYTES = 1024
BATCH_BYTES = 1024 * 1024
"""Bytes of whole lines in one append: large enough for good compression, small enough that a
file of any size is read in constant memory."""
CUT_WITHIN_BYTES = 64 * 1024
"""A line that is too long is cut where a value ends if one does so near the end of the block: a
secret that stands across two blocks would be found in neither."""

CLOCK_STEP_NS = 20_000_000
"""The longest step of a file system's clock that is reckoned with: twice a kernel's slowest tick."""

_NEWLINE = ord("\n")
_any_json = msgspec.json.Decoder(msgspec.Raw)


class Unreadable(OSError):
    """The path is no regular file of this user, or cannot be opened."""


class Identity(Struct, kw_only=True):
    """Who a file is: where it was, and the hashes of what was read."""

    device: int = 0
    inode: int = 0
    head_hash: str = ""
    head_bytes: int = 0
    tail_hash: str = ""
    tail_bytes: int = 0


class Batch(Struct):
    """A stretch [start, end) of the file and the whole lines in it.

    ``oversized_bytes`` counts the bytes of a line that is too long to be parsed; ``ends_line``
    tells whether that line ended here.
    """

    start: int
    end: int
    data: bytes
    lines: list[bytes]
    oversized_bytes: int = 0
    ends_line: bool = False


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
    def settled_mtime_ns(self) -> int:
        """When the file was written last; 0 as long as another write could have the same time.

        File systems count time in steps; a file that is written twice within one, and read in
        between, would look unchanged if its size is the same.
        """
        mtime_ns = self.stat.st_mtime_ns
        return mtime_ns if self._opened_ns - mtime_ns > CLOCK_STEP_NS else 0

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

    def batches(self, offset: int, *, in_oversized: bool = False) -> Iterator[Batch]:
        """Yield what is new from ``offset`` on; a torn last line is left for later.

        ``in_oversized`` says that ``offset`` stands inside a line that is too long.
        """
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
