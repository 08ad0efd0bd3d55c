"""Read lines with an agent's parser, thrown away and made again wherever a test says."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from steno.capture.agent import Agent, Outcome, Tells
from steno_schema.records import AnyRecord


def read_lines(
    agent: Agent, path: Path, lines: Iterable[bytes], restarts: Iterable[int] = ()
) -> tuple[list[Outcome], dict[str, AnyRecord]]:
    """Return what each line was, and the last word on each record, in the order first said."""
    again, outcomes, made = set(restarts), list[Outcome](), list[AnyRecord]()
    parser = agent.parser(path)
    assert isinstance(parser, Tells)
    for number, data in enumerate(lines, 1):
        if number in again:
            made += parser.take()
            parser = agent.parser(path, parser.state())
        outcomes.append(parser.feed(number, data.rstrip(b"\n")))
    return outcomes, {record.id: record for record in [*made, *parser.take()]}


def of(kind: type[Any], records: dict[str, AnyRecord]) -> list[Any]:
    """Return the records of a kind, in the order in which they were said first."""
    return [record for record in records.values() if isinstance(record, kind)]


def sources_row(shared: Path, name: str) -> tuple[int, int, int]:
    """Return what the table of sources says of a set: prompts, answers, tool calls."""
    text = (shared / "SOURCES.md").read_text("utf-8")
    (row,) = [line for line in text.splitlines() if line.startswith(f"| {name} |")]
    prompts, answers, tools = (int(cell) for cell in row.split("|")[7:10])
    return prompts, answers, tools
