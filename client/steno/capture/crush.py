"""Crush: what it writes, where, and what becomes of it. A whole agent with a database in one file.

Files: ``crush.db`` in the data folder of each project, ``<project>/.crush``; the projects are listed
in ``projects.json`` below ``$CRUSH_GLOBAL_DATA`` (default ``~/.local/share/crush``). Folders of
projects that are new are looked into when the watcher begins anew. SQLite with a write-ahead log.

Sources: a database of August 2025; what its sources say of what came later.

========== ========================================================================================
2025       ``sessions``, ``messages`` (``parts`` as JSON), ``files``; times in seconds
2026       parts ``shell_command``; ids of sub-agents' sessions are a message's and a call's
========== ========================================================================================

Decisions:

* Times are seconds, whatever the comments in its schema say; milliseconds are known by their size.
  Many messages have the same second, so their order is that of their rows.
* A session with a parent is a sub-agent's work: a conversation of its root, without prompts.
* Tokens are those of the latest request alone and are not kept. The cost is summed up by session and
  told as one usage of it, without counts; a free model's is 0 and none.
"""

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Raw, Struct, field

from steno.capture.agent import Agent, Outcome
from steno.capture.container import Member
from steno.capture.database import database, database_of, row_line, rows_of
from steno.capture.line_parser import LineParser, LineState
from steno.capture.snapshot import GONE, Parts, Unit, unit_of
from steno.capture.source import Look, Reader
from steno.capture.threads import OpenTurn, Place, Text, Thread, cost_of, key_of
from steno_schema.records import ExchangeStatus, Tokens
from steno_schema.times import format_ms

_NAME = "crush"
_FILE = "crush.db"
_BLOCKS = 256
_MILLISECONDS_FROM = 10**11
_PARENTS_MAX = 50
_TURNS_MAX = 200
_ENDS: Mapping[str, ExchangeStatus] = {
    "end_turn": "completed", "stop": "completed", "max_tokens": "completed",
    "canceled": "aborted", "permission_denied": "aborted", "error": "failed",
}  # fmt: skip
_WITHOUT_RECORDS = frozenset({"binary", "image_url"})
_COUNTS = "SELECT session_id, count(*), max(updated_at) FROM messages GROUP BY session_id"
_MESSAGES = "SELECT rowid AS place, * FROM messages WHERE session_id = ? ORDER BY rowid"


class _Session(Struct):
    id: str
    parent_session_id: str | None = None
    title: str | None = None
    cost: float = 0
    created_at: int = 0
    updated_at: int = 0


class _Data(Struct):
    text: str = ""
    thinking: str = ""
    id: str | None = None
    name: str | None = None
    input: str = ""
    tool_call_id: str | None = None
    content: str = ""
    is_error: bool = False
    reason: str = ""
    message: str = ""
    command: str = ""
    output: str = ""


class _Part(Struct):
    type: str
    data: _Data = field(default_factory=_Data)


class _Message(Struct):
    id: str
    place: int
    role: str
    parts: list[_Part] = []
    model: str | None = None
    created_at: int = 0


class _Line(Struct):
    table: str = ""
    row: Raw = Raw()
    root: str | None = None
    folder: str | None = None
    gone: Any = field(name=GONE, default=None)


_LINE = msgspec.json.Decoder(_Line)
_SESSION = msgspec.json.Decoder(_Session)
_MESSAGE = msgspec.json.Decoder(_Message)


class _State(LineState, omit_defaults=True):
    begun: int = -1
    """Place of the latest prompt."""
    turns: dict[str, str] = {}
    """The prompt that each of the latest messages belongs to: rows may be said again later."""


_STATE = msgspec.msgpack.Decoder(_State)


