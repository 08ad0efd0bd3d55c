"""Read a file of lines that its agent compressed (``.zst``): its bytes are those of the plain file.

The cursor, the hashes and the kept bytes are the plain file's, so that reading goes on where it
stood when the file was still plain. Memory stays small: the bytes go through a file without a name.
"""

import os
import tempfile
from pathlib import Path

from msgspec import Struct

from steno.capture.compression import plain_blocks
from steno.capture.source import Identity, Look, NotYet, Source, Unreadable, now_ns, settled
from steno.capture.tail import Tail, look_of

SUFFIX = ".zst"
BLOCK_BYTES = 1024 * 1024
PLAIN_MAX_BYTES = 8 * 1024 * 1024 * 1024
"""A file that claims to be larger is a bomb, not a transcript."""
SETTLED_S = 60.0
"""A file that ends in the middle is being written, unless it was written last so long ago."""


def plain_name(path: Path) -> Path:
    """Return the path that a compressed file had before, or ``path`` itself."""
    return path.with_suffix("") if path.suffix == SUFFIX else path


def is_superseded(path: Path) -> bool:
    """Tell whether a file is the compressed twin of a plain one, which goes first."""
    return path.suffix == SUFFIX and path.with_suffix("").is_file()


class Decompressed(Tail):
    """An opened compressed file: the plain bytes, and the look of the file they came from."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._packed = self.stat
        packed, self._descriptor = self._descriptor, -1
        try:
            self._descriptor = _decompressed(packed, self._packed)
        finally:
            os.close(packed)
        self.stat = os.fstat(self._descriptor)

    @property
    def look(self) -> Look:
        """What the compressed file looked like when it was opened."""
        return look_of(self._packed)

    @property
    def settled_mtime_ns(self) -> int:
        """When the compressed file was written last; 0 as long as it could be again unseen."""
        return settled(self._packed.st_mtime_ns, self._opened_ns)

    def identity(self, offset: int) -> Identity:
        """Return who the file is: where it is by itself, what was read by its plain bytes."""
        identity = super().identity(offset)
        identity.device, identity.inode = self._packed.st_dev, self._packed.st_ino
        return identity


def _decompressed(packed: int, status: os.stat_result) -> int:
    """Return a descriptor of the plain bytes; raise ``NotYet`` or ``Unreadable``."""
    with tempfile.TemporaryFile() as plain:
        size = 0
        try:
            with open(packed, "rb", closefd=False) as file:
                for block in plain_blocks(file, BLOCK_BYTES):
                    size += len(block)
                    if size > PLAIN_MAX_BYTES:
                        raise Unreadable(0, "is larger than a transcript can be")
                    plain.write(block)
        except ValueError as error:
            if now_ns() - status.st_mtime_ns < SETTLED_S * 1e9:
                raise NotYet(0, "is being written") from error
            raise Unreadable(0, "is no whole compressed file") from error
        plain.flush()
        return os.dup(plain.fileno())


class CompressedLines(Struct, frozen=True):
    """The reader of compressed files of lines."""

    pause_s: float = 0.0

    def look(self, path: Path) -> Look:
        """Return what the file looks like in its folder."""
        return look_of(path.lstat())

    def open(self, path: Path) -> Source:
        """Open a file; raise ``Unreadable`` if it is none, ``NotYet`` if it is being written."""
        return Decompressed(path)


COMPRESSED_LINES = CompressedLines()
