"""Blocking connections to the daemon: one request at a time each, a few kept for the next.

A connection never outlives a fork: each knows the process that made it, and another process
closes its copy and makes its own.
"""

import os
import socket as sockets
import time
from pathlib import Path

from steno.errors import Misuse, Unreachable
from steno.wire import (
    CONNECT_RETRY_S,
    CONNECT_TIMEOUT_S,
    PARTING_PAUSE_S,
    RECEIVE_BYTES,
    Deadline,
    Wire,
    broken,
    is_parting,
    is_usable,
    may_repeat,
    refusal,
    try_connect,
)
from steno_schema.replies import AnyReply, Error
from steno_schema.requests import AnyRequest

IDLE_MAX = 8
ATTEMPTS = 2
"""A request that loses its connection is sent once more, on a new one: ids make that safe."""


class Connection:
    """One socket with at most one request under way; not for two threads at once."""

    def __init__(self, path: Path, deadline: Deadline) -> None:
        self._process = os.getpid()
        self._wire = Wire(path)
        self._socket = _connect(path, deadline.capped(CONNECT_TIMEOUT_S))
        self._greeting = self._wire.hello()

    def ask(self, request: AnyRequest, deadline: Deadline) -> AnyReply:
        """Return the reply; raise ``Unreachable`` (then the connection is of no more use)."""
        reply: AnyReply | None = None
        for request_id, frame in self._wire.parts(request):
            self.send(frame, deadline)
            reply = self.receive(request_id, deadline)
            if isinstance(reply, Error):
                break
        assert reply is not None
        return reply

    def send(self, frame: bytes, deadline: Deadline) -> None:
        """Send a frame, with the greeting before the first."""
        greeting, self._greeting = self._greeting, b""
        try:
            self._socket.settimeout(deadline.remaining_s())
            self._socket.sendall(greeting + frame if greeting else frame)
        except TimeoutError:
            raise deadline.passed() from None
        except OSError as error:
            raise broken(error) from None

    def receive(self, request_id: int | str, deadline: Deadline) -> AnyReply:
        """Return the reply with this id."""
        while (reply := self._wire.reply_to(request_id)) is None:
            self._wire.feed(self._receive_bytes(deadline))
        return reply

    def next_reply(self) -> AnyReply:
        """Return the next reply whatever its id, however long it takes."""
        while (reply := self._wire.next_reply()) is None:
            self._wire.feed(self._receive_bytes(None))
        return reply

    def _receive_bytes(self, deadline: Deadline | None) -> bytes:
        try:
            self._socket.settimeout(None if deadline is None else deadline.remaining_s())
            return self._socket.recv(RECEIVE_BYTES)
        except TimeoutError:
            assert deadline is not None
            raise deadline.passed() from None
        except OSError as error:
            raise broken(error) from None

    def is_usable(self) -> bool:
        """Tell whether it is this process's, still open, and owed no reply."""
        return self._process == os.getpid() and is_usable(self._socket)

    def end(self) -> None:
        """Close it under another thread: one that waits for a reply gets ``Unreachable``."""
        try:
            self._socket.shutdown(sockets.SHUT_RDWR)
        except OSError:
            return
        finally:
            self._socket.close()

    def close(self) -> None:
        """Give the socket back. In a forked child this leaves the parent's alone."""
        self._socket.close()


class Pool:
    """Connections for any number of threads.

    Nothing here locks: taking from and adding to a list are atomic, and so a fork at any moment
    leaves the child nothing to wait for.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._idle: list[Connection] = []
        self._closed = False

    def ask(self, request: AnyRequest, timeout_s: float) -> AnyReply:
        """Return the daemon's reply within ``timeout_s``; raise ``Refused``, ``Unreachable``."""
        reply = self._ask(request, Deadline(timeout_s))
        if isinstance(reply, Error):
            raise refusal(reply)
        return reply

    def _ask(self, request: AnyRequest, deadline: Deadline) -> AnyReply:
        attempt = 1
        while True:
            connection = self._open(deadline)
            try:
                reply = connection.ask(request, deadline)
            except Unreachable:
                connection.close()
                if attempt == ATTEMPTS or deadline.is_over or not may_repeat(request):
                    raise
                attempt += 1
                continue
            except BaseException:
                connection.close()
                raise
            if is_parting(reply) and may_repeat(request):
                connection.close()
                time.sleep(min(PARTING_PAUSE_S, deadline.remaining_s()))
                continue
            self._give_back(connection)
            return reply

    def _open(self, deadline: Deadline) -> Connection:
        while self._idle:
            try:
                connection = self._idle.pop()
            except IndexError:
                break
            if connection.is_usable():
                return connection
            connection.close()
        return self.new(deadline)

    def new(self, deadline: Deadline) -> Connection:
        """Return a connection for the caller alone, who closes it."""
        if self._closed:
            raise Misuse("This client is closed.", "Make a new one.")
        return Connection(self._path, deadline)

    def close(self) -> None:
        """Close what is idle now, and everything else when it comes back."""
        self._closed = True
        self._drop_idle()

    def __del__(self) -> None:
        self.close()

    def _drop_idle(self) -> None:
        """Close idle connections."""
        while self._idle:
            try:
                self._idle.pop().close()
            except IndexError:
                return

    def _give_back(self, connection: Connection) -> None:
        if len(self._idle) >= IDLE_MAX:
            connection.close()
            return
        self._idle.append(connection)
        if self._closed:
            self._drop_idle()


def _connect(path: Path, deadline: Deadline) -> sockets.socket:
    while (connection := try_connect(path)) is None:
        time.sleep(min(CONNECT_RETRY_S, deadline.remaining_s()))
    return connection
