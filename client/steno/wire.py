"""The client's half of the protocol without any waiting: shared by both colours of connection.

Here requests become frames (large appends become stages), bytes become replies, and a socket is
opened to a daemon of the same user. How to wait in between is the business of ``connection`` and
``aconnection``.
"""

import os
import socket as sockets
import sys
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import msgspec

from steno.errors import Misuse, Refused, TimedOut, Unreachable
from steno_schema import PROTOCOL, __version__
from steno_schema.errors import ErrorCode
from steno_schema.framing import Codec, Encoding, FrameBuffer, ProtocolError
from steno_schema.ids import uuid7
from steno_schema.limits import (
    BULK_FRAME_MAX_BYTES,
    FRAME_MAX_BYTES,
    KIB,
    MIB,
    REPLY_FRAME_MAX_BYTES,
    STAGED_MAX_BYTES,
)
from steno_schema.replies import AnyReply, Done, Error, Welcome
from steno_schema.requests import Admin, AnyRequest, Append, Hello, Import, Stage

RECEIVE_BYTES = 64 * KIB
STAGE_DATA_BYTES = 3 * MIB
CONNECT_TIMEOUT_S = 0.25
PARTING_PAUSE_S = 0.02
"""Pause before a request that a stopping daemon refused is sent again."""
CONNECT_RETRY_S = 0.005
"""Pause before a daemon whose queue of connections is full is asked again."""

_LENGTH_BYTES = 4
_HELLO_ID = "hello"
_ENCODE_ERRORS = (TypeError, ValueError, OverflowError, RecursionError)


class Deadline:
    """A moment by which something must be done."""

    def __init__(self, timeout_s: float) -> None:
        self.timeout_s = timeout_s
        self._end = monotonic() + timeout_s

    @property
    def is_over(self) -> bool:
        return monotonic() >= self._end

    def remaining_s(self) -> float:
        """Return the seconds left, or raise ``TimedOut``."""
        left = self._end - monotonic()
        if left <= 0:
            raise self.passed()
        return left

    def capped(self, timeout_s: float) -> "Deadline":
        """Return a deadline ``timeout_s`` from now, or this one if it is sooner."""
        return Deadline(min(timeout_s, self.remaining_s()))

    def passed(self) -> TimedOut:
        """Return the error that says so."""
        return TimedOut(f"The daemon did not answer within {self.timeout_s:g} s.")


class Wire:
    """The state of one connection: its ids, its buffer, its encoding."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._codec: Codec[AnyReply] = Codec(AnyReply)
        self._buffer = FrameBuffer(REPLY_FRAME_MAX_BYTES)
        self._next_id = 0

    def hello(self) -> bytes:
        """Return the frame that introduces this client."""
        request = Hello(
            id=_HELLO_ID, protocol=PROTOCOL, client="steno-python", version=__version__
        )
        return self._codec.encode(request, Encoding.MSGPACK)

    def parts(self, request: AnyRequest) -> Iterator[tuple[int, bytes]]:
        """Yield (id, frame) of ``request``, or of each of its stages; send one, await its reply.

        Raises ``Misuse`` if it cannot be encoded or is larger than it may be.
        """
        self._next_id += 1
        frame = encode(self._codec, msgspec.structs.replace(request, id=self._next_id))
        size_bytes = len(frame) - _LENGTH_BYTES
        if not isinstance(request, Append | Import | Stage):
            check_size(size_bytes, FRAME_MAX_BYTES, "request")
        if size_bytes <= BULK_FRAME_MAX_BYTES:
            yield self._next_id, frame
            return
        check_size(size_bytes, STAGED_MAX_BYTES, "append")
        token = uuid7()
        for start in range(_LENGTH_BYTES, len(frame), STAGE_DATA_BYTES):
            end = start + STAGE_DATA_BYTES
            self._next_id += 1
            stage = Stage(
                id=self._next_id, token=token, data=frame[start:end], last=end >= len(frame)
            )
            yield self._next_id, self._codec.encode(stage, Encoding.MSGPACK)

    def feed(self, data: bytes) -> None:
        """Take bytes from the socket; raise ``Unreachable`` at their end or if they are noise."""
        if not data:
            raise Unreachable(f"The daemon closed the connection on {self._path}.")
        try:
            self._buffer.feed(data)
        except ProtocolError as error:
            raise self._not_understood(error) from None

    def next_reply(self) -> AnyReply | None:
        """Return the next whole reply, or ``None`` until more bytes came."""
        try:
            payload = self._buffer.next_payload()
            if payload is None or self._buffer.encoding is None:
                return None
            reply = self._codec.decode(payload, self._buffer.encoding)
        except (ProtocolError, ValueError) as error:
            raise self._not_understood(error) from None
        if isinstance(reply, Welcome) and reply.protocol != PROTOCOL:
            raise Refused(
                ErrorCode.INCOMPATIBLE,
                f"The daemon speaks protocol {reply.protocol}, this client {PROTOCOL}.",
                "Update steno and restart its daemon: 'steno restart'.",
            )
        return reply

    def reply_to(self, request_id: int | str) -> AnyReply | None:
        """Return the reply with this id, or ``None`` until more bytes came.

        An error without an id, or to the greeting, ends every request of this connection.
        """
        while (reply := self.next_reply()) is not None:
            if reply.id == request_id:
                return reply
            if isinstance(reply, Error) and reply.id in {0, _HELLO_ID}:
                return reply
        return None

    def _not_understood(self, error: Exception) -> Unreachable:
        return Unreachable(
            f"What answers on {self._path} is no daemon that can be understood: {error}.",
            "See 'steno doctor'.",
        )


def encode(codec: Codec[AnyReply], request: AnyRequest) -> bytes:
    """Return a request's frame, or raise ``Misuse`` with one sentence."""
    try:
        return codec.encode(request, Encoding.MSGPACK)
    except UnicodeEncodeError:
        raise Misuse("A text holds a lone surrogate, which is no character.") from None
    except _ENCODE_ERRORS as error:
        raise Misuse(f"A value cannot be sent: {error}.") from None


