"""What is exported as JSON Lines and read into an empty instance is the same again."""

from pathlib import Path

from exports.instances import differences, exported, imported, listed
from steno_schema import records
from steno_schema.ids import uuid7
from steno_schema.requests import Append
from support.running import RunningDaemon
from support.samples import LATER, SAMPLES, TURN, TURN_PROMPT


def fill(daemon: RunningDaemon) -> None:
    """Store every type of record, and change what can be changed afterwards."""
    captured = (TURN_PROMPT, TURN)
    said = [record for record in SAMPLES if record not in captured]
    with daemon.client(spool=False) as client:
        client.append(said)
        client.request(Append(records=list(captured), mode="merge"))
        saved = client.history.save("Say it again", session="again", tags=["auto", "x,y"])
        client.history.update(saved.id, rating=3, notes="meh", add_tags=["late"])
        client.history.update(SAMPLES[2].id, remove_tags=["work"], files_created=["b.py"])
        again = records.Exchange(id=uuid7(), prompt="  Say it again\r\n", session="again")
        assert client.append([again], duplicate_check="session")[0].outcome == "duplicate"
        told = client.messages.add("again", "assistant", "a long answer")
        client.messages.mark_summarised(told.id, "short")
        client.messages.set_importance(saved.id, 0.9)
        client.patterns.observe("habit", "counts", "thrice")
        client.preferences.set("tone", "kind", user="ada")
        client.sessions.end("morning")
        client.conversations.summarise("cogs", "Of many cogs.")
        client.tasks.complete("T-1")
        client.metadata.set("version", "8")
        client.workflow.set(current_task="T-2")
        client.append([records.Conversation(id=uuid7(), key="child", session="morning",
                                            parent="cogs", kind="subagent", ended_at=LATER)])  # fmt: skip


def test_every_type_of_record_comes_back(
    daemon: RunningDaemon, empty: RunningDaemon, tmp_path: Path
) -> None:
    fill(daemon)
    first = exported(daemon, tmp_path / "first.jsonl")
    kinds = {record.__struct_config__.tag for record in SAMPLES} - {"turn"}
    assert {line["type"] for line in first} == kinds
    assert imported(empty, tmp_path / "first.jsonl") == {
        "records": len(first),
        "created": len(first),
    }
    second = exported(empty, tmp_path / "second.jsonl")
    assert differences(first, second) == []
    assert (tmp_path / "first.jsonl").read_bytes() == (tmp_path / "second.jsonl").read_bytes()
    assert listed(daemon) == listed(empty)


def test_what_is_there_is_left_as_it_is(
    daemon: RunningDaemon, empty: RunningDaemon, tmp_path: Path
) -> None:
    fill(daemon)
    first = exported(daemon, tmp_path / "first.jsonl")
    all_there = {"records": len(first), "existed": len(first)}
    assert imported(daemon, tmp_path / "first.jsonl") == all_there
    imported(empty, tmp_path / "first.jsonl")
    assert imported(empty, tmp_path / "first.jsonl") == all_there
    assert differences(first, exported(daemon, tmp_path / "daemon.jsonl")) == []
    assert differences(first, exported(empty, tmp_path / "empty.jsonl")) == []
