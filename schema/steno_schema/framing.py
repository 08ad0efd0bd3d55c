"""Frames on the socket, without any input or output of its own (sans-I/O).

A frame is a length (four bytes, big-endian) and that many bytes of msgpack. Since no frame reaches
16 MiB its first byte is 0x00. A line of JSON begins with ``{`` and ends with a newline. The first
byte of a connection decides which of the two it speaks; a letter is reserved for HTTP.
"""

from enum import Enum
from typing import Any, Generic, TypeVar

import msgspec

from steno_schema.limits import BULK_FRAME_MAX_BYTES

Incoming = TypeVar("Incoming")
_LENGTH_BYTES = 4
_DECODE_ERRORS = (msgspec.MsgspecError, RecursionError, UnicodeDecodeError, OverflowError)
"""All that hostile bytes can raise out of msgspec; only the first is its own."""


class Encoding(Enum):
    """How a connection speaks."""

    MSGPACK = "msgpack"
    JSON_LINES = "json"


class ProtocolError(Exception):
    """The byte stream cannot be followed any further; the connection must end."""


class FrameBuffer:
    """Bytes in, whole payloads out; the same class on both ends.

    >>> buffer = FrameBuffer()
    >>> buffer.feed(b'{"verb":"ping"}\\n')
    >>> buffer.next_payload()
    b'{"verb":"ping"}'
    """

    def __init__(self, max_bytes: int = BULK_FRAME_MAX_BYTES) -> None:
        self.encoding: Encoding | None = None
        self._max_bytes = max_bytes
        self._buffer = bytearray()
        self._start = 0
        self._scanned = 0

    def feed(self, data: bytes) -> None:
        """Take bytes as they came; raise ``ProtocolError`` if they begin no known encoding."""
        if self.encoding is None and data:
            self.encoding = _encoding_of(data[0])
        self._buffer += data

    @property
    def pending_bytes(self) -> int:
        """Bytes of a payload that is not complete yet."""
        return len(self._buffer) - self._start

    def next_payload(self) -> bytes | None:
        """Return the next whole payload, or ``None`` until more bytes came."""
        payload = self._next_line() if self.encoding is Encoding.JSON_LINES else self._next_frame()
        if payload is None and self._start:
            del self._buffer[: self._start]
            self._scanned -= self._start
            self._start = 0
        return payload

    def _next_frame(self) -> bytes | None:
        body = self._start + _LENGTH_BYTES
        if len(self._buffer) < body:
            return None
        length = int.from_bytes(self._buffer[self._start : body], "big")
        if length > self._max_bytes:
            raise ProtocolError(f"frame of {length} bytes; at most {self._max_bytes} are taken")
        if len(self._buffer) < body + length:
            return None
        self._start = body + length
        return bytes(self._buffer[body : self._start])

    def _next_line(self) -> bytes | None:
        while True:
            end = self._buffer.find(b"\n", max(self._start, self._scanned))
            if end < 0:
                self._scanned = len(self._buffer)
                if self.pending_bytes > self._max_bytes:
                    raise ProtocolError(f"line longer than {self._max_bytes} bytes")
                return None
            if end - self._start > self._max_bytes:
                raise ProtocolError(f"line longer than {self._max_bytes} bytes")
            line = bytes(self._buffer[self._start : end]).strip()
            self._start = self._scanned = end + 1
            if line:
                return line


def _encoding_of(first: int) -> Encoding:
    if first == 0:
        return Encoding.MSGPACK
    if first == ord("{"):
        return Encoding.JSON_LINES
    raise ProtocolError("neither a frame nor a line of JSON; see README, 'By hand'")


class Codec(Generic[Incoming]):
    """Encode what this side says, decode what the other side says.

    ``incoming`` is the union of message types this side receives (a client: ``AnyReply``).
    """

    def __init__(self, incoming: Any) -> None:
        self._msgpack_decoder: msgspec.msgpack.Decoder[Incoming] = msgspec.msgpack.Decoder(
            incoming
        )
        self._json_decoder: msgspec.json.Decoder[Incoming] = msgspec.json.Decoder(incoming)
        self._msgpack_encoder = msgspec.msgpack.Encoder()
        self._json_encoder = msgspec.json.Encoder()

    def decode(self, payload: bytes, encoding: Encoding) -> Incoming:
        """Return the message, or raise ``ValueError`` with one sentence of what is wrong."""
        decoder = self._msgpack_decoder if encoding is Encoding.MSGPACK else self._json_decoder
        try:
            return decoder.decode(payload)
        except _DECODE_ERRORS as error:
            raise ValueError(_one_line(error)) from error

    def encode(self, message: msgspec.Struct, encoding: Encoding) -> bytes:
        """Return the whole frame or line of ``message``."""
        if encoding is Encoding.JSON_LINES:
            return self._json_encoder.encode(message) + b"\n"
        body = self._msgpack_encoder.encode(message)
        return len(body).to_bytes(_LENGTH_BYTES, "big") + body


def _one_line(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text[:300] or type(error).__name__
