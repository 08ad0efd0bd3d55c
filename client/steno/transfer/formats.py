"""The formats of exports, and which one a file's name asks for."""

from typing import Literal, get_args

Format = Literal["json", "jsonl", "csv", "md", "chat"]
FORMATS: tuple[Format, ...] = get_args(Format)
_ENDINGS: dict[str, Format] = {
    "csv": "csv",
    "json": "json",
    "jsonl": "jsonl",
    "markdown": "md",
    "md": "md",
    "ndjson": "jsonl",
}


def format_of(path: str) -> Format:
    """Return the format that a file's ending asks for, ``json`` for any other."""
    return _ENDINGS.get(path.rpartition(".")[2].lower(), "json")
