"""Connections to the daemon for asyncio: what ``connection`` does, but awaited.

Plain non-blocking sockets, no transports: they belong to no event loop, so a client may be used
from one ``asyncio.run`` after the other, and closing one needs no loop at all.
"""

import asyncio
import os
import socket as sockets
from pathlib import Path

from steno.connection import ATTEMPTS
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

CONNECTIONS_MAX = 16
"""Requests of one client under way at once; further ones wait their turn."""


class AsyncConnection:
    """One socket with at most one request under way."""

    def __init__(self, path: Path, socket: sockets.socket) -> None:
        self._process = os.getpid()
        self._wire = Wire(path)
        self._socket = socket
        self._greeting = self._wire.hello()
        self._receiving = False

    async def ask(self, request: AnyRequest) -> AnyReply:
        """Return the reply; raise ``Unreachable`` (then the connection is of no more use)."""
        reply: AnyReply | None = None
        for request_id, frame in self._wire.parts(request):
            await self.send(frame)
            reply = await self.receive(request_id)
            if isinstance(reply, Error):
                break
        assert reply is not None
        return reply

    async def send(self, frame: bytes) -> None:
        """Send a frame, with the greeting before the first."""
        greeting, self._greeting = self._greeting, b""
        try:
            await _loop().sock_sendall(self._socket, greeting + frame if greeting else frame)
        except OSError as error:
            raise broken(error) from None

    async def receive(self, request_id: int | str) -> AnyReply:
        """Return the reply with this id."""
        while (reply := self._wire.reply_to(request_id)) is None:
            self._wire.feed(await self._receive_bytes())
        return reply

    async def next_reply(self) -> AnyReply:
        """Return the next reply whatever its id, however long it takes."""
        while (reply := self._wire.next_reply()) is None:
            self._wire.feed(await self._receive_bytes())
        return reply

    async def _receive_bytes(self) -> bytes:
        self._receiving = True
        try:
            return await _loop().sock_recv(self._socket, RECEIVE_BYTES)
        except OSError as error:
            raise broken(error) from None
        finally:
            self._receiving = False

    def is_usable(self) -> bool:
        """Tell whether it is this process's, still open, and owed no reply."""
        return self._process == os.getpid() and is_usable(self._socket)

    def end(self) -> None:
        """Close it; a task that waits for a reply gets ``Unreachable`` and closes it then."""
        if not self._receiving:
            self._socket.close()
            return
        try:
            self._socket.shutdown(sockets.SHUT_RDWR)
        except OSError:
            return

    def close(self) -> None:
        """Give the socket back. In a forked child this leaves the parent's alone."""
        self._socket.close()


class AsyncPool:
    """Connections for any number of tasks of one event loop at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._idle: list[AsyncConnection] = []
        self._closed = False
        self._turns: tuple[asyncio.AbstractEventLoop, asyncio.Semaphore] | None = None

    async def ask(self, request: AnyRequest, timeout_s: float) -> AnyReply:
        """Return the daemon's reply within ``timeout_s``; raise ``Refused``, ``Unreachable``."""
        deadline = Deadline(timeout_s)
        try:
            async with asyncio.timeout(timeout_s), self._turn():
                reply = await self._ask(request, deadline)
        except TimeoutError:
            raise deadline.passed() from None
        if isinstance(reply, Error):
            raise refusal(reply)
        return reply

    async def begin(
        self, request: AnyRequest, timeout_s: float
    ) -> tuple[AsyncConnection, AnyReply]:
        """Return a connection for the caller alone, who closes it, and its first reply."""
        deadline = Deadline(timeout_s)
        connection: AsyncConnection | None = None
        try:
            async with asyncio.timeout(timeout_s):
                connection = await self.new(deadline)
                return connection, await connection.ask(request)
        except BaseException as error:
            if connection is not None:
                connection.close()
            if isinstance(error, TimeoutError):
                raise deadline.passed() from None
            raise

    async def _ask(self, request: AnyRequest, deadline: Deadline) -> AnyReply:
        attempt = 1
        while True:
            connection = await self._open(deadline)
            try:
                reply = await connection.ask(request)
            except Unreachable:
                connection.close()
                if attempt == ATTEMPTS or not may_repeat(request):
                    raise
                attempt += 1
                continue
            except BaseException:
                connection.close()
                raise
            if is_parting(reply) and may_repeat(request):
                connection.close()
                await asyncio.sleep(PARTING_PAUSE_S)
                continue
            self._give_back(connection)
            return reply

    async def _open(self, deadline: Deadline) -> AsyncConnection:
        while self._idle:
            connection = self._idle.pop()
            if connection.is_usable():
                return connection
            connection.close()
        return await self.new(deadline)

    async def new(self, deadline: Deadline) -> AsyncConnection:
        """Return a connection for the caller alone, who closes it."""
        if self._closed:
            raise Misuse("This client is closed.", "Make a new one.")
        connecting = deadline.capped(CONNECT_TIMEOUT_S)
        while True:
            socket = try_connect(self._path)
            if socket is not None:
                return AsyncConnection(self._path, socket)
            await asyncio.sleep(min(CONNECT_RETRY_S, connecting.remaining_s()))

    def close(self) -> None:
        """Close what is idle now, and everything else when it comes back."""
        self._closed = True
        while self._idle:
            self._idle.pop().close()

    def __del__(self) -> None:
        self.close()

    def _turn(self) -> asyncio.Semaphore:
        loop = _loop()
        if self._turns is None or self._turns[0] is not loop:
            self._turns = (loop, asyncio.Semaphore(CONNECTIONS_MAX))
        return self._turns[1]

    def _give_back(self, connection: AsyncConnection) -> None:
        if self._closed:
            connection.close()
        else:
            self._idle.append(connection)


def _loop() -> asyncio.AbstractEventLoop:
    return asyncio.get_running_loop()
