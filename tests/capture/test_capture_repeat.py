"""However transcripts are read, in whatever order and however often: the same database."""

import json
import os
import random
import signal
from pathlib import Path
from typing import Any

import pytest

from capture.build import append, claude_line, claude_prompt, claude_reply
from capture.content import Content, content_of_file, differences
from capture.inprocess import CLAUDE, CODEX, GEMINI, QWEN, InProcess
from capture.instance import instance_of, next_event, status_of
from steno.capture.agent import Agent
from steno.capture.discovery import scan
from support.running import RunningDaemon

GROWTH = "claude-growth/entireio+cli"
MANY = "claude/entireio+cli"
STEPS_BYTES = (1, 50, 1000, 20_000, 200_000)


def files_in(agent: Agent, folder: Path) -> list[Path]:
    return sorted(found.path for found in scan([(agent, folder)]))


def clean(agent: Agent, folder: Path) -> Content:
    """Return what one reading of each file gives, each file once and whole."""
    with InProcess(Path(":memory:")) as store:
        for path in files_in(agent, folder):
            store.read(path, agent)
        return store.content()


def in_another_order(agent: Agent, folder: Path, chance: random.Random) -> Content:
    with InProcess(Path(":memory:")) as store:
        paths = files_in(agent, folder)
        chance.shuffle(paths)
        for path in paths:
            store.read(path, agent)
        return store.content()


def twice(agent: Agent, folder: Path) -> Content:
    """Read everything, forget where everything stands, and read everything backwards."""
    with InProcess(Path(":memory:")) as store:
        paths = files_in(agent, folder)
        for path in paths:
            store.read(path, agent)
        store.rows("UPDATE source SET state = 'replaced', inode = '0'")
        store.restart()
        for path in reversed(paths):
            assert store.read(path, agent) == path.stat().st_size
        return store.content()


def as_it_grew(agent: Agent, folder: Path, chance: random.Random, scratch: Path) -> Content:
    """Have all files grow at once, cut anywhere, and read them now and then."""
    with InProcess(Path(":memory:")) as store:
        growing = {scratch / path.relative_to(folder): path.read_bytes()
                   for path in files_in(agent, folder)}  # fmt: skip
        for beside in folder.rglob("*.meta.json"):
            append(scratch / beside.relative_to(folder), beside.read_bytes())
        while growing:
            path = chance.choice(sorted(growing))
            size = chance.randrange(chance.choice(STEPS_BYTES)) + 1
            append(path, growing[path][:size])
            growing[path] = growing[path][size:]
            if not growing[path]:
                del growing[path]
            if path not in growing or chance.random() < 0.2:
                store.read(path, agent)
            if chance.random() < 0.05:
                store.restart()
        assert not differences(store.content(), store.derived(agent))
        return store.content()


COLLECTIONS = {
    "claude": (CLAUDE, "home/.claude/projects"),
    "codex": (CODEX, "home/.codex"),
    "gemini": (GEMINI, "home/.gemini/tmp"),
    "qwen": (QWEN, "home/.qwen/projects"),
    "qwen@0.15.10": (QWEN, "home/.qwen/projects"),
}


@pytest.fixture(params=["claude", "codex", *(f"real {name}" for name in COLLECTIONS)])
def collection(
    request: pytest.FixtureRequest, shared_transcripts: Path, shared_transcripts_real: Path
) -> tuple[Agent, list[Path]]:
    """The folders of a collection, each an instance's worth."""
    real, _, name = request.param.rpartition(" ")
    agent, inside = COLLECTIONS[name]
    root = (shared_transcripts_real if real else shared_transcripts) / name
    return agent, [folder / inside if real else folder for folder in sorted(root.iterdir())]


