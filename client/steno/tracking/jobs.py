"""Jobs of the recorder, and how a batch of them is stored: together if that goes, else singly."""

import itertools
from collections.abc import Callable, Sequence
from typing import Literal

from msgspec import Struct

from steno import storing
from steno.client import BlockingRunner
from steno.context import Context
from steno.errors import Misuse, Refused, StenoError
from steno.results import Saved
from steno.verbs import store_append
from steno_schema.limits import STAGED_MAX_BYTES
from steno_schema.records import AnyRecord
from steno_schema.requests import Append

DuplicateCheck = Literal["off", "session", "all"]


class Job(Struct, frozen=True, kw_only=True):
    """Something to record. ``make`` builds the records when it is stored; none is no harm.

    ``chars`` is about how much text it holds on to. ``told`` hears what became of the records;
    it does not when they could not be stored.
    """

    make: Callable[[], list[AnyRecord]]
    chars: int = 0
    duplicate_check: DuplicateCheck = "off"
    told: Callable[[list[Saved]], None] | None = None


class Storage:
    """Where jobs are stored: an instance's daemon or, where none takes them, its spool."""

    def __init__(self, context: Context, timeout_s: float) -> None:
        self.is_spooling = False
        """The daemon did not take the latest records; whoever has more need not ask it again."""
        self._context = context
        self._runner = BlockingRunner(context, timeout_s, may_spool=True)

    def store(self, append: Append) -> list[Saved]:
        """Store the records in the daemon, else in the spool."""
        saved = self._runner.run(store_append(append))
        self.is_spooling = any(each.stored == "spool" for each in saved)
        return saved

    def keep(self, append: Append) -> None:
        """Store the records in the spool."""
        append.records = storing.stamped(append.records)
        storing.check(append, STAGED_MAX_BYTES)
        try:
            storing.keep(self._context, append)
        except StenoError:
            raise
        except ValueError as error:
            raise Misuse(f"A record cannot be kept: {error}.") from error


class _Made(Struct, frozen=True):
    job: Job
    records: list[AnyRecord]


def store_jobs(
    storage: Storage, jobs: Sequence[Job], note: Callable[[Exception], None], *, in_spool: bool
) -> None:
    """Store jobs in their order; what fails is given to ``note`` and keeps nothing else back.

    With ``in_spool`` the daemon is not asked first.
    """
    made = [each for job in jobs if (each := _make(job, note)) is not None]
    for check, group in itertools.groupby(made, _check_of):
        together = list(group)
        try:
            _store(storage, together, check, in_spool=in_spool)
        except (Misuse, Refused) as error:
            if len(together) == 1:
                note(error)
            else:
                _store_singly(storage, together, note, in_spool=in_spool)
        except Exception as error:
            for _ in together:
                note(error)


def _check_of(made: _Made) -> DuplicateCheck:
    return made.job.duplicate_check


def _make(job: Job, note: Callable[[Exception], None]) -> _Made | None:
    try:
        records = job.make()
    except Exception as error:
        note(error)
        return None
    return _Made(job, records) if records else None


def _store_singly(
    storage: Storage, made: list[_Made], note: Callable[[Exception], None], *, in_spool: bool
) -> None:
    """One record that breaks a rule is refused alone."""
    for each in made:
        try:
            _store(storage, [each], each.job.duplicate_check, in_spool=in_spool)
        except Exception as error:
            note(error)


def _store(storage: Storage, made: list[_Made], check: DuplicateCheck, *, in_spool: bool) -> None:
    records = [record for each in made for record in each.records]
    if in_spool:
        storage.keep(Append(records=records, duplicate_check=check))
        return
    saved = iter(storage.store(Append(records=records, duplicate_check=check)))
    for each in made:
        outcomes = list(itertools.islice(saved, len(each.records)))
        if each.job.told is not None:
            each.job.told(outcomes)
