"""Database connections: every setting in one place, writer and readers.

The reasons stand in ARCHITECTURE.md, "Durability": FULL because an acknowledged write must survive
power loss, no auto-checkpoint because it hides errors, no mmap and no shared cache because they
turn disk errors into crashes.
"""

import logging
import sys
from pathlib import Path

import apsw
import apsw.sqlite_extra

from steno_schema.errors import ErrorCode, RequestError
from stenod.store import packs

SQLITE_MINIMUM = (3, 51, 3)
SQLITE_WITHDRAWN = (3, 52, 0)
BUSY_TIMEOUT_MS = 5000
VALUE_MAX_BYTES = 64 * 1024 * 1024
SQL_MAX_BYTES = 100_000

log = logging.getLogger("stenod.sqlite")


def _log(code: int, message: str) -> None:
    """SQLite's own log, without the statements: those of a client may quote what it looks for."""
    if code & 0xFF in _SERIOUS:
        log.warning("%s (%d)", message.partition("; [")[0].partition(' in "')[0], code)


_SERIOUS = {
    apsw.SQLITE_CANTOPEN,
    apsw.SQLITE_CORRUPT,
    apsw.SQLITE_FULL,
    apsw.SQLITE_INTERNAL,
    apsw.SQLITE_IOERR,
    apsw.SQLITE_MISUSE,
    apsw.SQLITE_NOMEM,
    apsw.SQLITE_NOTADB,
    apsw.SQLITE_PROTOCOL,
    apsw.SQLITE_READONLY,
    apsw.SQLITE_WARNING,
}
"""What tells of the disk or of a defect; the rest is told to whoever asked."""
apsw.config(apsw.SQLITE_CONFIG_LOG, _log)

CHECKSUMS = "cksumvfs"
CHECKSUM_BYTES = 8
_NOT_WHAT_WAS_WRITTEN = {apsw.SQLITE_IOERR_DATA, apsw.SQLITE_IOERR_CORRUPTFS}


def _check_pages() -> None:
    """Have checksums of pages written and compared, where a file has room for them."""
    if apsw.sqlite_extra.has(CHECKSUMS):
        loader = apsw.Connection(":memory:")
        apsw.sqlite_extra.load(loader, CHECKSUMS)
        loader.close()


_check_pages()


def check_library() -> None:
    """Refuse an SQLite that can corrupt a WAL with two connections (3.7.0 to 3.51.2)."""
    version = tuple(int(part) for part in apsw.sqlite_lib_version().split(".")[:3])
    if version < SQLITE_MINIMUM or version == SQLITE_WITHDRAWN:
        raise RequestError(
            ErrorCode.INCOMPATIBLE,
            f"SQLite {apsw.sqlite_lib_version()} has a defect that can corrupt the database.",
            "Install apsw 3.51.3.0 or newer, but not 3.52.0.",
        )


def open_writer(path: Path, vfs: str | None = None) -> apsw.Connection:
    """Open the one connection that writes; creates the file if there is none."""
    connection = apsw.Connection(str(path), vfs=vfs)
    _with_checksums(connection)  # before it is looked at: then its layout is settled
    connection.set_busy_timeout(BUSY_TIMEOUT_MS)
    if not connection.pragma("page_count"):
        # Only a new file takes this; an old one would be written to at every opening.
        connection.pragma("auto_vacuum", "INCREMENTAL")
    connection.pragma("journal_mode", "WAL")
    connection.pragma("synchronous", "FULL")
    if sys.platform == "darwin":
        connection.pragma("fullfsync", "ON")
        connection.pragma("checkpoint_fullfsync", "ON")
    connection.wal_autocheckpoint(0)
    _common(connection)
    connection.pragma("secure_delete", "ON")
    connection.pragma("cache_size", -32_000)
    connection.transaction_mode = "IMMEDIATE"
    return connection


def _with_checksums(connection: apsw.Connection) -> None:
    """Have every page of a new file end with a checksum, and of an old one once it is vacuumed.

    SQLite finds 1 in 20 flipped bits by itself, with them all. Any SQLite can read such a file.
    """
    if apsw.sqlite_extra.has(CHECKSUMS):
        connection.reserve_bytes("main", CHECKSUM_BYTES)


