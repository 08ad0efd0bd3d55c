"""What becomes of a damaged database: never an empty one, and never silence.

1. It is read from end to end; a false alarm ends here.
2. All that can be read is copied into a new database. If no record is missing (an index, a page of
   something derived), that one takes its place.
3. Else a copy of the newest sound backup takes its place, with every newer record that can be read.
   Transcripts and spool fill in what is missing still.
4. Without a backup the daemon refuses, and says what there is.

The damaged file is set aside with a report of what was found, restored and lost.
"""

import contextlib
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import apsw
import msgspec

from steno_schema.config import Settings
from steno_schema.errors import ErrorCode, RequestError
from steno_schema.paths import Paths
from stenod import failpoints
from stenod.backup.files import check_room, partial_of, put_in_place
from stenod.backup.restore import carry_through
from stenod.backup.rotation import BEFORE_MIGRATION, NAME, found_in
from stenod.backup.snapshot import copy_database
from stenod.backup.verify import MAGIC, count_rows, verify
from stenod.recovery import damage
from stenod.recovery.newer import Newer
from stenod.recovery.salvage import (
    DERIVED,
    Salvaged,
    close_bare,
    open_bare,
    salvage,
    tidy,
    version_of,
)
from stenod.store.connection import open_reader

log = logging.getLogger("stenod.recovery")


def recover_if_needed(paths: Paths, settings: Settings) -> None:
    """Make sure that the database can be used; the caller holds the lock, nothing is open.

    Raise ``RequestError`` if it is damaged and nothing can take its place.
    """
    carry_through(paths)
    suspicion = damage.suspicion_of(paths) or _at_first_sight(paths, settings)
    if suspicion is None:
        return
    if is_sound(paths.database):
        log.warning("the database was checked and is sound; %s was mistaken", suspicion.where)
        damage.clear(paths)
        return
    report: dict[str, Any] = {"found": msgspec.to_builtins(suspicion)}
    report |= _build(paths, settings)
    _write_report(paths, report)
    failpoints.hit("recovery.ready")
    partial_of(paths.incoming).replace(paths.incoming)
    aside = carry_through(paths)
    log.critical("the database was replaced; see %s", aside)


def _at_first_sight(paths: Paths, settings: Settings) -> damage.Suspicion | None:
    """Return what is wrong with a file that a new daemon would take for none of ours, or for new.

    Without any backup it never was ours, as far as anybody can tell: that is for others to say.
    """
    try:
        with paths.database.open("rb") as file:
            magic = file.read(len(MAGIC))
    except FileNotFoundError:
        magic = b""
    if magic == MAGIC or not any(True for _ in _backups(paths, settings)):
        return None
    finding = "its first bytes are not those of a database" if magic else "it is gone or empty"
    return damage.Suspicion(_now(), "the start", finding)


def is_sound(database: Path) -> bool:
    """Tell whether a database that nobody has open can be read from end to end."""
    try:
        verify(database)
    except (RequestError, apsw.Error, OSError):
        return False
    return True


def _build(paths: Paths, settings: Settings) -> dict[str, Any]:
    """Write the database that is to take the place, synced, under its partial name."""
    partial = partial_of(paths.incoming)
    _remove(partial)
    with contextlib.suppress(FileNotFoundError):
        check_room(paths.data, paths.database.stat().st_size)
    salvaged = _salvaged(paths.database, partial)
    if salvaged is not None and not salvaged.missing:
        _settle(partial)
        return {"restored_from": None, "rows": _records(salvaged.rows), "lost": {}}
    backup = next((path for path in _backups(paths, settings) if is_sound(path)), None)
    if backup is None:
        raise _refusal(paths, None if salvaged is None else partial)
    _remove(partial)
    copy_database(backup, partial)
    told = _add_newer(paths.database, partial)
    if not is_sound(partial):
        _remove(partial)
        copy_database(backup, partial)
        told = {"added": {}, "lost": None}
    _settle(partial)
    return {"restored_from": str(backup)} | told


def _salvaged(damaged: Path, partial: Path) -> Salvaged | None:
    """Copy what can be read; ``None`` if that came to nothing."""
    try:
        salvaged = salvage(damaged, partial)
    except (RequestError, apsw.Error) as error:
        log.error("the damaged database tells nothing: %s", error)
        return None
    return salvaged if is_sound(partial) else None


def _add_newer(damaged: Path, base: Path) -> dict[str, Any]:
    """Add what the damaged database has and the backup has not."""
    try:
        source = open_reader(damaged)
    except apsw.Error:
        return {"added": {}, "lost": None}
    try:
        version = version_of(source)
        if version is None:
            return {"added": {}, "lost": None}
        target = open_bare(base, version)
        try:
            newer = Newer(source, target)
            newer.add()
            tidy(target)
            rows = count_rows(target)
        finally:
            close_bare(target)
    except Exception as error:  # whatever a damaged file leads to, the backup is there
        log.error("newer records could not be added: %s", type(error).__name__)
        return {"added": {}, "lost": None}
    finally:
        source.close()
    return {"added": _records(newer.added), "lost": newer.missing, "rows": _records(rows)}


def _backups(paths: Paths, settings: Settings) -> Iterator[Path]:
    """Yield the backups there are, the newest of each folder first."""
    folders = [paths.backups]
    if settings.jobs.backup.to:
        folders.insert(0, paths.data / Path(settings.jobs.backup.to).expanduser())
    for pattern in (NAME, BEFORE_MIGRATION):
        for folder in folders:
            yield from found_in(folder, pattern)


def _refusal(paths: Paths, salvaged: Path | None) -> RequestError:
    """Keep what could be read where a person finds it, and return what to tell them."""
    hint = "Restore a backup with `steno restore FILE`; `stenod check` tells what is wrong."
    if salvaged is not None:
        kept = paths.data / "salvaged.db"
        _settle(salvaged)
        salvaged.replace(kept)
        hint = (
            f"What could be read is in {kept}: `steno restore {kept}` takes that,"
            " `steno restore FILE` a backup of yours."
        )
    return RequestError(
        ErrorCode.CORRUPT, f"{paths.database} is damaged and there is no backup of it.", hint
    )


def _settle(partial: Path) -> None:
    put_in_place(partial, partial)


def _write_report(paths: Paths, report: dict[str, Any]) -> None:
    report = {"at": _now(), **report}
    partial = partial_of(paths.recovery)
    partial.write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=2))
    put_in_place(partial, paths.recovery)


def _now() -> str:
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _records(rows: dict[str, int]) -> dict[str, int]:
    return {name: count for name, count in rows.items() if count and name not in DERIVED}


def _remove(path: Path) -> None:
    for suffix in ("", "-wal", "-shm", "-journal"):
        with contextlib.suppress(FileNotFoundError):
            Path(f"{path}{suffix}").unlink()


def reports(paths: Paths) -> list[dict[str, Any]]:
    """Return what recoveries found, the newest first; each with the folder set aside."""
    found: list[dict[str, Any]] = []
    for note in sorted(paths.aside.glob("*/recovery.json"), reverse=True):
        try:
            found.append(msgspec.json.decode(note.read_bytes()) | {"aside": str(note.parent)})
        except (OSError, msgspec.DecodeError):
            found.append({"aside": str(note.parent)})
    return found
