"""Writing to the spool: a record that found no daemon is on disk when ``write`` returns.

The order of the steps is what makes it so: the bytes are synced under a temporary name before the
record's name appears, and the name is synced before the caller is told. A crash anywhere leaves
the whole record or none.
"""

import errno
import os
import stat
import sys
from pathlib import Path

from steno.errors import SpoolFailed, SpoolFull
from steno_schema.limits import FREE_SPACE_FLOOR_BYTES, MIB, SPOOL_MAX_BYTES
from steno_schema.spool import SUFFIX, TEMPORARY_SUFFIX, new_name, pack

RECOUNT_BYTES = 16 * MIB
"""The spool's size is counted anew after this much was added by this process."""

_NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT})
_counted: dict[str, tuple[int, int]] = {}


class Disk:
    """The operations that a spooled record is made of; the crash tests put a model here."""

    def make_folder(self, path: Path) -> None:
        """Make one folder for this user alone; it may be there already."""
        path.mkdir(mode=0o700, exist_ok=True)

    def create(self, path: Path) -> int:
        """Return the descriptor of a new file, for this user alone."""
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC,
                       0o600)  # fmt: skip

    def write(self, descriptor: int, data: bytes) -> None:
        """Write all of ``data``."""
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(descriptor, rest) :]

    def sync(self, descriptor: int) -> None:
        """Return once everything written is on the disk itself."""
        if sys.platform == "darwin":
            import fcntl

            try:
                fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
            except OSError:
                os.fsync(descriptor)
        else:
            os.fsync(descriptor)

    def close(self, descriptor: int) -> None:
        os.close(descriptor)

    def rename(self, source: Path, target: Path) -> None:
        source.rename(target)

    def sync_folder(self, path: Path) -> None:
        """Return once the folder's names are on the disk itself."""
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            self.sync(descriptor)
        finally:
            os.close(descriptor)

    def remove(self, path: Path) -> None:
        path.unlink(missing_ok=True)

    def is_folder(self, path: Path) -> bool:
        return path.is_dir()

    def make_private(self, path: Path) -> None:
        """Take away what others may do in the folder; refuse one that is another user's."""
        status = os.stat(path)
        if status.st_uid != os.geteuid():
            raise SpoolFailed(f"The spool {path} belongs to user {status.st_uid}.",
                              "The record was not stored.")  # fmt: skip
        if stat.S_IMODE(status.st_mode) & 0o077:
            path.chmod(0o700)

    def used_bytes(self, path: Path) -> int:
        """Return the size of all records in the folder."""
        with os.scandir(path) as entries:
            return sum(_size(entry) for entry in entries if entry.name.endswith(SUFFIX))

    def free_bytes(self, path: Path) -> int:
        """Return the free space of the folder's file system."""
        status = os.statvfs(path)
        return status.f_bavail * status.f_frsize


DISK = Disk()


def write(folder: Path, payload: bytes, disk: Disk = DISK) -> None:
    """Keep ``payload`` as one spool record in ``folder``, synced when this returns.

    Raises ``SpoolFull`` or ``SpoolFailed`` if it cannot; nothing of it is left then.
    """
    try:
        _make_folder(folder, disk)
        disk.make_private(folder)
        data = pack(payload)
        _check_space(folder, len(data), disk)
        _put(folder, data, disk)
    except OSError as error:
        raise _failed(folder, error) from None
    used, added = _counted[str(folder)]
    _counted[str(folder)] = (used, added + len(data))


def _make_folder(folder: Path, disk: Disk) -> None:
    if disk.is_folder(folder):
        return
    if folder.parent != folder:
        _make_folder(folder.parent, disk)
    disk.make_folder(folder)
    disk.sync_folder(folder.parent)


def _put(folder: Path, data: bytes, disk: Disk) -> None:
    target = folder / new_name()
    temporary = target.with_suffix(TEMPORARY_SUFFIX)
    descriptor = disk.create(temporary)
    try:
        try:
            disk.write(descriptor, data)
            disk.sync(descriptor)
        finally:
            disk.close(descriptor)
        disk.rename(temporary, target)
        disk.sync_folder(folder)
    except BaseException:
        for leftover in (temporary, target):
            disk.remove(leftover)
        raise


def _check_space(folder: Path, size_bytes: int, disk: Disk) -> None:
    used, added = _counted.get(str(folder), (0, RECOUNT_BYTES))
    if added >= RECOUNT_BYTES or used + added + size_bytes > SPOOL_MAX_BYTES:
        used, added = disk.used_bytes(folder), 0
        _counted[str(folder)] = (used, added)
    if used + added + size_bytes > SPOOL_MAX_BYTES:
        raise SpoolFull(
            f"The spool {folder} holds {used // MIB} MiB, as much as it may: the record was not"
            " stored.",
            "Start the daemon with 'steno up', so that it takes the records in.",
        )
    free_bytes = disk.free_bytes(folder)
    if free_bytes - size_bytes < FREE_SPACE_FLOOR_BYTES:
        raise SpoolFull(
            f"The disk of {folder} has {free_bytes // MIB} MiB left: the record was not stored.",
            "Free some space and try again.",
        )


def _failed(folder: Path, error: OSError) -> SpoolFailed:
    reason = error.strerror or str(error)
    if error.errno in _NO_SPACE:
        return SpoolFull(
            f"The disk of {folder} is full: the record was not stored.",
            "Free some space and try again.",
        )
    return SpoolFailed(
        f"No daemon took the record and it could not be kept in {folder} either ({reason}).",
        "Start the daemon with 'steno up'; check the folder's permissions.",
    )


def _size(entry: "os.DirEntry[str]") -> int:
    try:
        return entry.stat(follow_symlinks=False).st_size
    except FileNotFoundError:
        return 0
