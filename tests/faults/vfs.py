"""A disk under SQLite that notes down what is done to it, fails on demand, and loses power.

Every call passes through to real files, so what the running process reads is what it wrote. What
a power cut leaves is worked out from the notes: a write is certain once its file was synced, and
until then any of its sectors may be there or not. A sync that failed has lost what it should have
written for good (the system forgets that those pages were dirty), though a reader sees it still.
"""

import itertools
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Self

import apsw

SECTOR_BYTES = 512
Kind = Literal["create", "write", "truncate", "sync", "sync_failed", "delete"]
Mode = Literal["nothing", "everything", "some", "torn"]
MODES: tuple[Mode, ...] = ("nothing", "everything", "some", "torn")
_names = itertools.count()


@dataclass(frozen=True)
class Operation:
    """One thing that was done to a file; ``offset`` is the new size for ``truncate``."""

    kind: Kind
    name: str
    offset: int = 0
    data: bytes = b""


@dataclass
class Fault:
    """What fails: after so many calls (of one kind, or any) the next, or with ``lasting`` all."""

    after: int
    code: int
    lasting: bool = False
    kind: Literal["write", "truncate", "sync"] | None = None


@dataclass
class Disk:
    """The log of operations, and what is to go wrong. Use as a context manager."""

    fault: Fault | None = None
    log: list[Operation] = field(default_factory=list)
    calls: int = 0
    vfs: str = ""

    def __enter__(self) -> Self:
        self.vfs = f"faulty-{next(_names)}"
        self._system = _System(self)
        return self

    def __exit__(self, *_exception: object) -> None:
        self._system.unregister()

    def fails(self, kind: Literal["write", "truncate", "sync"]) -> int | None:
        """Count a call that may fail; return the code it must fail with."""
        self.calls += 1
        fault = self.fault
        if fault is None or fault.kind not in {None, kind}:
            return None
        fault.after -= 1
        if fault.after >= 0:
            return None
        if not fault.lasting:
            self.mend()
        return fault.code

    def mend(self) -> None:
        """Let nothing fail any more."""
        self.fault = None


class _System(apsw.VFS):
    def __init__(self, disk: Disk) -> None:
        super().__init__(disk.vfs, "")
        self._disk = disk

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> Any:  # noqa: N802 apsw's name
        text = name.filename() if isinstance(name, apsw.URIFilename) else name
        is_new = text is not None and not Path(text).exists()
        opened = _File(self._disk, name, flags)
        if text is not None and is_new:
            self._disk.log.append(Operation("create", Path(text).name))
        return opened

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802 apsw's name
        super().xDelete(filename, syncdir)
        self._disk.log.append(Operation("delete", Path(filename).name))


class _File(apsw.VFSFile):
    def __init__(self, disk: Disk, name: str | apsw.URIFilename | None, flags: list[int]) -> None:
        super().__init__("", name, flags)
        text = name.filename() if isinstance(name, apsw.URIFilename) else name
        self._disk = disk
        self._name = Path(text).name if text else ""

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802 apsw's name
        code = self._disk.fails("write")
        written = bytes(data) if code is None else bytes(data)[: len(data) // 2]
        super().xWrite(written, offset)
        self._disk.log.append(Operation("write", self._name, offset, written))
        if code is not None:
            raise apsw.exception_for(_code(code, apsw.SQLITE_IOERR_WRITE))

    def xTruncate(self, newsize: int) -> None:  # noqa: N802 apsw's name
        code = self._disk.fails("truncate")
        if code is not None:
            raise apsw.exception_for(_code(code, apsw.SQLITE_IOERR_TRUNCATE))
        super().xTruncate(newsize)
        self._disk.log.append(Operation("truncate", self._name, newsize))

    def xSync(self, flags: int) -> None:  # noqa: N802 apsw's name
        code = self._disk.fails("sync")
        if code is not None:
            self._disk.log.append(Operation("sync_failed", self._name))
            raise apsw.exception_for(_code(code, apsw.SQLITE_IOERR_FSYNC))
        self._disk.log.append(Operation("sync", self._name))


def _code(code: int, precise: int) -> int:
    """Say which kind of I/O error; a full disk is a full disk."""
    return precise if code == apsw.SQLITE_IOERR else code


class _Platter:
    """One file as the disk itself has it."""

    def __init__(self) -> None:
        self.certain = bytearray()
        self.pending: list[Operation] = []
        self.has_name = False

    def settle(self) -> None:
        for operation in self.pending:
            _apply(self.certain, operation, None)
        self.pending.clear()
        self.has_name = True


def after_power_cut(log: list[Operation], mode: Mode, chance: random.Random) -> dict[str, bytes]:
    """Return the files found after power failed at the end of ``log``."""
    platters: dict[str, _Platter] = {}
    for operation in log:
        platter = platters.setdefault(operation.name, _Platter())
        if operation.kind == "sync":
            platter.settle()
        elif operation.kind == "sync_failed":
            platter.pending.clear()
        elif operation.kind == "delete":
            del platters[operation.name]
        elif operation.kind != "create":
            platter.pending.append(operation)
    found: dict[str, bytes] = {}
    for name, platter in platters.items():
        if not platter.has_name and (mode == "nothing" or chance.random() < 0.3):
            continue
        content = bytearray(platter.certain)
        for operation in platter.pending:
            if mode == "everything" or (mode == "some" and chance.random() < 0.5):
                _apply(content, operation, None)
            elif mode == "torn":
                _apply(content, operation, chance)
        found[name] = bytes(content)
    return found


def _apply(content: bytearray, operation: Operation, chance: random.Random | None) -> None:
    """Do an operation to a file; with ``chance``, only some of its sectors reach the disk."""
    if operation.kind == "truncate":
        if chance is None or chance.random() < 0.5:
            del content[operation.offset :]
        return
    if chance is None:
        _put(content, operation.offset, operation.data)
        return
    start, end = operation.offset, operation.offset + len(operation.data)
    while start < end:
        following = min((start // SECTOR_BYTES + 1) * SECTOR_BYTES, end)
        if chance.random() < 0.5:
            first = start - operation.offset
            _put(content, start, operation.data[first : first + following - start])
        start = following


def _put(content: bytearray, offset: int, data: bytes) -> None:
    if len(content) < offset:
        content.extend(bytes(offset - len(content)))
    content[offset : offset + len(data)] = data
