"""Captured sessions go out and come back whole, and meet their transcripts without doubling."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from capture import claude_fixtures as claude
from capture.build import codex_thread
from capture.content import content_of_file
from capture.content import differences as of_content
from capture.instance import instance_of
from exports.instances import differences, exported, imported, listed
from support.running import RunningDaemon

RERUN = ("updated_at",)
"""Reading a transcript says of each turn that it runs, then that it is done: it changes twice."""
SHARED = Path(__file__).resolve().parents[3] / "shared"
COLLECTIONS = ("transcripts/claude", "transcripts/codex", "transcripts-real/claude",
               "transcripts-real/claude@2.1.197", "transcripts-real/codex")  # fmt: skip


def of_claude(folder: Path) -> None:
    """Write a session with tools, a failed turn and a queued prompt, and a fork of it."""
    lines = [
        claude.user("u1", "Make a file"),
        claude.assistant("a1", "m1", claude.text("Sure"), claude.tool_use("t1", command="touch a"), stop="tool_use"),
        claude.user("u2", [claude.tool_result("t1", "done", is_error=True)]),
        claude.assistant("a2", "m2", claude.text("Done.")),
        claude.queue("enqueue", "And another"),
        claude.queued("q1", "And another"),
        claude.assistant("a3", "m3", claude.text("Also done.")),
        claude.user("u3", "[Request interrupted by user]"),
    ]  # fmt: skip
    fork = [{**each, "sessionId": claude.FORK} for each in lines[:4]]
    fork.append(claude.user("u9", "Another way", sessionId=claude.FORK))
    project = folder / "-home-ada-shop"
    project.mkdir(parents=True)
    for key, said in ((claude.SESSION, lines), (claude.FORK, fork)):
        (project / f"{key}.jsonl").write_bytes(b"".join(claude.raw(each) + b"\n" for each in said))


def of_codex(folder: Path) -> None:
    """Write a rollout with two turns."""
    day = folder / "sessions" / "2026" / "01" / "02"
    day.mkdir(parents=True)
    key = "019c0000-1111-7222-8333-944444444444"
    name = f"rollout-2026-01-02T03-04-05-{key}.jsonl"
    (day / name).write_bytes(codex_thread(key, "once", "twice"))


@pytest.fixture(params=["claude", "codex"])
def written(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, Path]:
    source = tmp_path / "source"
    {"claude": of_claude, "codex": of_codex}[request.param](source)
    return request.param, source


@pytest.fixture
def instances(tmp_path: Path) -> Iterator[list[RunningDaemon]]:
    """Daemons that a test adds; all are stopped at its end."""
    running: list[RunningDaemon] = []
    yield running
    for daemon in running:
        daemon.stop()


def round_trip(agent: str, source: Path, folder: Path, running: list[RunningDaemon]) -> int:
    """Capture, export, import, export, and capture again; return how many records there were."""
    ours = instance_of(folder / "ours", agent, source)
    theirs = instance_of(folder / "theirs", agent, source)
    running += [ours, theirs]
    ours.start()
    theirs.start("--no-capture")
    ours.captured()
    first = exported(ours, folder / "first.jsonl")
    counts = {"records": len(first)}
    assert imported(theirs, folder / "first.jsonl") == {**counts, "created": len(first)}
    assert differences(first, exported(theirs, folder / "second.jsonl")) == []
    assert imported(theirs, folder / "first.jsonl") == {**counts, "existed": len(first)}
    assert listed(ours) == listed(theirs)
    theirs.stop()
    theirs.start()
    theirs.captured()
    assert differences(first, exported(theirs, folder / "third.jsonl"), *RERUN) == []
    # Sessions and conversations that were said again say nothing new.
    assert imported(ours, folder / "third.jsonl") == {**counts, "existed": len(first)}
    for daemon in (ours, theirs):
        daemon.stop()
    content = content_of_file(ours.database), content_of_file(theirs.database)
    assert of_content(*content) == ""
    return len(first)


def test_a_session_comes_back_and_meets_its_transcript(
    written: tuple[str, Path], tmp_path: Path, instances: list[RunningDaemon]
) -> None:
    assert round_trip(*written, tmp_path, instances) > 5


@pytest.mark.parametrize("name", COLLECTIONS)
def test_real_sessions_come_back_and_meet_their_transcripts(
    name: str, tmp_path: Path, instances: list[RunningDaemon]
) -> None:
    source = SHARED / name
    if not source.is_dir():
        pytest.skip(f"the collection ../shared/{name} is not beside this checkout")
    agent = "codex" if source.name.startswith("codex") else "claude"
    assert round_trip(agent, source, tmp_path, instances) > 50
