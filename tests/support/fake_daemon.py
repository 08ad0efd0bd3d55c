"""A daemon in a thread, in memory, that can be told to misbehave: for tests of the client.

It speaks the real protocol through ``steno_schema.framing``. What it is asked is kept in
``requests``; what it should do wrong is queued with ``misbehave``.
"""

import contextlib
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterable
from enum import Enum, auto
from pathlib import Path
from typing import Any, Self

import msgspec

from steno_schema.errors import RETRYABLE, ErrorCode
from steno_schema.framing import Codec, Encoding, FrameBuffer
from steno_schema.records import AnyRecord, Exchange
from steno_schema.replies import (
    AnyReply,
    Appended,
    Done,
    Error,
    Event,
    Exchanges,
    ExchangeView,
    Outcome,
    Pong,
    Results,
    SearchResult,
    Welcome,
)
from steno_schema.requests import AnyRequest, Append, Hello, List, Ping, Search, Stage, Subscribe

WAIT_S = 20.0
"""A test that waits longer than this for something to happen has failed."""


class Trick(Enum):
    """What to do wrong with the next request."""

    SILENT = auto()
    """Read it and never answer."""
    DROP = auto()
    """Close the connection without doing it."""
    LOSE_REPLY = auto()
    """Do it and close the connection without a word."""
    HALF_REPLY = auto()
    """Do it, send half of the reply and close."""
    NOISE = auto()
    """Answer with bytes that are no frame."""
    GARBAGE = auto()
    """Answer with a whole frame that is no reply."""


