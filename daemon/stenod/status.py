"""The daemon at a glance, and the checks that need a connection."""

import os
import time
from typing import TYPE_CHECKING, Any

import apsw

from steno_schema import PROTOCOL, __version__
from steno_schema.limits import WRITER_QUEUE_MAX_BYTES, WRITER_QUEUE_MAX_REQUESTS
from stenod.recovery.recover import reports

if TYPE_CHECKING:
    from stenod.daemon import Daemon

_COUNTED = {
    "sessions": "SELECT count(*) FROM session",
    "sessions_without_exchange": "SELECT count(*) FROM session AS s WHERE NOT EXISTS ("
    "SELECT 1 FROM conversation AS c JOIN exchange AS e ON e.conversation_id = c.id"
    " WHERE c.session_id = s.id)",
    "conversations": "SELECT count(*) FROM conversation",
    "exchanges": "SELECT count(*) FROM exchange",
    "messages": "SELECT count(*) FROM message",
    "analysed": "SELECT count(*) FROM analysis",
}
_ALARMS = "SELECT count(*) FROM alarm WHERE acknowledged_at IS NULL"


def report(connection: apsw.Connection, daemon: "Daemon") -> dict[str, Any]:
    """Return everything ``steno status`` shows."""
    inbox = daemon.writer.inbox
    return {
        "version": __version__,
        "protocol": PROTOCOL,
        "pid": daemon.pid,
        "uptime_s": round(time.monotonic() - daemon.started, 3),
        "socket": str(daemon.paths.socket),
        "database": _database(connection, daemon),
        "counts": {name: connection.execute(sql).get for name, sql in _COUNTED.items()},
        "queue": {
            "requests": len(inbox),
            "bytes": inbox.size_bytes,
            "max_requests": WRITER_QUEUE_MAX_REQUESTS,
            "max_bytes": WRITER_QUEUE_MAX_BYTES,
        },
        "connections": len(daemon.server.connections),
        "requests": dict(daemon.server.requests),
        "refusals": dict(daemon.server.refusals),
        "followers": dict(daemon.writer.progress.behind),
        "sequence": daemon.writer.progress.head,
        "spool": daemon.spool.state(),
        "plugin": daemon.plugin.state(),
        "capture": daemon.watcher.state() | {"alarms": connection.execute(_ALARMS).get},
        "disk": _disk(daemon),
        "recoveries": reports(daemon.paths),
    }


def _database(connection: apsw.Connection, daemon: "Daemon") -> dict[str, Any]:
    path = daemon.paths.database
    return {
        "path": str(path),
        "schema_version": connection.pragma("user_version"),
        "sqlite": apsw.sqlite_lib_version(),
        "journal_mode": connection.pragma("journal_mode"),
        "page_size": connection.pragma("page_size"),
        "page_count": connection.pragma("page_count"),
        "free_pages": connection.pragma("freelist_count"),
        "size_bytes": _size(str(path)),
        "wal_bytes": _size(f"{path}-wal"),
    }


def _size(path: str) -> int:
    """Size by name alone: nothing but apsw may open these files in this process."""
    try:
        return os.stat(path).st_size
    except OSError:
        return 0


def _disk(daemon: "Daemon") -> dict[str, int]:
    disk = os.statvfs(daemon.paths.data)
    return {
        "free_bytes": disk.f_bavail * disk.f_frsize,
        "total_bytes": disk.f_blocks * disk.f_frsize,
    }


def check_integrity(connection: apsw.Connection) -> dict[str, Any]:
    """Return what SQLite and the foreign keys say about the whole file."""
    forget_index_structure(connection)
    problems = [row[0] for row in connection.execute("PRAGMA integrity_check(20)")]
    broken = connection.execute("SELECT count(*) FROM pragma_foreign_key_check").get
    return {
        "ok": problems == ["ok"] and not broken,
        "problems": [] if problems == ["ok"] else problems,
        "broken_references": broken,
    }


def forget_index_structure(connection: apsw.Connection) -> None:
    """Make the connection read anew of which pieces the full-text index consists.

    A check goes by what an earlier query saw, and would miss pieces that were merged since;
    beginning another query notices that.
    """
    connection.execute("SELECT rowid FROM message_index LIMIT 1").fetchall()
