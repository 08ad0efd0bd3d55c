"""What people change afterwards: annotations, and what they want forgotten."""

import sqlite3
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from steno_schema.ids import uuid7
from support.running import RunningDaemon
from support.wire import Wire


def save(wire: Wire, prompt: str, **fields: Any) -> str:
    """Store an exchange; return its id."""
    record = {"type": "exchange", "id": uuid7(), "prompt": prompt, **fields}
    reply = wire.ask(verb="append", id=1, records=[record])
    assert reply["outcomes"][0]["outcome"] == "created", reply
    return str(record["id"])


def get(wire: Wire, target: object, **fields: Any) -> dict[str, Any]:
    """Return what ``get`` says of a record."""
    reply = wire.ask(verb="get", id=1, target=str(target), **fields)
    return dict(reply["items"][0]) if "items" in reply else reply


ANNOTATIONS: list[tuple[str, Any, Any]] = [
    ("rating", 7, 7.0),
    ("rating", "7.5", 7.5),
    ("follow_up", True, True),
    ("notes", "look again", "look again"),
    ("category", "testing", "testing"),
    ("complexity", "complex", "complex"),
    ("stage", "refactoring", "refactoring"),
    ("technique", "few_shot", "few_shot"),
    ("phase", "beta", "beta"),
    ("current_file", "a/b.py", "a/b.py"),
    ("response_summary", "short", "short"),
    ("keywords", ["x", "y"], ["x", "y"]),
    ("metadata", {"a": {"b": [1, None]}}, {"a": {"b": [1, None]}}),
]


@pytest.mark.parametrize(("name", "value", "shown"), ANNOTATIONS)
def test_an_annotation_is_set_and_emptied(wire: Wire, name: str, value: Any, shown: Any) -> None:
    target = save(wire, f"annotate {name}")
    done = wire.ask(verb="amend", id=1, target=target, set={name: value})
    assert (done["reply"], done["changed"]) == ("done", 1)
    assert get(wire, target)[name] == shown
    wire.ask(verb="amend", target=target, set={name: None})
    wire.ask(verb="admin", action="flush")
    emptied = get(wire, target)[name]
    guessed = {"category", "complexity", "stage", "technique", "keywords", "response_summary"}
    assert emptied is None or name in guessed, "only what the analyser guesses comes back"


def test_tags_are_added_and_removed_and_found(wire: Wire) -> None:
    target = save(wire, "tagged", tags=["old", "both"])
    wire.ask(verb="amend", target=target, add_tags=["new", "both"], remove_tags=["old", "never"])
    assert get(wire, target)["tags"] == ["both", "new"]
    listed = wire.ask(verb="list", filters={"tag": ["both", "new"]})["items"]
    assert [item["id"] for item in listed] == [target]
    assert wire.ask(verb="list", filters={"tag": ["old"]})["items"] == []
    assert target in {r["id"] for r in wire.ask(verb="search", query="new")["results"]}


WRONG_VALUES = [
    {"rating": 10.5},
    {"rating": -1},
    {"rating": "high"},
    {"follow_up": "perhaps"},
    {"notes": ["a"]},
    {"keywords": "x"},
    {"metadata": [1]},
    {"category": ""},
    {"prompt": "rewritten"},
    {"id": "other"},
    {"tags": ["all"]},
    {"rating": 5, "nothing": 1},
]


@pytest.mark.parametrize("change", WRONG_VALUES, ids=str)
def test_a_wrong_value_changes_nothing(wire: Wire, change: dict[str, Any]) -> None:
    target = save(wire, "stays", rating=3, notes="n")
    before = get(wire, target)
    refused = wire.ask(verb="amend", id=1, target=target, set=change)
    assert refused["code"] == "bad_request", refused
    assert get(wire, target) == before