class CrushParser(LineParser[_State]):
    """Reads one session's log."""

    def __init__(self, path: Path, state: bytes = b"") -> None:
        """Go on from ``state``; raise ``ValueError`` if that is not a state of this parser."""
        super().__init__(path, _STATE.decode(state) if state else _State(), _NAME)

    def _named(self) -> str:
        return key_of(self._path.name.encode("utf-8", "replace").decode()) or _NAME

    def _take(self, number: int, data: bytes) -> Outcome:
        del number
        line = _LINE.decode(data)
        self.kind = line.table
        if line.gone is not None:
            return Outcome.SKIPPED
        if line.table == "sessions":
            return self._session(_SESSION.decode(line.row), line)
        if line.table == "messages":
            return self._message(_MESSAGE.decode(line.row))
        return Outcome.NOT_UNDERSTOOD

    def _session(self, row: _Session, line: _Line) -> Outcome:
        key, root = key_of(row.id), key_of(line.root) or key_of(row.parent_session_id)
        if key is None or key != row.id:
            return Outcome.NOT_UNDERSTOOD
        parent = key_of(row.parent_session_id)
        created_at = _moment(row.created_at)
        self._seen(_moment(row.updated_at))
        self._kept.thread = Thread(
            key=key,
            session=(root or key) if parent else key,
            parent=parent,
            is_subagent=parent is not None,
            project=line.folder,
            title=key_of(row.title),
            started_at=created_at,
        )
        self._records.thread_changed()
        if cost_of(row.cost) is not None:
            place, tokens = Place(None, 0, created_at), Tokens(complete=False)
            self._records.usage(
                self._thread(), "session", tokens, place, cost_usd=cost_of(row.cost)
            )
        return Outcome.RECORDS

    def _message(self, row: _Message) -> Outcome:
        self.kind += f"/{row.role}"
        created_at, _ = self._seen(_moment(row.created_at))
        model, made, unknown = key_of(row.model), False, False
        turn = self._turn_of(row)
        for block, part in enumerate(row.parts):
            if part.type == "finish":
                made = self._finished(row, part.data, turn, created_at, block) or made
            elif part.type not in _WITHOUT_RECORDS:
                text = _said(row.role, part, model)
                unknown = unknown or text is None
                if text is not None and text.content:
                    self._say(row, text, turn, created_at, block)
                    made = True
        if unknown:
            return Outcome.NOT_UNDERSTOOD
        return Outcome.RECORDS if made else Outcome.SKIPPED

    def _turn_of(self, row: _Message) -> str | None:
        """Return the prompt that a message belongs to: its own, or the latest when it came first."""
        kept = self._kept
        if row.role == "user" and _first_text(row) >= 0 and not self._thread().is_subagent:
            kept.turns[row.id] = row.id
        elif row.id not in kept.turns and kept.turn is not None:
            kept.turns[row.id] = kept.turn.key
        if len(kept.turns) > _TURNS_MAX:
            del kept.turns[next(iter(kept.turns))]
        return kept.turns.get(row.id)

    def _say(
        self, row: _Message, text: Text, turn: str | None, created_at: str | None, block: int
    ) -> None:
        """Add what a part says; the first text of a person's begins a turn."""
        thread, kept = self._thread(), self._kept
        order = row.place * _BLOCKS + min(block, _BLOCKS - 1)
        is_prompt = (text.role, text.kind) == ("user", "text")
        begins = is_prompt and turn == row.id and block == _first_text(row)
        if is_prompt and thread.is_subagent:
            text = text._replace(kind="injected")
        key = row.id if begins else f"{row.id}:{block}"
        self._records.message(thread, "message", key, text, Place(turn, order, created_at))
        if begins and not (kept.turn is not None and order <= kept.begun):
            kept.begun = order
            opened = OpenTurn(row.id, kept.last_ms, created_at, thread.project, status="running")
            self._begin(opened)

    def _finished(
        self, row: _Message, data: _Data, turn: str | None, created_at: str | None, block: int
    ) -> bool:
        """Take how a message ended; an answer's end is the turn's unless it asked for a tool."""
        if row.role != "assistant":
            return False
        if data.reason == "error" and data.message:
            notice = Text("assistant", "notice", data.message, is_error=True)
            self._say(row, notice, turn, created_at, block)
        if data.reason in _ENDS and self._kept.turn is not None and self._kept.turn.key == turn:
            self._end(_ENDS[data.reason])
        return True


def _first_text(row: _Message) -> int:
    return next((block for block, part in enumerate(row.parts) if part.type == "text"), -1)


def _said(role: str, part: _Part, model: str | None) -> Text | None:
    """Return what a part says, ``None`` for one that is not known."""
    data = part.data
    match part.type, role:
        case "text", "user":
            return Text("user", "text", data.text)
        case "text", "assistant":
            return Text("assistant", "text", data.text, model)
        case "reasoning", _:
            return Text("assistant", "thinking", data.thinking, model)
        case "tool_call", _:
            name, call = key_of(data.name), key_of(data.id)
            return Text("assistant", "tool_call", data.input, model, name, call)
        case "tool_result", _:
            name, call = key_of(data.name), key_of(data.tool_call_id)
            return Text("tool", "tool_result", data.content, None, name, call, data.is_error)
        case "shell_command", _:
            return Text("user", "injected", f"{data.command}\n{data.output}".strip())
        case _:
            return None


