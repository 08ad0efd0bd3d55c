"""Jobs on a thread and a read-only connection of their own: nobody waits for them."""

import threading
from typing import Any

import apsw
from msgspec import Struct

from steno_schema.config import Settings
from steno_schema.errors import ErrorCode, RequestError
from steno_schema.paths import Paths
from stenod.store.connection import open_reader
from stenod.store.rows import fetch_all

PROGRESS_STEPS = 10_000
PROBLEMS_MAX = 20
_TABLES = "SELECT name FROM sqlite_schema WHERE type = 'table' AND rootpage > 0 ORDER BY name"


class Beside(Struct, frozen=True):
    """What a job has at hand; ``stopping`` is set when the daemon will not wait much longer.

    ``arguments`` are those of who asked for it; of a scheduled run there are none.
    """

    paths: Paths
    settings: Settings
    arguments: dict[str, Any]
    stopping: threading.Event


def check(work: Beside) -> dict[str, Any]:
    """Read every table with its indexes and its references, one after the other.

    Each table is read in a snapshot of its own, so that the log can be emptied in between.
    """
    connection = open_reader(work.paths.database)
    connection.set_progress_handler(work.stopping.is_set, PROGRESS_STEPS)
    try:
        tables = [row[0] for row in fetch_all(connection, _TABLES)]
        problems = [
            f"{table}: {problem}" for table in tables for problem in check_table(connection, table)
        ]
    finally:
        connection.close()
    if problems:
        raise RequestError(ErrorCode.CORRUPT, f"The database is damaged: {problems[0]}.")
    return {"tables": len(tables)}


def check_table(connection: apsw.Connection, table: str) -> list[str]:
    """Return what is wrong with a table, its indexes and the rows it refers to."""
    quoted = table.replace('"', '""')
    said = fetch_all(connection, f'PRAGMA integrity_check("{quoted}")')
    found = [str(row[0]) for row in said if row[0] != "ok"]
    broken = fetch_all(connection, f'PRAGMA foreign_key_check("{quoted}")')
    if broken:
        found.append(f"{len(broken)} rows refer to rows that are not there")
    return found[:PROBLEMS_MAX]
