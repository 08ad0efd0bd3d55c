"""Checks that need no daemon: files and their modes, configuration, spool, disk."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

from steno_schema.config import load_usable
from steno_schema.limits import FREE_SPACE_FLOOR_BYTES, MIB
from steno_schema.paths import Paths
from steno_schema.spool import SUFFIX

_LOW_SPACE_BYTES = 1024 * MIB


class Check(NamedTuple):
    """One check: what was found, and how to mend it. ``warn`` is no failure."""

    name: str
    state: Literal["ok", "warn", "fail"]
    finding: str
    mend: str = ""


def check_files(paths: Paths) -> Iterator[Check]:
    """Yield whether folders, database and socket belong to this user alone."""
    folders = dict.fromkeys((paths.data, paths.socket.parent, paths.spool))
    wanted = [(folder, 0o700) for folder in folders]
    wanted += [(file, 0o600) for file in (paths.socket, paths.database, paths.log)]
    wrong = [problem for path, mode in wanted if (problem := _wrong_mode(path, mode))]
    yield from wrong
    if not wrong:
        yield Check("private files", "ok", f"only this user can read {paths.data}")


def _wrong_mode(path: Path, mode: int) -> Check | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    except OSError as error:
        return Check("private files", "fail", f"{path}: {error.strerror}", f"ls -ld {path}")
    if found.st_uid != os.getuid():
        finding = f"{path} belongs to user {found.st_uid}, not to you"
        return Check("private files", "fail", finding, f"chown {os.getuid()} {path}")
    others = stat.S_IMODE(found.st_mode) & ~mode & 0o777
    if others:
        finding = f"{path} has mode {stat.S_IMODE(found.st_mode):04o}; others can reach it"
        return Check("private files", "fail", finding, f"chmod {mode:o} {path}")
    return None


def check_configuration(paths: Paths) -> Iterator[Check]:
    """Yield whether the configuration can be read, and whether redaction is on."""
    loaded = load_usable(paths)
    for problem in loaded.problems:
        yield Check("configuration", "fail", problem, "correct it; until then its default holds")
    if not loaded.problems:
        yield Check("configuration", "ok", "it can be read")
    origin = loaded.origins.get("redaction.enabled", "default")
    if loaded.settings.redaction.enabled:
        yield Check("redaction", "ok", "on: secrets are taken out before anything is kept")
    else:
        yield Check("redaction", "warn", f"off (by {origin})", f"take it out of {origin}")


def check_spool(paths: Paths, *, daemon_runs: bool) -> Iterator[Check]:
    """Yield whether writes wait in the spool, and whether some could not be read."""
    waiting = _count(paths.spool, SUFFIX)
    aside = _count(paths.quarantine, "")
    if waiting:
        mend = "steno restart takes them in; see the log" if daemon_runs else "steno up"
        yield Check("spool", "warn", f"{waiting} writes wait to be taken in", mend)
    else:
        yield Check("spool", "ok", "empty")
    if aside:
        mend = f"look at {paths.quarantine}; move back what is whole, delete the rest"
        yield Check("quarantine", "fail", f"{aside} spool files could not be read", mend)


def check_disk(paths: Paths) -> Check:
    """Return whether the disk has room for writes."""
    folder = paths.data
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    state = os.statvfs(folder)
    free = state.f_bavail * state.f_frsize
    finding = f"{free // MIB:,} MiB are free for {paths.data}"
    mend = "make room: steno forget, or delete something else on that disk"
    if free < FREE_SPACE_FLOOR_BYTES:
        return Check("disk", "fail", finding, mend)
    return Check("disk", "warn" if free < _LOW_SPACE_BYTES else "ok", finding, mend)


def _count(folder: Path, suffix: str) -> int:
    try:
        return sum(1 for path in folder.iterdir() if path.is_file() and path.name.endswith(suffix))
    except OSError:
        return 0
