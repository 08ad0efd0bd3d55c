"""Where opencode keeps a session's messages and parts: in a database, or in a tree of files.

Both give the same lines in the same order: the session, then each message followed by its parts.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from steno.capture.container import Member
from steno.capture.database import row_line, rows_of
from steno.capture.opencode_ids import is_key, original_prefix
from steno.capture.snapshot import Parts, Unit, json_line, token_of, unit_of
from steno.capture.source import Look

NEEDED = ("session", "message", "part")
PARENTS_MAX = 50
_NEVER_WATCHED = frozenset({"snapshot", "log", "bin", "tool-output", "worktree", "repos"})
"""Above all copies of people's projects, with a folder for each of 256 beginnings of a hash."""
_NEVER_ENTERED = _NEVER_WATCHED | {"message", "part", "session_diff"}

_ROWS = "SELECT session_id, count(*), max(time_updated) FROM {table} GROUP BY session_id"
_MESSAGES = "SELECT * FROM message WHERE session_id = ? ORDER BY time_created, id"
_PARTS = (
    "SELECT p.* FROM part AS p JOIN message AS m ON m.id = p.message_id"
    " WHERE m.session_id = ? ORDER BY m.time_created, m.id, p.id"
)
_ORIGINAL = "SELECT id FROM message WHERE id >= ? AND id < ? AND session_id <> ? LIMIT 1"

Row = dict[str, Any]


# ----- the database


def members(connection: sqlite3.Connection) -> Iterator[Member]:
    """Yield the sessions of a database; one changed when its rows' count or newest time did."""
    sessions = {row["id"]: row for row in rows_of(connection, "SELECT * FROM session")}
    counts = [
        {
            key: (number, newest)
            for key, number, newest in connection.execute(_ROWS.format(table=table))
        }
        for table in ("message", "part")
    ]
    for key, row in sessions.items():
        if isinstance(key, str) and is_key(key):
            found = [each.get(key, (0, 0)) for each in counts]
            newest = max(_whole(row.get("time_updated")), *(_whole(each[1]) for each in found))
            look = Look(size_bytes=sum(each[0] for each in found) + 1, mtime_ns=newest * 10**6)
            yield Member(key, look, partial(_cut, connection, row, _root_of(key, sessions)))


def _cut(connection: sqlite3.Connection, session: Row, root: str) -> Parts:
    return Parts(session["id"], _units(connection, session, root))


def _units(connection: sqlite3.Connection, session: Row, root: str) -> Iterator[Unit]:
    key = session["id"]
    documents = ("summary_diffs", "metadata", "permission", "revert", "model")
    yield unit_of("", row_line("session", session, documents=documents, root=root))
    parts = iter(rows_of(connection, _PARTS, (key,)))
    part = next(parts, None)
    for message in rows_of(connection, _MESSAGES, (key,)):
        yield _message_unit(connection, message)
        while part is not None and part["message_id"] == message["id"]:
            yield unit_of(f"p{part['id']}", row_line("part", part, documents=("data",)))
            part = next(parts, None)


def _message_unit(connection: sqlite3.Connection, row: Row) -> Unit:
    """Return a message's unit; that it is a copy is no change of it."""
    line = row_line("message", row, documents=("data",))
    original = None
    prefix = original_prefix(str(row["id"]), _whole(row.get("time_created")))
    if prefix is not None:
        found = connection.execute(_ORIGINAL, (prefix, f"{prefix}~", row["session_id"])).fetchone()
        original = found[0] if found else None
    said = row_line("message", row, documents=("data",), copy_of=original) if original else line
    return Unit(f"m{row['id']}", token_of(line), lambda: said)


def _root_of(key: str, sessions: dict[str, Row]) -> str:
    """Return the session that one was started from, through all its parents."""
    for _ in range(PARENTS_MAX):
        parent = sessions.get(key, {}).get("parent_id")
        if not isinstance(parent, str) or not is_key(parent):
            break
        key = parent
    return key


def _whole(value: Any) -> int:
    return value if isinstance(value, int) and 0 <= value < 2**53 else 0


# ----- the tree of files


def is_session_file(path: Path) -> bool:
    """Tell a session's own file: ``session/<project>/<id>.json`` or ``session/info/<id>.json``."""
    return (
        path.suffix == ".json"
        and path.stem.startswith("ses_")
        and is_key(path.stem)
        and len(path.parts) > 3
        and path.parents[1].name == "session"
    )


def is_entered(folder: Path) -> bool:
    """Tell whether a folder may hold sessions or databases."""
    return folder.name not in _NEVER_ENTERED


def is_watched(folder: Path) -> bool:
    """Tell whether messages or parts may be written to a folder."""
    return folder.name not in _NEVER_WATCHED


def files_of(path: Path) -> Iterator[tuple[str, Path]]:
    """Yield a session's files with their keys, each message before its parts."""
    yield "", path
    session, base = path.stem, base_of(path)
    for message in _listed(base / "message" / session):
        yield f"m{message.stem}", message
        for folder in (base / "part" / message.stem, base / "part" / session / message.stem):
            for part in _listed(folder):
                yield f"p{message.stem}/{part.stem}", part


def session_file_of(path: Path) -> Path | None:
    """Return the session's file that a message's or a part's file belongs to."""
    if path.suffix != ".json" or len(path.parts) < 5:
        return None
    folder, above = path.parent, path.parents[1]
    if above.name == "message":
        return _session_file(above.parent, folder.name)
    if above.name == "part":
        found = next(above.parent.glob(f"message/*/{_literal(folder.name)}.json"), None)
        return None if found is None else _session_file(above.parent, found.parent.name)
    if path.parents[2].name == "part":
        return _session_file(path.parents[2].parent, above.name)
    return None


def file_line(base: Path, key: str, data: bytes) -> bytes:
    """Return a file as the line its row would give; raise ``ValueError`` while it is torn."""
    document = msgspec.Raw(json_line(data))
    if key.startswith("m"):
        row = {"id": key[1:], "data": document}
        return row_line("message", row, copy_of=_original_file(base, key[1:], data))
    if key.startswith("p"):
        message, _, part = key[1:].partition("/")
        return row_line("part", {"id": part, "message_id": message, "data": document})
    named = msgspec.json.decode(data, type=_Named)
    return row_line("session", {"id": named.id, "data": document})


class _Named(msgspec.Struct):
    id: str


class _Times(msgspec.Struct):
    created: float = 0


class _Timed(msgspec.Struct):
    time: _Times


def _original_file(base: Path, message: str, data: bytes) -> str | None:
    """Return the message in another session's folder that this one is a copy of."""
    created_ms = _whole(int(msgspec.json.decode(data, type=_Timed).time.created))
    prefix = original_prefix(message, created_ms)
    if prefix is None:
        return None
    return next((found.stem for found in base.glob(f"message/*/{prefix}*.json")), None)


def base_of(session_file: Path) -> Path:
    """Return the folder of ``message`` and ``part``: beside ``session``, or beside ``info``."""
    above = session_file.parents[1]
    return above if session_file.parent.name == "info" else above.parent


def _session_file(base: Path, session: str) -> Path | None:
    beside = base / "info" / f"{session}.json"
    if beside.is_file():
        return beside
    return next(base.glob(f"session/*/{_literal(session)}.json"), None)


def _literal(name: str) -> str:
    """Return a name as a pattern for itself; one that is no id matches nothing."""
    return name if is_key(name) else "[]"


def _listed(folder: Path) -> Iterable[Path]:
    try:
        found = [each for each in folder.iterdir() if each.suffix == ".json" and is_key(each.stem)]
    except OSError:
        return []
    return sorted(found)
