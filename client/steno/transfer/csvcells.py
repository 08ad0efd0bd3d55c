"""Exchanges as CSV that a spreadsheet opens without running anything, and that reads back whole.

Text that a spreadsheet would take for a formula gets an apostrophe in front. Text that holds
characters which steer terminals stands as a JSON string, with them as ``\\uXXXX``. Both are taken
back when the file is read again, and so that nothing is taken back that was not put there, what
looks as if it had been treated so already is treated once more.
"""

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

from msgspec import UNSET

from steno.cli.jsontext import is_list, is_map, to_json
from steno.cli.screen import escape
from steno_schema.replies import ExchangeView

FIELDS = (
    "id", "created_at", "agent", "project", "session_id", "conversation_id", "user", "model",
    "cost_usd", "cost_source", "status", "origin", "tags", "category", "complexity", "stage",
    "technique", "phase", "framework", "template", "current_file", "rating", "follow_up",
    "response_summary", "response_time_ms", "keywords", "files_created", "files_modified",
    "commands_executed", "metadata", "notes", "prompt", "output", "prompt_message_id",
    "output_message_id",
)  # fmt: skip
TOKENS = ("input", "output", "cache_read", "cache_write", "cache_write_5m", "cache_write_1h",
          "reasoning", "total", "complete")  # fmt: skip
HEADER = (*FIELDS, *(f"tokens_{name}" for name in TOKENS))
LISTS = frozenset({"tags", "keywords", "files_created", "files_modified", "commands_executed"})
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def line_of(cells: Sequence[object]) -> str:
    """Return one line of CSV, its newline included."""
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerow(cells)
    return buffer.getvalue()


def cells_of(item: ExchangeView) -> tuple[object, ...]:
    """Return an exchange's cells in the order of ``HEADER``."""
    cells = [_cell(name, getattr(item, name)) for name in FIELDS]
    tokens = item.tokens
    cells += [None if tokens is None else _cell(name, getattr(tokens, name)) for name in TOKENS]
    return tuple(cells)


def _cell(name: str, value: Any) -> object:
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None or value is UNSET:
        return None
    if isinstance(value, int | float):
        return value
    if isinstance(value, str):
        return written(value)
    if name in LISTS and is_list(value):
        return written(_joined(value))
    return written(to_json(value)) if is_map(value) else None


def _joined(texts: list[str]) -> str:
    """Return words with commas between, or as a JSON list where that would not be clear."""
    joined = ",".join(texts)
    return joined if split(joined) == texts else to_json(texts)


def split(cell: str) -> list[str]:
    """Return the texts of a cell that holds several."""
    if cell.startswith("["):
        try:
            found = json.loads(cell)
        except (ValueError, RecursionError):
            found = None
        if is_list(found) and all(isinstance(each, str) for each in found):
            return found
    return [part.strip() for part in cell.split(",") if part.strip()]


def written(text: str) -> str:
    """Return text as it stands in a cell.

    >>> written("=1+1"), written("red: \\x1b[31m"), written("plain")
    ("'=1+1", '"red: \\\\u001b[31m"', 'plain')
    """
    if escape(text) != text or _quoted(text) is not None:
        text = to_json(text)
    return f"'{text}" if is_formula(text.lstrip("'")) else text


def read(cell: str) -> str:
    """Return the text that ``written`` made a cell of."""
    if cell.startswith("'") and is_formula(cell.lstrip("'")):
        cell = cell[1:]
    quoted = _quoted(cell)
    return cell if quoted is None else quoted


def is_formula(text: str) -> bool:
    """Tell whether a spreadsheet would compute the text, also behind blanks."""
    return text.startswith(_FORMULA_STARTS) or text.lstrip().startswith(_FORMULA_STARTS)


def _quoted(text: str) -> str | None:
    """Return what a JSON string says, ``None`` for other text."""
    if len(text) < 2 or not text.startswith('"') or not text.endswith('"'):
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, str) else None
