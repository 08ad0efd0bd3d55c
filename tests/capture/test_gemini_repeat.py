"""However a Gemini session is met while it grows, moves and vanishes: the same database."""

import json
import os
import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from capture.content import Content, content_of_file, differences
from capture.gemini_lines import (
    FOLDER,
    Json,
    change,
    document,
    header,
    lines,
    message,
    prompt,
    reply,
    session_file,
    tool,
)
from capture.inprocess import GEMINI, InProcess
from capture.instance import json_of, prompt_heard
from support.running import RunningDaemon

DOCUMENTS = "gemini/savekirk+session-bridge"
KNOWN_DOCUMENTS = {"files": 4, "human_prompts": 11, "tool_calls": 59, "model_calls": 60}
"""SOURCES.md counts 61 replies: one is the program's own, for a tool that was cancelled."""
KNOWN_LINES = {"files": 1, "human_prompts": 17, "tool_calls": 95, "model_calls": 69}
"""SOURCES.md counts 68 replies; one prompt was cancelled before it had any."""
LINES = "gemini/wingorithm+Vibe-Coding-Comparison-Project/tmp"
OLD = "session-2026-03-01T10-00-9e551011.json"
STORY = [
    message("info", "An update is available.", 0.5),
    prompt("Name the wrens", 1),
    reply("I look.", 2, toolCalls=[tool("read_1", "def total(): ...")]),
    reply("Two.", 3),
    prompt("And the finches", 8),
    reply("Five.", 9),
]


def documents(shared: Path) -> list[Json]:
    paths = sorted((shared / DOCUMENTS).glob("*.json"))
    return [json.loads(path.read_bytes()) for path in paths]


def place(root: Path, number: int) -> Path:
    return session_file(root, f"session-{number}.json")


def write(path: Path, session: Json, messages: list[Json]) -> None:
    path.write_bytes(document({**session, "lastUpdated": str(len(messages))}, *messages))


def of(root: Path, *order: Path) -> Content:
    """Return what one reading of some files gives, or of all there are."""
    with InProcess(Path(":memory:")) as store:
        for path in order:
            store.read(path, GEMINI)
        store.rescan(root, GEMINI)
        return store.content()


def states(session: Json, chance: random.Random) -> Iterator[list[Json]]:
    """Yield a session's messages as they may have stood at some times, the last time whole."""
    messages: list[Json] = session["messages"]
    count = 0
    while count < len(messages):
        count += chance.randrange(1, 5)
        shown = list(messages[:count])
        if chance.random() < 0.5 and "toolCalls" in shown[-1]:
            yield [*shown[:-1], {k: v for k, v in shown[-1].items() if k != "toolCalls"}]
        yield shown
    yield messages


def rewrite(path: Path, data: bytes, chance: random.Random) -> None:
    """Write a file anew in place, or put another one in its place, as agents do."""
    if chance.random() < 0.5:
        path.write_bytes(data)
    else:
        other = path.with_suffix(".tmp")
        other.write_bytes(data)
        other.replace(path)


@pytest.mark.parametrize("seed", range(3))
def test_a_document_that_is_written_anew_all_the_time(
    seed: int, shared_transcripts: Path, tmp_path: Path
) -> None:
    chance = random.Random(seed)
    root = tmp_path / "tmp"
    sessions = documents(shared_transcripts)
    with InProcess(Path(":memory:")) as store:
        growing = {place(root, number): states(session, chance) for number, session
                   in enumerate(sessions)}  # fmt: skip
        heads = {place(root, number): session for number, session in enumerate(sessions)}
        while growing:
            path = chance.choice(sorted(growing))
            messages = next(growing[path], None)
            if messages is None:
                del growing[path]
                continue
            data = document({**heads[path], "lastUpdated": str(len(messages))}, *messages)
            if chance.random() < 0.2:
                path.write_bytes(data[: chance.randrange(len(data))])
                store.read(path, GEMINI)
            rewrite(path, data, chance)
            if chance.random() < 0.5:
                store.read(path, GEMINI)
            if chance.random() < 0.1:
                store.restart()
        store.rescan(root, GEMINI)
        expected = of(root)
        assert not differences(expected, store.content())
        assert {file["state"] for file in store.files()} == {"live"}
        shutil.rmtree(root)
        store.rescan(root, GEMINI)
        assert not differences(expected, store.derived(GEMINI))


def test_the_sets_are_counted_as_they_are_known(shared_transcripts: Path, tmp_path: Path) -> None:
    for number, session in enumerate(documents(shared_transcripts)):
        write(place(tmp_path / "tmp", number), session, session["messages"])
    for root, known in ((tmp_path / "tmp", KNOWN_DOCUMENTS),
                        (shared_transcripts / LINES, KNOWN_LINES)):  # fmt: skip
        with InProcess(Path(":memory:")) as store:
            store.rescan(root, GEMINI)
            status = store.status()["gemini"]
            assert {name: status[name] for name in known} == known
            assert status["lines_not_understood"] == 0
            assert (status["tokens"], status["last_event_at"]) == summed(root)


