"""A part of a history that goes out is whole in itself: everything it names is in the file."""

from pathlib import Path

import pytest

from capture import claude_fixtures as claude
from capture.instance import instance_of
from exports.instances import Line, differences, exported, imported, listed
from exports.test_captured import of_claude
from exports.test_lossless import fill
from steno_schema.records import Conversation, Message, Session, Tokens, Usage
from support.running import RunningDaemon
from support.samples import sample_id

WHOLE = {"session", "conversation", "exchange", "message", "usage", "agent_interaction",
         "routing_decision", "handoff", "task", "command", "error_event", "pattern_usage"}  # fmt: skip
"""What belongs to a session, of every type."""


def names_of(lines: list[Line], kind: str) -> set[str]:
    return {line["key" if "key" in line else "id"] for line in lines if line["type"] == kind}


def unknown_names(lines: list[Line]) -> list[Line]:
    """Return the lines that name something which is not among them."""
    known = {
        "session": names_of(lines, "session"),
        "conversation": names_of(lines, "conversation"),
        "parent": names_of(lines, "conversation"),
        "exchange": names_of(lines, "exchange"),
    }
    return [
        line
        for line in lines
        for field, names in known.items()
        if line.get(field) is not None and line[field] not in names
    ]


def test_a_filtered_export_is_whole_in_itself(
    daemon: RunningDaemon, empty: RunningDaemon, tmp_path: Path
) -> None:
    fill(daemon)
    with daemon.client(spool=False) as client:
        client.history.save("of another", "yes", session="else", tags=["work"], user="bob")
        client.append(
            [
                Session(id=sample_id("alone"), key="alone", user="ada", created_at="2026-03-04"),
                Conversation(id=sample_id("bare"), key="bare", session="alone"),
                Message(id=sample_id("said"), conversation="bare", role="user", content="x"),
                Usage(id=sample_id("used"), tokens=Tokens(input=1), session="else"),
            ]
        )
    everything = exported(daemon, tmp_path / "all.jsonl")
    talk = {"session", "conversation", "exchange"}
    of_talk = talk | {"message", "usage", "agent_interaction", "routing_decision"}
    cases = {
        ("--session", "morning"): WHOLE,
        ("--conversation", "cogs"): of_talk,
        ("--tag", "cogs"): talk,
        ("--user", "bob"): talk | {"usage"},
        ("--user", "ada"): WHOLE | {"preference"},
        ("--until", "2026-03-05"): WHOLE | {"pattern", "metric"},
        ("--limit", "1"): talk,
        ("--tag", "nobody has this"): set[str](),
    }
    for words, kinds in cases.items():
        lines = exported(daemon, tmp_path / "some.jsonl", *words)
        assert {line["type"] for line in lines} <= kinds, words
        assert unknown_names(lines) == [], words
        assert all(line in everything for line in lines), words
        assert len(lines) < len(everything), words
        shown = daemon.steno("list", "--json", *words).stdout.count('"number"')
        assert shown == len(names_of(lines, "exchange")), words
    some = exported(daemon, tmp_path / "some.jsonl", "--session", "morning")
    assert {line["type"] for line in some} == WHOLE
    assert imported(empty, tmp_path / "some.jsonl") == {"records": len(some), "created": len(some)}
    assert differences(some, exported(empty, tmp_path / "again.jsonl")) == []


@pytest.mark.parametrize("key", [claude.SESSION, claude.FORK])
def test_one_of_two_forks_goes_out_alone(key: str, empty: RunningDaemon, tmp_path: Path) -> None:
    of_claude(tmp_path / "source")
    daemon = instance_of(tmp_path, "claude", tmp_path / "source")
    daemon.start()
    try:
        daemon.captured()
        lines = exported(daemon, tmp_path / "one.jsonl", "--session", key)
        shown = [item for item in listed(daemon) if item["session_id"] == key]
    finally:
        daemon.stop()
    assert names_of(lines, "session") == {key}
    assert unknown_names(lines) == []
    imported(empty, tmp_path / "one.jsonl")
    assert listed(empty) == shown


def test_pages_are_many_when_records_are(daemon: RunningDaemon, tmp_path: Path) -> None:
    """More than a page's rows and more than a reply holds, found or passed over."""
    with daemon.client(spool=False) as client, client.batch() as batch:
        for number in range(2300):
            batch.history.save(f"p{number}", session=f"s{number % 7}", tags=[f"t{number}"])
    with daemon.client(spool=False) as client:
        for number in range(5):
            client.history.save(f"{number}" * 1_500_000, session="long")
    lines = exported(daemon, tmp_path / "all.jsonl")
    assert len(names_of(lines, "exchange")) == 2305
    last = exported(daemon, tmp_path / "one.jsonl", "--tag", "t2299")
    assert [line["type"] for line in last] == ["session", "conversation", "exchange"]
