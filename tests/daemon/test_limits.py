"""Limits hold, each with a sentence where there is somebody to read it, and nobody else suffers."""

import asyncio
import socket
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, cast

import pytest

from steno_schema.framing import Codec, Encoding
from steno_schema.ids import uuid7
from steno_schema.limits import (
    BULK_FRAME_MAX_BYTES,
    CONNECTIONS_MAX,
    FRAME_MAX_BYTES,
    HEADER_TIMEOUT_S,
    INCOMPLETE_CONNECTIONS_MAX,
    WRITER_QUEUE_MAX_BYTES,
    WRITER_QUEUE_MAX_REQUESTS,
)
from steno_schema.replies import AnyReply, Pong
from steno_schema.requests import AnyRequest, Append, Ping, Search, Stage
from stenod import server
from stenod.access import Role
from stenod.connection import Connection
from stenod.inbox import Inbox, Job
from support.inprocess import serving
from support.running import RunningDaemon
from support.wire import Wire


def alive(path: Path) -> None:
    """Assert that a new client is served."""
    with Wire(path) as wire:
        assert wire.ask(verb="ping", id=1)["reply"] == "pong"


# ----- frames


def test_a_frame_that_is_too_large_ends_the_connection_with_a_sentence(
    shared_daemon: RunningDaemon,
) -> None:
    with Wire(shared_daemon.socket, Encoding.MSGPACK) as wire:
        wire.send((BULK_FRAME_MAX_BYTES + 1).to_bytes(4, "big"))
        reply = wire.reply()
        assert (reply["code"], str(BULK_FRAME_MAX_BYTES) in reply["message"]) == (
            "too_large",
            True,
        )
        assert wire.ended()
    alive(shared_daemon.socket)


def test_a_line_that_is_too_long_ends_the_connection_with_a_sentence(
    shared_daemon: RunningDaemon, wire: Wire
) -> None:
    try:
        wire.send(b'{"verb":"search","query":"' + b"x" * (BULK_FRAME_MAX_BYTES + FRAME_MAX_BYTES))
    except (BrokenPipeError, ConnectionResetError):
        pass  # it did not hear us out
    else:
        assert wire.reply()["code"] == "too_large"
    alive(shared_daemon.socket)


def test_an_ordinary_request_is_smaller_than_a_bulk_one(wire: Wire) -> None:
    refused = wire.ask(verb="sql", id=1, query="x" * FRAME_MAX_BYTES)
    assert (refused["id"], refused["code"]) == (1, "too_large")
    record = {"type": "exchange", "id": uuid7(), "prompt": "p", "output": "x" * FRAME_MAX_BYTES}
    assert wire.ask(verb="append", id=2, records=[record])["reply"] == "appended"


def test_unfinished_uploads_are_limited_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "STAGED_TOGETHER_MAX_BYTES", 1000)
    with serving(tmp_path / "home") as daemon, ExitStack() as stack:
        one, two = (
            stack.enter_context(Wire(daemon.paths.socket, Encoding.MSGPACK)) for _ in range(2)
        )
        one.request(Stage(id=1, token="a", data=bytes(600)))
        assert one.reply()["reply"] == "pong"
        two.request(Stage(id=1, token="b", data=bytes(600)))
        refused = two.reply()
        assert (refused["code"], refused["retryable"]) == ("busy", True)
        one.close()
        while refused["reply"] == "error":  # until the daemon has noticed
            two.request(Stage(id=2, token="c", data=bytes(600)))
            refused = two.reply()


# ----- the writer's queue


def job(size_bytes: int = 10) -> Job:
    return Job(Append(records=[]), size_bytes, lambda _reply: None)


def test_the_queue_refuses_what_is_too_much() -> None:
    inbox = Inbox(max_requests=3, max_bytes=100)
    assert [inbox.put(job()) for _ in range(4)] == [True, True, True, False]
    assert len(inbox.take(2, 0)) == 2
    assert inbox.put(job(90))
    assert not inbox.put(job(1))
    assert [each.size_bytes for each in inbox.take(10, 0)] == [10, 90]
    assert inbox.put(job(1000)), "one alone is taken whatever its size: it was received already"
    assert not inbox.put(job(1))
    inbox.close()
    assert not Inbox.put(inbox, job())
    assert Inbox()._max_requests == WRITER_QUEUE_MAX_REQUESTS
    assert Inbox()._max_bytes == WRITER_QUEUE_MAX_BYTES


def test_a_full_queue_says_busy_and_a_client_spools(tmp_path: Path) -> None:
    """The writer is held up in the middle of a batch; the queue behind it fills up."""
    entered, go_on = threading.Event(), threading.Event()

    def hold(_reply: AnyReply) -> None:
        entered.set()
        assert go_on.wait(60)

    with serving(tmp_path / "home") as daemon:
        daemon.writer.inbox._max_requests = 2
        daemon.writer.inbox.put(Job(Append(records=[]), 1, hold))
        assert entered.wait(60)
        records = [{"type": "exchange", "id": uuid7(), "prompt": f"p{n}"} for n in range(3)]
        with Wire(daemon.paths.socket) as wire:
            for number, record in enumerate(records):
                wire.say(verb="append", id=number, records=[record])
            refused = wire.reply()
            assert (refused["id"], refused["code"], refused["retryable"]) == (2, "busy", True)
            assert wire.ask(verb="list", id="read")["items"] == []
            go_on.set()
            assert {reply.get("id", 0) for reply in wire.replies(2)} == {0, 1}
            again = wire.ask(verb="append", id=3, records=[records[2]])
            assert again["outcomes"][0]["outcome"] == "created"


