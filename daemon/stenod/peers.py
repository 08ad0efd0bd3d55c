"""Who is at the other end of a Unix socket."""

import os
import socket
import struct

_CREDENTIALS = struct.Struct("3i")
_LOCAL_PEERCRED = 1
_SOL_LOCAL = 0


def peer_uid(connection: socket.socket) -> int | None:
    """Return the user id of the peer, or ``None`` where the system does not tell."""
    if hasattr(socket, "SO_PEERCRED"):
        raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        return int(_CREDENTIALS.unpack(raw)[1])
    try:
        raw = connection.getsockopt(_SOL_LOCAL, _LOCAL_PEERCRED, 76)
    except OSError:
        return None
    return int(struct.unpack("2I", raw[:8])[1])


def is_owner(connection: socket.socket) -> bool:
    """Tell whether the peer runs as the daemon's own user."""
    return peer_uid(connection) == os.geteuid()
