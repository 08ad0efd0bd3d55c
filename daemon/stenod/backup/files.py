"""A file appears whole, synced and under its name, or not at all."""

import contextlib
import os
from pathlib import Path

from steno_schema.errors import ErrorCode, RequestError
from steno_schema.limits import FREE_SPACE_FLOOR_BYTES, MIB

PRIVATE_MODE = 0o600
_PARTIAL = ".partial"


def partial_of(target: Path) -> Path:
    """Return where ``target`` is written until it is whole; in the same folder."""
    return target.with_name(f".{target.name}{_PARTIAL}")


def create_empty(path: Path) -> None:
    """Make an empty private file, in place of what an interrupted attempt left there."""
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    os.close(os.open(path, flags, PRIVATE_MODE))


def put_in_place(partial: Path, target: Path, mode: int = PRIVATE_MODE) -> None:
    """Sync a finished file, give it its name, and sync the folder that holds the name.

    No SQLite connection of this process may be open on the file.
    """
    descriptor = os.open(partial, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        os.fchmod(descriptor, mode)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    partial.replace(target)
    sync_folder(target.parent)


def sync_folder(folder: Path) -> None:
    """Make names in a folder, new and gone, survive a power failure."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def check_room(folder: Path, size_bytes: int) -> None:
    """Refuse to write what would leave too little space for everything else."""
    found = os.statvfs(folder)
    free_bytes = found.f_bavail * found.f_frsize
    needed_bytes = size_bytes + FREE_SPACE_FLOOR_BYTES
    if free_bytes < needed_bytes:
        raise RequestError(
            ErrorCode.DISK_FULL,
            f"{folder} has {free_bytes // MIB} MiB free, {needed_bytes // MIB} are needed.",
            "Free some space, or choose another folder.",
        )
