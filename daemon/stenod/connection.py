"""One client's connection: bytes to requests, replies to bytes, within its limits.

An asyncio protocol rather than anyio streams: every request passes here, and a protocol answers
in 15 µs where streams take 26 (ARCHITECTURE.md, "What was measured").
"""

import asyncio
import logging
import socket
from typing import TYPE_CHECKING, get_args

from steno_schema.errors import ErrorCode, RequestError, bad_request
from steno_schema.framing import Codec, Encoding, FrameBuffer, ProtocolError
from steno_schema.limits import (
    HEADER_TIMEOUT_S,
    IN_FLIGHT_MAX,
    REPLY_BUFFER_MAX_BYTES,
    REPLY_FRAME_MAX_BYTES,
)
from steno_schema.replies import AnyReply, Error
from steno_schema.requests import AnyRequest, Header
from stenod.access import Role, is_welcome
from stenod.readers import ReadJob
from stenod.writer import error_reply

if TYPE_CHECKING:
    from stenod.server import Server

CONGESTED_BYTES = 1024 * 1024
"""With more than this waiting for a client, its subscriptions wait too."""

log = logging.getLogger("stenod.connection")
_codec: Codec[AnyRequest] = Codec(AnyRequest)
_headers: Codec[Header] = Codec(Header)
_NOT_SENDABLE = (TypeError, ValueError, OverflowError, RecursionError)


class Connection(asyncio.Protocol):
    """A client. All methods run on the event loop's thread."""

    def __init__(self, server: "Server", role: Role) -> None:
        self._server = server
        self.role = role
        self._buffer = FrameBuffer()
        self._transport: asyncio.Transport | None = None
        self._in_flight = 0
        self._handling = False
        self._paused = False
        self._held = False
        self._ended = False
        self._deadline: asyncio.TimerHandle | None = None
        self.greeted = False
        self.congested = False
        self.reads: dict[int | str, ReadJob] = {}
        self.staged = bytearray()
        self.staging_token: str | None = None

    # ----- the socket's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        peer: socket.socket = transport.get_extra_info("socket")
        if not is_welcome(peer, self.role):
            log.warning("a connection of another user was refused")
            transport.abort()
            return
        transport.set_write_buffer_limits(high=CONGESTED_BYTES)
        self._server.opened(self)

    def data_received(self, data: bytes) -> None:
        if self._buffer.encoding is None:
            data = data.lstrip()  # a person may press return before saying anything
        try:
            self._buffer.feed(data)
        except ProtocolError as error:
            self._refuse_stream(error)
        else:
            self._handle_waiting()

    def eof_received(self) -> bool:
        """Answer what was asked before the client stopped talking; it may still listen."""
        self._ended = True
        return self._is_awaited()

    def connection_lost(self, exc: Exception | None) -> None:
        del exc  # why a client went away changes nothing
        self._transport = None
        if self._deadline is not None:
            self._deadline.cancel()
        for job in self.reads.values():
            job.cancelled = True
        self._server.closed(self)

    def pause_writing(self) -> None:
        self.congested = True

    def resume_writing(self) -> None:
        self.congested = False
        self._server.writable(self)

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def close(self) -> None:
        """Close once what was sent has left."""
        if self._transport is not None:
            self._transport.close()

    # ----- requests

    def _handle_waiting(self) -> None:
        """Handle what has come, as far as the limits allow; an answer at once may call it anew."""
        if self._handling:
            return
        self._handling = True
        handled = 0
        try:
            while self._in_flight < IN_FLIGHT_MAX and not self._held:
                payload = self._buffer.next_payload()
                if payload is None:
                    break
                handled += 1
                self._handle(payload)
        except ProtocolError as error:
            self._refuse_stream(error)
        finally:
            self._handling = False
        self._set_reading(self._in_flight < IN_FLIGHT_MAX and not self._held)
        self._watch_header(progressed=handled > 0)

    def _handle(self, payload: bytes) -> None:
        self.greeted = True
        self._in_flight += 1
        encoding = self._buffer.encoding
        assert encoding is not None
        try:
            request = _codec.decode(payload, encoding)
        except ValueError as error:
            self.deliver(_refusal(payload, encoding, str(error)))
            return
        self._server.requests[type(request).__name__.lower()] += 1
        self._server.dispatch.handle(self, request, len(payload))

    def hold(self) -> None:
        """Take no further request until ``go_on``: the next ones must not overtake this one."""
        self._held = True

    def go_on(self) -> None:
        self._held = False
        self._handle_waiting()

    def deliver(self, reply: AnyReply) -> None:
        """Answer a request; every request is answered exactly once."""
        self._in_flight -= 1
        if isinstance(reply, Error):
            self._server.refusals[reply.code] += 1
        self.reads.pop(reply.id, None)
        self.send(reply)
        if self._paused and not self._held and self._in_flight < IN_FLIGHT_MAX:
            self._handle_waiting()
        if self._ended and not self._is_awaited():
            self.close()

    def send(self, reply: AnyReply) -> None:
        """Send something that answers nothing in particular, or an answer."""
        if self._transport is None or self._transport.is_closing():
            return
        self._transport.write(_encoded(reply, self._buffer.encoding or Encoding.JSON_LINES))
        if self._transport.get_write_buffer_size() > REPLY_BUFFER_MAX_BYTES:
            log.warning("a client that does not read its replies was dropped")
            self.abort()

    def drop_staged(self) -> None:
        """Forget the parts of an upload."""
        self.staged.clear()
        self.staging_token = None

    def _is_awaited(self) -> bool:
        """Tell whether something is still to be sent that was asked for."""
        return self._in_flight > 0 or self._server.is_subscribed(self)

    # ----- limits

    def _set_reading(self, wanted: bool) -> None:
        if self._transport is None or self._transport.is_closing() or wanted != self._paused:
            return
        self._paused = not wanted
        if wanted:
            self._transport.resume_reading()
        else:
            self._transport.pause_reading()

    def _watch_header(self, *, progressed: bool) -> None:
        """Give a frame that has begun a few seconds to be complete."""
        waiting = self._buffer.pending_bytes > 0 and not self._paused
        if self._deadline is not None and (progressed or not waiting):
            self._deadline.cancel()
            self._deadline = None
        if waiting and self._deadline is None:
            loop = asyncio.get_running_loop()
            self._deadline = loop.call_later(HEADER_TIMEOUT_S, self._refuse_slowness)

    def _refuse_slowness(self) -> None:
        self._deadline = None
        late = f"The request was not complete {HEADER_TIMEOUT_S:g} s after its first byte."
        self.refuse(bad_request(late, "The connection ends here."))

    def _refuse_stream(self, error: ProtocolError) -> None:
        known = self._buffer.encoding is not None
        code = ErrorCode.TOO_LARGE if known else ErrorCode.BAD_REQUEST
        self.refuse(RequestError(code, f"The connection ends here: {error}."))

    def refuse(self, refusal: RequestError) -> None:
        """Say why, and end the connection; a client that does not even read is not waited for."""
        self.send(error_reply(0, refusal))
        if self._transport is not None and self._transport.get_write_buffer_size():
            self.abort()
        self.close()


