"""The interface of a follower, and the driver that takes one forward by a slice."""

import time
from typing import Protocol

import apsw

from stenod.store.changes import Kind
from stenod.store.rows import Row, fetch_all, fetch_one

SLICE_S = 0.004
"""How long one slice may take: no save waits much longer behind it."""
STEP_ROWS = 64
"""Rows between two looks at the clock."""
_CHANGES = (
    "SELECT sequence, kind, first_id, last_id FROM change WHERE sequence > ?"
    " ORDER BY sequence LIMIT ?"
)


class Follower(Protocol):
    """Something that follows from records."""

    name: str
    version: str
    """Another version than the one stored means: start over."""
    table: str
    """The table a rebuild walks through: ``message``, ``exchange`` or ``usage``."""
    kinds: frozenset[Kind]
    """The kinds of change it wants to hear of."""

    def reset(self, connection: apsw.Connection) -> None:
        """Throw away everything derived so far."""
        ...

    def put(self, connection: apsw.Connection, first_id: int, last_id: int) -> None:
        """Derive anew for the rows of ``table`` in [first_id, last_id]."""
        ...

    def gone(self, connection: apsw.Connection, first_id: int, last_id: int) -> None:
        """Drop what was derived for rows that are no longer there."""
        ...


class Position:
    """Where a follower stands: its cursor in the change log, and a rebuild if one is under way."""

    def __init__(self, follower: Follower, connection: apsw.Connection) -> None:
        self.follower = follower
        row = fetch_one(
            connection,
            "SELECT version, cursor, rebuild_from FROM follower WHERE name = ?",
            (follower.name,),
        )
        if row is None or row[0] != follower.version:
            head = connection.execute("SELECT max(sequence) FROM change").get or 0
            anything = connection.execute(f"SELECT 1 FROM {follower.table} LIMIT 1").get
            follower.reset(connection)
            row = (follower.version, head if anything else 0, -(2**62) if anything else None)
            connection.execute(
                "INSERT OR REPLACE INTO follower (name, version, cursor, rebuild_from)"
                " VALUES (?, ?, ?, ?)",
                (follower.name, *row),
            )
        self.cursor: int = row[1]
        self.rebuild_from: int | None = row[2]

    def advance(self, connection: apsw.Connection, head: int) -> tuple[int, int | None]:
        """Do one slice inside the caller's transaction; return the position it leads to.

        The caller takes the position over with ``settle`` once the transaction is committed.
        """
        position = (self.cursor, self.rebuild_from)
        if self.rebuild_from is not None:
            position = (self.cursor, self._rebuild(connection, self.rebuild_from))
        elif self.cursor < head:
            position = (self._follow(connection), None)
        connection.execute(
            "UPDATE follower SET cursor = ?, rebuild_from = ? WHERE name = ?",
            (*position, self.follower.name),
        )
        return position

    def settle(self, position: tuple[int, int | None]) -> None:
        """Take over a position that is committed."""
        self.cursor, self.rebuild_from = position

    def behind(self, head: int) -> int:
        """Return how many changes are not followed yet; a rebuild counts as one more."""
        return max(head - self.cursor, 0) + (self.rebuild_from is not None)

    def _rebuild(self, connection: apsw.Connection, start: int) -> int | None:
        deadline = time.monotonic() + SLICE_S
        reached = start
        while time.monotonic() < deadline:
            rows = fetch_all(
                connection,
                f"SELECT id FROM {self.follower.table} WHERE id > ? ORDER BY id LIMIT ?",
                (reached, STEP_ROWS),
            )
            if not rows:
                return None
            self.follower.put(connection, rows[0][0], rows[-1][0])
            reached = int(rows[-1][0])
        return reached

    def _follow(self, connection: apsw.Connection) -> int:
        deadline = time.monotonic() + SLICE_S
        cursor = self.cursor
        while time.monotonic() < deadline:
            changes = fetch_all(connection, _CHANGES, (cursor, STEP_ROWS))
            if not changes:
                break
            runs, cursor = _step(changes, self.follower.kinds)
            for kind, first, last in runs:
                if kind.endswith("_gone"):
                    self.follower.gone(connection, first, last)
                else:
                    self.follower.put(connection, first, last)
        return cursor


def _step(changes: list[Row], kinds: frozenset[Kind]) -> tuple[list[tuple[Kind, int, int]], int]:
    """Return about ``STEP_ROWS`` rows' worth of changes as runs, and the sequence they reach."""
    runs: list[tuple[Kind, int, int]] = []
    rows = 0
    reached = 0
    for sequence, kind, first, last in changes:
        reached = sequence
        if kind in kinds:
            if runs and runs[-1][0] == kind and runs[-1][1] <= first <= runs[-1][2] + 1:
                runs[-1] = (kind, runs[-1][1], max(runs[-1][2], last))
            else:
                runs.append((kind, first, last))
            rows += last - first + 1
        if rows >= STEP_ROWS:
            break
    return runs, reached
