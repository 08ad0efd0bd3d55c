"""Read another program's SQLite database from a private copy, and leave no trace beside it.

Opening the original, even read-only, makes or touches ``-wal`` and ``-shm``; so it is never opened
as a database. Its bytes are copied, together with the write-ahead log or journal that holds what
the database itself does not have yet, into a folder only this user can enter. The copy's files
lose their names as soon as they are open, so that nothing stays whatever happens to this process.

A copy is taken as whole when, from before its first byte to after its last, the database and its
journal were not written and the log was not begun anew. A log that only grew is no harm: frames
that are torn, or come after the last commit, are not read.
"""

import os
import shutil
import sqlite3
import stat
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from steno.capture.source import CLOCK_STEP_NS, NotYet, Unreadable

ATTEMPTS = 10
PAUSE_FIRST_S = 0.03
PAUSE_MAX_S = 0.5
BLOCK_BYTES = 1024 * 1024
KEPT_FREE_BYTES = 64 * 1024 * 1024
"""A copy that would leave less room than this on its disk is not made."""
WAL_HEADER_BYTES = 32
_FOLDER = "steno-copy-"
_SETTINGS = (
    "locking_mode=EXCLUSIVE",
    "synchronous=OFF",
    "trusted_schema=OFF",
    "cell_size_check=ON",
)
_SIDES = ("-wal", "-journal")
_ON_DISK = Path("/var/tmp")  # noqa: S108
_NOATIME = getattr(os, "O_NOATIME", 0)


class Unstable(NotYet):
    """The database was being written each time; it can be read later."""


class NotADatabase(OSError):
    """The file is damaged, encrypted or no SQLite database at all."""


class _Mark(NamedTuple):
    """What tells whether a file was written: of a log only its beginning, as it may grow."""

    inode: int
    size_bytes: int
    mtime_ns: int
    head: bytes = b""


@contextmanager
def private_copy(
    database: Path,
    folder: Path | None = None,
    *,
    pause: Callable[[float], None] = time.sleep,
) -> Generator[sqlite3.Connection]:
    """Give a connection to a copy of ``database``: one snapshot, to be read only.

    The copy lies below ``folder``, by default the system's for temporary files on disk. Raise
    ``Unreadable`` for what is no regular file or finds no room, ``Unstable`` if the database kept
    being written, ``NotADatabase`` for damage, also when it is met later, inside the ``with``.
    """
    place = _place(folder)
    try:
        _copy_until_whole(database, place / "copy.db", pause)
        connection = _opened(place / "copy.db")
    except sqlite3.Error as error:
        raise NotADatabase(str(error)) from error
    finally:
        # What is open stays readable without its name.
        shutil.rmtree(place, ignore_errors=True)
    try:
        yield connection
    except sqlite3.Error as error:
        raise NotADatabase(str(error)) from error
    finally:
        connection.close()


def tables(connection: sqlite3.Connection) -> dict[str, list[str]]:
    """Return the columns of every ordinary table by its name.

    Views and virtual tables run what somebody else wrote; they are not among them.
    """
    names = connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND rootpage > 0 ORDER BY name"
    ).fetchall()
    return {
        name: [row[0] for row in connection.execute("SELECT name FROM pragma_table_info(?)", (name,))]
        for (name,) in names
    }  # fmt: skip


def _place(folder: Path | None) -> Path:
    """Make a folder for one copy, and remove those that killed processes left behind."""
    parent = folder or _temporary_folder()
    parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    for left in parent.glob(f"{_FOLDER}*"):
        owner = left.name.removeprefix(_FOLDER).partition("-")[0]
        if not (owner.isdigit() and _is_running(int(owner))):
            shutil.rmtree(left, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"{_FOLDER}{os.getpid()}-", dir=parent))


def _temporary_folder() -> Path:
    """A copy may be large, and ``/tmp`` is in memory on many systems."""
    chosen = os.environ.get("TMPDIR")
    if chosen:
        return Path(chosen)
    return _ON_DISK if _ON_DISK.is_dir() else Path(tempfile.gettempdir())


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


def _copy_until_whole(database: Path, copy: Path, pause: Callable[[float], None]) -> None:
    """Copy until nothing was written meanwhile, a bounded number of times."""
    pause_s = PAUSE_FIRST_S
    for attempt in range(ATTEMPTS):
        if attempt:
            pause(pause_s)
            pause_s = min(pause_s * 2, PAUSE_MAX_S)
        if _is_copied(database, copy):
            return
    raise Unstable(0, "was being written each time it was copied", str(database))


