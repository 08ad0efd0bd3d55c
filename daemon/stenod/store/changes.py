"""The change log: what a transaction touched, as runs of ids, for followers and subscribers."""

import bisect
import itertools
from typing import Literal

import apsw

Kind = Literal["message", "exchange", "message_gone", "usage"]


RUN_MAX = 64
"""Ids in one run: followers stop between runs, so that a slice of theirs stays short."""
OPEN_RUNS = 3
"""Runs that may still grow: a transcript's messages, turns and calls take turns."""


class Changes:
    """Collects one transaction's changes; neighbouring ids become one row."""

    def __init__(self) -> None:
        self._runs: list[tuple[Kind, int, int]] = []

    def add(self, kind: Kind, row_id: int) -> None:
        """Note that row ``row_id`` was put (or, for ``message_gone``, is no longer there)."""
        for index in range(len(self._runs) - 1, max(len(self._runs) - OPEN_RUNS, 0) - 1, -1):
            known, first, last = self._runs[index]
            if known == kind and first <= row_id <= last + 1 and row_id < first + RUN_MAX:
                self._runs[index] = (kind, first, max(last, row_id))
                return
        self._runs.append((kind, row_id, row_id))

    def lacking(self, kind: Kind, row_ids: list[int]) -> list[int]:
        """Return those of ``row_ids`` (which go up) that no run holds yet."""
        runs = sorted((first, last) for known, first, last in self._runs if known == kind)
        starts = [first for first, _ in runs]
        reached = list(itertools.accumulate((last for _, last in runs), max))
        found = []
        for row_id in row_ids:
            place = bisect.bisect_right(starts, row_id)
            if not place or reached[place - 1] < row_id:
                found.append(row_id)
        return found

    def mark(self) -> list[tuple[Kind, int, int]]:
        """Return what ``back_to`` needs to forget everything added later."""
        return list(self._runs[-OPEN_RUNS:])

    def position(self) -> int:
        return len(self._runs)

    def back_to(self, position: int, tail: list[tuple[Kind, int, int]]) -> None:
        """Forget what a rolled-back request added since ``position`` and ``mark`` were taken."""
        del self._runs[position:]
        if tail:
            self._runs[position - len(tail) : position] = tail

    def flush(self, connection: apsw.Connection) -> None:
        """Write the collected runs; called once, right before the commit."""
        if self._runs:
            connection.executemany(
                "INSERT INTO change (kind, first_id, last_id) VALUES (?, ?, ?)", self._runs
            )
            self._runs.clear()
