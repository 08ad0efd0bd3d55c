"""An import that was cut short goes on; what it meets is completed, and nothing is there twice."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from capture import claude_fixtures as claude
from capture.instance import instance_of
from exports.instances import Line, differences, exported, imported, listed
from exports.test_captured import of_claude
from exports.test_filters import unknown_names
from steno.errors import StenoError
from steno_schema.records import Exchange
from support.running import RunningDaemon
from support.samples import EXCHANGE


@pytest.fixture
def captured(tmp_path: Path) -> Iterator[list[RunningDaemon]]:
    """Two instances that may read the same two sessions, a fork and its original; none runs."""
    of_claude(tmp_path / "source")
    both = [instance_of(tmp_path / name, "claude", tmp_path / "source") for name in ("a", "b")]
    yield both
    for daemon in both:
        daemon.stop()


def test_an_import_that_was_killed_goes_on(
    daemon: RunningDaemon, empty: RunningDaemon, tmp_path: Path
) -> None:
    with daemon.client(spool=False) as client, client.batch() as batch:
        for number in range(1700):
            batch.history.save(f"p{number}", f"o{number}", session=f"s{number % 40}")
    first = exported(daemon, tmp_path / "first.jsonl")
    with empty.client(spool=False) as client, pytest.raises(StenoError):
        client.history.import_(tmp_path / "first.jsonl", progress=lambda _done: empty.kill())
    empty.start("--no-capture")
    counts = imported(empty, tmp_path / "first.jsonl")
    assert 0 < counts["existed"] < counts["records"] == len(first)
    assert counts["existed"] + counts["created"] == len(first)
    assert differences(first, exported(empty, tmp_path / "second.jsonl")) == []


def test_what_a_person_said_reaches_what_was_captured_here(
    captured: list[RunningDaemon], tmp_path: Path
) -> None:
    ours, theirs = captured
    for daemon in captured:
        daemon.start()
        daemon.captured()
    with ours.client(spool=False) as client:
        exchange = client.history.recent(1)[0]
        client.history.update(exchange.id, rating=9, notes="keep", add_tags=["good"])
    first = exported(ours, tmp_path / "first.jsonl")
    counts = imported(theirs, tmp_path / "first.jsonl")
    assert counts == {"records": len(first), "existed": len(first) - 1, "updated": 1}
    assert listed(ours) == listed(theirs)
    assert imported(theirs, tmp_path / "first.jsonl") == {
        "records": len(first),
        "existed": len(first),
    }


@pytest.mark.parametrize("key", [claude.SESSION, claude.FORK])
def test_a_fork_and_its_original_meet(
    key: str, captured: list[RunningDaemon], tmp_path: Path
) -> None:
    """One of the two is imported, both are captured afterwards: as if there had been no import."""
    ours, theirs = captured
    ours.start()
    ours.captured()
    exported(ours, tmp_path / "one.jsonl", "--session", key)
    theirs.start("--no-capture")
    imported(theirs, tmp_path / "one.jsonl")
    theirs.stop()
    theirs.start()
    theirs.captured()
    whole, met = (in_order_of_ids(exported(daemon, tmp_path / "all.jsonl")) for daemon in captured)
    assert differences(whole, met, "updated_at") == []


def in_order_of_ids(lines: list[Line]) -> list[Line]:
    """Return lines without what tells in which order they arrived."""
    for line in lines:
        for each in (line, line.get("prompt_message", {}), line.get("output_message", {})):
            each.pop("number", None)
    return sorted(lines, key=lambda line: str(line["id"]))


def test_what_is_here_stays_and_a_save_sent_again_is_known(
    daemon: RunningDaemon, empty: RunningDaemon, tmp_path: Path
) -> None:
    with daemon.client(spool=False) as client:
        client.append([EXCHANGE])
        client.history.update(EXCHANGE.id, rating=1, notes=None)
    exported(daemon, tmp_path / "first.jsonl")
    with empty.client(spool=False) as client:
        imported(empty, tmp_path / "first.jsonl")
        assert client.append([EXCHANGE])[0].outcome == "existed"
        client.history.update(EXCHANGE.id, rating=2, notes="mine")
        again = empty.steno("import", str(tmp_path / "first.jsonl"))
        assert again.stdout == "3 records: 2 existed, 1 conflict.\n"
        assert "1 exist with other content; they were left as they are" in again.stderr
        kept = client.history.get(EXCHANGE.id)
        assert (kept.rating, kept.notes) == (2, "mine")
        client.history.delete(EXCHANGE.id)
        gone = empty.steno("import", str(tmp_path / "first.jsonl"))
        assert "1 gone" in gone.stdout
        assert "were forgotten here" in gone.stderr
        assert client.history.recent() == []


def test_a_history_that_grows_while_it_goes_out(daemon: RunningDaemon, tmp_path: Path) -> None:
    """What comes in meanwhile may be missing, but nothing names what is not there."""
    ended = threading.Event()

    def write() -> None:
        with daemon.client(spool=False) as client:
            number = 0
            while not ended.is_set():
                number += 1
                saved = client.history.save(f"new {number}", session=f"new {number}")
                client.messages.add(f"new {number}", "tool", "x", exchange=saved.id)

    with daemon.client(spool=False) as client, client.batch() as batch:
        for number in range(3000):
            batch.append([Exchange(id=EXCHANGE.id[:-6] + f"{number:06x}", prompt=f"old {number}")])
    writer = threading.Thread(target=write)
    writer.start()
    try:
        files = [tmp_path / f"{number}.jsonl" for number in range(3)]
        with daemon.client(spool=False) as client:
            for file in files:
                client.history.export(file)
    finally:
        ended.set()
        writer.join()
    for file in files:
        lines = [json.loads(line) for line in file.read_text("utf-8").splitlines()[1:]]
        assert sum(line["type"] == "exchange" for line in lines) >= 3000
        assert unknown_names(lines) == []