def _is_copied(database: Path, copy: Path) -> bool:
    """Copy the database and what belongs to it once; tell whether nothing was written meanwhile."""
    with ExitStack() as closing:
        sources = {"": _open(database, closing)}
        for side in _SIDES:
            try:
                sources[side] = _open(Path(f"{database}{side}"), closing)
            except FileNotFoundError:
                continue
        before = {side: _mark(side, descriptor) for side, descriptor in sources.items()}
        if not _are_settled(before):
            return False
        _check_room(copy.parent, sum(mark.size_bytes for mark in before.values()))
        for side, descriptor in sources.items():
            _copy(descriptor, Path(f"{copy}{side}"), os.fstat(descriptor).st_size)
        for side in _SIDES:
            if side not in sources:
                Path(f"{copy}{side}").unlink(missing_ok=True)
        return _are_the_same(database, sources, before)


def _open(path: Path, closing: ExitStack) -> int:
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        try:
            descriptor = os.open(path, flags | _NOATIME)
        except PermissionError:  # only the owner may leave the time of access alone
            descriptor = os.open(path, flags)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise Unreadable(error.errno, "cannot be opened", str(path)) from error
    closing.callback(os.close, descriptor)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        raise Unreadable(0, "is no regular file", str(path))
    return descriptor


def _mark(side: str, descriptor: int) -> _Mark:
    found = os.fstat(descriptor)
    if side == "-wal":
        return _Mark(found.st_ino, 0, 0, os.pread(descriptor, WAL_HEADER_BYTES, 0))
    return _Mark(found.st_ino, found.st_size, found.st_mtime_ns)


def _are_settled(marks: dict[str, _Mark]) -> bool:
    """Tell whether another write would show: file systems count time in steps."""
    now_ns = time.time_ns()
    return all(not 0 <= now_ns - mark.mtime_ns <= CLOCK_STEP_NS for mark in marks.values())


def _are_the_same(database: Path, sources: dict[str, int], before: dict[str, _Mark]) -> bool:
    """Tell whether the files of these names are those that were open, and unwritten."""
    for side in ("", *_SIDES):
        try:
            inode = os.lstat(f"{database}{side}").st_ino
        except FileNotFoundError:
            if side in sources:
                return False
            continue
        if side not in sources or inode != before[side].inode:
            return False
        if _mark(side, sources[side]) != before[side]:
            return False
    return True


def _check_room(folder: Path, size_bytes: int) -> None:
    if shutil.disk_usage(folder).free < size_bytes + KEPT_FREE_BYTES:
        raise Unreadable(0, f"there is no room for a copy of {size_bytes} bytes", str(folder))


def _copy(source: int, copy: Path, size_bytes: int) -> None:
    """Copy within the kernel, sharing blocks where the file system can; else block by block."""
    target = os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        done = _copy_in_kernel(source, target, size_bytes)
        while done < size_bytes:
            block = os.pread(source, min(BLOCK_BYTES, size_bytes - done), done)
            if not block:
                return
            done += os.pwrite(target, block, done)
    finally:
        os.close(target)


def _copy_in_kernel(source: int, target: int, size_bytes: int) -> int:
    """Return how many bytes were copied; what is left is another way's to do."""
    done = 0
    if sys.platform == "linux":
        try:
            while done < size_bytes:
                step = os.copy_file_range(source, target, size_bytes - done, done, done)
                if not step:
                    break
                done += step
        except OSError:
            return done
    return done


def _opened(copy: Path) -> sqlite3.Connection:
    """Open a copy for one snapshot; what the schema in it says is not trusted.

    It is opened for writing, as a journal may have to be rolled back and a log's index locked.
    """
    uri = f"file:{quote(str(copy))}?mode=rw"
    connection = sqlite3.connect(uri, uri=True, isolation_level=None)
    try:
        connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
        connection.text_factory = _text
        # Exclusive: the index of the log stays in memory, and no lock is let go in between.
        for setting in _SETTINGS:
            connection.execute(f"PRAGMA {setting}")
        connection.execute("BEGIN")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        connection.execute("PRAGMA query_only=ON")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _text(data: bytes) -> str:
    """Text of a database need not be text."""
    return data.decode("utf-8", "replace")
