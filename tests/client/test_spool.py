"""The spool: private files, synced, bounded, and a clear word when it cannot keep a record."""

import errno
import os
import stat
from pathlib import Path

import pytest

from steno import spool
from steno.errors import SpoolFailed, SpoolFull
from steno_schema.limits import FREE_SPACE_FLOOR_BYTES, MIB, SPOOL_MAX_BYTES
from steno_schema.spool import unpack


def records(folder: Path) -> list[bytes]:
    return [unpack(file.read_bytes()) for file in sorted(folder.glob("*.rec"))]


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


class Failing(spool.Disk):
    """A disk on which one operation fails."""

    def __init__(self, operation: str, number: int) -> None:
        self._operation = operation
        self._number = number

    def _meet(self, operation: str) -> None:
        if operation == self._operation:
            raise OSError(self._number, os.strerror(self._number))

    def create(self, path: Path) -> int:
        self._meet("create")
        return super().create(path)

    def write(self, descriptor: int, data: bytes) -> None:
        super().write(descriptor, data[: len(data) // 2])
        self._meet("write")
        super().write(descriptor, data[len(data) // 2 :])

    def sync(self, descriptor: int) -> None:
        self._meet("sync")
        super().sync(descriptor)

    def rename(self, source: Path, target: Path) -> None:
        self._meet("rename")
        super().rename(source, target)

    def sync_folder(self, path: Path) -> None:
        self._meet("sync_folder")
        super().sync_folder(path)


class Sized(spool.Disk):
    """A disk of a certain size."""

    def __init__(self, used_bytes: int = 0, free_bytes: int = SPOOL_MAX_BYTES) -> None:
        self.used = used_bytes
        self.free = free_bytes
        self.counts = 0

    def used_bytes(self, path: Path) -> int:
        self.counts += 1
        return self.used

    def free_bytes(self, path: Path) -> int:
        return self.free


def test_records_are_kept_in_order_for_this_user_alone(tmp_path: Path) -> None:
    folder = tmp_path / "state" / "spool"
    before = os.umask(0)
    try:
        for payload in (b"one", b"two", b""):
            spool.write(folder, payload)
    finally:
        os.umask(before)
    assert records(folder) == [b"one", b"two", b""]
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}
    assert {stat.S_IMODE(path.stat().st_mode) for path in (folder, folder.parent)} == {0o700}


def test_a_folder_open_to_others_is_closed_to_them(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    spool.write(tmp_path, b"secret")
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700


def test_another_users_folder_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stranger = os.geteuid() + 1
    monkeypatch.setattr(os, "geteuid", lambda: stranger)
    with pytest.raises(SpoolFailed, match="belongs to user"):
        spool.write(tmp_path, b"secret")
    assert names(tmp_path) == []


@pytest.mark.parametrize("operation", ["create", "write", "sync", "rename", "sync_folder"])
def test_what_fails_leaves_nothing_and_says_so(operation: str, tmp_path: Path) -> None:
    with pytest.raises(SpoolFailed, match="could not be kept") as failure:
        spool.write(tmp_path, b"x" * 100, Failing(operation, errno.EIO))
    assert not isinstance(failure.value, SpoolFull)
    assert names(tmp_path) == []


def test_a_full_disk_is_called_so(tmp_path: Path) -> None:
    with pytest.raises(SpoolFull, match="is full"):
        spool.write(tmp_path, b"x" * 100, Failing("write", errno.ENOSPC))
    assert names(tmp_path) == []


def test_a_spool_folder_that_cannot_be_made_is_called_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(SpoolFailed, match="File exists"):
        spool.write(tmp_path / "file" / "spool", b"x")


def test_a_full_spool_is_called_so(tmp_path: Path) -> None:
    disk = Sized(used_bytes=SPOOL_MAX_BYTES - 100)
    with pytest.raises(SpoolFull, match="holds 1023 MiB, as much as it may"):
        spool.write(tmp_path, b"x" * 100, disk)
    assert names(tmp_path) == []
    disk.used = 0
    spool.write(tmp_path, b"x" * 100, disk)
    assert len(names(tmp_path)) == 1, "once the daemon has emptied it, it takes records again"


def test_the_last_of_the_disk_is_left_alone(tmp_path: Path) -> None:
    disk = Sized(free_bytes=FREE_SPACE_FLOOR_BYTES + 10)
    with pytest.raises(SpoolFull, match="64 MiB left"):
        spool.write(tmp_path, b"x", disk)


def test_the_spool_is_counted_now_and_then(tmp_path: Path) -> None:
    disk = Sized()
    for _ in range(5):
        spool.write(tmp_path, b"x", disk)
    assert disk.counts == 1
    spool.write(tmp_path, b"x" * (spool.RECOUNT_BYTES + MIB), disk)
    spool.write(tmp_path, b"x", disk)
    assert disk.counts == 2


def test_only_records_count(tmp_path: Path) -> None:
    (tmp_path / "1.rec").write_bytes(b"x" * 10)
    (tmp_path / "2.tmp").write_bytes(b"x" * 10)
    assert spool.DISK.used_bytes(tmp_path) == 10
    assert spool.DISK.free_bytes(tmp_path) > 0
