"""Everything that can be read of a damaged database, in a new one."""

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

import apsw
from msgspec import Struct

from steno_schema import migrations
from steno_schema.errors import ErrorCode, RequestError
from stenod.backup.verify import tables
from stenod.recovery.reading import Table
from stenod.store.connection import open_reader, open_writer
from stenod.store.migrate import migrate
from stenod.store.packs import drop_kept
from stenod.store.rows import Row, fetch_all

DERIVED = frozenset(
    {
        "act", "analysis", "change", "follower", "job_run", "line_count", "rollup", "rollup_day",
        "run", "stale_facet",
    }
)  # fmt: skip
"""What follows from records, or only tells of the daemon: no loss."""
_NOT_COPIED = frozenset({"follower", "rollup", "rollup_day", "stale_facet"})
"""Made anew from records at the next start."""
ROWS_AT_ONCE = 1000


class Salvaged(Struct, frozen=True):
    """Rows copied, and rows of records known to be lost (``None``: some, nobody knows how many)."""

    rows: dict[str, int]
    missing: dict[str, int | None]


def salvage(damaged: Path, target: Path) -> Salvaged:
    """Copy what can be read into ``target``, which must be empty; it has the same version.

    Raise ``RequestError`` if the damaged file tells nothing any more.
    """
    try:
        source = open_reader(damaged)
    except apsw.Error as error:
        raise unreadable(damaged) from error
    try:
        found = _salvage(source, damaged, target)
    finally:
        source.close()
    return found


def _salvage(source: apsw.Connection, damaged: Path, target: Path) -> Salvaged:
    version = version_of(source)
    if version is None:
        raise unreadable(damaged)
    connection = open_bare(target, version)
    rows: dict[str, int] = {}
    missing: dict[str, int | None] = {}
    try:
        for name in tables(connection):
            if name in _NOT_COPIED:
                continue
            table = Table(source, name)
            rows[name] = _copy(connection, table)
            if table.is_damaged and table.missing != 0 and name not in DERIVED:
                missing[name] = table.missing
        if missing:
            tidy(connection)
    finally:
        close_bare(connection)
    return Salvaged(rows, missing)


def unreadable(damaged: Path) -> RequestError:
    """Return the error that says that a file tells nothing any more."""
    return RequestError(ErrorCode.CORRUPT, f"Nothing can be read of {damaged}.")


def version_of(connection: apsw.Connection) -> int | None:
    """Return the number of the newest migration of a steno database, if it can be read."""
    try:
        application = connection.pragma("application_id")
        version = connection.pragma("user_version")
        connection.execute("SELECT count(*) FROM sqlite_schema").fetchall()
    except apsw.Error:
        return None
    known = isinstance(version, int) and 0 < version <= migrations.numbered()[-1][0]
    return version if known and application == migrations.APPLICATION_ID else None


def open_bare(path: Path, version: int) -> apsw.Connection:
    """Open a database to be filled row by row: no triggers, no references, no syncs.

    What is not complete has no value, and is synced as a whole before it gets its name.
    """
    connection = open_writer(path)
    connection.pragma("synchronous", "OFF")
    migrate(connection, up_to=version)
    connection.pragma("foreign_keys", "OFF")
    connection.config(apsw.SQLITE_DBCONFIG_ENABLE_TRIGGER, 0)
    return connection


def close_bare(connection: apsw.Connection) -> None:
    """Close it as one file without a log."""
    connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
    connection.pragma("journal_mode", "DELETE")
    connection.close()


def _copy(connection: apsw.Connection, table: Table) -> int:
    if not table.columns:
        return 0
    columns = ", ".join(f'"{column}"' for column in table.columns)
    marks = ", ".join("?" * len(table.columns))
    statement = f'INSERT OR IGNORE INTO "{table.name}" ({columns}) VALUES ({marks})'
    before = connection.total_changes()
    for rows in in_slices(table.rows()):
        with connection:
            _insert(connection, statement, rows)
    return connection.total_changes() - before


def _insert(connection: apsw.Connection, statement: str, rows: list[Row]) -> None:
    try:
        connection.executemany(statement, rows)
    except apsw.ConstraintError:
        for row in rows:  # one of them is not what its table allows
            try:
                connection.execute(statement, row)
            except apsw.ConstraintError:
                continue


def in_slices(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """Yield rows some at a time."""
    left = iter(rows)
    while some := list(islice(left, ROWS_AT_ONCE)):
        yield some


def tidy(connection: apsw.Connection) -> None:
    """Make what was left behind consistent: nothing points at what is not there."""
    with connection:
        for (source_id,) in fetch_all(connection, _SOURCES_WITH_GAPS):
            # The file is read again from its start; what it says is merged with what is there.
            drop_kept(connection, source_id)
            connection.execute("DELETE FROM source WHERE id = ?", (source_id,))
        connection.execute(
            "UPDATE message SET pack_id = NULL, pack_start = NULL, pack_size = NULL"
            " WHERE pack_id NOT IN (SELECT id FROM source_chunk)"
        )
        while _mend_references(connection):
            pass  # what was taken away may have been referred to itself


_SOURCES_WITH_GAPS = """
SELECT s.id FROM source AS s LEFT JOIN source_chunk AS c ON c.source_id = s.id
  AND c.kept_size IS NOT 0
GROUP BY s.id
HAVING s.kept_bytes > 0 AND (count(c.id) = 0 OR max(c.end_offset) < s.offset
  OR sum(c.end_offset - c.start_offset) < max(c.end_offset) - min(c.start_offset))
"""


def _mend_references(connection: apsw.Connection) -> bool:
    """Take away references to rows that are lost; ``False`` when there were none."""
    before = connection.total_changes()
    for table in tables(connection):
        for parent, column, target, optional in fetch_all(connection, _REFERENCES, (table, table)):
            lost = (
                f'"{column}" IS NOT NULL AND "{column}" NOT IN (SELECT "{target}" FROM "{parent}")'
            )
            connection.execute(
                f'UPDATE "{table}" SET "{column}" = NULL WHERE {lost}'
                if optional
                else f'DELETE FROM "{table}" WHERE {lost}'
            )
    return connection.total_changes() > before


_REFERENCES = """
SELECT f."table", f."from", f."to", i."notnull" = 0 AND i.pk = 0 FROM pragma_foreign_key_list(?) AS f
JOIN pragma_table_info(?) AS i ON i.name = f."from"
"""
