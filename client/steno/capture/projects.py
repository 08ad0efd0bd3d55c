"""Where captured work belongs: the git root of its folder, unless that project stays out."""

from pathlib import Path

import msgspec
from msgspec import Struct

from steno.projects import project_of, stays_out
from steno_schema.records import AnyRecord, Message, Session, Turn, Usage

CACHE_MAX = 10_000
TURNS_MAX = 64


class LeftOut(Struct, omit_defaults=True):
    """What of a file stays out though the file does not; it is kept beside the cursor.

    ``turns`` are the ids of turns in another project that stays out; ``is_running`` tells whether
    the latest turn is one of them.
    """

    turns: list[str] = []
    is_running: bool = False


class Projects:
    """Projects by folder, as this machine has them now."""

    def __init__(self, ignore: tuple[str, ...] = ()) -> None:
        self._ignore = ignore
        self._known: dict[str, str] = {}

    def placed(
        self, records: list[AnyRecord], folder: str | None, left_out: LeftOut
    ) -> tuple[list[AnyRecord], bool]:
        """Return the records with their projects, and whether all of them may be kept.

        Nothing of a file stays whose ``folder`` is in a project that stays out; of another file,
        turns that went on in such a project are left out with everything that belongs to them.
        """
        sessions = [each.project for each in records if isinstance(each, Session)]
        if any(each is not None and self._is_out(each) for each in (folder, *sessions)):
            return [], False
        news = [each.id for each in records if isinstance(each, Turn) and self._is_turn_out(each)]
        is_complete = not (left_out.is_running or news)
        left_out.turns = [*left_out.turns, *news][-TURNS_MAX:]
        placed: list[AnyRecord] = []
        for record in records:
            if isinstance(record, Turn):
                left_out.is_running = record.id in left_out.turns
            if _is_left_out(record, left_out):
                is_complete = False
            elif isinstance(record, Session | Turn) and record.project:
                project = self._project(record.project)
                placed.append(msgspec.structs.replace(record, project=project))
            else:
                placed.append(record)
        return placed, is_complete

    def _project(self, folder: str) -> str:
        known = self._known.get(folder)
        if known is None:
            if len(self._known) >= CACHE_MAX:
                self._known.clear()
            known = self._known[folder] = _root_of(folder)
        return known

    def _is_turn_out(self, turn: Turn) -> bool:
        return turn.project is not None and self._is_out(turn.project)

    def _is_out(self, folder: str) -> bool:
        return stays_out(self._project(folder), self._ignore) or stays_out(folder, ())


def _is_left_out(record: AnyRecord, left_out: LeftOut) -> bool:
    if isinstance(record, Turn):
        return left_out.is_running
    if not isinstance(record, Message | Usage):
        return False
    if record.exchange is None:
        return left_out.is_running
    return record.exchange in left_out.turns


def _root_of(folder: str) -> str:
    """A folder of another machine, or one that is gone, stands for itself."""
    try:
        return project_of(folder) if Path(folder).is_dir() else folder
    except (OSError, ValueError):
        return folder