def summed(root: Path) -> tuple[dict[str, Any], str]:
    """Add up what the files say, each message once as it was said last."""
    said: dict[tuple[str, str], Json] = {}
    cut = 0
    for path in sorted(root.rglob("session-*")):
        whole = path.read_bytes()
        each = json.loads(whole)["messages"] if path.suffix == ".json" else [
            json.loads(line) for line in whole.splitlines()
        ]  # fmt: skip
        said |= {(path.name, line["id"]): line for line in each if "type" in line}
        cut += path.suffix == ".jsonl"
    tokens = [line["tokens"] for line in said.values() if line.get("tokens")]
    total = {name: sum(each[name] for each in tokens) for name in tokens[0]}
    buckets = {
        "input": total["input"] - total["cached"],
        "output": total["output"] + total["thoughts"],
        "cache_read": total["cached"],
        "cache_write": 0,
        "cache_write_5m": 0,
        "cache_write_1h": 0,
        "reasoning": total["thoughts"],
        "complete": not cut,
    }
    return buckets, max(line["timestamp"] for line in said.values())


def test_a_document_and_the_lines_it_became_are_one_session(tmp_path: Path) -> None:
    root = tmp_path / "tmp"
    old, new = session_file(root, OLD), session_file(root, f"{OLD}l")
    write(old, header(), STORY[:4])
    more = [header(20), change(messages=[prompt("Name the wrens", 20)])]
    new.write_bytes(lines(header(), *STORY[:4], *more, *STORY[4:]))
    one, other = of(root, old, new), of(root, new, old)
    assert not differences(one, other)
    assert len(one["exchange"]) == 2
    old.rename(old.with_name(f"{OLD}.unreadable-17"))
    with InProcess(Path(":memory:")) as store:
        store.read(new, GEMINI)
        assert not differences(one, store.content())


def test_what_a_document_drops_stays(tmp_path: Path) -> None:
    root = tmp_path / "tmp"
    path = session_file(root, OLD)
    write(path, header(), STORY)
    with InProcess(Path(":memory:")) as store:
        store.read(path, GEMINI)
        before = store.content()
        write(path, header(), STORY[:1])
        store.read(path, GEMINI)
        assert not differences(before, store.content())
        write(path, header(), STORY)
        store.read(path, GEMINI)
        assert not differences(before, store.content())


# With a real watcher


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[RunningDaemon]:
    running = RunningDaemon(tmp_path / "home", environ={"GEMINI_CLI_HOME": str(tmp_path / "user")})
    yield running
    running.stop()


def test_a_live_document_is_heard_of_and_can_be_derived_again(
    daemon: RunningDaemon, tmp_path: Path
) -> None:
    root = tmp_path / "user" / ".gemini" / "tmp"
    daemon.start()
    daemon.captured()
    path = session_file(root, OLD)
    with daemon.client() as client, client.subscribe(after=0) as events:
        write(path, header(), STORY[:2])
        write(path, header(), STORY[:4])
        prompt_heard(events, "Name the wrens")
        write(path, header(), STORY)
        prompt_heard(events, "And the finches")
    session_file(root, "session-2.jsonl").write_bytes(
        lines(header(sessionId="another"), prompt("Count the owls", 30), reply("One.", 31))
    )
    daemon.captured()
    expected = of(root)
    shutil.rmtree(root)
    daemon.captured()
    done = daemon.steno("rederive", "capture")
    assert done.returncode == 0, done.stderr
    daemon.captured()
    files = json_of(daemon, "capture", "status", "--files")["files"]
    assert {file["state"] for file in files} == {"gone"}
    daemon.stop()
    found = content_of_file(daemon.database)
    assert not differences(expected, found)
    assert {row[9] for row in found["exchange"]} == {FOLDER}


def test_a_conversation_that_is_deleted_at_once_stays(
    daemon: RunningDaemon, tmp_path: Path, shared_transcripts_real: Path
) -> None:
    """The agent's writes, one after the other as they were recorded, then its clean-up."""
    user = tmp_path / "user"
    daemon.start()
    daemon.captured()
    with daemon.client() as client:
        with client.subscribe() as events:
            replay(shared_transcripts_real / "gemini" / "s15_killed", user)
            prompt_heard(events, "SHOP-1154: Continue after the kill.")
        shutil.rmtree(user / ".gemini" / "tmp")
        with client.subscribe() as events:
            replay(shared_transcripts_real / "gemini" / "s12_hooks", user)
            prompt_heard(events, "SHOP-1122: Resume with hooks.")
        # A sub-agent's file may be read after its session's; who hears of one waits for both.
        daemon.captured()
        shutil.rmtree(user / ".gemini" / "tmp")
    daemon.captured()
    files = json_of(daemon, "capture", "status", "--files")["files"]
    assert len(files) == 3
    assert {file["state"] for file in files} == {"gone"}
    assert all(file["kept_bytes"] for file in files)
    prompts = [item["prompt"] for item in json_of(daemon, "list", "--limit", "9")["items"]]
    assert sorted(text[:9] for text in prompts) == [
        "SHOP-1121", "SHOP-1122", "SHOP-1151", "SHOP-1152", "SHOP-1153", "SHOP-1154",
    ]  # fmt: skip


def replay(scenario: Path, user: Path) -> None:
    """Have the files of a home grow as they did, without the pauses between."""
    for line in (scenario / "growth.jsonl").read_text("utf-8").splitlines():
        event = json.loads(line)
        source, target = scenario / "home" / event["file"], user / event["file"]
        if not event["file"].startswith(".gemini/tmp/"):
            continue
        if source.is_dir():
            target.mkdir(parents=True, exist_ok=True)
        elif source.is_file() and event["ev"] != "DELETE":
            target.parent.mkdir(parents=True, exist_ok=True)
            grown = target.stat().st_size if target.exists() else 0
            with target.open("ab") as file:
                file.write(source.read_bytes()[grown : max(event["size"], grown)])
                os.fsync(file.fileno())
