"""Ask the daemon that runs to drain and stop, so that this one can take over."""

import contextlib
import socket
from pathlib import Path

from steno_schema.framing import Codec, Encoding
from steno_schema.replies import AnyReply
from steno_schema.requests import Admin

TIMEOUT_S = 15.0


def stop_running(path: Path) -> None:
    """Send ``shutdown`` and wait until the socket closes; no daemon is no error."""
    codec: Codec[AnyReply] = Codec(AnyReply)
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(TIMEOUT_S)
        connection.connect(str(path))
        connection.sendall(codec.encode(Admin(id=1, action="shutdown"), Encoding.MSGPACK))
        while connection.recv(65536):
            pass
