"""File events from Linux itself, so that waiting costs nothing at all.

``watchfiles`` looks 25 times a second whether something came; on Linux the kernel can say so
instead. Numbers are those of ``inotify(7)`` and ``sys/inotify.h``.
"""

import ctypes
import errno
import os
import select
import struct
import sys
import threading
from pathlib import Path
from typing import Self

_EVENT = struct.Struct("iIII")
_READ_BYTES = 256 * 1024

_MODIFY = 0x00000002
_CLOSE_WRITE = 0x00000008
_MOVED_FROM = 0x00000040
_MOVED_TO = 0x00000080
_CREATE = 0x00000100
_DELETE = 0x00000200
_DELETE_SELF = 0x00000400
_MOVE_SELF = 0x00000800
_QUEUE_OVERFLOW = 0x00004000
_IGNORED = 0x00008000
_ONLY_FOLDERS = 0x01000000
_DO_NOT_FOLLOW = 0x02000000
_IS_FOLDER = 0x40000000
_TREE_MASK = (
    _MODIFY | _CLOSE_WRITE | _MOVED_FROM | _MOVED_TO | _CREATE | _DELETE | _DELETE_SELF
    | _MOVE_SELF | _ONLY_FOLDERS | _DO_NOT_FOLLOW
)  # fmt: skip
_PARENT_MASK = _MOVED_TO | _CREATE | _DELETE_SELF | _MOVE_SELF | _ONLY_FOLDERS

AVAILABLE = sys.platform == "linux"


class LostSight(OSError):
    """Events were dropped, or a watched folder went away: everything must be looked at."""


class Inotify:
    """Watches on folders, and the paths in them that changed."""

    def __init__(self) -> None:
        self._c = ctypes.CDLL(None, use_errno=True)
        self._descriptor = self._c.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self._descriptor < 0:
            raise _error("no more watching is possible")
        self._stop_read, self._stop_write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._closing = threading.Lock()
        self._trees: dict[int, bytes] = {}
        self._awaited: dict[int, dict[Path, Path]] = {}
        """For each watch on a folder where another is awaited: that one, and where it is now."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        with self._closing:
            for descriptor in (self._descriptor, self._stop_read, self._stop_write):
                os.close(descriptor)
            self._stop_write = -1

    def stop(self) -> None:
        """Make ``read`` return an empty list; may be called from any thread."""
        with self._closing:
            if self._stop_write >= 0:
                os.write(self._stop_write, b"\0")

    def watch_tree(self, root: Path) -> None:
        """Watch a folder and every folder below it; raises ``OSError`` at the system's limit."""
        folders = [os.fsencode(root)]
        while folders:
            folder = folders.pop()
            watch = self._add(folder, _TREE_MASK)
            if watch is None:
                continue
            self._trees[watch] = folder
            try:
                with os.scandir(folder) as entries:
                    folders += [each.path for each in entries if _is_folder(each)]
            except OSError:
                continue

    def await_folder(self, folder: Path) -> None:
        """Have ``read`` raise ``LostSight`` once a folder that is missing is there."""
        nearest = nearest_folder(folder)
        watch = self._add(os.fsencode(nearest), _PARENT_MASK)
        if watch is not None:
            self._awaited.setdefault(watch, {})[folder] = nearest

    def _add(self, folder: bytes, mask: int) -> int | None:
        watch: int = self._c.inotify_add_watch(self._descriptor, folder, mask)
        if watch >= 0:
            return watch
        if ctypes.get_errno() in {errno.ENOENT, errno.ENOTDIR, errno.EACCES, errno.ELOOP}:
            return None
        raise _error("a folder cannot be watched")

    def read(self) -> list[Path]:
        """Wait for changes and return the paths, new folders among them.

        Raises ``LostSight`` when a scan is needed instead; an empty list means ``stop``.
        """
        while True:
            ready, _, _ = select.select([self._descriptor, self._stop_read], [], [])
            if self._stop_read in ready:
                return []
            paths = self._parse(os.read(self._descriptor, _READ_BYTES))
            if paths:
                return list(dict.fromkeys(paths))

    def _parse(self, data: bytes) -> list[Path]:
        paths: list[Path] = []
        offset = 0
        while offset < len(data):
            watch, mask, _cookie, size = _EVENT.unpack_from(data, offset)
            offset += _EVENT.size + size
            name = data[offset - size : offset].rstrip(b"\0")
            if mask & _QUEUE_OVERFLOW:
                raise LostSight(0, "events were dropped")
            if self._has_come(watch):
                raise LostSight(0, "a folder that was awaited is there")
            folder = self._trees.get(watch)
            if folder is None:
                continue
            if mask & _IGNORED:
                del self._trees[watch]
            elif mask & (_DELETE_SELF | _MOVE_SELF) and not self._has_parent(folder):
                raise LostSight(0, "a watched folder went away")
            elif name:
                path = os.path.join(folder, name)
                if mask & _IS_FOLDER and mask & (_CREATE | _MOVED_TO):
                    self.watch_tree(Path(os.fsdecode(path)))
                paths.append(Path(os.fsdecode(path)))
        return paths

    def _has_come(self, watch: int) -> bool:
        awaited = self._awaited.get(watch, {})
        return any(nearest_folder(folder) != known for folder, known in awaited.items())

    def _has_parent(self, folder: bytes) -> bool:
        """Tell whether the folder above is watched too, and will tell what became of this one."""
        return os.path.dirname(folder) in self._trees.values()


def nearest_folder(path: Path) -> Path:
    """Return the nearest folder upwards that exists."""
    while not path.is_dir():
        path = path.parent
    return path


def _is_folder(entry: "os.DirEntry[bytes]") -> bool:
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:
        return False


def _error(what: str) -> OSError:
    number = ctypes.get_errno()
    return OSError(number, f"{what}: {os.strerror(number)}")
