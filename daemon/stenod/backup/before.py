"""A backup before a migration: what an older release wrote can be had again."""

import logging
from pathlib import Path

from stenod.backup.rotation import (
    BEFORE_MIGRATION,
    MIGRATION_BACKUPS_KEPT,
    found_in,
    migration_backup_name,
)
from stenod.backup.snapshot import copy_database

log = logging.getLogger("stenod.backup")


def back_up_before_migration(database: Path, version: int) -> None:
    """Write a verified backup of a database that is at ``version``, beside it.

    Raise ``RequestError`` if there is no room for it; the database stays as it is then.
    """
    folder = database.with_name("backups")
    folder.mkdir(mode=0o700, exist_ok=True)
    copy = copy_database(database, folder / migration_backup_name(version))
    log.info("backed up before a migration: %s", copy.path)
    for old in found_in(folder, BEFORE_MIGRATION)[MIGRATION_BACKUPS_KEPT:]:
        old.unlink(missing_ok=True)
