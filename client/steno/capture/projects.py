"""Where captured work belongs: the git root of its folder, unless that project stays out."""

from fnmatch import fnmatch
from pathlib import Path

import msgspec

from steno.projects import project_of
from steno_schema.records import AnyRecord, Session, Turn

IGNORE_FILE = ".stenoignore"
CACHE_MAX = 10_000


class Projects:
    """Projects by folder, as this machine has them now."""

    def __init__(self, ignore: tuple[str, ...] = ()) -> None:
        self._ignore = ignore
        self._known: dict[str, str] = {}
        self._out: dict[str, bool] = {}

    def placed(self, records: list[AnyRecord]) -> list[AnyRecord] | None:
        """Return the records with their projects, or ``None`` when their project stays out."""
        placed: list[AnyRecord] = []
        for record in records:
            if isinstance(record, Session | Turn) and record.project:
                project = self._project(record.project)
                if self._is_out(project):
                    return None
                placed.append(msgspec.structs.replace(record, project=project))
            else:
                placed.append(record)
        return placed

    def _project(self, folder: str) -> str:
        known = self._known.get(folder)
        if known is None:
            if len(self._known) >= CACHE_MAX:
                self._known.clear()
            known = self._known[folder] = _root_of(folder)
        return known

    def _is_out(self, project: str) -> bool:
        known = self._out.get(project)
        if known is None:
            named = any(fnmatch(project, pattern) for pattern in self._ignore)
            known = self._out[project] = named or _has_ignore_file(project)
        return known


def _root_of(folder: str) -> str:
    """A folder of another machine, or one that is gone, stands for itself."""
    try:
        return project_of(folder) if Path(folder).is_dir() else folder
    except (OSError, ValueError):
        return folder


def _has_ignore_file(project: str) -> bool:
    try:
        return (Path(project) / IGNORE_FILE).exists()
    except (OSError, ValueError):
        return False
