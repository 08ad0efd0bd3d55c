"""Crush's sessions: rows of a database, what becomes of them, and a real one that is counted."""

import json
import os
import random
import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capture.content import content_of_file, differences
from capture.inprocess import InProcess
from capture.instance import status_of
from capture.parsing import of, read_lines, sources_row
from steno.capture.agent import Outcome
from steno.capture.crush import AGENT
from steno.errors import Unreachable
from steno_schema.records import AnyRecord, Conversation, Message, Turn, Usage
from support.running import RunningDaemon

SET = "crush/Starmel+OpenSuperWhisper"
BEGAN_S = 1_790_000_000
SESSION, CHILD = "session-one", "session-two"
SCHEMA = """
CREATE TABLE sessions (id TEXT PRIMARY KEY, parent_session_id TEXT, title TEXT, message_count INTEGER,
  prompt_tokens INTEGER, completion_tokens INTEGER, cost REAL, updated_at INTEGER, created_at INTEGER);
CREATE TABLE messages (id TEXT PRIMARY KEY, session_id TEXT, role TEXT, parts TEXT, model TEXT,
  created_at INTEGER, updated_at INTEGER, finished_at INTEGER, provider TEXT);
"""

Row = tuple[str, dict[str, Any]]


def session(key: str = SESSION, **more: Any) -> Row:
    row = {"id": key, "parent_session_id": None, "title": "Wrens", "prompt_tokens": 9, "cost": 0.0}
    return "sessions", row | {"created_at": BEGAN_S, "updated_at": BEGAN_S + 5} | more


def message(second: int, role: str, *parts: tuple[str, dict[str, Any]], key: str = SESSION) -> Row:
    row = {"id": f"{key}-{second}", "session_id": key, "role": role, "model": "wren-1"}
    row["parts"] = json.dumps([{"type": type_, "data": data} for type_, data in parts])
    return "messages", row | {"created_at": BEGAN_S + second, "updated_at": BEGAN_S + second}


def said(text: str) -> tuple[str, dict[str, Any]]:
    return "text", {"text": text}


def finish(reason: str, **more: Any) -> tuple[str, dict[str, Any]]:
    return "finish", {"reason": reason, "time": BEGAN_S} | more


CALL = ("tool_call", {"id": "c1", "name": "bash", "input": '{"command":"ls"}', "finished": True})
RESULT = (
    "tool_result",
    {"tool_call_id": "c1", "name": "bash", "content": "a.py", "is_error": True},
)
STEPS: list[Row] = [
    session(),
    message(1, "user", said("Name the wrens"), finish("stop")),
    message(2, "assistant"),
    message(2, "assistant", ("reasoning", {"thinking": "Hm"}), CALL),
    message(2, "assistant", ("reasoning", {"thinking": "Hm"}), CALL, finish("tool_use")),
    message(3, "tool", RESULT, finish("stop")),
    session(CHILD, parent_session_id=SESSION, title="Count"),
    message(3, "user", said("Count them"), key=CHILD),
    message(4, "assistant", said("Two"), finish("end_turn"), key=CHILD),
    message(5, "assistant", said("Two wr")),
    message(5, "assistant", said("Two wrens."), finish("end_turn")),
    session(cost=0.25, updated_at=BEGAN_S + 6),
    message(6, "user", said("And owls?"), finish("stop")),
    message(7, "assistant", said("There are"), finish("canceled")),
    message(8, "user", said("Go on"), finish("stop")),
    message(9, "assistant", finish("error", message="No owls")),
    session(cost=0.75, updated_at=BEGAN_S + 10),
]


def lines(rows: Iterable[Row], key: str = SESSION) -> list[bytes]:
    """Return rows of one session as the lines of its log."""
    found: list[bytes] = []
    for table, row in rows:
        if key in (row["id"], row.get("session_id")):
            parts = {"parts": json.loads(row["parts"])} if "parts" in row else {}
            place = {"place": row["created_at"] - BEGAN_S}
            line = {
                "table": table,
                "row": row | parts | place,
                "root": SESSION,
                "folder": "/home/ada",
            }
            found.append(json.dumps(line).encode())
    return found


def read(
    given_lines: Iterable[bytes], restarts: Iterable[int] = ()
) -> tuple[list[Outcome], dict[str, AnyRecord]]:
    return read_lines(AGENT, Path(".crush/crush.db") / SESSION, given_lines, restarts)


def test_a_session_with_everything_in_it() -> None:
    outcomes, records = read(lines(STEPS))
    messages, turns = of(Message, records), of(Turn, records)
    assert Outcome.NOT_UNDERSTOOD not in outcomes
    assert [(each.role, each.kind, each.content) for each in messages] == [
        ("user", "text", "Name the wrens"),
        ("assistant", "thinking", "Hm"),
        ("assistant", "tool_call", '{"command":"ls"}'),
        ("tool", "tool_result", "a.py"),
        ("assistant", "text", "Two wrens."),
        ("user", "text", "And owls?"),
        ("assistant", "text", "There are"),
        ("user", "text", "Go on"),
        ("assistant", "notice", "No owls"),
    ]
    assert [each.status for each in turns] == ["completed", "aborted", "failed"]
    assert messages[3].is_error
    (usage,) = of(Usage, records)
    assert (usage.cost_usd, usage.tokens.complete, usage.exchange) == (0.75, False, None)


