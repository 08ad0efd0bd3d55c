"""File events from Linux itself, so that waiting costs nothing at all.

``watchfiles`` looks 25 times a second whether something came; on Linux the kernel can say so
instead. Numbers are those of ``inotify(7)`` and ``sys/inotify.h``.
"""

import contextlib
import ctypes
import errno
import os
import select
import struct
import sys
import threading
from collections.abc import Callable
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

WATCHES_MAX = 8192
"""Folders watched at most: each costs the kernel a kilobyte and counts against the user's limit."""
WATCHES_SHARE = 0.5
"""Of the user's limit no more than this: editors want to watch too."""
_LIMIT = Path("/proc/sys/fs/inotify/max_user_watches")

AVAILABLE = sys.platform == "linux"


class LostSight(OSError):
    """Events were dropped, or a watched folder went away: everything must be looked at."""

    is_overflow = False


class Overflow(LostSight):
    """More happened than the kernel keeps for a reader (fs.inotify.max_queued_events)."""

    is_overflow = True


class Inotify:
    """Watches on folders, and the paths in them that changed.

    With more folders than may be watched, those are that something happened in last; ``unwatched``
    counts the others.
    """

    def __init__(
        self, most: int | None = None, is_watched: Callable[[Path], bool] | None = None
    ) -> None:
        self._c = ctypes.CDLL(None, use_errno=True)
        self._descriptor = self._c.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self._descriptor < 0:
            raise _error("no more watching is possible")
        self._stop_read, self._stop_write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._closing = threading.Lock()
        self._most = _most() if most is None else most
        self._is_watched = is_watched
        self.unwatched = 0
        self._roots: set[bytes] = set()
        self._lock = threading.RLock()
        self._trees: dict[int, bytes] = {}
        """Watched folders; the one that something happened in last stands last."""
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

    @property
    def watched(self) -> int:
        """How many folders are watched."""
        return len(self._trees)

    def watch_tree(self, root: Path) -> None:
        """Watch a folder and those below it, the ones changed last first.

        Raises ``OSError`` if not even one can be watched.
        """
        with self._lock:
            self._roots.add(os.fsencode(root))
            self._watch_below(os.fsencode(root))

    def watch_also(self, folder: Path) -> None:
        """Watch a folder that something happened in, in the place of another if need be."""
        with self._lock:
            if os.fsencode(folder) not in self._trees.values():
                self._watch_below(os.fsencode(folder), in_place_of_another=True)

    def _watch_below(self, top: bytes, *, in_place_of_another: bool = False) -> None:
        folders = [top]
        while folders:
            folder = folders.pop()
            if self._is_watched is not None and not self._is_watched(Path(os.fsdecode(folder))):
                continue
            if len(self._trees) >= self._most:
                self.unwatched += 1
                if not in_place_of_another or not self._drop_one():
                    continue
            watch = self._add(folder, _TREE_MASK)
            if watch is None:
                continue
            self._trees[watch] = folder
            folders += _folders_in(folder)

    def _drop_one(self) -> bool:
        """Watch no more the folder that nothing happened in for longest, but for the roots."""
        for watch, folder in self._trees.items():
            if folder not in self._roots:
                del self._trees[watch]
                self._c.inotify_rm_watch(self._descriptor, watch)
                return True
        return False

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
        if ctypes.get_errno() == errno.ENOSPC and self._trees:
            self._most = len(self._trees)  # the user's other programs have the rest
            self.unwatched += 1
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
            with self._lock:
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
                raise Overflow(0, "events were dropped")
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
                self._trees[watch] = self._trees.pop(watch)
                path = os.path.join(folder, name)
                if mask & _IS_FOLDER and mask & (_CREATE | _MOVED_TO):
                    self._watch_below(path, in_place_of_another=True)
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


def _most() -> int:
    try:
        return min(WATCHES_MAX, max(1, int(int(_LIMIT.read_text()) * WATCHES_SHARE)))
    except (OSError, ValueError):
        return WATCHES_MAX


def _folders_in(folder: bytes) -> list[bytes]:
    """Return the folders in a folder, the one changed last at the end."""
    found: list[tuple[int, bytes]] = []
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            with contextlib.suppress(OSError):
                if entry.is_dir(follow_symlinks=False):
                    found.append((entry.stat(follow_symlinks=False).st_mtime_ns, entry.path))
    return [path for _, path in sorted(found)]


def _error(what: str) -> OSError:
    number = ctypes.get_errno()
    return OSError(number, f"{what}: {os.strerror(number)}")
