"""Sources that are SQLite databases: rows become lines of the session they belong to.

A line is ``{"table": name, "row": {column: value, …}}``; columns without a value are left out, and
a column that holds a JSON document stands in it as one, so that secrets are found in it as in any
other line. What a session's rows are, and in which order they come, the agent says.
"""

import math
import os
import sqlite3
import stat
import time
from collections.abc import Callable, Collection, Generator, Iterable, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import msgspec

from steno.capture.container import Container, Member
from steno.capture.source import Look, NotYet, Unreadable
from steno.capture.sqlite_copy import private_copy, tables

SIDES = ("-wal", "-journal")
COPIED_BYTES_PER_S = 20 * 1024 * 1024
"""At most so much is copied of one database: one of 1 GB is read every 50 s while it is written."""
RESTS_FROM_BYTES = 64 * 1024 * 1024

Members = Callable[[sqlite3.Connection], Iterable[Member]]
"""Gives the sessions in a copy of a database; rows are read when a member is cut."""


def database(members: Members, needed: Collection[str]) -> Container:
    """Return the reader of databases in which ``members`` finds the sessions.

    One of the ``needed`` tables must be there: another program's database is reported as
    unreadable rather than as empty.
    """
    return Container(look_at=look_at, opened=_Opener(members, needed))


def look_at(path: Path) -> Look:
    """Return what a database looks like together with its log and its journal."""
    found = path.lstat()
    if not stat.S_ISREG(found.st_mode):
        raise Unreadable(0, "is no regular file", str(path))
    size_bytes, mtime_ns = found.st_size, found.st_mtime_ns
    for side in SIDES:
        try:
            beside = os.lstat(f"{path}{side}")
        except OSError:
            continue
        size_bytes += beside.st_size
        mtime_ns = max(mtime_ns, beside.st_mtime_ns)
    return Look(found.st_dev, found.st_ino, size_bytes, mtime_ns)


def database_of(path: Path) -> Path:
    """Return the database that a log or a journal belongs to; any other file is itself."""
    for side in SIDES:
        if path.name.endswith(side):
            return path.with_name(path.name.removesuffix(side))
    return path


class _Opener:
    """Opens copies, and lets a large database rest in between."""

    def __init__(self, members: Members, needed: Collection[str]) -> None:
        self._members = members
        self._needed = frozenset(needed)
        self._rests_until: dict[Path, float] = {}

    def __call__(self, path: Path) -> AbstractContextManager[Iterable[Member]]:
        return self._opened(path)

    @contextmanager
    def _opened(self, path: Path) -> Generator[Iterable[Member]]:
        now = time.monotonic()
        if now < self._rests_until.get(path, now):
            raise NotYet(0, "was copied only just now", str(path))
        size_bytes = look_at(path).size_bytes
        if size_bytes >= RESTS_FROM_BYTES:
            self._rests_until[path] = now + size_bytes / COPIED_BYTES_PER_S
        with private_copy(path) as copy:
            if self._needed.isdisjoint(tables(copy)):
                raise Unreadable(0, "has none of the tables that are known", str(path))
            yield self._members(copy)


def rows_of(
    connection: sqlite3.Connection, statement: str, values: Iterable[Any] = ()
) -> Iterable[dict[str, Any]]:
    """Yield the rows a query gives, by column name."""
    cursor = connection.execute(statement, tuple(values))
    names = [column[0] for column in cursor.description]
    for row in cursor:
        yield dict(zip(names, row, strict=True))


def row_line(
    table: str, row: Mapping[str, Any], *, documents: Collection[str] = (), **more: Any
) -> bytes:
    """Return a row as a line; ``documents`` names columns of JSON, ``more`` goes beside the row."""
    values = {
        name: _document(value) if name in documents else _value(value)
        for name, value in row.items()
        if value is not None
    }
    beside = {name: value for name, value in more.items() if value is not None}
    return msgspec.json.encode({"table": table, "row": values, **beside})


def _document(value: Any) -> Any:
    if not isinstance(value, str):
        return _value(value)
    try:
        return msgspec.Raw(msgspec.json.format(value.encode(), indent=-1))
    except (ValueError, RecursionError):
        return value


def _value(value: Any) -> Any:
    """A blob (an image, say) is told by its size; JSON knows no infinite numbers."""
    if isinstance(value, bytes):
        return {"bytes": len(value)}
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
