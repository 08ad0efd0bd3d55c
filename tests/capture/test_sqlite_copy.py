"""A database is read from a private copy: whole, whoever writes it, and without a trace."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from steno.capture import sqlite_copy
from steno.capture.source import Unreadable
from steno.capture.sqlite_copy import NotADatabase, Unstable, private_copy, tables

ROWS = 200
LARGE_MIB = int(os.environ.get("STENO_TEST_LARGE_MIB", "3"))

Trace = list[tuple[str, int, int, int, int, int]]


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder for copies, which must be empty whenever a copy is done."""
    folder = tmp_path / "copies"
    monkeypatch.setenv("TMPDIR", str(folder))
    yield folder
    assert not folder.exists() or not list(folder.iterdir())


@pytest.fixture(params=["wal", "delete"])
def writer(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """An agent that has its database open."""
    folder = tmp_path / "agent"
    folder.mkdir()
    with closing(sqlite3.connect(folder / "a.db", isolation_level=None)) as connection:
        connection.execute(f"PRAGMA journal_mode={request.param}")
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute("CREATE TABLE message (id INTEGER PRIMARY KEY, data TEXT)")
        add(connection, ROWS)
        settle(folder)
        yield connection


def add(connection: sqlite3.Connection, count: int = 1) -> None:
    connection.execute(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)"
        " INSERT INTO message (data) SELECT printf('%0500d', i) FROM n",
        (count,),
    )


def settle(folder: Path) -> None:
    """Have everything look as if it was written a while ago."""
    for path in folder.iterdir():
        past = path.stat().st_mtime_ns - 10**9
        os.utime(path, ns=(past, past))


def database_of(connection: sqlite3.Connection) -> Path:
    return Path(connection.execute("PRAGMA database_list").fetchone()[2])


def trace(folder: Path) -> Trace:
    """Everything that reading could have changed."""
    found = [(entry.name, entry.stat()) for entry in os.scandir(folder)]
    listed = [
        (name, s.st_ino, s.st_size, s.st_mtime_ns, s.st_atime_ns, s.st_ctime_ns) for name, s in found
    ]  # fmt: skip
    return [*sorted(listed), (".", 0, 0, folder.stat().st_mtime_ns, 0, folder.stat().st_ctime_ns)]


def count(database: Path, pause: Callable[[float], None] | None = None) -> int:
    with private_copy(database, pause=pause or never) as copy:
        return int(copy.execute("SELECT count(*) FROM message").fetchone()[0])


def never(_seconds: float) -> None:
    raise AssertionError("the copy was not whole at once")


def test_an_open_database_is_read_and_not_touched(writer: sqlite3.Connection, place: Path) -> None:
    database = database_of(writer)
    database.parent.chmod(0o500)
    before = trace(database.parent)
    with private_copy(database, pause=never) as copy:
        assert tables(copy) == {"message": ["id", "data"]}
        assert copy.execute("SELECT count(*) FROM message").fetchone() == (ROWS,)
        assert not list(place.iterdir())
        with pytest.raises(sqlite3.OperationalError):
            add(copy)
    assert trace(database.parent) == before
    database.parent.chmod(0o700)
    add(writer)


def test_what_is_not_committed_is_not_seen(writer: sqlite3.Connection) -> None:
    database = database_of(writer)
    writer.execute("PRAGMA cache_size=1")
    writer.execute("BEGIN")
    add(writer, ROWS)
    settle(database.parent)
    before = trace(database.parent)
    assert count(database) == ROWS
    assert trace(database.parent) == before
    writer.execute("COMMIT")
    settle(database.parent)
    assert count(database) == 2 * ROWS


