"""The interface between how a source grows and everything that reads it.

Whatever an agent writes, the ledger keeps a log of lines of it that only grows, so that cursors,
kept bytes, counts, parsers and ``rederive`` are the same for all. How new lines are found is the
business of a ``Reader``, one for each way of growing:

* ``tail.LINES``: a file that lines are appended to; its own bytes are the log.
* ``document.Document``: a file that is rewritten whole; what is new or differs in it is appended
  to the log (``snapshot``).
* ``tree.Tree``: many small files that together are one thing; each is a unit of its log.
* a database: a source without lines of its own, with ``members``: one source a session.
"""

import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol, Self

from msgspec import Struct

CLOCK_STEP_NS = 20_000_000
"""The longest step of a file system's clock that is reckoned with: twice a kernel's slowest tick."""


class Unreadable(OSError):
    """The path is no regular file of this user, cannot be opened, or holds nothing known."""


class NotYet(OSError):
    """A source is being written just now; what it holds is read when it is whole."""


class Look(Struct, frozen=True):
    """What tells at a glance whether a source changed. ``inode`` 0: it is no file of its own."""

    device: int = 0
    inode: int = 0
    size_bytes: int = 0
    mtime_ns: int = 0


class Identity(Struct, kw_only=True):
    """Who a source is: where it was, and the hashes of what was read."""

    device: int = 0
    inode: int = 0
    head_hash: str = ""
    head_bytes: int = 0
    tail_hash: str = ""
    tail_bytes: int = 0


class Batch(Struct):
    """A stretch [start, end) of the log and the whole lines in it.

    ``oversized_bytes`` counts the bytes of a line that is too long to be parsed; ``ends_line``
    tells whether that line ended here. ``seen`` is what the reader needs to go on after it.
    """

    start: int
    end: int
    data: bytes
    lines: list[bytes]
    oversized_bytes: int = 0
    ends_line: bool = False
    seen: bytes = b""


class Source(Protocol):
    """One opened source. Closed when left."""

    @property
    def look(self) -> Look:
        """What it looked like when it was opened."""
        ...

    @property
    def settled_mtime_ns(self) -> int:
        """When it was written last; 0 as long as it must be looked at again; see ``settled``."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *_exception: object) -> None: ...

    def is_same(self, known: Identity, offset: int) -> bool:
        """Tell whether the log goes on from ``offset``; if not, it begins anew."""
        ...

    def identity(self, offset: int) -> Identity:
        """Return who the source is once its log is read up to ``offset``."""
        ...

    def batches(self, offset: int, *, in_oversized: bool, seen: bytes) -> Iterator[Batch]:
        """Yield what is new from ``offset`` on, of which ``seen`` was left by the batch before.

        ``in_oversized`` says that ``offset`` stands inside a line that is too long.
        """
        ...

    def is_whole(self, offset: int) -> bool:
        """Tell whether a log that reaches ``offset`` has everything that was found."""
        ...

    def members(self) -> Iterable[tuple[str, "Source"]]:
        """Yield the sources inside of this one, each with a name that is unique in it.

        A member is read when its look is not the known one; its path is the container's and its
        name, as if that were a folder. One that is not yielded any more is gone.
        """
        ...


class Reader(Protocol):
    """How sources of one growth class are looked at and opened."""

    @property
    def pause_s(self) -> float:
        """How long changes are let come together before the source is read; 0: at once."""
        ...

    def look(self, path: Path) -> Look:
        """Return what ``path`` looks like now, at the price of a glance; ``OSError`` if gone."""
        ...

    def open(self, path: Path) -> Source:
        """Open a source; raise ``Unreadable`` if it is none, ``NotYet`` if it is being written."""
        ...


def settled(mtime_ns: int, opened_ns: int) -> int:
    """Return a time of writing, or 0 as long as another write could have the same time.

    File systems count time in steps; a file that is written twice within one, and read in
    between, would look unchanged if its size is the same.
    """
    return mtime_ns if opened_ns - mtime_ns > CLOCK_STEP_NS else 0


def now_ns() -> int:
    """Return the time that file systems stamp with."""
    return time.time_ns()
