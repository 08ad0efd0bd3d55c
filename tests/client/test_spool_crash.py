"""Power may fail after any operation: a record whose save returned is there, whole.

The model keeps what a disk promises: a file's bytes are certain once the file was synced, a name
(made or changed) once its folder was. What was not synced may be there or not; the test looks at
every combination for every moment of a run.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from steno import spool
from steno_schema.limits import SPOOL_MAX_BYTES
from steno_schema.spool import SUFFIX, TornRecord, unpack

FOLDER = Path("/state/steno/spool")
PAYLOADS = (b"first" * 50, b"second" * 50)
Operation = tuple[str, ...]


@dataclass
class Model(spool.Disk):
    """A disk in memory that notes down every operation."""

    log: list[tuple[str, Path, Path | bytes | None]] = field(default_factory=list)
    folders: set[Path] = field(default_factory=lambda: {Path("/")})
    open_files: list[Path] = field(default_factory=list)

    def is_folder(self, path: Path) -> bool:
        return path in self.folders

    def make_folder(self, path: Path) -> None:
        self.folders.add(path)
        self.log.append(("name", path, None))

    def make_private(self, path: Path) -> None:
        """Nobody else is there."""

    def create(self, path: Path) -> int:
        self.open_files.append(path)
        self.log.append(("name", path, None))
        return len(self.open_files) - 1

    def write(self, descriptor: int, data: bytes) -> None:
        half = len(data) // 2
        for part in (data[:half], data[half:]):
            self.log.append(("write", self.open_files[descriptor], part))

    def sync(self, descriptor: int) -> None:
        self.log.append(("sync", self.open_files[descriptor], None))

    def close(self, descriptor: int) -> None:
        """Says nothing about the disk."""

    def rename(self, source: Path, target: Path) -> None:
        self.log.append(("rename", source, target))

    def sync_folder(self, path: Path) -> None:
        self.log.append(("sync_folder", path, None))

    def used_bytes(self, path: Path) -> int:
        return 0

    def free_bytes(self, path: Path) -> int:
        return SPOOL_MAX_BYTES


class NoFolderSync(Model):
    def sync_folder(self, path: Path) -> None:
        """The names are left to chance."""


class NoFileSync(Model):
    def sync(self, descriptor: int) -> None:
        """The bytes are left to chance."""


class NoSyncOfNewFolders(Model):
    def sync_folder(self, path: Path) -> None:
        if path == FOLDER:
            super().sync_folder(path)


class InPlace(Model):
    """Writes under the record's own name."""

    def create(self, path: Path) -> int:
        return super().create(path.with_suffix(SUFFIX))

    def rename(self, source: Path, target: Path) -> None:
        """It has its name already."""


class Crash:
    """What a disk holds after the first ``count`` operations of a log."""

    def __init__(self, log: list[tuple[str, Path, Path | bytes | None]], count: int) -> None:
        self._names: dict[Path, int] = {}
        self._pending: list[tuple[Path | None, Path, int]] = []
        self._bytes: dict[int, bytes] = {}
        self._synced: dict[int, bytes] = {}
        self._live: dict[Path, int] = {}
        for number, (operation, path, argument) in enumerate(log[:count]):
            self._apply(number, operation, path, argument)

    def _apply(
        self, number: int, operation: str, path: Path, argument: Path | bytes | None
    ) -> None:
        if operation == "name":
            self._live[path] = number
            self._bytes[number] = self._synced[number] = b""
            self._pending.append((None, path, number))
        elif operation == "write" and isinstance(argument, bytes):
            self._bytes[self._live[path]] += argument
        elif operation == "sync":
            self._synced[self._live[path]] = self._bytes[self._live[path]]
        elif operation == "rename" and isinstance(argument, Path):
            file = self._live[argument] = self._live.pop(path)
            self._pending.append((path, argument, file))
        elif operation == "sync_folder":
            for change in [change for change in self._pending if change[1].parent == path]:
                self._pending.remove(change)
                _change(self._names, change)

    def states(self) -> Iterator[dict[Path, bytes]]:
        """Yield what may be found: any of the unsynced names, with all bytes or synced ones."""
        for chosen in itertools.product((False, True), repeat=len(self._pending)):
            names = dict(self._names)
            for change, kept in zip(self._pending, chosen, strict=True):
                if kept:
                    _change(names, change)
            for contents in (self._synced, self._bytes):
                yield {path: contents[file] for path, file in names.items() if _reach(path, names)}


def _change(names: dict[Path, int], change: tuple[Path | None, Path, int]) -> None:
    source, target, file = change
    if source is not None:
        names.pop(source, None)
    names[target] = file


def _reach(path: Path, names: dict[Path, int]) -> bool:
    return all(parent in names for parent in path.parents if parent != Path("/"))


def run(disk: Model) -> list[int]:
    """Spool the payloads; return how many operations had been done as each save returned."""
    acknowledged: list[int] = []
    for payload in PAYLOADS:
        spool.write(FOLDER, payload, disk)
        acknowledged.append(len(disk.log))
    return acknowledged


def faults(disk: Model) -> set[str]:
    """Return what goes wrong in any state after a crash at any moment."""
    acknowledged = run(disk)
    found: set[str] = set()
    for count in range(len(disk.log) + 1):
        promised = {
            payload
            for payload, moment in zip(PAYLOADS, acknowledged, strict=True)
            if moment <= count
        }
        for state in Crash(disk.log, count).states():
            kept: set[bytes] = set()
            for path, data in state.items():
                if path.suffix == SUFFIX:
                    try:
                        kept.add(unpack(data))
                    except TornRecord:
                        found.add("torn")
            if not promised <= kept:
                found.add("lost")
    return found


def test_nothing_acknowledged_is_lost_and_nothing_is_torn() -> None:
    assert faults(Model()) == set()


@pytest.mark.parametrize(
    ("broken", "fault"),
    [
        (NoFolderSync, "lost"),
        (NoSyncOfNewFolders, "lost"),
        (NoFileSync, "torn"),
        (InPlace, "torn"),
    ],
)
def test_the_model_sees_what_a_missing_step_costs(broken: type[Model], fault: str) -> None:
    assert fault in faults(broken())