def test_other_records_are_amended_too(wire: Wire) -> None:
    save(wire, "in a session", session="amend-me", conversation="amend-this")
    said: dict[str, str] = {
        "type": "message",
        "id": uuid7(),
        "conversation": "amend-this",
        "role": "user",
    }
    wire.ask(verb="append", records=[said | {"content": "many words"}])
    changes: list[tuple[str, str, dict[str, Any]]] = [
        ("amend-me", "session", {"status": "completed", "ended_at": "2026-01-01T00:00:00Z"}),
        ("amend-this", "conversation", {"summary": "brief", "title": "T"}),
        (said["id"], "message", {"content": "few", "is_summarized": True, "importance": 0.5}),
    ]
    for target, kind, change in changes:
        done = wire.ask(verb="amend", id=1, target=target, type=kind, set=change)
        assert done["reply"] == "done", done
    session = get(wire, "amend-me", type="session")
    assert (session["status"], session["ended_at"]) == ("completed", "2026-01-01T00:00:00.000Z")
    assert get(wire, "amend-this", type="conversation")["summary"] == "brief"
    query = "SELECT content, is_summarized, original_content FROM messages WHERE uid = ?"
    rows = wire.ask(verb="sql", query=query, parameters=[said["id"]])["rows"]
    assert rows == [["few", 1, "many words"]]
    changes = [
        ("amend-me", "session", {"status": "unheard"}),
        ("amend-me", "session", {"status": None}),
        (said["id"], "message", {"importance": 5}),
        (said["id"], "message", {"role": "system"}),
        ("1", "metric", {"value": 1}),
    ]
    for target, kind, change in changes:
        refused = wire.ask(verb="amend", id=1, target=target, type=kind, set=change)
        assert refused["code"] == "bad_request", change


def test_a_record_is_found_by_uuid_prefix_and_number(wire: Wire) -> None:
    first = f"abcd1234-{uuid7()[9:]}"
    second = f"abcd1299-{uuid7()[9:]}"
    for record_id in (first, second):
        record = {"type": "exchange", "id": record_id, "prompt": record_id}
        wire.ask(verb="append", records=[record])
    number = get(wire, first)["number"]
    for target in (
        first,
        first.upper(),
        f" {first} ",
        "abcd1234",
        "abcd-1234",
        first[:20],
        number,
    ):
        assert get(wire, target)["id"] == first, target
    assert get(wire, "abcd12")["code"] == "bad_request"
    for target in ("abc", "abcd1235", "999999999", "", "x" * 5000, "'; DROP", "{{" + "0" * 34):
        assert get(wire, target)["code"] == "not_found", target
    assert (
        wire.ask(verb="amend", id=1, target="abcd12", set={"rating": 1})["code"] == "bad_request"
    )
    assert wire.ask(verb="delete", id=1, target="nothing")["code"] == "not_found"


def test_forgetting_by_filters_counts_first(wire: Wire) -> None:
    for number in range(5):
        save(wire, f"doomed {number}", tags=["doomed"], output="o")
    save(wire, "spared")
    filters = {"tag": ["doomed"]}
    dry = wire.ask(verb="delete", id=1, filters=filters, dry_run=True)
    assert (dry["changed"], len(wire.ask(verb="list", filters=filters)["items"])) == (5, 5)
    done = wire.ask(verb="delete", id=1, filters=filters)
    assert (done["changed"], done["result"]["messages"]) == (5, 10)
    assert wire.ask(verb="list", filters=filters)["items"] == []
    assert wire.ask(verb="search", query="doomed")["results"] == []
    assert wire.ask(verb="search", query="spared")["results"] != []


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"filters": {}},
        {"filters": {"tagg": ["a typo"]}},
        {"filters": {"role": ["user"]}},
        {"filters": {"since": "whenever"}},
        {"target": "1", "filters": {"tag": ["t"]}},
    ],
    ids=str,
)
def test_nothing_is_forgotten_by_mistake(wire: Wire, fields: dict[str, Any]) -> None:
    save(wire, "precious")
    count = "SELECT count(*) FROM history"
    before = wire.ask(verb="sql", query=count)["rows"]
    assert wire.ask(verb="delete", id=1, **fields)["code"] == "bad_request"
    assert wire.ask(verb="sql", query=count)["rows"] == before