class FakeDaemon:
    """Listens on ``path`` from the start; use as a context."""

    def __init__(self, path: Path) -> None:
        self.requests: list[AnyRequest] = []
        self.records: dict[str, AnyRecord] = {}
        self.connections = 0
        self._answers: dict[type[AnyRequest], Callable[[Any], AnyReply]] = {}
        self._tricks: deque[Trick | Error] = deque()
        self._subscribers: list[tuple[_Link, Subscribe]] = []
        self._links: list[_Link] = []
        self._changed = threading.Condition()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        self._path = path
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen(64)
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def misbehave(self, *tricks: Trick | Error) -> None:
        """Queue what happens to the next requests, one each; an ``Error`` is sent as it is."""
        self._tricks.extend(tricks)

    def refuse(self, code: ErrorCode) -> None:
        """Refuse the next request with ``code``."""
        self.misbehave(Error(code=code, message="No.", retryable=code in RETRYABLE))

    def answer(self, verb: type[AnyRequest], reply: AnyReply) -> None:
        """Answer all requests of a verb with ``reply``."""
        self._answers[verb] = lambda _: reply

    def of(self, verb: type[AnyRequest]) -> list[Any]:
        """Return the requests of one verb, in order."""
        return [request for request in self.requests if isinstance(request, verb)]

    def wait_until(self, condition: Callable[[], bool]) -> None:
        """Wait until ``condition`` holds after some request; fail after ``WAIT_S``."""
        with self._changed:
            assert self._changed.wait_for(condition, WAIT_S), "it did not happen"

    def publish(self, sequence: int, exchange: Exchange) -> None:
        """Send an event to every subscriber."""
        for link, request in self._subscribers:
            link.send(Event(id=request.id, sequence=sequence, exchange=view_of(exchange)))

    def hang_up(self) -> None:
        """Close every connection, as a restart does."""
        for link in self._links:
            link.hang_up()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.hang_up()
        for thread in self._threads:
            thread.join(WAIT_S)
            assert not thread.is_alive()
        self._path.unlink(missing_ok=True)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            link = _Link(connection)
            self._links.append(link)
            thread = threading.Thread(target=self._serve, args=(link,))
            self._threads.append(thread)
            self.connections += 1
            thread.start()

    def _serve(self, link: "_Link") -> None:
        try:
            for request in link.requests():
                trick = None
                if not isinstance(request, Hello) and self._tricks:
                    trick = self._tricks.popleft()
                if not self._respond(link, request, trick):
                    return
        finally:
            link.close()

    def _respond(self, link: "_Link", request: AnyRequest, trick: Trick | Error | None) -> bool:
        """Answer, or do what the trick says; tell whether the connection goes on."""
        reply: AnyReply | None = None
        if isinstance(trick, Error):
            reply = trick
        elif trick not in (Trick.SILENT, Trick.DROP):
            reply = self._do(link, request)
        with self._changed:
            self.requests.append(request)
            self._changed.notify_all()
        if trick is Trick.NOISE:
            link.send_bytes(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        elif trick is Trick.GARBAGE:
            link.send_bytes(b"\x00\x00\x00\x03\x93\x01\x02")
        elif trick is Trick.HALF_REPLY and reply is not None:
            link.send_bytes(link.encode(reply, request)[:9])
            return False
        elif trick in (Trick.DROP, Trick.LOSE_REPLY):
            return False
        elif reply is not None:
            link.send_bytes(link.encode(reply, request))
        return True

    def _do(self, link: "_Link", request: AnyRequest) -> AnyReply | None:
        if type(request) in self._answers:
            return self._answers[type(request)](request)
        match request:
            case Hello():
                return Welcome(protocol=1, server="fake", version="0", features=[], pid=1)
            case Ping():
                return Pong()
            case Append():
                return self._append(request)
            case Stage():
                return self._stage(link, request)
            case List():
                return self._list(request)
            case Search():
                return self._search(request)
            case Subscribe():
                self._subscribers.append((link, request))
                return Done(changed=1, result={"sequence": request.after or 0})
            case _:
                return Error(code=ErrorCode.UNKNOWN_VERB, message="The fake cannot do this.")

    def _append(self, request: Append) -> AnyReply:
        outcomes: list[Outcome] = []
        for record in request.records:
            known = self.records.get(record.id)
            if known is not None and known != record:
                return Error(code=ErrorCode.CONFLICT, message=f"{record.id} is another record.")
            outcomes.append(Outcome(id=record.id, outcome="existed" if known else "created"))
        self.records |= {record.id: record for record in request.records}
        return Appended(outcomes=outcomes, sequence=len(self.records))

    def _stage(self, link: "_Link", request: Stage) -> AnyReply:
        link.staged += request.data
        if not request.last:
            return Pong()
        whole = msgspec.msgpack.decode(bytes(link.staged), type=Append)
        link.staged.clear()
        return self._append(whole)

    def _list(self, request: List) -> AnyReply:
        exchanges = [view_of(record) for record in self.exchanges()][::-1]
        start = int(request.cursor or 0)
        end = start + request.limit
        more = str(end) if end < len(exchanges) else None
        return Exchanges(items=exchanges[start:end], next_cursor=more)

    def _search(self, request: Search) -> AnyReply:
        hits = [record for record in self.exchanges() if request.query in record.prompt]
        return Results(results=[_result(record) for record in hits])

    def exchanges(self) -> list[Exchange]:
        """Return the stored exchanges in order."""
        return [record for record in self.records.values() if isinstance(record, Exchange)]


class _Link:
    """One connection as the daemon sees it."""

    def __init__(self, connection: socket.socket) -> None:
        self.staged = bytearray()
        self._socket = connection
        self._codec: Codec[AnyRequest] = Codec(AnyRequest)
        self._lock = threading.Lock()

    def requests(self) -> Iterable[AnyRequest]:
        buffer = FrameBuffer()
        while True:
            while (payload := buffer.next_payload()) is not None:
                yield self._codec.decode(payload, Encoding.MSGPACK)
            try:
                data = self._socket.recv(65536)
            except OSError:
                return
            if not data:
                return
            buffer.feed(data)

    def encode(self, reply: AnyReply, request: AnyRequest) -> bytes:
        return self._codec.encode(msgspec.structs.replace(reply, id=request.id), Encoding.MSGPACK)

    def send(self, reply: AnyReply) -> None:
        self.send_bytes(self._codec.encode(reply, Encoding.MSGPACK))

    def send_bytes(self, data: bytes) -> None:
        with self._lock, contextlib.suppress(OSError):
            self._socket.sendall(data)

    def hang_up(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._socket.close()


def view_of(record: Exchange, number: int = 1) -> ExchangeView:
    """Return an exchange as lists show it."""
    shared = set(ExchangeView.__struct_fields__) & set(Exchange.__struct_fields__)
    fields: dict[str, Any] = dict.fromkeys(ExchangeView.__struct_fields__)
    fields |= {name: getattr(record, name) for name in shared}
    fields |= {"number": number, "origin": "script", "created_at": record.created_at or ""}
    fields |= {"session_id": record.session, "conversation_id": record.conversation}
    return ExchangeView(**fields)


def _result(record: Exchange) -> SearchResult:
    return SearchResult(
        id=record.id,
        message_id=record.id,
        conversation_id=record.conversation,
        session_id=record.session,
        agent=record.agent,
        project=record.project,
        role="user",
        created_at=record.created_at or "",
        snippet=record.prompt,
        score=1.0,
        prompt=record.prompt,
    )
