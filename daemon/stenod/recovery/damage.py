"""The mark that a database is suspected of damage: it outlives the daemon that found out."""

import contextlib
import logging
from datetime import UTC, datetime

import msgspec
from msgspec import Struct

from steno_schema.errors import RequestError
from steno_schema.paths import Paths
from stenod.backup.files import create_empty, partial_of, put_in_place

log = logging.getLogger("stenod.recovery")


class Suspicion(Struct, frozen=True):
    """When damage was met, by whom, and what SQLite called it."""

    at: str
    where: str
    finding: str


def mark(paths: Paths, where: str, error: Exception) -> None:
    """Note that the database must be looked at before it is used again."""
    finding = error.message if isinstance(error, RequestError) else type(error).__name__
    suspicion = Suspicion(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}", where, finding)
    log.critical("the database is damaged: found by %s: %s", where, finding)
    partial = partial_of(paths.damage)
    try:
        create_empty(partial)
        partial.write_bytes(msgspec.json.encode(suspicion))
        put_in_place(partial, paths.damage)
    except OSError as problem:
        log.error("the damage could not be noted: %s", problem.strerror)


def suspicion_of(paths: Paths) -> Suspicion | None:
    """Return what was noted, ``None`` if nothing was."""
    try:
        text = paths.damage.read_bytes()
    except FileNotFoundError:
        return None
    try:
        return msgspec.json.decode(text, type=Suspicion)
    except msgspec.DecodeError:
        return Suspicion("", "an unreadable note", "unknown")


def clear(paths: Paths) -> None:
    """Take the mark away: the database was looked at, or replaced."""
    with contextlib.suppress(FileNotFoundError):
        paths.damage.unlink()
