"""The scripts in ``examples/`` run as they stand, against a real daemon, and do what they show."""

import subprocess
import sys
from pathlib import Path

import pytest

from steno_schema.requests import Admin
from support.running import ROOT, RunningDaemon

EXAMPLES = {
    "script_author.py": ["saved ", "found ['What does a rebase do?']", "cost 0.0006"],
    "agent_author.py": [
        "messages 4",
        "failed 2 tests failed",
        "statuses ['completed', 'completed', 'completed', 'completed', 'failed']",
    ],
    "web_developer.py": [
        "Thank you for asking.",
        "Which database should I take | /ask | Web Interface",
    ],
}


def printed_by(name: str, daemon: RunningDaemon, folder: Path) -> list[str]:
    done = subprocess.run(
        [sys.executable, str(ROOT / "examples" / name)],
        env=daemon.environ,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_every_example_is_tried() -> None:
    assert {path.name for path in (ROOT / "examples").glob("*.py")} == set(EXAMPLES)


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_an_example_prints_what_it_found(name: str, daemon: RunningDaemon, tmp_path: Path) -> None:
    lines = printed_by(name, daemon, tmp_path)
    assert len(lines) == len(EXAMPLES[name]), lines
    for line, expected in zip(lines, EXAMPLES[name], strict=True):
        assert line.startswith(expected)


def test_what_the_examples_track_is_stored(daemon: RunningDaemon, tmp_path: Path) -> None:
    for name in sorted(EXAMPLES):
        printed_by(name, daemon, tmp_path)
    with daemon.client(spool=False) as client:
        client.request(Admin(action="flush"))
        rows = client.sql("SELECT prompt, tags FROM history ORDER BY id").rows
    tags = dict(rows)
    assert tags["What does a rebase do?"].split(",")[0] == "auto"
    assert "website" in tags["Which database should I take"]
    assert len(rows) == 8
