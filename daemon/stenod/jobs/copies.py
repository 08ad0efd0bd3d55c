"""Jobs that copy the database: backups, their rehearsal, and the snapshot for others."""

import shutil
import tempfile
from pathlib import Path
from typing import Any

from steno_schema import paths
from steno_schema.errors import ErrorCode, RequestError, bad_request
from stenod.backup.digests import content_digests
from stenod.backup.files import partial_of, sync_folder
from stenod.backup.restore import restore
from stenod.backup.rotation import backup_name, found_in, outdated
from stenod.backup.snapshot import copy_database
from stenod.backup.verify import check_belongs_to_steno
from stenod.jobs.beside import Beside
from stenod.store.connection import open_reader

PUBLIC_MODE = 0o644
_REHEARSAL = "rehearsal-"


def backup(work: Beside) -> dict[str, Any]:
    """Write a backup to the path that was asked for, else into the folder of the settings."""
    asked = work.arguments.get("path")
    if asked is not None:
        target = _absolute(asked)
        if target.exists():
            raise RequestError(
                ErrorCode.CONFLICT, f"{target} exists already.", "Name a file that does not."
            )
        return _copied(work, target)
    settings = work.settings.jobs.backup
    folder = work.paths.data / Path(settings.to).expanduser() if settings.to else None
    folder = folder or work.paths.backups
    _make_private(folder)
    told = _copied(work, folder / backup_name())
    names = [path.name for path in found_in(folder)]
    removed = outdated(names, settings.keep, settings.weekly)
    for name in removed:
        (folder / name).unlink(missing_ok=True)
    for left in folder.glob(partial_of(Path("steno-*.db")).name):
        left.unlink(missing_ok=True)
    sync_folder(folder)
    return told | {"removed": len(removed)}


def publish(work: Beside) -> dict[str, Any]:
    """Replace the published snapshot by one of now, readable by others."""
    target = _absolute(work.arguments.get("path") or work.settings.jobs.publish.to)
    if target.exists():
        check_belongs_to_steno(target)
    copy = copy_database(
        work.paths.database, target, is_stopping=work.stopping.is_set, mode=PUBLIC_MODE
    )
    return copy.told()


def rehearse(work: Beside) -> dict[str, Any]:
    """Back up, restore into a place of its own, and compare every row with what was copied."""
    for left in work.paths.data.glob(f"{_REHEARSAL}*"):
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=_REHEARSAL, dir=work.paths.data) as name:
        copy = copy_database(
            work.paths.database,
            Path(name) / "backup.db",
            is_stopping=work.stopping.is_set,
            digested=True,
        )
        trial = paths.resolve({}, home=Path(name) / "restored")
        trial.data.mkdir(mode=0o700)
        restore(trial, copy.path)
        connection = open_reader(trial.database)
        found = content_digests(connection)
        connection.close()
    different = sorted(table for table in copy.digests if copy.digests[table] != found[table])
    if different:
        raise RequestError(
            ErrorCode.CORRUPT,
            f"What came back differs in {', '.join(different)}.",
            "Run `steno check`; keep the backups there are.",
        )
    told = copy.told()
    del told["path"]
    return told | {"tables": len(found), "equal": True}


def _copied(work: Beside, target: Path) -> dict[str, Any]:
    copy = copy_database(work.paths.database, target, is_stopping=work.stopping.is_set)
    return copy.told()


def _absolute(path: object) -> Path:
    if not isinstance(path, str) or not Path(path).is_absolute():
        raise bad_request("A copy needs an absolute path.", "Name a file.")
    if not Path(path).parent.is_dir():
        raise bad_request(f"There is no folder {Path(path).parent}.", "Make it first.")
    return Path(path)


def _make_private(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise RequestError(
            ErrorCode.READ_ONLY,
            f"The folder {folder} cannot be made: {error.strerror}.",
            "Correct jobs.backup.to in the settings.",
        ) from error
