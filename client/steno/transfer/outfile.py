"""A file that is there whole or not at all, and that only its owner can read."""

import os
import stat
from pathlib import Path
from types import TracebackType
from typing import Self

from steno.errors import Misuse
from steno_schema.ids import uuid7
from steno_schema.paths import Paths

_MODE = 0o600
_BUFFER_CHARS = 1 << 20


class OutFile:
    """Text for ``path``: written beside it, synced, and put in its place by ``commit``.

    An existing file is only replaced with ``overwrite``, one behind a link never, nor what
    ``paths`` says is steno's own. A device (``/dev/full``) or pipe is written to directly. Raises
    ``Misuse`` with one sentence when it cannot be written.
    """

    def __init__(self, path: Path, paths: Paths | None = None, *, overwrite: bool = False) -> None:
        self._path = path
        self._overwrite = overwrite
        self._temporary: Path | None = None
        self._parts: list[str] = []
        self._held_chars = 0
        self._descriptor = self._open(paths)

    def write(self, text: str) -> None:
        """Add ``text``; raise ``Misuse`` when it cannot be written."""
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
            raise self._failed(error) from None

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

    def _open(self, paths: Paths | None) -> int:
        try:
            kind = self._kind()
            if kind is not None and not stat.S_ISREG(kind):
                return os.open(self._path, os.O_WRONLY | os.O_NOCTTY | os.O_CLOEXEC)
            self._check(paths, exists=kind is not None)
            beside = f".{self._path.name}.{uuid7()}.tmp"
            temporary = self._path.resolve().parent / beside
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            descriptor = os.open(temporary, flags, _MODE)
            self._temporary = temporary
            return descriptor
        except OSError as error:
            raise self._failed(error) from None

    def _check(self, paths: Paths | None, *, exists: bool) -> None:
        """Refuse to replace what is not there to be replaced."""
        if self._path.is_symlink():
            raise Misuse(f"{self._path} is a link.", "Name the file itself.")
        if paths is not None and _is_own(self._path.resolve(), paths):
            raise Misuse(f"{self._path} is a file of steno itself.", "Choose another name.")
        if exists and not self._overwrite:
            raise self._exists()

    def _exists(self) -> Misuse:
        return Misuse(f"{self._path} exists.", "Choose another name, or have it overwritten.")

    def _kind(self) -> int | None:
        try:
            return self._path.stat().st_mode
        except FileNotFoundError:
            return None

    def _put_in_place(self, temporary: Path) -> None:
        if self._overwrite:
            os.replace(temporary, self._path)
            self._temporary = None
            return
        try:
            os.link(temporary, self._path)
        except FileExistsError:
            raise self._exists() from None

    def _drain(self) -> None:
        data = memoryview("".join(self._parts).encode("utf-8", "backslashreplace"))
        self._parts.clear()
        self._held_chars = 0
        try:
            while data:
                data = data[os.write(self._descriptor, data) :]
        except OSError as error:
            raise self._failed(error) from None

    def _failed(self, error: OSError) -> Misuse:
        return Misuse(f"{self._path} cannot be written: {error.strerror or error}.")


def _is_own(target: Path, paths: Paths) -> bool:
    """Tell whether a file is one that steno keeps its data or its settings in."""
    database = paths.database.resolve()
    own = {paths.config.resolve(), paths.lock.resolve(), paths.log.resolve()}
    is_database = target.parent == database.parent and target.name.startswith(database.name)
    return is_database or target in own or target.is_relative_to(paths.spool.resolve())
