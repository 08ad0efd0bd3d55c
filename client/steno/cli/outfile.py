"""A file that is there whole or not at all, and that only its owner can read."""

import os
import stat
from pathlib import Path
from types import TracebackType
from typing import Self

from steno.cli.command import Failed

_MODE = 0o600
_BUFFER_CHARS = 1 << 20


class OutFile:
    """Text for ``path``: written beside it, synced, and put in its place by ``commit``.

    An existing file is only replaced with ``force``. A device (``/dev/full``) or pipe is written
    to directly. Raises ``Failed`` with one sentence when it cannot be written.
    """

    def __init__(self, path: Path, *, force: bool = False) -> None:
        self._path = path
        self._force = force
        self._temporary: Path | None = None
        self._parts: list[str] = []
        self._held_chars = 0
        self._descriptor = self._open()

    def write(self, text: str) -> None:
        """Add ``text``; raise ``Failed`` when it cannot be written."""
        self._parts.append(text)
        self._held_chars += len(text)
        if self._held_chars >= _BUFFER_CHARS:
            self._drain()

    def commit(self) -> None:
        """Put the whole file in its place; without this call nothing is left behind."""
        self._drain()
        try:
            if self._temporary is not None:
                os.fsync(self._descriptor)
                self._put_in_place(self._temporary)
        except OSError as error:
            raise self._failed(error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self._descriptor)
        if self._temporary is not None:
            self._temporary.unlink(missing_ok=True)

    def _open(self) -> int:
        try:
            kind = self._kind()
            if kind is not None and not stat.S_ISREG(kind):
                return os.open(self._path, os.O_WRONLY | os.O_NOCTTY | os.O_CLOEXEC)
            if kind is not None and not self._force:
                raise Failed(f"{self._path} exists.", "--force overwrites it.")
            beside = f".{self._path.name}.{os.getpid()}.tmp"
            temporary = self._path.resolve().parent / beside
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            descriptor = os.open(temporary, flags, _MODE)
            self._temporary = temporary
            return descriptor
        except OSError as error:
            raise self._failed(error) from error

    def _kind(self) -> int | None:
        try:
            return self._path.stat().st_mode
        except FileNotFoundError:
            return None

    def _put_in_place(self, temporary: Path) -> None:
        target = self._path.resolve()
        if self._force:
            os.replace(temporary, target)
            self._temporary = None
            return
        try:
            os.link(temporary, target)
        except FileExistsError:
            raise Failed(f"{self._path} exists.", "--force overwrites it.") from None

    def _drain(self) -> None:
        data = memoryview("".join(self._parts).encode("utf-8", "backslashreplace"))
        self._parts.clear()
        self._held_chars = 0
        try:
            while data:
                data = data[os.write(self._descriptor, data) :]
        except OSError as error:
            raise self._failed(error) from error

    def _failed(self, error: OSError) -> Failed:
        return Failed(f"{self._path} cannot be written: {error.strerror or error}.")
