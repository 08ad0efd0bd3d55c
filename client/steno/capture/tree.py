"""Trees of small files that together are one thing: a session with a file a message and part.

The source is one of the files, the session's own; which others belong to it the agent says. Each
file is a unit of the session's log.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

from steno.capture.document import look_at, read_whole
from steno.capture.snapshot import Parts, Snapshot, Unit, token_of
from steno.capture.source import Look, NotYet, Source, now_ns, settled

Files = Callable[[Path], Iterable[tuple[str, Path]]]
"""Yields the files of a source with their keys, in the order in which they are to be read; by
their names only, so that a glance at 20,000 of them stays cheap."""
Line = Callable[[str, bytes], bytes]
"""Makes the log's line of a file from its key and bytes; raises ``ValueError`` if it is torn."""

REMEMBERED_MAX = 50_000


class Tree:
    """The reader of such sessions.

    It remembers what each file held when it was read, so that of a session that grows only the
    files that changed are read. A new process reads a session's files once more when it changes.
    """

    pause_s = 0.25

    def __init__(self, files: Files, line: Line) -> None:
        self._files = files
        self._line = line
        self._tokens: dict[Path, tuple[Look, bytes]] = {}

    def look(self, path: Path) -> Look:
        """Return the size of all the files together, and when the newest was written."""
        return _together(look_at(path), (look for _, _, look in self._looks(path)))

    def open(self, path: Path) -> Source:
        """Return a session's files as they are now."""
        own = look_at(path)
        looks = list(self._looks(path))
        look = _together(own, (look for _, _, look in looks))
        return Snapshot(look, lambda: Parts(path.stem, self._units(looks)))

    def _looks(self, path: Path) -> Iterator[tuple[str, Path, Look]]:
        for key, file in self._files(path):
            try:
                yield key, file, look_at(file)
            except OSError:
                continue

    def _units(self, looks: list[tuple[str, Path, Look]]) -> Iterator[Unit]:
        for key, file, look in looks:
            known = self._tokens.get(file)
            if known is not None and known[0] == look:
                yield Unit(key, known[1], partial(self._line_of, key, file))
            else:
                opened_ns = now_ns()
                token, line = self._read(key, file)
                if settled(look.mtime_ns, opened_ns):
                    self._remember(file, look, token)
                yield Unit(key, token, partial(_same, line))

    def _line_of(self, key: str, file: Path) -> bytes | None:
        return self._read(key, file)[1]

    def _read(self, key: str, file: Path) -> tuple[bytes, bytes | None]:
        """Return what tells a file's content from another, and its line; none while it is torn."""
        try:
            data = read_whole(file)[0]
            return token_of(data), self._line(key, data)
        except (OSError, ValueError, RecursionError, NotYet):
            return b"", None

    def _remember(self, file: Path, look: Look, token: bytes) -> None:
        if len(self._tokens) >= REMEMBERED_MAX:
            self._tokens.clear()
        self._tokens[file] = look, token


def _same(line: bytes | None) -> bytes | None:
    return line


def _together(own: Look, looks: Iterable[Look]) -> Look:
    size_bytes, mtime_ns = own.size_bytes, own.mtime_ns
    for each in looks:
        size_bytes += each.size_bytes
        mtime_ns = max(mtime_ns, each.mtime_ns)
    return Look(own.device, own.inode, size_bytes, mtime_ns)
