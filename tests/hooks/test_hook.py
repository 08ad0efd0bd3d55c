"""A hook rings: its transcript is read at once, what only it knows is kept, nobody waits for it."""

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from capture import claude_fixtures as claude
from capture.instance import next_event
from steno import hook
from support.running import ROOT, RunningDaemon

SESSION = claude.SESSION


def _run(*words: str, event: str, **environ: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-I", "-S", str(ROOT / "client" / "steno" / "hook.py"), *words],
        input=event, capture_output=True, text=True, check=False, timeout=60, env=environ or None,
    )  # fmt: skip


@pytest.fixture
def captured(daemon_at_rest: RunningDaemon, tmp_path: Path) -> RunningDaemon:
    root = tmp_path / "claude"
    (root / "projects" / "-home-ada-shop").mkdir(parents=True)
    daemon_at_rest.environ["CLAUDE_CONFIG_DIR"] = str(root)
    daemon_at_rest.environ["CODEX_HOME"] = str(tmp_path / "codex")
    daemon_at_rest.start()
    daemon_at_rest.captured()
    return daemon_at_rest


def _event(name: str, path: Path, **fields: object) -> str:
    common = {"session_id": SESSION, "transcript_path": str(path), "cwd": "/home/ada/shop"}
    return json.dumps(common | {"hook_event_name": name} | fields)


def test_a_transcript_is_read_when_its_hook_rings(captured: RunningDaemon, tmp_path: Path) -> None:
    path = tmp_path / "claude" / "projects" / "-home-ada-shop" / f"{SESSION}.jsonl"
    line = claude.user("11111111-0000-4000-8000-000000000001", "name the wrens of the north")
    with captured.client() as client, client.subscribe() as subscription:
        path.write_text(json.dumps(line) + "\n")
        done = _run(
            "claude-code", str(captured.socket), event=_event("UserPromptSubmit", path, prompt="x")
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        assert next_event(subscription).prompt == "name the wrens of the north"


def test_what_only_a_hook_knows_is_kept(captured: RunningDaemon, tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere.jsonl"
    told = {"message": "count the files, please", "task_name": "count"}
    for event in (
        _event("SessionEnd", nowhere, reason="logout"),
        _event("PreToolUse", nowhere, tool_name="collaborationspawn_agent", tool_use_id="call_1",
               tool_input=told),
    ):  # fmt: skip
        for _ in range(2):
            assert _run("codex", str(captured.socket), event=event).returncode == 0
    captured.captured()
    with captured.client() as client:
        ended = client.sql("SELECT ended_at FROM sessions WHERE session_id = ?", [SESSION]).rows
        assert len(ended) == 1
        assert ended[0][0] is not None
        tasks = client.sql("SELECT task_description FROM agent_interactions").rows
        assert tasks == [["count the files, please"]]


@pytest.mark.parametrize(
    "event",
    [
        "",
        "no json",
        "[1]",
        "{",
        '{"session_id": 7}',
        "\x00" * 50,
        '{"a": "' + "x" * 400_000 + '"}',
    ],
    ids=["nothing", "words", "list", "torn", "number", "zeros", "huge"],
)
def test_no_event_harms(captured: RunningDaemon, event: str) -> None:
    done = _run("claude-code", str(captured.socket), event=event)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    with captured.client() as client:
        client.ping()


def test_without_a_daemon_nothing_shows(tmp_path: Path) -> None:
    for words in (
        ["claude-code", str(tmp_path / "none.sock")],
        ["claude-code"],
        [],
        ["../etc", "x"],
    ):
        done = _run(*words, event='{"hook_event_name": "Stop"}')
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_daemon_that_hangs_is_not_waited_for(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / "s"))
        silent.listen(1)
        assert _run("codex", str(tmp_path / "s"), event="{}").returncode == 0
        hook.ring("codex", str(tmp_path / "s"), b"x" * 10)


def test_it_needs_the_standard_library_alone() -> None:
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", _LOADED, str(ROOT / "client" / "steno" / "hook.py")],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert json.loads(done.stdout) == []


_LOADED = """
import json, runpy, sys
sys.argv = ["hook.py"]
try:
    runpy.run_path(sys.orig_argv[-1], run_name="__main__")
except SystemExit:
    pass
print(json.dumps([name for name in sys.modules if name.split(".")[0] in ("msgspec", "steno")]))
"""
