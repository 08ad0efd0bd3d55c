"""Maintenance that needs the write connection outside of a transaction, asked for by ``admin``."""

import time
from collections.abc import Callable
from typing import Any

import apsw

from steno_schema.errors import bad_request
from steno_schema.requests import Admin
from stenod.followers.acts import Acts
from stenod.followers.analysis import AnalysisFollower
from stenod.store import alarms


def maintain(connection: apsw.Connection, request: Admin) -> dict[str, Any]:
    """Do one action and return what came of it, with its ``duration_ms``."""
    started = time.monotonic()
    result = _ACTIONS[request.action](connection, request)
    return result | {"duration_ms": round((time.monotonic() - started) * 1000, 1)}


def _checkpoint(connection: apsw.Connection, _request: Admin) -> dict[str, Any]:
    pages, copied = connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
    return {"pages": pages, "copied": copied}


def vacuum(connection: apsw.Connection) -> dict[str, Any]:
    """Write the database anew without free pages; return its size before and after."""
    before = connection.pragma("page_count")
    # The database is written anew into one that SQLite attaches for as long as it takes; that one
    # is a file, because a copy of everything does not belong into memory.
    allowed = connection.limit(apsw.SQLITE_LIMIT_ATTACHED, 1)
    connection.pragma("temp_store", "FILE")
    try:
        connection.execute("VACUUM").fetchall()
    finally:
        connection.pragma("temp_store", "MEMORY")
        connection.limit(apsw.SQLITE_LIMIT_ATTACHED, allowed)
    connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
    return {"pages_before": before, "pages_after": connection.pragma("page_count")}


def _rederive(connection: apsw.Connection, request: Admin) -> dict[str, Any]:
    """Make a follower start over; its position is read anew by the writer.

    With the analysis goes what tool calls did: both are what steno makes of an exchange.
    """
    name = str(request.arguments.get("follower", "analysis"))
    found = connection.execute(
        "UPDATE follower SET version = '' WHERE name = ?1 OR (name = ?2 AND ?1 = ?3)"
        " RETURNING name",
        (name, Acts.name, AnalysisFollower.name),
    ).fetchall()
    if not found:
        raise bad_request(f"There is no follower {name[:40]!r}.", "Say analysis or fulltext.")
    return {"follower": name}


def _check_capture(connection: apsw.Connection, _request: Admin) -> dict[str, Any]:
    return {"raised": alarms.check(connection, time.time_ns() // 1_000_000)}


def _acknowledge(connection: apsw.Connection, _request: Admin) -> dict[str, Any]:
    return {"acknowledged": alarms.acknowledge(connection, time.time_ns() // 1_000_000)}


def _probe(connection: apsw.Connection, _request: Admin) -> dict[str, Any]:
    """Write something that changes nothing: the watchdog wants to see a commit."""
    connection.execute("UPDATE follower SET cursor = cursor WHERE name = 'fulltext'")
    return {}


_ACTIONS: dict[str, Callable[[apsw.Connection, Admin], dict[str, Any]]] = {
    "checkpoint": _checkpoint,
    "probe": _probe,
    "vacuum": lambda connection, _request: vacuum(connection),
    "rederive": _rederive,
    "capture_check": _check_capture,
    "capture_acknowledge": _acknowledge,
}
ON_THE_WRITER = frozenset(_ACTIONS)