def test_order_and_splits_make_no_difference(
    collection: tuple[Agent, list[Path]], tmp_path: Path
) -> None:
    agent, folders = collection
    for number, folder in enumerate(folders):
        chance = random.Random(number)
        expected = clean(agent, folder)
        assert expected["message"]
        for found in (
            in_another_order(agent, folder, chance),
            twice(agent, folder),
            as_it_grew(agent, folder, chance, tmp_path / str(number)),
        ):
            assert not differences(expected, found), folder


def test_a_session_that_grew_over_the_weeks_is_there_once(
    shared_transcripts: Path, tmp_path: Path
) -> None:
    states = sorted((shared_transcripts / GROWTH).rglob("*.jsonl"))
    path = tmp_path / "projects" / "growing.jsonl"
    path.parent.mkdir()
    with InProcess(Path(":memory:")) as store, InProcess(Path(":memory:")) as other:
        for state in states:
            path.write_bytes(state.read_bytes())
            store.read(path)
        other.read(path)
        assert not differences(other.content(), store.content())
        ours, known = store.status()["claude-code"], other.status()["claude-code"]
        assert {**ours, "kept_bytes": 0, "last_read_at": ""} == {
            **known,
            "kept_bytes": 0,
            "last_read_at": "",
        }


# One thing in several files


def contents(files: dict[str, bytes], order: list[str], scratch: Path) -> Content:
    folder = scratch / "-".join(order)
    with InProcess(Path(":memory:")) as store:
        for name in order:
            append(folder / name, files[name])
            store.read(folder / name)
        return store.content()


def test_a_reply_told_of_in_progress_belongs_to_the_agent_that_gave_it(tmp_path: Path) -> None:
    reply = claude_reply("Found it", isSidechain=True, agentId="a1")
    told = json.loads(reply)
    progress = {"type": "agent_progress", "agentId": "a1", "message": told}
    files = {
        "main.jsonl": claude_prompt("Look for it") + claude_line("progress", "p", data=progress),
        "agent-a1.jsonl": reply,
    }
    one = contents(files, ["main.jsonl", "agent-a1.jsonl"], tmp_path)
    other = contents(files, ["agent-a1.jsonl", "main.jsonl"], tmp_path)
    assert not differences(one, other)
    (usage,) = one["usage"]
    assert usage[-2] == 0
    assert [row[-1] for row in one["message"]] == [None, None]


def test_a_fork_copies_and_the_first_session_owns(tmp_path: Path) -> None:
    history = claude_prompt("Ask") + claude_reply("Answer")
    fork = history.replace(b"5e551011-0000", b"6e551011-0000")
    files = {"a.jsonl": history, "b.jsonl": fork + claude_prompt("More", second=9)}
    one = contents(files, ["a.jsonl", "b.jsonl"], tmp_path)
    other = contents(files, ["b.jsonl", "a.jsonl"], tmp_path)
    assert not differences(one, other)
    assert len(one["exchange"]) == 2
    assert len(one["usage"]) == 1


# The whole instance


def counts(daemon: RunningDaemon) -> dict[str, Any]:
    return {name: value for name, value in status_of(daemon).items() if name != "last_read_at"}


def test_reading_goes_on_where_it_was_whatever_happened(
    shared_transcripts: Path, tmp_path: Path
) -> None:
    source = shared_transcripts / MANY
    daemon = instance_of(tmp_path, "claude", source)
    daemon.start()
    with daemon.client() as client:
        with client.subscribe(after=0) as events:
            next_event(events)
        os.kill(client.status()["capture"]["pid"], signal.SIGKILL)
    daemon.captured()
    with daemon.client() as client:
        assert client.status()["capture"]["restarts"] == 1
    first = counts(daemon)
    daemon.captured()
    assert counts(daemon) == first
    daemon.kill()
    daemon.start()
    daemon.captured()
    assert counts(daemon) == first
    daemon.stop()
    expected = clean(CLAUDE, source)
    assert not differences(expected, content_of_file(daemon.database))
    assert first["files_replaced"] == 0
    assert first["read_bytes"] == first["source_bytes"]
