"""Rows as Python sees them: any column may hold anything, whatever the tables promise."""

from collections.abc import Sequence
from typing import Any

import apsw

Row = tuple[Any, ...]


def fetch_all(connection: apsw.Connection, sql: str, values: Sequence[Any] = ()) -> list[Row]:
    """Run a statement to its end and return its rows."""
    return connection.execute(sql, values).fetchall()


def fetch_one(connection: apsw.Connection, sql: str, values: Sequence[Any] = ()) -> Row | None:
    """Return a statement's first row, or ``None``."""
    return connection.execute(sql, values).fetchone()
