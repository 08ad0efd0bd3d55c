"""CSV that no spreadsheet takes for a formula."""

import csv
import io
from collections.abc import Sequence

from steno.cli.screen import escape

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def csv_line(cells: Sequence[object]) -> str:
    """Return one line of CSV, its newline included; ``None`` is an empty cell."""
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerow([csv_cell(cell) for cell in cells])
    return buffer.getvalue()


def csv_cell(cell: object) -> str:
    """Return a cell's text: numbers as they are, text escaped and never a formula.

    Text that a spreadsheet would compute, also behind blanks, gets an apostrophe in front.

    >>> csv_cell("=1+1"), csv_cell(-1)
    ("'=1+1", '-1')
    """
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, int | float):
        return str(cell)
    if isinstance(cell, bytes):
        return cell.hex()
    text = str(cell)
    safe = escape(text)
    starts = text.startswith(_FORMULA_STARTS) or text.lstrip().startswith(_FORMULA_STARTS)
    return f"'{safe}" if starts else safe
