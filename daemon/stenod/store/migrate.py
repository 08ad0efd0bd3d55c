"""Bring a database to this release's shape, one numbered step at a time.

Each step is one transaction that also moves ``user_version``, so a crash leaves the step before or
the step after, never half. A database of a newer release is refused untouched.
"""

from collections.abc import Callable
from pathlib import Path

import apsw

from steno_schema import migrations
from steno_schema.errors import ErrorCode, RequestError
from stenod import failpoints


def check_belongs(path: Path) -> None:
    """Refuse the database of another program or a newer release, without writing a byte to it."""
    if not path.exists() or not path.stat().st_size:
        return
    try:
        _check(path, apsw.SQLITE_OPEN_READONLY)
    except apsw.ReadOnlyError:
        # A crash in a transaction of the old kind: whoever reads has to roll it back.
        _check(path, apsw.SQLITE_OPEN_READWRITE)
    except apsw.NotADBError as error:
        raise RequestError(
            ErrorCode.INCOMPATIBLE, "The database file is no SQLite database.", "Move it away."
        ) from error


def _check(path: Path, flags: int) -> None:
    connection = apsw.Connection(str(path), flags=flags)
    try:
        _checked_version(connection, migrations.numbered()[-1][0])
    finally:
        connection.close()


def migrate(
    connection: apsw.Connection,
    back_up: Callable[[int], object] = lambda _version: None,
    up_to: int | None = None,
) -> int:
    """Apply what is missing (``up_to`` a version, or all); return the version it has now.

    ``back_up`` is called with the present version before a database that exists is changed.
    """
    steps = [step for step in migrations.numbered() if up_to is None or step[0] <= up_to]
    newest = steps[-1][0]
    current = _checked_version(connection, newest)
    if 0 < current < newest:
        back_up(current)
    for version, _name, sql in steps:
        if version > current:
            failpoints.hit("migration.begin")
            with connection:
                connection.execute(sql).fetchall()
                connection.execute(migrations.views()).fetchall()
                connection.pragma("application_id", migrations.APPLICATION_ID)
                connection.pragma("user_version", version)
                failpoints.hit("migration.before_commit")
            failpoints.hit("migration.after_commit")
    return newest


def _checked_version(connection: apsw.Connection, newest: int) -> int:
    application_id = connection.pragma("application_id")
    version = connection.pragma("user_version")
    tables = connection.execute("SELECT count(*) FROM sqlite_schema").get
    if application_id != migrations.APPLICATION_ID and (application_id or version or tables):
        raise RequestError(
            ErrorCode.INCOMPATIBLE,
            "The database file belongs to another program.",
            "Choose another folder with STENO_HOME, or move the file away.",
        )
    assert isinstance(version, int)
    if version > newest:
        raise RequestError(
            ErrorCode.INCOMPATIBLE,
            f"The database has version {version}, this release knows {newest}.",
            "Install the newer steno again; nothing was changed.",
        )
    return version