def _encoded(reply: AnyReply, encoding: Encoding) -> bytes:
    """Return a reply's frame or line; what cannot be sent becomes an error that can."""
    try:
        frame = _codec.encode(reply, encoding)
    except _NOT_SENDABLE as error:
        log.error("a %s cannot be sent: %s", type(reply).__name__, type(error).__name__)
        return _codec.encode(error_reply(_plain_id(reply.id), _UNSENDABLE), encoding)
    if len(frame) > REPLY_FRAME_MAX_BYTES:
        return _codec.encode(error_reply(_plain_id(reply.id), _ANSWER_TOO_LARGE), encoding)
    return frame


_VERBS = ", ".join(sorted(str(each.__struct_config__.tag) for each in get_args(AnyRequest)))
_UNSENDABLE = RequestError(ErrorCode.INTERNAL, "The answer cannot be put into a frame.")
_ANSWER_TOO_LARGE = RequestError(
    ErrorCode.TOO_LARGE,
    f"The answer is larger than {REPLY_FRAME_MAX_BYTES} bytes.",
    "Ask for less at a time, or for a part of the text with `sql` and substr().",
)


def _plain_id(request_id: int | str) -> int | str:
    """Return the id unless it is itself what makes the reply too large."""
    return request_id if isinstance(request_id, int) else request_id[:1000]


def _refusal(payload: bytes, encoding: Encoding, reason: str) -> AnyReply:
    """Answer a request that could not be decoded, by its id if that much can be read."""
    try:
        header = _headers.decode(payload, encoding)
    except ValueError:
        header = Header()
    if header.verb and "`$.verb`" in reason:
        unknown = RequestError(
            ErrorCode.UNKNOWN_VERB,
            f"There is no verb {header.verb[:40]!r}.",
            f"These are known: {_VERBS}. A newer release may know it.",
        )
        return error_reply(header.id, unknown)
    return error_reply(header.id, bad_request(f"The request cannot be read: {reason}."))


def decode_staged(data: bytes) -> AnyRequest:
    """Return the request whose parts are together; raises ``RequestError``."""
    try:
        return _codec.decode(data, Encoding.MSGPACK)
    except ValueError as error:
        raise bad_request(f"The staged request cannot be read: {error}.") from error