def is_damage(error: BaseException) -> bool:
    """Tell whether an error says that the database file is not what was written."""
    if isinstance(error, apsw.IOError):
        return getattr(error, "extendedresult", 0) in _NOT_WHAT_WAS_WRITTEN
    return isinstance(error, apsw.CorruptError | apsw.NotADBError)


def relaxed(connection: apsw.Connection, *, yes: bool) -> None:
    """Let the next transactions skip the sync, or not.

    For what follows from records: losing it in a power cut loses its cursor with it, and the next
    synced commit puts everything before it on the disk too.
    """
    connection.pragma("synchronous", "NORMAL" if yes else "FULL")


def open_reader(path: Path) -> apsw.Connection:
    """Open a read-only connection; it can neither write nor checkpoint."""
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    connection.set_busy_timeout(BUSY_TIMEOUT_MS)
    _common(connection)
    packs.make_views_whole(connection)
    connection.pragma("query_only", "ON")
    connection.pragma("cache_size", -16_000)
    return connection


def _common(connection: apsw.Connection) -> None:
    connection.pragma("foreign_keys", "ON")
    connection.pragma("trusted_schema", "OFF")
    connection.pragma("cell_size_check", "ON")
    connection.pragma("mmap_size", 0)
    connection.pragma("temp_store", "MEMORY")
    connection.config(apsw.SQLITE_DBCONFIG_DEFENSIVE, 1)
    connection.config(apsw.SQLITE_DBCONFIG_DQS_DML, 0)
    connection.config(apsw.SQLITE_DBCONFIG_DQS_DDL, 0)
    connection.limit(apsw.SQLITE_LIMIT_LENGTH, VALUE_MAX_BYTES)
    connection.limit(apsw.SQLITE_LIMIT_SQL_LENGTH, SQL_MAX_BYTES)
    connection.limit(apsw.SQLITE_LIMIT_ATTACHED, 0)
    connection.limit(apsw.SQLITE_LIMIT_EXPR_DEPTH, 100)
    packs.register(connection)


def sqlite_error(error: Exception) -> RequestError:
    """Return what a client is told about a database error; never its data."""
    if isinstance(error, RequestError):
        return error
    if isinstance(error, apsw.FullError):
        return RequestError(
            ErrorCode.DISK_FULL, "The disk is full.", "Free some space; the client will try again."
        )
    if is_damage(error):
        return RequestError(
            ErrorCode.CORRUPT, "The database is damaged.", "Run `steno doctor` for what to do."
        )
    if isinstance(error, apsw.ReadOnlyError):
        return RequestError(ErrorCode.READ_ONLY, "The database cannot be written.")
    if isinstance(error, apsw.InterruptError):
        return RequestError(
            ErrorCode.TIMEOUT,
            "The question took longer than a statement may.",
            "Narrow it with filters or a smaller limit.",
        )
    if isinstance(error, apsw.BusyError | apsw.LockedError):
        return RequestError(ErrorCode.BUSY, "The database is busy.", "Try again.")
    if isinstance(error, apsw.IOError | apsw.CantOpenError | apsw.NoMemError):
        return RequestError(
            ErrorCode.UNKNOWN_OUTCOME, "The disk did not take the write.", "Send the same again."
        )
    if isinstance(error, apsw.ConstraintError) and _is_twin(error):
        return RequestError(
            ErrorCode.CONFLICT,
            "The id exists with other content.",
            "Change it with amend, or save under a new id.",
        )
    if isinstance(error, apsw.ConstraintError):
        return RequestError(ErrorCode.BAD_REQUEST, "A value breaks a rule of the database.")
    if isinstance(error, UnicodeEncodeError | OverflowError | apsw.TooBigError):
        return RequestError(
            ErrorCode.BAD_REQUEST, "A value cannot be stored: half a character, or too large."
        )
    return RequestError(ErrorCode.INTERNAL, f"The daemon failed: {type(error).__name__}.")


def _is_twin(error: apsw.ConstraintError) -> bool:
    return getattr(error, "extendedresult", 0) == apsw.SQLITE_CONSTRAINT_UNIQUE
