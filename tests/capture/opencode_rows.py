"""Sessions as opencode stores them, in both its forms; everything in them is made up."""

import json
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from steno.capture.agent import Outcome
from steno.capture.opencode import AGENT
from steno_schema.records import AnyRecord, Message, Session, Turn, Usage

BEGAN_MS = 1_790_000_000_000
SESSION = "ses_1f0000000001aaaaaaaaaaaaaa"
CHILD = "ses_1f0000000002bbbbbbbbbbbbbb"
FORK = "ses_1f0000000003cccccccccccccc"
FOLDER = "/home/ada/shop"

SCHEMA = """
CREATE TABLE session (id text PRIMARY KEY, project_id text NOT NULL, parent_id text,
  directory text NOT NULL, title text NOT NULL, version text NOT NULL, permission text,
  time_created integer NOT NULL, time_updated integer NOT NULL);
CREATE TABLE message (id text PRIMARY KEY, session_id text NOT NULL, time_created integer NOT NULL,
  time_updated integer NOT NULL, data text NOT NULL);
CREATE TABLE part (id text PRIMARY KEY, message_id text NOT NULL, session_id text NOT NULL,
  time_created integer NOT NULL, time_updated integer NOT NULL, data text NOT NULL);
CREATE TABLE account (id text PRIMARY KEY, access_token text NOT NULL);
"""

Row = dict[str, Any]


class Stored(NamedTuple):
    """A row: its table and its columns, ``data`` as an object."""

    table: str
    row: Row


def identifier(prefix: str, number: int, made: int | None = None) -> str:
    """Return an id made ``number`` (or ``made``) ms after the beginning."""
    stamp = (BEGAN_MS + (number if made is None else made)) * 4096 % 2**48 + number % 4096
    return f"{prefix}_{stamp:012x}{number:014d}"


def session(key: str = SESSION, **more: Any) -> Stored:
    row = {
        "id": key,
        "project_id": "p1",
        "directory": FOLDER,
        "title": "Wrens",
        "version": "1.18.33",
    }
    times = {"time_created": BEGAN_MS - 10, "time_updated": BEGAN_MS + 5000}
    return Stored("session", row | times | more)


def message(number: int, role: str, key: str = SESSION, **data: Any) -> Stored:
    """Return a message of a moment, ``number`` milliseconds after the beginning."""
    made = data.pop("made", None)
    time = {"created": BEGAN_MS + number} | data.pop("time", {})
    row = {
        "id": identifier("msg", number, made),
        "session_id": key,
        "time_created": BEGAN_MS + number,
        "time_updated": BEGAN_MS + number + 1,
        "data": {"role": role, "time": time} | data,
    }
    return Stored("message", row)


def answer(number: int, asked: int, finish: str | None = "stop", **data: Any) -> Stored:
    """Return a model call that ended (unless ``finish`` is ``None``), for the prompt ``asked``."""
    used = data.pop("used", (10, 5, 2, 100, 20))
    counts = dict(zip(("input", "output", "reasoning"), used, strict=False))
    tokens = counts | {"cache": {"read": used[3], "write": used[4]}, "total": sum(used)}
    known: dict[str, Any] = {
        "parentID": data.pop("parent", None) or identifier("msg", asked),
        "modelID": "wren-1",
        "providerID": "aviary",
        "cost": 0.5,
        "tokens": tokens if finish else {"input": 0, "output": 0, "reasoning": 0, "cache": {}},
    }
    if finish:
        known |= {"finish": finish, "time": {"completed": BEGAN_MS + number + 9}}
    return message(number, "assistant", **(known | data))


def part(number: int, of: Stored, kind: str = "text", text: str = "", **data: Any) -> Stored:
    row = {
        "id": identifier("prt", number, data.pop("made", None)),
        "message_id": of.row["id"],
        "session_id": of.row["session_id"],
        "time_created": BEGAN_MS + number,
        "time_updated": BEGAN_MS + number + 1,
        "data": {"type": kind} | ({"text": text} if text else {}) | data,
    }
    return Stored("part", row)


def tool(number: int, of: Stored, status: str = "completed", **state: Any) -> Stored:
    return part(number, of, "tool", tool="bash", callID=f"call_{number}",
                state={"status": status, "input": {"command": "ls"}} | state)  # fmt: skip


def prompt(number: int, text: str, key: str = SESSION, **data: Any) -> list[Stored]:
    asked = message(number, "user", key)
    return [asked, part(number + 1, asked, text=text, **data)]


