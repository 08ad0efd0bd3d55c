"""Prompts labelled by hand (``labels.tsv``), with their texts from the shared collection."""

import csv
import hashlib
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from msgspec import Struct

LABELS = Path(__file__).with_name("labels.tsv")
HASH_DIGITS = 16


class Labelled(Struct, frozen=True):
    """A prompt, and what a person says it is; an empty label is not counted."""

    file: str
    sha256: str
    category: str
    complexity: str
    technique: str
    stage: str

    @property
    def held_out(self) -> bool:
        """Whether the rules must never be tuned on it."""
        return int(self.sha256[-1], 16) % 2 == 1


def labels() -> list[Labelled]:
    lines = [line for line in LABELS.read_text("utf-8").splitlines() if not line.startswith("#")]
    return [Labelled(*row) for row in csv.reader(lines[1:], delimiter="\t")]


def texts(collection: Path, wanted: list[Labelled]) -> dict[str, str]:
    """Return the text of each labelled prompt by its hash, as far as the collection has it."""
    hashes = {each.sha256 for each in wanted}
    found: dict[str, str] = {}
    for name in sorted({each.file for each in wanted}):
        for string in _strings(collection / name):
            text = string.strip()
            digest = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:HASH_DIGITS]
            if digest in hashes:
                found[digest] = text
    return found


def _strings(path: Path) -> Iterator[str]:
    """Yield every string of a transcript; no knowledge of its format is needed."""
    if path.suffix == ".md":
        return _headings(path)
    if path.suffix == ".db":
        return _cells(path)
    text = path.read_text("utf-8", "replace")
    return _in_json([text] if path.suffix == ".json" else text.splitlines())


def _in_json(documents: list[str]) -> Iterator[str]:
    for document in documents:
        try:
            yield from _leaves(json.loads(document))
        except ValueError:
            continue  # a torn line of a real transcript


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _leaves(each)
    elif isinstance(value, list):
        parts = [each["text"] for each in value if isinstance(each, dict) and each.get("text")]
        if len(parts) > 1 and all(isinstance(part, str) for part in parts):
            yield "\n".join(parts)  # a prompt in several parts
        for each in value:
            yield from _leaves(each)


def _headings(path: Path) -> Iterator[str]:
    """Yield the runs of ``####`` lines, each of which is one prompt."""
    run: list[str] = []
    for line in [*path.read_text("utf-8", "replace").splitlines(), ""]:
        if line.startswith("#### ") or line.rstrip() == "####":
            run.append(line[5:].rstrip())
        elif run:
            yield "\n".join(run)
            run = []


def _cells(path: Path) -> Iterator[str]:
    with closing(sqlite3.connect(f"file:{path}?immutable=1", uri=True)) as connection:
        master = "SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE '%VIRTUAL%'"
        for (table,) in connection.execute(master).fetchall():
            for row in connection.execute(f'SELECT * FROM "{table}"'):
                yield from _in_json([cell for cell in row if isinstance(cell, str)])
