"""Whether a file is a steno database, whole, and one that this release understands."""

from collections.abc import Callable
from pathlib import Path

import apsw
from msgspec import Struct

from steno_schema import migrations
from steno_schema.errors import ErrorCode, RequestError
from stenod.store.connection import open_reader
from stenod.store.rows import fetch_all

MAGIC = b"SQLite format 3\x00"
PROBLEMS_MAX = 20
PROGRESS_STEPS = 10_000


class Verified(Struct, frozen=True):
    """What a sound copy holds: rows by table, and the number of its newest migration."""

    schema_version: int
    rows: dict[str, int]
    size_bytes: int


def check_format(path: Path) -> None:
    """Refuse what is no database file by its first bytes; other formats would be told here."""
    try:
        with path.open("rb") as file:
            magic = file.read(len(MAGIC))
    except OSError as error:
        raise RequestError(
            ErrorCode.NOT_FOUND, f"{path} cannot be read: {error.strerror}.", "Check the path."
        ) from error
    if magic != MAGIC:
        raise RequestError(
            ErrorCode.INCOMPATIBLE,
            f"{path} is no steno database.",
            "Name a file that `steno backup` or `steno publish` wrote.",
        )


def check_belongs_to_steno(path: Path) -> None:
    """Refuse a file that is anything but a steno database, however damaged."""
    check_format(path)
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        _check_application(path, connection)
    finally:
        connection.close()


def _check_application(path: Path, connection: apsw.Connection) -> None:
    if connection.pragma("application_id") != migrations.APPLICATION_ID:
        raise RequestError(
            ErrorCode.INCOMPATIBLE,
            f"{path} is the database of another program.",
            "Name a file that `steno backup` or `steno publish` wrote.",
        )


def verify(path: Path, is_stopping: Callable[[], bool] = lambda: False) -> Verified:
    """Read a copy from end to end; raise ``RequestError`` if anything is wrong with it.

    ``apsw.InterruptError`` if it was told to stop.
    """
    check_format(path)
    try:
        connection = open_reader(path)
    except apsw.Error as error:
        raise _damaged(path, type(error).__name__) from error
    try:
        connection.set_progress_handler(is_stopping, PROGRESS_STEPS)
        return _verified(path, connection)
    except apsw.InterruptError:
        raise
    except apsw.Error as error:
        raise _damaged(path, type(error).__name__) from error
    finally:
        connection.close()


def _verified(path: Path, connection: apsw.Connection) -> Verified:
    _check_application(path, connection)
    version = connection.pragma("user_version")
    assert isinstance(version, int)
    newest = migrations.numbered()[-1][0]
    if version > newest:
        raise RequestError(
            ErrorCode.INCOMPATIBLE,
            f"{path} has version {version}, this release knows {newest}.",
            "Install the newer steno.",
        )
    found = fetch_all(connection, f"PRAGMA integrity_check({PROBLEMS_MAX})")
    if found != [("ok",)]:
        raise _damaged(path, str(found[0][0]))
    broken = connection.execute("SELECT count(*) FROM pragma_foreign_key_check").get
    if broken:
        raise _damaged(path, f"{broken} rows refer to rows that are not there")
    return Verified(version, count_rows(connection), path.stat().st_size)


def count_rows(connection: apsw.Connection) -> dict[str, int]:
    """Return how many rows every table has, those of the full-text index left out."""
    counts: dict[str, int] = {}
    for table in tables(connection):
        (count,) = fetch_all(connection, f'SELECT count(*) FROM "{table}"')[0]
        counts[table] = count
    return counts


def tables(connection: apsw.Connection) -> list[str]:
    """Return the tables that hold records or follow from them, by name."""
    return [
        str(name)
        for (name,) in fetch_all(
            connection,
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND rootpage > 0 AND name NOT"
            " LIKE 'message\\_index%' ESCAPE '\\' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
            " ORDER BY name",
        )
    ]


def _damaged(path: Path, finding: str) -> RequestError:
    return RequestError(
        ErrorCode.CORRUPT, f"{path} is damaged: {finding}.", "Take another backup; keep this file."
    )
