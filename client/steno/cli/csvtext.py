"""Any values as CSV that no spreadsheet takes for a formula, harmless on a terminal as well."""

from collections.abc import Sequence

from steno.cli.screen import escape
from steno.transfer.csvcells import is_formula, line_of


def csv_line(cells: Sequence[object]) -> str:
    """Return one line of CSV, its newline included; ``None`` is an empty cell."""
    return line_of([csv_cell(cell) for cell in cells])


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
    return f"'{escape(text)}" if is_formula(text) else escape(text)
