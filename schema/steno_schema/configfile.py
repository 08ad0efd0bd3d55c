"""``config.toml`` as far as it can be read: what is wrong is told with its line, the rest counts."""

import re
import tomllib
from pathlib import Path
from typing import Any, cast

from msgspec import Struct

_HEADER = re.compile(r"\s*\[")
_PLACE = re.compile(r"^(.*) \(at line (\d+), column \d+\)$", re.DOTALL)
_WORD = r"""(?:"[^"]*"|'[^']*'|[A-Za-z0-9_-]+)"""
_NAMES = re.compile(rf"\s*\[*\s*({_WORD}(?:\s*\.\s*{_WORD})*)\s*[=\]]")


class ConfigFile(Struct, frozen=True):
    """What a file says by section and name, and a sentence for each thing that cannot be read."""

    path: Path
    tree: dict[str, Any]
    problems: list[str]
    text: str = ""

    def at(self, *names: str) -> str:
        """Return where the value below ``names`` stands: the file, and its line if it is found."""
        line = _line_of(self.text, names)
        return str(self.path) if line is None else f"{self.path}, line {line}"


def read(path: Path) -> ConfigFile:
    """Return what ``path`` says; a file that is not there says nothing.

    Where the file is no TOML each of its tables is read for itself, so that one wrong line takes
    only its own table away.
    """
    try:
        text = path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        return ConfigFile(path, {}, [])
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        return ConfigFile(path, {}, [f"{path}, line {line}: it is not UTF-8"])
    except OSError as error:
        return ConfigFile(path, {}, [f"{path} cannot be read: {error.strerror or error}"])
    try:
        return ConfigFile(path, tomllib.loads(text), [], text)
    except tomllib.TOMLDecodeError as error:
        return _table_by_table(path, text, str(error))


def _table_by_table(path: Path, text: str, whole: str) -> ConfigFile:
    tree: dict[str, Any] = {}
    problems: list[str] = []
    for first_line, table in _tables(text):
        try:
            _merge(tree, tomllib.loads(table))
        except tomllib.TOMLDecodeError as error:
            problems.append(_problem(path, str(error), first_line, table))
    return ConfigFile(path, tree, problems or [_problem(path, whole, 1, text)], text)


def _tables(text: str) -> list[tuple[int, str]]:
    """Return the stretches that begin with a header, each with the number of its first line."""
    lines = text.split("\n")
    starts = [0, *(number for number, line in enumerate(lines) if number and _HEADER.match(line))]
    ends = [*starts[1:], len(lines)]
    return [
        (start + 1, "\n".join(lines[start:end])) for start, end in zip(starts, ends, strict=True)
    ]


def _merge(tree: dict[str, Any], more: dict[str, Any]) -> None:
    for name, value in more.items():
        held = tree.get(name)
        if isinstance(held, dict) and isinstance(value, dict):
            _merge(cast("dict[str, Any]", held), cast("dict[str, Any]", value))
        elif isinstance(held, list) and isinstance(value, list):
            tree[name] = [*held, *value]
        else:
            tree[name] = value


def _problem(path: Path, message: str, first_line: int, table: str) -> str:
    place = _PLACE.match(message)
    if place is None:  # "(at end of document)": an open bracket or quote of its last line
        last = len(table.rstrip().split("\n"))
        said = message.removesuffix(" (at end of document)")
        return f"{path}, line {first_line + last - 1}: {said}"
    return f"{path}, line {first_line + int(place[2]) - 1}: {place[1]}"


def _line_of(text: str, names: tuple[str, ...]) -> int | None:
    """Return the line of the value below ``names``, else the first of the table it belongs to."""
    table: list[str] = []
    around: int | None = None
    for number, line in enumerate(text.split("\n"), 1):
        found = _NAMES.match(line)
        if found is None:
            continue
        words = [word.strip("\"'") for word in re.findall(_WORD, found[1])]
        if _HEADER.match(line):
            table = words
        else:
            words = [*table, *words]
        if words[: len(names)] == list(names):
            return number
        if words[0] == names[0]:
            around = around or number
    return around