def _moment(value: int) -> str | None:
    return format_ms(_milliseconds(value)) if value > 0 else None


def _milliseconds(value: int) -> int:
    return value if value >= _MILLISECONDS_FROM else value * 1000


def _members(folder: str | None, connection: sqlite3.Connection) -> Iterator[Member]:
    """Yield the sessions of a database; one changed when its rows' count or newest time did."""
    sessions = {row["id"]: row for row in rows_of(connection, "SELECT * FROM sessions")}
    counts = {key: found for key, *found in connection.execute(_COUNTS)}
    for key, row in sessions.items():
        if isinstance(key, str) and key and "/" not in key and key[0] != ".":
            number, newest = counts.get(key, (0, 0))
            times = [each for each in (newest, row.get("updated_at")) if isinstance(each, int)]
            # A second is long: until it is over, the session is looked at again.
            ended_ms = max(map(_milliseconds, times), default=0) + 1000
            look = Look(size_bytes=number + 1, mtime_ns=ended_ms * 10**6)
            root = _root_of(key, sessions)
            yield Member(key, look, partial(_cut, connection, row, root, folder))


def _cut(
    connection: sqlite3.Connection, session: dict[str, Any], root: str, folder: str | None
) -> Parts:
    return Parts(session["id"], _units(connection, session, root, folder))


def _units(
    connection: sqlite3.Connection, session: dict[str, Any], root: str, folder: str | None
) -> Iterator[Unit]:
    yield unit_of("", row_line("sessions", session, root=root, folder=folder))
    for row in rows_of(connection, _MESSAGES, (session["id"],)):
        yield unit_of(str(row["id"]), row_line("messages", row, documents=("parts",)))


def _root_of(key: str, sessions: dict[str, dict[str, Any]]) -> str:
    for _ in range(_PARENTS_MAX):
        parent = sessions.get(key, {}).get("parent_session_id")
        if not isinstance(parent, str) or not parent:
            break
        key = parent
    return key


class Crush(Agent):
    """The Crush coding agent."""

    name = _NAME
    parser_version = "1"
    variables: Sequence[str] = ("CRUSH_GLOBAL_DATA",)

    def __init__(self) -> None:
        self._readers: dict[str | None, Reader] = {}

    def roots(self, environ: Mapping[str, str]) -> Sequence[Path]:
        """Return the data folders of the projects that Crush lists."""
        home = Path(environ.get("HOME") or Path.home())
        share = Path(environ.get("XDG_DATA_HOME") or home / ".local" / "share") / "crush"
        listed = Path(environ.get("CRUSH_GLOBAL_DATA") or share) / "projects.json"
        try:
            projects = msgspec.convert(json.loads(listed.read_bytes()), _Projects).projects
        except (OSError, ValueError, RecursionError):
            return []
        return list(dict.fromkeys(_data_folder(each) for each in projects if each.path))

    def is_transcript(self, path: Path) -> bool:
        """Tell the database by its name."""
        return path.name == _FILE

    def is_entered(self, folder: Path) -> bool:
        """Look no deeper than the data folder."""
        del folder
        return False

    def is_watched(self, folder: Path) -> bool:
        """Watch the data folder alone."""
        del folder
        return False

    def source_of(self, path: Path) -> Path | None:
        """Return the database of a log."""
        path = database_of(path)
        return path if self.is_transcript(path) else None

    def reader(self, path: Path) -> Reader:
        """Return the reader of databases; the folder that holds ``.crush`` is the project."""
        project = str(path.parent.parent) if path.parent.name == ".crush" else None
        if project not in self._readers:
            self._readers[project] = database(partial(_members, project), ("messages",))
        return self._readers[project]

    def parser(self, path: Path, state: bytes = b"") -> CrushParser:
        """Return a parser for ``path``; raise ``ValueError`` if ``state`` is not one of its."""
        return CrushParser(path, state)


class _Project(Struct):
    path: str = ""
    data_dir: str = ""


class _Projects(Struct):
    projects: list[_Project] = []


def _data_folder(project: _Project) -> Path:
    return Path(project.path) / (project.data_dir or ".crush")


AGENT: Agent = Crush()
