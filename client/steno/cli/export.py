"""``steno export``: everything, or what the filters choose, page by page."""

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from steno.cli.command import Command, Context, WrongUse
from steno.cli.failures import say
from steno.cli.filters import add_filters, filters_from
from steno.cli.jsontext import plain, to_json
from steno.cli.paging import pages
from steno_schema.replies import Exchanges, ExchangeView
from steno_schema.requests import Filters, List

CSV_FIELDS = (
    "id", "created_at", "agent", "project", "session_id", "conversation_id", "user", "model",
    "cost_usd", "status", "origin", "tags", "category", "complexity", "stage", "technique",
    "phase", "framework", "template", "current_file", "rating", "follow_up",
    "response_summary", "response_time_ms", "keywords", "metadata", "notes", "prompt", "output",
)  # fmt: skip
CSV_TOKENS = ("input", "output", "cache_read", "cache_write", "reasoning", "total")
_FORMATS = ("json", "jsonl", "csv", "md")


class Source(NamedTuple):
    """What a writer needs to know."""

    context: Context
    filters: Filters
    ascii_only: bool

    def exchanges(self) -> Iterator[ExchangeView]:
        """Yield the exchanges page by page."""
        limit: int | None = self.context.args.limit
        for page in pages(self.context, List(filters=self.filters), Exchanges, limit):
            yield from page.items

    def encode(self, value: object) -> str:
        """Return ``value`` as JSON that the output can take."""
        return to_json(value, ascii_only=self.ascii_only)


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--format", choices=_FORMATS, help="else by FILE's ending, else json")
    parser.add_argument("-o", "--out", metavar="FILE", help="instead of standard output")
    parser.add_argument("--force", action="store_true", help="overwrite FILE if it exists")
    add_filters(parser, limit=None)
    parser.add_argument("--limit", metavar="N", type=int, help="at most N exchanges")


def _run(context: Context) -> int:
    args = context.args
    if args.limit is not None and args.limit < 1:
        raise WrongUse("--limit must be 1 or more.")
    out_file: str | None = None if args.out == "-" else args.out
    style = args.format or ("json" if args.json else style_of(out_file))
    filters = filters_from(args)
    ascii_only = out_file is None and not context.screen.speaks_unicode
    texts = _WRITERS[style](Source(context, filters, ascii_only))
    if out_file is None:
        for text in texts:
            context.screen.raw(text)
        return 0
    from steno.cli.outfile import OutFile

    with OutFile(Path(out_file), force=args.force) as out:
        for text in texts:
            out.write(text)
        out.commit()
    say(f"Written to {out_file}.")
    return 0


def style_of(path: str | None) -> str:
    """Return the format that a file's ending asks for, ``json`` for any other."""
    ending = (path or "").rpartition(".")[2].lower()
    return {"markdown": "md", "ndjson": "jsonl"}.get(
        ending, ending if ending in _FORMATS else "json"
    )


def _json(source: Source) -> Iterator[str]:
    separator = "[\n"
    for item in source.exchanges():
        yield separator + source.encode(plain(item))
        separator = ",\n"
    yield "[]\n" if separator == "[\n" else "\n]\n"


def _json_lines(source: Source) -> Iterator[str]:
    from steno.cli.everything import records

    for kind, item in records(source.context, source.filters):
        yield source.encode({"type": kind, **plain(item)}) + "\n"


def _csv(source: Source) -> Iterator[str]:
    from steno.cli.csvtext import csv_line

    yield csv_line([*CSV_FIELDS, *(f"tokens_{name}" for name in CSV_TOKENS), "tokens_complete"])
    for item in source.exchanges():
        yield csv_line(csv_cells(item))


def csv_cells(item: ExchangeView) -> list[object]:
    """Return an exchange's cells in the order of ``CSV_FIELDS`` and the tokens."""
    cells: list[object] = []
    for name in CSV_FIELDS:
        value: Any = getattr(item, name)
        if name in {"tags", "keywords"}:
            value = ",".join(value or [])
        elif name == "metadata" and value is not None:
            value = to_json(value)
        cells.append(value)
    tokens = item.tokens
    cells += [None if tokens is None else getattr(tokens, name) for name in CSV_TOKENS]
    return [*cells, None if tokens is None else tokens.complete]


def _markdown(source: Source) -> Iterator[str]:
    from steno.cli.markdown import markdown_of

    yield "# Exchanges\n\n"
    for item in source.exchanges():
        yield markdown_of(item)


_WRITERS: dict[str, Callable[[Source], Iterator[str]]] = {
    "json": _json,
    "jsonl": _json_lines,
    "csv": _csv,
    "md": _markdown,
}

COMMANDS = {
    "export": Command(
        "Write exchanges as JSON, CSV or Markdown, or every kind of record as JSON Lines.",
        "steno export --format jsonl --since 30d -o month.jsonl",
        _configure,
        _run,
    )
}
