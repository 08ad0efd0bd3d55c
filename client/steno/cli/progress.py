"""A progress bar on stderr, for what takes longer than a second; nothing in a pipe."""

import sys
import time
from typing import Self

from steno.cli.screen import escape_line
from steno.cli.tables import bar

_FIRST_S = 1.0
_BETWEEN_S = 0.1
_BAR_COLUMNS = 24


class Progress:
    """How far something is; use ``with``, so that the bar is gone afterwards."""

    def __init__(self, label: str) -> None:
        self._label = escape_line(label)
        self._next = time.monotonic() + _FIRST_S
        self._shown = False
        self._enabled = bool(sys.stderr and sys.stderr.isatty())

    def show(self, done: int, total: int | None = None, unit: str = "", *, note: str = "") -> None:
        """Show ``done`` of ``total`` (``None``: unknown), at most ten times a second.

        ``note`` is said behind it: a rate, the time that is left.
        """
        now = time.monotonic()
        if not self._enabled or now < self._next:
            return
        self._next = now + _BETWEEN_S
        self._shown = True
        counted = f"{done:,}" if total is None else f"{done:,} of {total:,}"
        filled = bar(done, total, _BAR_COLUMNS) if total else ""
        text = f"{self._label} {filled:<{_BAR_COLUMNS if total else 0}} {counted} {unit}".rstrip()
        if note:
            text += f", {escape_line(note)}"
        sys.stderr.write(f"\r\x1b[K{text}")
        sys.stderr.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
