"""Read what is new in one file: whole lines from a cursor on, and who the file is.

A file is known by what was read of it, not by its inode: the hash of its head and of the bytes
right before the cursor. If they still stand there, reading goes on; if not, the file was
rewritten and is read again from its start as a new generation (ids keep records from doubling).
"""

import hashlib
import os
import stat
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
        if not stat.S_ISREG(self.stat.st_mode):
            os.close(self._descriptor)
            raise Unreadable(0, "is no regular file", str(path))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        os.close(self._descriptor)

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
                batch, in_oversized = _skip(start, block)
                if batch is None:
                    return
                start = batch.end
                yield batch
                continue
            cut = block.rfind(b"\n") + 1
            cut = cut + len(pending) if cut else 0
            pending += block
            if at_end:
                cut = len(pending) if _is_whole_object(pending) else 0
            if cut:
                data = bytes(pending[:cut])
                del pending[:cut]
                yield Batch(start, start + cut, data, _lines(data))
                start += cut
            if at_end:
                return
            if len(pending) > TRANSCRIPT_LINE_MAX_BYTES:
                data = bytes(pending)
                pending.clear()
                in_oversized = True
                yield Batch(start, start + len(data), data, [], len(data))
                start += len(data)


def _skip(start: int, block: bytes) -> tuple[Batch | None, bool]:
    """Return the next stretch of a line that is too long, and whether it goes on."""
    if not block:
        return None, True
    end = block.find(b"\n") + 1
    data = block[:end] if end else block
    batch = Batch(start, start + len(data), data, [], len(data), ends_line=bool(end))
    return batch, not end


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
