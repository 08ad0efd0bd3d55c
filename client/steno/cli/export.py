"""``steno export``: everything, or what the filters choose, into a file or a pipe."""

import argparse
from typing import TYPE_CHECKING

from steno.cli.command import Command, Context, Failed, WrongUse
from steno.cli.failures import say
from steno.cli.filters import add_filters, filters_from, words_of
from steno.cli.jsontext import to_ascii
from steno.cli.progress import Progress
from steno.transfer.formats import FORMATS, format_of

if TYPE_CHECKING:
    from steno.transfer.formats import Format


class _Output:
    """Standard output; JSON speaks ASCII to one that has no place for other characters."""

    def __init__(self, context: Context, style: "Format") -> None:
        self._screen = context.screen
        self._ascii = style not in {"csv", "md"} and not context.screen.speaks_unicode

    def write(self, text: str) -> None:
        self._screen.raw(to_ascii(text) if self._ascii else text)


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--format", choices=FORMATS, help="else by FILE's ending, else json")
    parser.add_argument("-o", "--out", metavar="FILE", help="instead of standard output")
    parser.add_argument("--force", action="store_true", help="overwrite FILE if it exists")
    parser.add_argument("--tools", action="store_true", help="chat: with tool calls and results")
    add_filters(parser, limit=None)
    parser.add_argument("--limit", metavar="N", type=int, help="at most N exchanges (chat: lines)")


def _run(context: Context) -> int:
    from steno.errors import Misuse

    args = context.args
    if args.limit is not None and args.limit < 1:
        raise WrongUse("--limit must be 1 or more.")
    out_file: str | None = None if args.out == "-" else args.out
    style: Format = args.format or ("json" if args.json else format_of(out_file or ""))
    if args.tools and style != "chat":
        raise WrongUse("--tools goes with --format chat.")
    words = words_of(filters_from(args))
    try:
        with Progress("exporting") as progress:
            count = context.client.history.export(
                _Output(context, style) if out_file is None else out_file,
                style,
                overwrite=args.force,
                limit=args.limit,
                tools=args.tools,
                progress=lambda done: progress.show(done, unit="records"),
                **words,
            )
    except Misuse as error:
        raise Failed(error.message, error.hint) from error
    if out_file is not None:
        say(f"Written to {out_file}: {count:,} {'lines' if style == 'chat' else 'records'}.")
    return 0


COMMANDS = {
    "export": Command(
        "Write exchanges as JSON, CSV or Markdown, conversations as training data (chat), or"
        " every kind of record as JSON Lines.",
        "steno export --format jsonl --since 30d -o month.jsonl",
        _configure,
        _run,
    )
}