def steps() -> list[Stored]:
    """Everything that was written, in order: most rows several times, as they were updated."""
    asked = prompt(0, '"Name the wrens"')
    first, child = answer(10, 0, None), session(CHILD, parent_id=SESSION, title="Count")
    task = message(15, "user", CHILD)
    counted = answer(16, 0, "stop", parent=task.row["id"], used=(1, 1, 0, 1, 1))
    counted.row["session_id"] = CHILD
    last = answer(20, 0, None)
    shell = message(30, "user")
    ran = answer(31, 30, None, used=(0, 0, 0, 0, 0), time={"completed": BEGAN_MS + 32})
    cut = answer(51, 50, None)
    aborted = {"error": {"name": "MessageAbortedError"}, "time": {"completed": BEGAN_MS + 55}}
    fork = session(FORK, title="Wrens (fork #1)", time_created=BEGAN_MS + 90_000)
    copy = message(0, "user", FORK, made=90_001)
    return [
        session(time_updated=BEGAN_MS), *asked, first,
        part(11, first, "step-start"), part(12, first, "text"), part(12, first, text="I count."),
        tool(13, first, "pending", input={}), tool(13, first, "running"),
        child, task, part(16, task, text="Count them"), counted, part(18, counted, text="Two"),
        tool(13, first, output="Two"), answer(10, 0, "tool-calls"), last,
        part(21, last, text="Two wrens."), answer(20, 0), session(title="Wrens, counted"),
        shell, part(30, shell, text="The following tool was executed by the user", synthetic=True),
        ran, tool(32, ran, "running"), tool(32, ran, output="a.py"),
        *prompt(50, "And owls?"), cut, part(52, cut, text="There are"), answer(51, 50, None, **aborted),
        fork, copy, part(1, copy, text='"Name the wrens"', made=90_002),
        *prompt(90_100, "In the fork", FORK), session(time_updated=BEGAN_MS + 9000),
    ]  # fmt: skip


def lines(rows: Iterable[Stored], **beside: Any) -> list[bytes]:
    return [json.dumps({"table": table, "row": row} | beside).encode() for table, row in rows]


class Kept:
    """What a reader made of lines, the last word on each id."""

    def __init__(self) -> None:
        self.by_id: dict[str, AnyRecord] = {}
        self.order: list[AnyRecord] = []
        self.outcomes: list[Outcome] = []

    def add(self, records: list[AnyRecord]) -> None:
        self.order += records
        self.by_id |= {record.id: record for record in records}

    def all(self, kind: type[Any]) -> list[Any]:
        return [record for record in self.by_id.values() if isinstance(record, kind)]

    @property
    def messages(self) -> list[Message]:
        return sorted(self.all(Message), key=lambda each: each.position or 0)

    @property
    def turns(self) -> list[Turn]:
        return self.all(Turn)

    @property
    def usages(self) -> list[Usage]:
        return self.all(Usage)

    @property
    def sessions(self) -> list[Session]:
        return self.all(Session)

    @property
    def said(self) -> list[tuple[str, str, str]]:
        return [(each.role, each.kind, each.content) for each in self.messages]


def read(given: Iterable[bytes], restarts: Iterable[int] = ()) -> Kept:
    """Read lines; the parser is thrown away and made again before the lines of ``restarts``."""
    kept, again = Kept(), set(restarts)
    parser = AGENT.parser(Path("opencode.db") / SESSION)
    for number, line in enumerate(given, 1):
        if number in again:
            kept.add(parser.take())
            parser = AGENT.parser(Path("opencode.db") / SESSION, parser.state())
        kept.outcomes.append(parser.feed(number, line))
    kept.add(parser.take())
    return kept


# ----- as files


def new_database(path: Path) -> sqlite3.Connection:
    """Return a connection to a new database in opencode's manner."""
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=wal")
    connection.execute("PRAGMA synchronous=OFF")
    connection.executescript(SCHEMA)
    return connection


def store(connection: sqlite3.Connection, rows: Iterable[Stored]) -> None:
    """Write rows, over those that are there."""
    for table, row in rows:
        values = {name: json.dumps(value) if isinstance(value, dict) else value
                  for name, value in row.items()}  # fmt: skip
        connection.execute(
            f"INSERT OR REPLACE INTO {table} ({', '.join(values)})"
            f" VALUES ({', '.join('?' * len(values))})",
            tuple(values.values()),
        )


def file_of(folder: Path, row: Stored) -> tuple[Path, bytes]:
    """Return the file that a row was in the tree below ``folder``, and what is in it."""
    table, values = row
    storage, key = folder / "storage", values["id"]
    if table == "session":
        known = {"id": key, "projectID": values["project_id"], "directory": values["directory"],
                 "title": values["title"], "version": values["version"],
                 "time": {"created": values["time_created"], "updated": values["time_updated"]}}  # fmt: skip
        if values.get("parent_id"):
            known["parentID"] = values["parent_id"]
        return storage / "session" / "p1" / f"{key}.json", json.dumps(known, indent=2).encode()
    data = {"id": key, "sessionID": values["session_id"]} | values["data"]
    if table == "message":
        path = storage / "message" / values["session_id"] / f"{key}.json"
    else:
        data["messageID"] = values["message_id"]
        path = storage / "part" / values["message_id"] / f"{key}.json"
    return path, json.dumps(data, indent=2).encode()


def write_tree(folder: Path, rows: Iterable[Stored]) -> None:
    """Write each row as the file it was in the tree."""
    for row in rows:
        path, data = file_of(folder, row)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
