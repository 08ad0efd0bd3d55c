"""A client in one colour with a real daemon, and the database read without either."""

import itertools
import sqlite3
from typing import Any

from support.faces import Face
from support.running import RunningDaemon

_numbers = itertools.count(1)


class Live:
    """``call`` a verb, then look with ``rows`` at what a view shows."""

    def __init__(self, daemon: RunningDaemon, face: Face) -> None:
        self.daemon = daemon
        self.client: Any = face.client
        self.call = face.result
        self.is_async = face.colour == "async"

    def key(self, word: str) -> str:
        """Return a name that no other test has used."""
        return f"{word}-{next(_numbers)}"

    def rows(self, query: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Run a statement on the file itself, as ``sqlite3`` would."""
        uri = f"file:{self.daemon.database}?mode=ro"
        connection = sqlite3.connect(uri, uri=True)
        try:
            return connection.execute(query, parameters).fetchall()
        finally:
            connection.close()

    def ended(self, batch: Any) -> Any:
        """Return what ends a batch without an exception, to be given to ``call``."""
        return (batch.__aexit__ if self.is_async else batch.__exit__)(None, None, None)

    def row(self, query: str, *parameters: object) -> tuple[Any, ...]:
        """Return the one row there is."""
        (row,) = self.rows(query, *parameters)
        return row