# ----- clients that do not do their part


def test_a_client_that_never_reads_is_dropped(shared_daemon: RunningDaemon) -> None:
    """It asks and asks, and its answers pile up."""
    with Wire(shared_daemon.socket) as other, Wire(shared_daemon.socket) as wire:
        record = {
            "type": "exchange",
            "id": uuid7(),
            "prompt": "p",
            "output": "x" * FRAME_MAX_BYTES,
        }
        wire.ask(verb="append", id=1, records=[record])
        line = b'{"verb":"get","target":"%s"}\n' % record["id"].encode()
        dropped = False
        while not dropped:
            try:
                wire.send(line)
            except (BrokenPipeError, ConnectionResetError):
                dropped = True
        assert other.ask(verb="ping", id=1)["reply"] == "pong"
    alive(shared_daemon.socket)


def test_half_open_connections_make_room(shared_daemon: RunningDaemon) -> None:
    """Those that never say anything are dropped, the oldest first; a new client is served."""
    with ExitStack() as stack:
        silent = [
            stack.enter_context(Wire(shared_daemon.socket))
            for _ in range(INCOMPLETE_CONNECTIONS_MAX + 10)
        ]
        alive(shared_daemon.socket)
        assert all(each.ended() for each in silent[:10])
        assert silent[-1].ask(verb="ping", id=1)["reply"] == "pong"


def test_six_hundred_half_begun_requests(shared_daemon: RunningDaemon) -> None:
    with ExitStack() as stack, Wire(shared_daemon.socket) as healthy:
        assert healthy.ask(verb="ping", id=1)["reply"] == "pong"
        for number in range(600):
            each = stack.enter_context(socket.socket(socket.AF_UNIX))
            each.connect(str(shared_daemon.socket))
            each.send(b"\x00\x00" if number % 2 else b'{"verb":')
            if number % 50 == 0:
                alive(shared_daemon.socket)
        assert healthy.ask(verb="ping", id=2)["reply"] == "pong"
    alive(shared_daemon.socket)


def test_too_many_clients_are_told_so(shared_daemon: RunningDaemon) -> None:
    with ExitStack() as stack:
        clients: list[Wire] = []
        for _ in range(CONNECTIONS_MAX):
            clients.append(stack.enter_context(Wire(shared_daemon.socket)))
            assert clients[-1].ask(verb="ping", id=1)["reply"] == "pong"
        with Wire(shared_daemon.socket) as one_more:
            reply = one_more.reply()
            assert (reply["code"], reply["retryable"]) == ("busy", True)
            assert one_more.ended()
        clients[0].no_more()
        assert clients[0].ended()
        alive(shared_daemon.socket)


# ----- the time a request may take to arrive


class Timer:
    """Stands for a call that the event loop makes later; the test decides when."""

    def __init__(self, seconds: float, call: Callable[[], None]) -> None:
        self.seconds = seconds
        self.call = call
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class Ends:
    """A loop, a server and a transport for one connection, without any socket."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.timers: list[Timer] = []
        self.sent = b""
        self.closed = False
        self.dispatch = self
        monkeypatch.setattr(asyncio, "get_running_loop", lambda: self)
        self.requests: Counter[str] = Counter()
        self.connection = Connection(cast("Any", self), Role.ADMIN)
        self.connection._transport = cast("Any", self)

    def call_later(self, seconds: float, call: Callable[[], None]) -> Timer:
        self.timers.append(Timer(seconds, call))
        return self.timers[-1]

    def running(self) -> list[Timer]:
        return [timer for timer in self.timers if not timer.cancelled]

    def handle(self, connection: Connection, request: Any, size_bytes: int) -> None:
        connection.deliver(Pong(id=request.id))

    def write(self, data: bytes) -> None:
        self.sent += data

    def get_write_buffer_size(self) -> int:
        return 0

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    def is_subscribed(self, connection: Connection) -> bool:
        return False


def frame(request: Ping | Search) -> bytes:
    codec: Codec[AnyRequest] = Codec(AnyRequest)
    return codec.encode(request, Encoding.MSGPACK)


def test_a_request_that_does_not_arrive_in_time_ends_the_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ends = Ends(monkeypatch)
    ends.connection.data_received(b'{"verb":"pi')
    (timer,) = ends.running()
    assert timer.seconds == HEADER_TIMEOUT_S
    timer.call()
    assert ends.closed
    assert b"not complete" in ends.sent


def test_a_quiet_connection_may_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    ends = Ends(monkeypatch)
    ends.connection.data_received(frame(Ping()))
    assert ends.running() == []


def test_one_request_in_time_gives_the_next_its_own_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that sends without a pause always has the beginning of a request under way."""
    ends = Ends(monkeypatch)
    stream = frame(Search(query="x" * 50)) * 20
    step = len(stream) // 20 - 7
    for start in range(0, len(stream) - step, step):
        ends.connection.data_received(stream[start : start + step])
        assert len(ends.running()) <= 1
    assert len(ends.timers) >= 10, "each beginning was timed anew"
    ends.connection.data_received(stream[start + step :])
    assert ends.running() == []
    assert not ends.closed
