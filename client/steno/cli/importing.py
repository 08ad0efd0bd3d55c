"""``steno import``: exported files back in; ids make that idempotent."""

import argparse
import sys
from typing import TYPE_CHECKING, Any

from steno.cli.command import Command, Context, Failed
from steno.cli.failures import FAILED, say
from steno.cli.jsontext import plain
from steno.cli.progress import Progress

if TYPE_CHECKING:
    from steno.transfer.taking import Imported

_COUNTS = ("created", "existed", "updated", "conflict", "gone", "left_out")
_TOLD = {
    "conflict": "exist with other content; they were left as they are.",
    "gone": "were forgotten here and stay so.",
}


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", metavar="FILE", help="- reads standard input")


def _run(context: Context) -> int:
    totals = dict.fromkeys(_COUNTS, 0)
    problems: list[dict[str, Any]] = []
    for name in context.args.files:
        done = _imported(context, name)
        for count in _COUNTS:
            totals[count] += getattr(done, count)
        problems += [{"file": name, **plain(each)} for each in done.problems]
        _report(name, done)
    records = sum(totals.values())
    if context.args.json:
        context.screen.json({"records": records, **totals, "problems": problems})
    else:
        parts = [
            f"{number:,} {name.replace('_', ' ')}" for name, number in totals.items() if number
        ]
        context.screen.line(
            f"{records:,} records: {', '.join(parts)}." if parts else "No records."
        )
    return FAILED if totals["left_out"] else 0


def _imported(context: Context, name: str) -> "Imported":
    from steno.errors import Misuse

    try:
        with Progress("importing") as progress:
            return context.client.history.import_(
                sys.stdin.buffer if name == "-" else name,
                progress=lambda done: progress.show(done, unit="records"),
            )
    except Misuse as error:
        raise Failed(error.message, error.hint) from error


def _report(name: str, done: "Imported") -> None:
    """Say what was not taken, and why."""
    for outcome, sentence in _TOLD.items():
        number = getattr(done, outcome)
        if number:
            say(f"{name}: {number:,} {sentence}")
    if done.left_out:
        told = "; ".join(f"line {each.line}: {each.problem}" for each in done.problems)
        more = " …" if done.left_out > len(done.problems) else ""
        say(
            f"{name}: {done.left_out:,} left out ({told}{more}).",
            "The rest is stored; correct them and import again.",
        )


COMMANDS = {
    "import": Command(
        "Read exported files back in: JSON Lines, JSON, or CSV with a column prompt.",
        "steno import month.jsonl",
        _configure,
        _run,
    )
}
