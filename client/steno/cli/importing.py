"""``steno import``: exported files back in; ids make that idempotent."""

import argparse
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from steno.cli.command import Command, Context, Failed
from steno.cli.failures import say
from steno.cli.importfile import read_records
from steno.cli.progress import Progress
from steno.cli.sameness import is_same
from steno.errors import Refused
from steno_schema.errors import ErrorCode
from steno_schema.replies import Appended
from steno_schema.requests import Append

if TYPE_CHECKING:
    from steno_schema.records import AnyRecord

_BATCH_RECORDS = 200
_BATCH_CHARS = 1 << 20


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", metavar="FILE", help="- reads standard input")


def _run(context: Context) -> int:
    counts: Counter[str] = Counter()
    with Progress("importing") as progress:
        for name in context.args.files:
            path = None if name == "-" else Path(name)
            for batch in batches(read_records(path)):
                counts.update(_append(context, batch))
                progress.show(counts.total(), unit="records")
    if context.args.json:
        context.screen.json({"records": counts.total(), **counts})
        return 0
    parts = ", ".join(f"{number:,} {outcome}" for outcome, number in sorted(counts.items()))
    context.screen.line(f"{counts.total():,} records: {parts}." if parts else "No records.")
    if counts["conflict"]:
        say(f"{counts['conflict']:,} exist with other content; they were left as they are.")
    return 0


def batches(records: "Iterator[AnyRecord]") -> "Iterator[list[AnyRecord]]":
    """Yield the records in requests of a moderate size."""
    batch: list[AnyRecord] = []
    size = 0
    for record in records:
        batch.append(record)
        texts = (getattr(record, name, "") for name in ("prompt", "output", "content"))
        size += sum(len(text) for text in texts)
        if len(batch) >= _BATCH_RECORDS or size >= _BATCH_CHARS:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _append(context: Context, batch: "list[AnyRecord]") -> list[str]:
    """Store the records; return what became of each."""
    try:
        reply = context.ask(Append(records=batch, labels="keep"), Appended)
    except Refused as refusal:
        if len(batch) > 1:
            return [outcome for record in batch for outcome in _append(context, [record])]
        if refusal.code == ErrorCode.CONFLICT:
            return ["existed" if is_same(context, batch[0]) else "conflict"]
        raise Failed(
            f"The record {batch[0].id} was refused: {refusal.message}",
            "What came before it is stored; import again when it is mended.",
        ) from refusal
    return [outcome.outcome for outcome in reply.outcomes]


COMMANDS = {
    "import": Command(
        "Read exported files back in: JSON Lines, or JSON with a list of exchanges.",
        "steno import month.jsonl",
        _configure,
        _run,
    )
}