def test_a_sub_agents_work_is_a_conversation_of_its_root() -> None:
    _, records = read(lines(STEPS, CHILD))
    (conversation,) = of(Conversation, records)
    assert (conversation.key, conversation.session, conversation.kind) == (
        CHILD,
        SESSION,
        "subagent",
    )
    assert not of(Turn, records)
    assert [each.kind for each in of(Message, records)] == ["injected", "text"]


@given(st.lists(st.sampled_from(lines(STEPS)), max_size=14), st.sets(st.integers(1, 16)))
def test_a_parser_may_be_replaced_between_any_two_lines(
    some: list[bytes], restarts: set[int]
) -> None:
    every = [lines(STEPS)[0], *some]
    assert read(every) == read(every, restarts)


HOSTILE = [
    b"{", b"[]", b"\xff", b'{"table":"files","row":{}}', b'{"table":"sessions","row":{"id":""}}',
    b'{"table":"messages","row":{"id":"m","place":1,"role":"user","parts":7}}',
    b'{"table":"messages","row":{"id":"m","place":1,"role":"user","parts":[{"type":"hologram"}]}}',
    b'{"table":"messages","row":{"id":"m","place":"x","role":"user"}}',
]  # fmt: skip


@pytest.mark.parametrize("hostile", HOSTILE)
def test_what_is_not_understood_harms_nothing(hostile: bytes) -> None:
    known = lines(STEPS)
    outcomes, records = read([*known[:2], hostile, *known[2:]])
    assert outcomes[2] is Outcome.NOT_UNDERSTOOD
    assert len(of(Message, records)) == len(of(Message, read(known)[1]))


def store(connection: sqlite3.Connection, rows: Iterable[Row]) -> None:
    """Write rows, over those that are there and in their places."""
    for table, row in rows:
        names, marks = ", ".join(row), ", ".join("?" * len(row))
        said_again = ", ".join(f"{name} = excluded.{name}" for name in row)
        connection.execute(
            f"INSERT INTO {table} ({names}) VALUES ({marks})"
            f" ON CONFLICT (id) DO UPDATE SET {said_again}",
            tuple(row.values()),
        )


def project_in(folder: Path) -> Path:
    """Return the place of a project's database; the project is listed below ``folder``."""
    path = folder / "shop" / ".crush" / "crush.db"
    path.parent.mkdir(parents=True)
    listed = {"projects": [{"path": str(folder / "shop"), "data_dir": ".crush"}]}
    (folder / "projects.json").write_text(json.dumps(listed))
    return path


@pytest.mark.parametrize("seed", range(int(os.environ.get("STENO_TEST_SEEDS", "4"))))
def test_whenever_it_is_read_as_it_grows(seed: int, tmp_path: Path) -> None:
    chance, path = random.Random(seed), project_in(tmp_path)
    roots = AGENT.roots({"CRUSH_GLOBAL_DATA": str(tmp_path)})
    assert roots == [path.parent]

    def settle() -> None:
        past = path.stat().st_mtime_ns - 10**9
        os.utime(path, ns=(past, past))

    with (
        closing(sqlite3.connect(path, isolation_level=None)) as agent,
        InProcess(Path(":memory:")) as known,
        InProcess(Path(":memory:")) as at_once,
    ):
        agent.execute("PRAGMA synchronous=OFF")
        agent.executescript(SCHEMA)
        rows = list(STEPS)
        while rows:
            size = chance.randint(1, 4)
            store(agent, rows[:size])
            rows = rows[size:]
            settle()
            known.fault = lambda _: chance.choice([None, None, "drop", "lose"])
            try:
                known.rescan(path.parent, AGENT)
            except Unreachable:
                known.restart()
        known.fault = lambda _: None
        known.rescan(path.parent, AGENT)
        at_once.rescan(path.parent, AGENT)
        assert len(at_once.content()["exchange"]) == 3
        assert {row[4] for row in at_once.content()["session"]} == {str(tmp_path / "shop")}
        assert not differences(at_once.content(), known.content())


def counted(path: Path) -> Counter[str]:
    """Count what is there, by the rules of the format alone."""
    found = Counter[str]()
    with closing(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)) as connection:
        rows = connection.execute(
            "SELECT m.role, m.parts, s.parent_session_id IS NULL FROM messages AS m"
            " JOIN sessions AS s ON s.id = m.session_id"
        )
        for role, parts, is_root in rows:
            found[role] += 1
            found["human_prompts"] += role == "user" and is_root
            found["tool_calls"] += sum(part["type"] == "tool_call" for part in json.loads(parts))
    return found


def test_a_real_database_is_counted_as_it_is_known_and_can_be_derived_again(
    shared_transcripts: Path, tmp_path: Path
) -> None:
    source, path = shared_transcripts / SET / "crush.db", project_in(tmp_path)
    truth = counted(source)
    known = (truth["user"], truth["assistant"], truth["tool_calls"])
    assert sources_row(shared_transcripts, SET) == known
    shutil.copyfile(source, path)
    daemon = RunningDaemon(tmp_path / "home", environ={"CRUSH_GLOBAL_DATA": str(tmp_path)})
    daemon.start()
    try:
        daemon.captured()
        status = status_of(daemon)
        with InProcess(Path(":memory:")) as at_once:
            at_once.rescan(path.parent, AGENT)
            expected = at_once.content()
        path.unlink()
        daemon.captured()
        assert daemon.steno("rederive", "capture").returncode == 0
    finally:
        daemon.stop()
    assert status["human_prompts"] == truth["human_prompts"]
    assert status["tool_calls"] == truth["tool_calls"]
    assert status["lines_not_understood"] == 0
    assert not differences(expected, content_of_file(daemon.database))
