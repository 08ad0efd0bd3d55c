"""From the bytes of a file to maps: JSON Lines, JSON in any layout, CSV; never the whole in memory.

A piece that cannot be read is told as a ``Bad`` one with its line, and what follows it is read.
"""

import csv
import re
from collections.abc import Iterator
from itertools import chain
from typing import Any, BinaryIO, NamedTuple

import msgspec

from steno.cli.jsontext import is_list, is_map
from steno.errors import Misuse
from steno.transfer.csvcells import read
from steno_schema.limits import STAGED_MAX_BYTES

LINE_MAX_BYTES = STAGED_MAX_BYTES
"""No record is larger; what is, is passed over without being held."""
_PIECE = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[\[\]{}]')
_BOM = b"\xef\xbb\xbf"


_PROMPT_COLUMNS = {"prompt", "prompt_text"}


class Good(NamedTuple):
    """What one line, or one item of a list, says; all values of CSV are text."""

    line: int
    fields: dict[str, Any]
    is_csv: bool = False


class Bad(NamedTuple):
    line: int
    problem: str


Item = Good | Bad


def items_of(name: str, file: BinaryIO) -> Iterator[Item]:
    """Yield what a file holds, whichever of the formats it is in.

    Raises ``Misuse`` with one sentence if it is in none of them.
    """
    lines = _lines(file)
    first = next(((number, line) for number, line in lines if line.strip()), None)
    if first is None:
        return
    number, line = first
    line = line.removeprefix(_BOM)
    ahead = chain([(number, line)], lines)
    start = line.lstrip()[:1]
    if start == b"{" and _decoded(line) is not None:
        yield from _json_lines(ahead)
    elif start in (b"{", b"["):
        yield from _json_values(ahead)
    else:
        yield from _csv_rows(name, ahead)


def _lines(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Yield numbered lines; one that is too long comes cut, and is not held."""
    number = 0
    while line := file.readline(LINE_MAX_BYTES):
        number += 1
        yield number, line
        while len(line) == LINE_MAX_BYTES and not line.endswith(b"\n"):
            line = file.readline(LINE_MAX_BYTES)


def _decoded(data: bytes) -> Any:
    """Return what a piece of JSON says, ``None`` if it is none."""
    try:
        return msgspec.json.decode(data)
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        return None


def _json_lines(lines: Iterator[tuple[int, bytes]]) -> Iterator[Item]:
    for number, line in lines:
        if line.strip():
            yield from _items_in(number, line)


def _items_in(number: int, data: bytes) -> Iterator[Item]:
    """Yield the record that a piece of JSON is, or those of a page as ``list --json`` prints it."""
    value = _decoded(data)
    if not is_map(value):
        problem = "it is not JSON" if value is None else "it is not a JSON object"
        yield Bad(number, problem)
        return
    held = value.get("items") if "type" not in value else None
    for each in held if is_list(held) else [value]:
        yield Good(number, each) if is_map(each) else Bad(number, "it is not a JSON object")


def _json_values(lines: Iterator[tuple[int, bytes]]) -> Iterator[Item]:
    """Yield the objects of a JSON text: the items of a list, or one object after the other."""
    depth, outer, started = 0, 0, 0
    parts: list[bytes] = []
    size_bytes = 0
    for number, line in lines:
        begin = 0
        for match in _PIECE.finditer(line):
            opens, closes = match[0] in (b"[", b"{"), match[0] in (b"]", b"}")
            if opens and depth == outer:
                if match[0] == b"[" and depth == 0:
                    outer = depth = 1
                    continue
                started, begin, parts, size_bytes = number, match.start(), [], 0
            depth += opens - closes
            if closes and depth == outer and started:
                yield from _items_in(started, b"".join(parts) + line[begin : match.end()])
                started = 0
            elif closes and depth < outer:
                outer = depth = 0
        if started:
            parts.append(line[begin:])
            size_bytes += len(parts[-1])
        if size_bytes > LINE_MAX_BYTES:
            yield Bad(started, "it does not end")
            return
    if started:
        yield Bad(started, "it does not end")


def _csv_rows(name: str, lines: Iterator[tuple[int, bytes]]) -> Iterator[Item]:
    csv.field_size_limit(max(csv.field_size_limit(), LINE_MAX_BYTES))
    texts = _Texts(lines)
    reader = csv.reader(texts, strict=True)
    header: list[str] | None = None
    while True:
        begins = texts.number + 1
        try:
            row = next(reader, None)
        except csv.Error as error:
            if header is None:
                raise _unknown(name) from error
            yield Bad(begins, _row_problem(error, texts.number - begins))
            continue
        if row is None:
            return
        if header is None:
            header = _header(name, row)
        elif any(row):
            yield _row(begins, header, row)


class _Texts:
    """Lines as text; bytes that are no UTF-8 become surrogates. Knows how many it gave."""

    def __init__(self, lines: Iterator[tuple[int, bytes]]) -> None:
        self._lines = lines
        self.number = 0

    def __iter__(self) -> "_Texts":
        return self

    def __next__(self) -> str:
        self.number, line = next(self._lines)
        return line.removeprefix(_BOM).decode("utf-8", "surrogateescape")


def _row(begins: int, header: list[str], row: list[str]) -> Item:
    if len(row) > len(header):
        return Bad(begins, f"it has {len(row)} cells for {len(header)} columns")
    try:
        "".join(row).encode()
    except UnicodeEncodeError:
        return Bad(begins, "it is not UTF-8")
    cells = zip(header, row, strict=False)
    return Good(begins, {column: read(cell) for column, cell in cells if cell}, is_csv=True)


def _row_problem(error: csv.Error, lines_after: int) -> str:
    if "unexpected end" in str(error):
        return f"a quotation mark is not closed; {lines_after} lines after it are left out too"
    return f"it is no row of CSV ({error})"


def _header(name: str, row: list[str]) -> list[str]:
    columns = [column.strip().lower() for column in row]
    if len(columns) < 2 and "prompt" not in columns:
        raise _unknown(name)
    if not _PROMPT_COLUMNS & set(columns):
        raise Misuse(
            f"{name} has no column called prompt.",
            "Its first line must name the columns, prompt among them.",
        )
    return columns


def _unknown(name: str) -> Misuse:
    return Misuse(
        f"{name} is neither JSON Lines nor JSON nor CSV.",
        "What `steno export` writes as jsonl, json or csv can be read; Markdown cannot.",
    )
