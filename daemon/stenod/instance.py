"""One daemon at a time, in folders that are nobody else's business."""

import fcntl
import os
import socket
import stat
import time
from pathlib import Path

from steno_schema.errors import ErrorCode, RequestError
from steno_schema.paths import Paths

LOCK_WAIT_S = 5.0
LOCK_POLL_S = 0.05


class AlreadyRunning(Exception):
    """Another daemon holds the lock; the message names it."""


def prepare_folders(paths: Paths) -> None:
    """Make the folders that are missing, private; refuse those of somebody else."""
    os.umask(0o077)
    for folder in dict.fromkeys((paths.data, paths.spool, paths.socket.parent)):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.lstat()
        own = stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()
        shared = bool(found.st_mode & stat.S_ISVTX)
        if folder == paths.socket.parent and folder not in (paths.data, paths.spool):
            # Named by STENO_SOCKET or the runtime folder: the socket's own mode protects it.
            if own or shared:
                continue
        elif own and not shared:
            if stat.S_IMODE(found.st_mode) & 0o077:
                folder.chmod(0o700)
            continue
        raise RequestError(
            ErrorCode.UNAUTHORISED,
            f"{folder} is not a folder of this user alone.",
            "Move it away, or choose another with STENO_HOME.",
        )


class Lock:
    """The lock that decides who is the daemon; free the moment its holder dies."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = -1

    def take(self, wait_s: float = LOCK_WAIT_S) -> None:
        """Take the lock, waiting for a daemon that is just stopping; else ``AlreadyRunning``."""
        deadline = time.monotonic() + wait_s
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        while True:
            descriptor = os.open(self._path, flags, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                holder = os.pread(descriptor, 100, 0).decode("ascii", "replace").strip()
                os.close(descriptor)
                if time.monotonic() >= deadline:
                    raise AlreadyRunning(holder or "another process") from None
                time.sleep(LOCK_POLL_S)
                continue
            if self._is_current(descriptor):
                break
            os.close(descriptor)
        self._descriptor = descriptor
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"pid {os.getpid()}\n".encode(), 0)

    def _is_current(self, descriptor: int) -> bool:
        """Tell whether the locked file is still the one at the path."""
        try:
            found = os.stat(self._path)
        except FileNotFoundError:
            return False
        held = os.fstat(descriptor)
        return (found.st_dev, found.st_ino) == (held.st_dev, held.st_ino)

    def release(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def notify(state: str) -> None:
    """Tell systemd how it stands (``READY=1``, ``STOPPING=1``); nothing without systemd."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        try:
            channel.sendto(state.encode(), "\0" + address[1:] if address[0] == "@" else address)
        except OSError:
            return
