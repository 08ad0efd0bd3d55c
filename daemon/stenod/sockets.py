"""Listening sockets: one handed over by a supervisor, or one of our own at a path."""

import os
import socket
import stat
from pathlib import Path

from steno_schema.errors import ErrorCode, RequestError

BACKLOG = 128


def listen(path: Path) -> socket.socket:
    """Return the listening socket; only the lock's holder may call this.

    A socket handed over by a supervisor (``LISTEN_FDS``) is used as it is and never unlinked.
    """
    if os.environ.get("LISTEN_PID") == str(os.getpid()) and os.environ.get("LISTEN_FDS") == "1":
        handed = socket.socket(fileno=3)
        handed.setblocking(False)
        return handed
    return bound(path)


def bound(path: Path) -> socket.socket:
    """Return a new listening socket at ``path``, for this user alone."""
    _remove_stale(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    previous = os.umask(0o177)
    try:
        listener.bind(str(path))
    finally:
        os.umask(previous)
    listener.listen(BACKLOG)
    listener.setblocking(False)
    return listener


def _remove_stale(path: Path) -> None:
    """Remove a socket that nobody answers on any more; refuse anything else at its path."""
    try:
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise RequestError(
                ErrorCode.CONFLICT, f"{path} is no socket.", "Move it away, or set STENO_SOCKET."
            )
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.setblocking(False)
            probe.connect(str(path))
    except ConnectionRefusedError:
        path.unlink(missing_ok=True)
    except FileNotFoundError:
        return
    except BlockingIOError:
        raise _answered(path) from None
    else:
        raise _answered(path)


def _answered(path: Path) -> RequestError:
    return RequestError(
        ErrorCode.CONFLICT,
        f"Another daemon, of another folder, answers on {path}.",
        "Stop it, or set STENO_SOCKET.",
    )
