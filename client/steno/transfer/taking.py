"""Importing: the steps from a file's items to records the daemon has taken."""

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from msgspec import Struct

from steno.errors import Misuse
from steno.transfer.lines import Bad, items_of
from steno.transfer.records_in import is_header, record_of
from steno.verbs import Steps, ask, work
from steno_schema.exported import AnyExported
from steno_schema.replies import Appended
from steno_schema.requests import Import

BATCH_RECORDS = 500
BATCH_CHARS = 1 << 20
PROBLEMS_TOLD = 5
"""Lines left out that are told one by one; all of them are counted."""
_TEXTS = ("prompt", "output", "content", "original_content")


class Problem(Struct, frozen=True):
    """A line that was left out, and why."""

    line: int
    problem: str


class Imported(Struct, kw_only=True):
    """What became of a file's records.

    ``existed``: the same is there. ``updated``: it is there, and something was added to it.
    ``conflict``: it is there and says something else; that stays. ``gone``: it was forgotten here.
    ``left_out``: lines that could not be read or stored; ``problems`` tells of the first few.
    """

    created: int = 0
    existed: int = 0
    updated: int = 0
    conflict: int = 0
    gone: int = 0
    left_out: int = 0
    problems: list[Problem] = []

    @property
    def records(self) -> int:
        """How many lines held a record, taken or not."""
        return self.taken + self.conflict + self.gone + self.left_out

    @property
    def taken(self) -> int:
        """How many records are in the database now."""
        return self.created + self.existed + self.updated


class _Line(NamedTuple):
    number: int
    record: AnyExported


class _Reader:
    """Reads a file's records in batches of moderate size, and keeps what it leaves out."""

    def __init__(self, name: str, file: BinaryIO, done: Imported) -> None:
        self._items = items_of(name, file)
        self._done = done

    def batch(self) -> list[_Line]:
        """Return the next records, none at the end of the file."""
        batch: list[_Line] = []
        chars = 0
        for line in self._lines():
            batch.append(line)
            chars += sum(len(getattr(line.record, name, None) or "") for name in _TEXTS)
            if len(batch) >= BATCH_RECORDS or chars >= BATCH_CHARS:
                break
        return batch

    def _lines(self) -> Iterator[_Line]:
        for item in self._items:
            if isinstance(item, Bad):
                self.leave_out(item.line, item.problem)
                continue
            try:
                if not is_header(item.fields):
                    yield _Line(item.line, record_of(item.fields, is_csv=item.is_csv))
            except Misuse:
                raise
            except ValueError as error:
                self.leave_out(item.line, str(error))

    def leave_out(self, line: int, problem: str) -> None:
        self._done.left_out += 1
        if len(self._done.problems) < PROBLEMS_TOLD:
            self._done.problems.append(Problem(line, problem))


def import_path(path: Path, progress: Callable[[int], object]) -> Steps[Imported]:
    """Take in a file's records."""
    file = yield from work(lambda: _opened(path))
    with file:
        return (yield from import_file(str(path), file, progress))


def import_file(
    name: str, file: BinaryIO, progress: Callable[[int], object] = lambda _done: None
) -> Steps[Imported]:
    """Take in the records of an open file; ``name`` is what sentences call it."""
    done = Imported()
    reader = _Reader(name, file, done)
    while batch := (yield from work(lambda: _read(name, reader))):
        request = Import(records=[line.record for line in batch])
        reply = yield from ask(request, Appended)
        counts: Counter[str] = Counter()
        for line, outcome in zip(batch, reply.outcomes, strict=True):
            if outcome.outcome == "refused":
                reader.leave_out(line.number, outcome.problem.rstrip("."))
            else:
                counts[outcome.outcome] += 1
        for what, number in counts.items():
            setattr(done, what, getattr(done, what) + number)
        progress(done.records)
    done.problems.sort(key=lambda problem: problem.line)
    return done


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise Misuse(f"{path} cannot be read: {error.strerror or error}.") from None


def _read(name: str, reader: _Reader) -> list[_Line]:
    try:
        return reader.batch()
    except OSError as error:
        raise Misuse(f"{name} cannot be read: {error.strerror or error}.") from None