def check_size(size_bytes: int, max_bytes: int, what: str) -> None:
    """Raise ``Misuse`` if ``what`` is larger than ``max_bytes``."""
    if size_bytes > max_bytes:
        raise Misuse(
            f"This {what} is {_mebibytes(size_bytes)} MiB; at most {_mebibytes(max_bytes)} MiB"
            " are taken.",
            "Send it in smaller portions.",
        )


def refusal(error: Error) -> Refused:
    """Return the exception for an error reply."""
    return Refused(error.code, error.message, error.hint, retryable=error.retryable)


def begun(reply: AnyReply) -> tuple[int, bool]:
    """Return where a subscription stands that ``reply`` acknowledges, and whether there is a gap.

    Raises ``Refused`` if it acknowledges none.
    """
    if isinstance(reply, Error):
        raise refusal(reply)
    sequence = reply.result.get("sequence") if isinstance(reply, Done) else None
    if isinstance(reply, Done) and isinstance(sequence, int):
        return sequence, reply.result.get("gap") is True
    raise Refused(
        ErrorCode.INTERNAL,
        f"The daemon answered a subscription with {type(reply).__name__}.",
        "Update steno and restart its daemon: 'steno restart'.",
    )


def try_connect(path: Path) -> sockets.socket | None:
    """Return a non-blocking socket to the daemon, or ``None`` if it cannot take one more yet.

    Raises ``Unreachable`` if nobody listens there, or somebody else's process does.
    """
    connection = sockets.socket(sockets.AF_UNIX, sockets.SOCK_STREAM)
    try:
        connection.setblocking(False)
        connection.connect(os.fspath(path))
        _check_owner(connection, path)
    except BlockingIOError:
        connection.close()
        return None
    except OSError as error:
        connection.close()
        raise Unreachable(f"No daemon answers on {path} ({error.strerror or error}).") from None
    except BaseException:
        connection.close()
        raise
    return connection


def is_usable(connection: sockets.socket) -> bool:
    """Tell whether an idle connection is open and silent, as it must be before it is used."""
    connection.setblocking(False)
    try:
        connection.recv(1, sockets.MSG_PEEK)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def broken(error: OSError) -> Unreachable:
    """Return the exception for a connection that failed under way."""
    return Unreachable(f"The connection to the daemon broke ({error.strerror or error}).")


def is_parting(reply: AnyReply) -> bool:
    """Tell whether a daemon that is stopping refused: the next one may be there in a moment."""
    return isinstance(reply, Error) and reply.code == ErrorCode.SHUTTING_DOWN


def may_repeat(request: AnyRequest) -> bool:
    """Tell whether a request that lost its connection may be sent again.

    Writes carry ids that make them one and the same; what an admin request does may not.
    """
    return not isinstance(request, Admin)


def _check_owner(connection: sockets.socket, path: Path) -> None:
    """Make sure that prompts go to a process of the same user, where the system can tell."""
    option = getattr(sockets, "SO_PEERCRED", None)
    if option is None:
        return
    credentials = connection.getsockopt(sockets.SOL_SOCKET, option, 12)
    owner = int.from_bytes(credentials[4:8], sys.byteorder)
    if owner != os.geteuid():
        raise Unreachable(
            f"The socket {path} belongs to user {owner}, so nothing was sent to it.",
            "Set STENO_SOCKET to your own daemon's.",
        )


def _mebibytes(size_bytes: int) -> str:
    """Return a size in MiB, rounded up, so that too large never looks like just right."""
    return f"{-(-size_bytes * 10 // MIB) / 10:.1f}".removesuffix(".0")
