"""What reaches a terminal: escaped text, colour, tables that fit, times as people say them.

Everything that was written by somebody else goes through ``escape`` before it is printed, also
into a pipe: what a pipe carries ends on a terminal sooner or later.
"""

import re
import time
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, TextIO

from steno.cli.tables import aligned, separated

if TYPE_CHECKING:
    from steno.cli.pager import Pager

HIGHLIGHT_START, HIGHLIGHT_END = "\ue000", "\ue001"
_HOSTILE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069"
    "\ud800-\udfff\ue000\ue001\ufeff]"
)
_STYLES = {
    "bold": "1",
    "dim": "2",
    "red": "31",
    "green": "32",
    "yellow": "33",
    "blue": "34",
    "cyan": "36",
    "match": "1;31",
}
_STEPS = ((31_557_600, "y"), (2_629_800, "mo"), (604_800, "w"), (86_400, "d"), (3600, "h"))


def escape(text: str) -> str:
    """Return ``text`` with everything that could steer a terminal made visible.

    Control characters (but newline and tab), bidirectional controls, the byte order mark and the
    marks of highlights become ``\\x1b`` or ``\\u202e``.

    >>> escape("red: \\x1b[31m")
    'red: \\\\x1b[31m'
    """
    return _HOSTILE.sub(_visible, text)


def escape_line(text: str) -> str:
    """Return ``text`` escaped and on one line, each run of blanks a single space."""
    return escape(" ".join(text.split()))


def _visible(match: re.Match[str]) -> str:
    code = ord(match.group())
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def relative_time(moment_s: float, now_s: float) -> str:
    """Return how long ago ``moment_s`` was, shortly: ``just now``, ``5m ago``, ``3d ago``."""
    age = now_s - moment_s
    if age < -60:
        return "in the future"
    for seconds, unit in _STEPS:
        if age >= seconds:
            return f"{int(age // seconds)}{unit} ago"
    return f"{int(age // 60)}m ago" if age >= 60 else "just now"


def parse_time(text: str) -> float | None:
    """Return seconds since 1970 for ISO-8601 text, ``None`` for text that is no time."""
    from steno_schema.times import parse_ms

    try:
        return parse_ms(text) / 1000
    except (ValueError, OverflowError):
        return None


class Screen:
    """Standard output, as a terminal or as a pipe.

    ``colour`` is ``auto`` (a terminal, and ``NO_COLOR`` is not set), ``always`` or ``never``.
    """

    def __init__(
        self,
        stream: TextIO | None,
        *,
        colour: str = "auto",
        terminal: bool | None = None,
        width: int | None = None,
    ) -> None:
        import os

        self._stream = stream
        self._pager: Pager | None = None
        self.is_terminal = bool(stream and stream.isatty()) if terminal is None else terminal
        plain = bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
        self.colour = colour == "always" or (colour == "auto" and self.is_terminal and not plain)
        self._width = width
        reconfigure: Any = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")

    @property
    def width(self) -> int:
        """Columns of the terminal, 80 in a pipe."""
        if self._width is None:
            self._width = terminal_width()
        return self._width

    @property
    def speaks_unicode(self) -> bool:
        """Whether the output's encoding has a place for every character."""
        encoding = getattr(self._stream, "encoding", None) or "utf-8"
        return "utf" in encoding.lower()

    def start_pager(self) -> None:
        """From here on, long output goes through the person's pager; nothing in a pipe."""
        if self._pager is None and self._stream is not None and self._stream.isatty():
            from steno.cli.pager import start

            self._pager = start()

    def stop_pager(self) -> None:
        """Wait until the person has left the pager."""
        pager, self._pager = self._pager, None
        if pager is not None:
            pager.close()

    def finish(self) -> None:
        """Hand over all that was printed; raise ``OSError`` if it cannot be written."""
        self.stop_pager()
        self.flush()

    def flush(self) -> None:
        if self._stream is not None:
            self._stream.flush()

    def raw(self, text: str) -> None:
        """Write ``text`` as it is: only for what is known to be harmless or escaped."""
        if self._pager is not None:
            self._pager.write(text)
        elif self._stream is not None:
            self._stream.write(text)

    def line(self, text: str = "") -> None:
        """Print one line that this program made itself of escaped parts."""
        self.raw(text + "\n")

    def text(self, text: str, indent: str = "") -> None:
        """Print somebody's text, escaped, each line behind ``indent``."""
        for line in escape(text).split("\n"):
            self.line(f"{indent}{line}" if line else "")

    def json(self, value: object) -> None:
        """Print ``value`` as JSON, indented on a terminal."""
        from steno.cli.jsontext import to_json

        ascii_only = not self.speaks_unicode
        self.line(to_json(value, ascii_only=ascii_only, indent=2 if self.is_terminal else 0))

    def style(self, text: str, name: str) -> str:
        """Return ``text`` in the style ``name``, as it is without colour."""
        return f"\x1b[{_STYLES[name]}m{text}\x1b[0m" if self.colour and text else text

    def highlight(self, snippet: str) -> str:
        """Return a search result's snippet on one line, its matches in colour."""
        parts = re.split(f"([{HIGHLIGHT_START}{HIGHLIGHT_END}])", " ".join(snippet.split()))
        pieces: list[str] = []
        matched = False
        for part in parts:
            if part in (HIGHLIGHT_START, HIGHLIGHT_END):
                matched = part == HIGHLIGHT_START
            else:
                pieces.append(self.style(escape(part), "match") if matched else escape(part))
        return "".join(pieces)

    def time(self, iso: str | None) -> str:
        """Return a time as this output shows it: relative on a terminal, ISO in a pipe."""
        if not iso:
            return ""
        moment = parse_time(iso) if self.is_terminal else None
        return escape_line(iso) if moment is None else relative_time(moment, time.time())

    def number(self, value: object) -> object:
        """Return a whole number as this output shows it: on a terminal with separators."""
        whole = isinstance(value, int) and not isinstance(value, bool)
        return f"{value:,}" if whole and self.is_terminal else value

    def table(
        self,
        headers: Sequence[str],
        rows: Iterable[Sequence[object]],
        *,
        header_in_pipe: bool = True,
        always_aligned: bool = False,
    ) -> None:
        """Print rows: aligned and clipped to the width on a terminal, by tabs in a pipe.

        Cells may be anything; they are escaped. ``None`` is blank.
        """
        names = [cell_text(header) for header in headers]
        cells = [[cell_text(cell) for cell in row] for row in rows]
        if self.is_terminal or always_aligned:
            limit = self.width if self.is_terminal else None
            lines = aligned(names, cells, limit)
            self.line(self.style(next(lines), "bold"))
        else:
            lines = separated(names if header_in_pipe else None, cells)
        for line in lines:
            self.line(line)


def cell_text(cell: object) -> str:
    """Return a table's cell as escaped text on one line."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float):
        return f"{cell:.15g}"
    if isinstance(cell, bytes):
        return f"{len(cell)} bytes"
    return escape_line(str(cell))


def terminal_width() -> int:
    """Return the columns of the terminal: what ``COLUMNS`` says, else it itself, else 80."""
    import os

    columns = os.environ.get("COLUMNS", "")
    if columns.isascii() and columns.isdigit() and int(columns):
        return max(int(columns), 20)
    try:
        return max(os.get_terminal_size(1).columns, 20)
    except OSError:
        return 80
