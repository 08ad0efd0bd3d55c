"""The daemon's socket spoken to by hand: bytes out, replies in, no client library between."""

import socket
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from steno_schema.framing import Codec, Encoding
from steno_schema.requests import AnyRequest

TIMEOUT_S = 60.0
"""Generous: a test that hangs must only end at some time."""
_LENGTH_BYTES = 4


class Wire:
    """A connection that sends what it is told to and reads whole replies as plain maps."""

    def __init__(self, path: Path, encoding: Encoding = Encoding.JSON_LINES) -> None:
        self.path = path
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(TIMEOUT_S)
        self.socket.connect(str(path))
        self._encoding = encoding
        self._file = self.socket.makefile("rb")
        self._codec: Codec[AnyRequest] = Codec(AnyRequest)

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def say(self, **request: Any) -> None:
        """Send a request as a line of JSON."""
        self.send(msgspec.json.encode(request) + b"\n")

    def request(self, request: AnyRequest) -> None:
        """Send a request in the connection's encoding."""
        self.send(self._codec.encode(request, self._encoding))

    def reply(self) -> dict[str, Any]:
        """Return the next reply; raises ``EOFError`` when the daemon closed the connection."""
        if self._encoding is Encoding.JSON_LINES:
            line = self._file.readline()
            if not line.endswith(b"\n"):
                raise EOFError
            return dict(msgspec.json.decode(line))
        length = int.from_bytes(self._exactly(_LENGTH_BYTES), "big")
        return dict(msgspec.msgpack.decode(self._exactly(length)))

    def ask(self, **request: Any) -> dict[str, Any]:
        """Send a request as a line of JSON and return the next reply."""
        self.say(**request)
        return self.reply()

    def replies(self, count: int) -> list[dict[str, Any]]:
        """Return the next replies."""
        return [self.reply() for _ in range(count)]

    def ended(self) -> bool:
        """Wait for the daemon to close the connection; ``False`` if it says something instead."""
        try:
            return self._file.read(1) == b""
        except ConnectionResetError:
            return True

    def is_silent(self) -> bool:
        """Tell whether no reply has come that was not read."""
        self.socket.settimeout(0)
        try:
            self.socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        finally:
            self.socket.settimeout(TIMEOUT_S)
        return False

    def no_more(self) -> None:
        """Stop talking, but go on listening."""
        self.socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        self._file.close()
        self.socket.close()

    def _exactly(self, size_bytes: int) -> bytes:
        data = self._file.read(size_bytes)
        if len(data) != size_bytes:
            raise EOFError
        return data

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
