"""A backup takes the database's place; what was there is set aside, never deleted.

The new database is written whole under a name of its own first. From then on the exchange is only
renames, and whoever starts next carries them through: at no moment is there a state that a daemon
would take for a new, empty database.
"""

from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct

from steno_schema.paths import Paths
from stenod import failpoints
from stenod.backup.files import sync_folder
from stenod.backup.rotation import stamp
from stenod.backup.snapshot import copy_database
from stenod.backup.verify import verify

_PARTS = ("steno.db", "steno.db-wal", "steno.db-shm", "damaged.json", "recovery.json")
"""What belongs to the database that is replaced, and what is told of its damage."""


class Restored(Struct, frozen=True):
    """What is in place now, and the folder of what was there before, if anything was."""

    rows: dict[str, int]
    aside: Path | None


def restore(paths: Paths, backup: Path) -> Restored:
    """Put a copy of ``backup`` in the database's place; the caller holds the lock.

    Raise ``RequestError`` if the backup is damaged or does not fit; nothing has changed then.
    """
    verify(backup)
    copy = copy_database(backup, paths.incoming)
    failpoints.hit("restore.ready")
    return Restored(copy.rows, carry_through(paths))


def carry_through(paths: Paths) -> Path | None:
    """Finish an exchange that was begun; return the folder of what was set aside."""
    if not paths.incoming.exists():
        return None
    # Named by the incoming file, so that whoever carries on uses the same folder.
    written_ns = paths.incoming.stat().st_mtime_ns
    moment = stamp(datetime.fromtimestamp(written_ns // 10**9, UTC))
    folder = paths.aside / f"{moment}-{written_ns % 10**9:09}"
    for part in _PARTS:
        path = paths.data / part
        if path.exists():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.replace(folder / path.name)
    is_replaced = folder.exists()
    if is_replaced:
        sync_folder(folder)
        sync_folder(paths.aside)
    failpoints.hit("restore.set_aside")
    paths.incoming.replace(paths.database)
    sync_folder(paths.data)
    return folder if is_replaced else None
