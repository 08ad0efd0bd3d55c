"""The listening side: accepts connections and bounds how many there are."""

import asyncio
import socket
from collections import Counter

from steno_schema.errors import ErrorCode, RequestError
from steno_schema.limits import (
    CONNECTIONS_MAX,
    INCOMPLETE_CONNECTIONS_MAX,
    STAGED_MAX_BYTES,
)
from stenod.access import Role
from stenod.connection import Connection
from stenod.dispatch import Dispatch
from stenod.subscriptions import Subscriptions

STAGED_TOGETHER_MAX_BYTES = 2 * STAGED_MAX_BYTES
"""What the unfinished uploads of all connections may hold."""


_TOO_MANY = RequestError(
    ErrorCode.BUSY, f"The daemon has {CONNECTIONS_MAX} connections already.", "Close some."
)


class Server:
    """All connections. Runs on the event loop's thread."""

    def __init__(self, dispatch: Dispatch, subscriptions: Subscriptions) -> None:
        self.dispatch = dispatch
        self.connections: dict[Connection, None] = {}
        self._subscriptions = subscriptions
        self._servers: list[asyncio.Server] = []
        self._all_closed = asyncio.Event()
        self.requests: Counter[str] = Counter()
        self.refusals: Counter[str] = Counter()

    async def start(self, listener: socket.socket, role: Role) -> None:
        """Accept connections on ``listener`` from now on, and let them do what ``role`` may."""
        loop = asyncio.get_running_loop()
        self._servers.append(
            await loop.create_unix_server(lambda: Connection(self, role), sock=listener)
        )

    def stop_accepting(self) -> None:
        """Accept no more; those connected stay until ``close``."""
        for server in self._servers:
            server.close()

    def close(self) -> None:
        """Close every connection once what was sent has left."""
        for connection in list(self.connections):
            connection.close()

    async def wait_closed(self) -> None:
        """Return when no connection is left."""
        while self.connections:
            self._all_closed.clear()
            await self._all_closed.wait()

    def may_stage(self, size_bytes: int) -> bool:
        """Tell whether that much more of unfinished uploads can be held."""
        held = sum(len(each.staged) for each in self.connections)
        return held + size_bytes <= STAGED_TOGETHER_MAX_BYTES

    def opened(self, connection: Connection) -> None:
        """Note a connection; the oldest silent one makes room when there are too many."""
        self.connections[connection] = None
        silent = [each for each in self.connections if not each.greeted]
        if len(silent) > INCOMPLETE_CONNECTIONS_MAX:
            # Forgotten at once: many may come before the loop gets round to its end.
            self.closed(silent[0])
            silent[0].abort()
        elif len(self.connections) > CONNECTIONS_MAX:
            connection.refuse(_TOO_MANY)

    def closed(self, connection: Connection) -> None:
        """Forget a connection."""
        self.connections.pop(connection, None)
        self._subscriptions.closed(connection)
        self._all_closed.set()

    def writable(self, connection: Connection) -> None:
        """Go on with what waited until a connection could take more."""
        self._subscriptions.writable(connection)

    def is_subscribed(self, connection: Connection) -> bool:
        """Tell whether a connection has a subscription."""
        return self._subscriptions.has(connection)