def test_the_copy_is_private(writer: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    modes: list[int] = []
    real = sqlite_copy._copy

    def copy(source: int, target: Path, size_bytes: int) -> None:
        real(source, target, size_bytes)
        modes.extend(path.stat().st_mode & 0o777 for path in (target.parent, target))

    monkeypatch.setattr(sqlite_copy, "_copy", copy)
    umask = os.umask(0)
    try:
        assert count(database_of(writer)) == ROWS
    finally:
        os.umask(umask)
    assert set(modes) == {0o700, 0o600}


class Disturbed:
    """Writes to the database right after some of its files were copied."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, disturb: Callable[[], None]) -> None:
        self.times = 10**9
        self.pauses: list[float] = []
        self._disturb = disturb
        self._real = sqlite_copy._copy
        monkeypatch.setattr(sqlite_copy, "_copy", self)

    def __call__(self, source: int, copy: Path, size_bytes: int) -> None:
        self._real(source, copy, size_bytes)
        if copy.suffix == ".db" and self.times:
            self.times -= 1
            self._disturb()

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)


def test_a_database_that_is_written_is_copied_again(
    writer: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = database_of(writer)

    def disturb() -> None:
        add(writer)
        writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        add(writer)
        settle(database.parent)

    disturbed = Disturbed(monkeypatch, disturb)
    disturbed.times = 3
    assert count(database, disturbed.pause) == ROWS + 6
    assert len(disturbed.pauses) == 3


def test_a_database_that_is_always_written_is_left_for_later(
    writer: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = database_of(writer)

    def disturb() -> None:
        add(writer)
        writer.execute("PRAGMA wal_checkpoint")
        settle(database.parent)

    disturbed = Disturbed(monkeypatch, disturb)
    with pytest.raises(Unstable):
        count(database, disturbed.pause)
    assert len(disturbed.pauses) == sqlite_copy.ATTEMPTS - 1
    assert sum(disturbed.pauses) < 10


@pytest.mark.parametrize("writer", ["wal"], indirect=True)
def test_a_log_that_only_grows_is_no_harm(
    writer: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    Disturbed(monkeypatch, lambda: add(writer))
    assert count(database_of(writer)) in {ROWS, ROWS + 1}


def test_what_was_written_this_moment_is_looked_at_again(writer: sqlite3.Connection) -> None:
    database = database_of(writer)
    add(writer)
    writer.execute("PRAGMA wal_checkpoint")
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        settle(database.parent)

    os.utime(database)
    assert count(database, pause) == ROWS + 1
    assert pauses == [sqlite_copy.PAUSE_FIRST_S]


def test_a_large_database_is_copied_block_by_block(
    writer: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = database_of(writer)
    add(writer, LARGE_MIB * 2000)
    settle(database.parent)
    if hasattr(os, "copy_file_range"):
        assert count(database) == ROWS + LARGE_MIB * 2000

    def unable(*_arguments: object) -> int:
        raise OSError("not on this file system")

    monkeypatch.setattr(os, "copy_file_range", unable, raising=False)
    real, blocks = os.pread, list[int]()

    def pread(descriptor: int, size_bytes: int, offset: int) -> bytes:
        blocks.append(size_bytes)
        return real(descriptor, size_bytes, offset)

    monkeypatch.setattr(os, "pread", pread)
    assert count(database) == ROWS + LARGE_MIB * 2000
    assert max(blocks) <= sqlite_copy.BLOCK_BYTES


def test_no_copy_is_made_where_there_is_no_room(
    writer: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_copy, "KEPT_FREE_BYTES", 2**62)
    with pytest.raises(Unreadable, match="no room"):
        count(database_of(writer))


@pytest.mark.parametrize("seed", range(40))
def test_a_damaged_database_never_does_harm(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    folder = tmp_path / "damaged"
    folder.mkdir()
    with closing(sqlite3.connect(folder / "a.db", isolation_level=None)) as writer:
        if chance.random() < 0.5:
            writer.execute("PRAGMA journal_mode=wal")
        writer.execute("PRAGMA synchronous=OFF")
        writer.execute("CREATE TABLE message (id INTEGER PRIMARY KEY, data TEXT)")
        writer.execute("CREATE VIEW endless AS WITH RECURSIVE n(i) AS"
                       " (SELECT 1 UNION ALL SELECT i FROM n) SELECT i FROM n")  # fmt: skip
        add(writer, 30)
        names = sorted(path.name for path in folder.iterdir())
        contents = {name: bytearray((folder / name).read_bytes()) for name in names}
    for data in contents.values():
        for _ in range(chance.randrange(40) if data else 0):
            data[chance.randrange(len(data))] = chance.randrange(256)
        del data[len(data) - chance.choice([0, 0, chance.randrange(len(data) + 1)]) :]
    hurt = tmp_path / "hurt"
    hurt.mkdir()
    for name, data in contents.items():
        (hurt / name).write_bytes(data)
    settle(hurt)
    before = trace(hurt)
    try:
        with private_copy(hurt / "a.db", pause=never) as copy:
            for name in tables(copy):
                assert name != "endless"
                copy.execute(f'SELECT * FROM "{name}"').fetchall()
    except NotADatabase as problem:
        assert str(problem)
    assert trace(hurt) == before


def test_text_that_is_no_text_is_read_all_the_same(writer: sqlite3.Connection) -> None:
    writer.execute("UPDATE message SET data = CAST(x'ff41' AS TEXT) WHERE id = 1")
    database = database_of(writer)
    settle(database.parent)
    with private_copy(database, pause=never) as copy:
        found = copy.execute("SELECT data FROM message WHERE id = 1").fetchone()
    assert found == ("\ufffdA",)


def test_what_is_no_database_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    path.write_bytes(b"Not a database, but longer than the header of one. " * 50)
    settle(tmp_path)
    with pytest.raises(NotADatabase), private_copy(path, pause=never):
        pass
    link, pipe = tmp_path / "link.db", tmp_path / "pipe.db"
    link.symlink_to(path)
    os.mkfifo(pipe)
    for other in (link, pipe, tmp_path):
        with pytest.raises(Unreadable), private_copy(other, pause=never):
            pass
    with pytest.raises(FileNotFoundError), private_copy(tmp_path / "none.db", pause=never):
        pass


DIES_INSIDE = """
import os, signal, sys
from pathlib import Path
from steno.capture import sqlite_copy
if sys.argv[3] == "copying":
    sqlite_copy._copy = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
with sqlite_copy.private_copy(Path(sys.argv[1]), Path(sys.argv[2])) as copy:
    copy.execute("SELECT * FROM message").fetchone()
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize(("when", "left"), [("copying", 1), ("reading", 0)])
def test_a_killed_reader_leaves_nothing_for_long(
    when: str, left: int, writer: sqlite3.Connection, place: Path
) -> None:
    database = database_of(writer)
    done = subprocess.run(
        [sys.executable, "-c", DIES_INSIDE, str(database), str(place), when],
        env={"PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
    )
    assert done.returncode == -signal.SIGKILL
    assert len(list(place.iterdir())) == left
    others = place / f"steno-copy-{os.getppid()}-abc"
    others.mkdir()
    assert count(database) == ROWS
    assert list(place.iterdir()) == [others]
    others.rmdir()
