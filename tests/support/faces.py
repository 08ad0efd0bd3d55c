"""The client in one colour, blocking or async, called the same way in both."""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar, overload

from steno.aclient import AsyncClient
from steno.client import Client

Result = TypeVar("Result")


class Face:
    """A client in one colour, called the same way in both."""

    def __init__(self, colour: str, home: Path) -> None:
        self.colour = colour
        self._home = home
        self._loop = asyncio.Runner()
        self._clients: list[Client | AsyncClient] = []
        self.client = self.open()

    def open(self, *, timeout_s: float = 30.0, spool: bool = True) -> Client | AsyncClient:
        """Return another client of the same instance."""
        made = Client if self.colour == "sync" else AsyncClient
        client = made(self._home, timeout_s=timeout_s, spool=spool)
        self._clients.append(client)
        return client

    @overload
    def result(self, value: Coroutine[Any, Any, Result]) -> Result: ...
    @overload
    def result(self, value: Result) -> Result: ...
    def result(self, value: Any) -> Any:
        """Return what a verb returned, awaiting it if need be."""
        if isinstance(value, Coroutine):
            return self._loop.run(value)
        return value

    def close(self) -> None:
        for client in self._clients:
            self.result(client.close())
        self._loop.close()