def rows_left(database: Path) -> dict[str, int]:
    """Return how many rows each table has that still hold something of a session."""
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    tables = ("session", "conversation", "exchange", "message", "usage", "agent_interaction",
              "routing_decision", "exchange_tag", "analysis", "sighting")  # fmt: skip
    counts = {
        table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
        for table in tables
    }
    connection.close()
    return counts


def test_a_session_is_forgotten_with_all_that_is_in_it(daemon: RunningDaemon) -> None:
    with Wire(daemon.socket) as wire:
        kept = save(wire, "kept", session="kept", tags=["t"])
        before = wire.ask(verb="admin", action="flush")
        assert before["reply"] == "done"
        save(wire, "goes", output="too", session="gone", conversation="talk", tags=["t"])
        more: list[dict[str, Any]] = [
            {"type": "message", "conversation": "talk", "role": "user", "content": "words"},
            {"type": "usage", "session": "gone", "tokens": {"input": 1}},
            {"type": "agent_interaction", "conversation": "talk", "agent_type": "a",
             "task_description": "d"},
            {"type": "routing_decision", "conversation": "talk", "intent": "i"},
        ]  # fmt: skip
        wire.ask(verb="append", records=[each | {"id": uuid7()} for each in more])
        done = wire.ask(verb="delete", id=1, target="gone", type="session")
        assert done["changed"] == 1
        wire.ask(verb="admin", action="flush")
        assert wire.ask(verb="search", query="words")["results"] == []
        assert get(wire, kept)["prompt"] == "kept"
        checked = wire.ask(verb="admin", action="integrity_check")["result"]
        assert checked == {"ok": True, "problems": [], "broken_references": 0}
    daemon.stop()
    left = rows_left(daemon.database)
    assert left == {
        "session": 1, "conversation": 1, "exchange": 1, "message": 1, "usage": 0,
        "agent_interaction": 0, "routing_decision": 0, "exchange_tag": 1, "analysis": 1,
        "sighting": 0,
    }  # fmt: skip


def test_history_save_keeps_every_field(shared_daemon: RunningDaemon) -> None:
    fields: dict[str, Any] = {
        "model": "m", "conversation": "c-all", "id": uuid7(), "session": "s-all", "user": "u",
        "project": "/p", "agent": "a", "framework": "f", "template": "t", "cost_usd": 0.5,
        "status": "failed", "response_time_ms": 12.5, "tags": ["x", "y"], "metadata": {"k": 1},
        "category": "api", "complexity": "simple", "technique": "react",
        "stage": "testing",
        "phase": "ph", "current_file": "f.py", "keywords": ["k"], "response_summary": "s",
        "rating": 4.0, "follow_up": False, "notes": "n", "files_created": ["c"],
        "files_modified": ["m"], "commands_executed": ["e"],
        "created_at": datetime.fromisoformat("2026-01-02T03:04:05.678+00:00"),
        "tokens": {"input": 1, "output": 2},
    }  # fmt: skip
    with shared_daemon.client(spool=False) as client:
        saved = client.history.save("every field", "answered", **fields)
        view = client.history.get(saved.id)
        lists = client.sql(
            "SELECT files_created, files_modified, commands_executed FROM prompts WHERE uid = ?",
            [saved.id],
        )
    renamed = {"conversation": "conversation_id", "session": "session_id"}
    told_apart = {"created_at", "tokens", "files_created", "files_modified", "commands_executed"}
    for name, value in fields.items():
        if name not in told_apart:
            assert getattr(view, renamed.get(name, name)) == value, name
    assert (view.prompt, view.output) == ("every field", "answered")
    assert view.created_at == "2026-01-02T03:04:05.678Z"
    assert view.tokens is not None
    assert (view.tokens.input, view.tokens.output) == (1, 2)
    assert lists.rows == [['["c"]', '["m"]', '["e"]']]
