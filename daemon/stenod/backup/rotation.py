"""Names of backups, and which of them have had their time."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

NAME = re.compile(r"^steno-(\d{8}T\d{6}Z)\.db$")
BEFORE_MIGRATION = re.compile(r"^before-\d{4}-(\d{8}T\d{6}Z)\.db$")
_FORMAT = "%Y%m%dT%H%M%SZ"
MIGRATION_BACKUPS_KEPT = 2


def stamp(now: datetime | None = None) -> str:
    """Return a moment as it stands in a name."""
    return f"{now or datetime.now(UTC):{_FORMAT}}"


def backup_name(now: datetime | None = None) -> str:
    """Return the name of a backup made now."""
    return f"steno-{stamp(now)}.db"


def migration_backup_name(version: int) -> str:
    """Return the name of a backup made before the migration to ``version``."""
    return f"before-{version:04}-{stamp()}.db"


def found_in(folder: Path, pattern: re.Pattern[str] = NAME) -> list[Path]:
    """Return the backups in a folder, the newest first."""
    try:
        names = [path for path in folder.iterdir() if pattern.match(path.name)]
    except OSError:
        return []
    return sorted(names, key=lambda path: moment_of(path.name, pattern), reverse=True)


def moment_of(name: str, pattern: re.Pattern[str] = NAME) -> datetime:
    """Return when the backup of this name was made.

    >>> moment_of("steno-20260102T030405Z.db").isoformat()
    '2026-01-02T03:04:05+00:00'
    """
    match = pattern.match(name)
    assert match is not None
    return datetime.strptime(match.group(1), _FORMAT).replace(tzinfo=UTC)


def outdated(names: Iterable[str], keep: int, weekly: int) -> list[str]:
    """Return which backups go: all but the newest ``keep``, and one each of ``weekly`` weeks.

    Of a week the newest stays, and weeks are counted back from the newest backup that is not
    among the ``keep``.
    """
    newest_first = sorted(names, key=moment_of, reverse=True)
    weeks: dict[tuple[int, int], str] = {}
    for name in newest_first[keep:]:
        year, week, _ = moment_of(name).isocalendar()
        weeks.setdefault((year, week), name)
    kept = set(newest_first[:keep]) | set(list(weeks.values())[:weekly])
    return [name for name in newest_first if name not in kept]
