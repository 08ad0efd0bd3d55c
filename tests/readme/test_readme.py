"""The README is true: each of its examples runs against a real daemon, as it stands there."""

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from support.running import ROOT, RunningDaemon

README = (ROOT / "README.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(
    r"<!-- run -->\n```(sh|python)\n(.*?)```\n<!-- /run -->", README, flags=re.DOTALL
)
BY_HAND = re.findall(
    r"<!-- by-hand -->\n```json\n(.*?)```\n<!-- /by-hand -->", README, flags=re.DOTALL
)


@pytest.fixture
def filled(daemon: RunningDaemon) -> RunningDaemon:
    """A daemon that knows something every example can find."""
    with daemon.client() as client:
        for text in ("token refresh fails", "the cache is cold", "an exact phrase, prefixed"):
            client.history.save(text, "an answer", model="gpt-5", tags=["cache"], agent="codex")
    return daemon


def _commands(text: str) -> list[str]:
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def test_there_are_examples() -> None:
    """A change of the markers does not switch the tests off."""
    assert len(EXAMPLES) >= 5
    assert len(BY_HAND) == 1


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_example_runs(filled: RunningDaemon, tmp_path: Path, number: int) -> None:
    language, text = EXAMPLES[number]
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    command = bin_folder / "steno"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m steno.cli "$@"\n')
    command.chmod(0o755)
    environ = filled.environ | {"PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}"}
    steps = [["sh", "-ec", line] for line in _commands(text)]
    if language == "python":
        steps = [[sys.executable, "-c", text]]
    for step in steps:
        done = subprocess.run(
            step, env=environ, cwd=tmp_path, capture_output=True, text=True, check=False
        )
        nothing_found = done.returncode == 1 and "search" in step[-1] and not done.stderr
        assert done.returncode == 0 or nothing_found, (step[-1], done.stdout, done.stderr)


def test_the_python_quick_start_is_five_lines_and_prints(filled: RunningDaemon) -> None:
    text = next(text for language, text in EXAMPLES if language == "python")
    assert len(_commands(text)) == 5
    done = subprocess.run(
        [sys.executable, "-c", text], env=filled.environ, capture_output=True, check=True
    )
    assert "undo a commit" in re.sub("[\ue000\ue001]", "", done.stdout.decode())


def test_the_socket_can_be_spoken_to_by_hand(daemon: RunningDaemon) -> None:
    """Exactly the README's bytes, one line after the other, each answered by one line."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(60)
        connection.connect(str(daemon.socket))
        lines = connection.makefile("rb")
        replies = []
        for line in BY_HAND[0].splitlines():
            connection.sendall(line.encode() + b"\n")
            replies.append(msgspec.json.decode(lines.readline()))
    assert [reply["id"] for reply in replies] == [1, 2, 3]
    assert replies[0]["reply"] == "welcome"
    assert replies[1]["outcomes"] == [
        {"id": "0199f7a2-0000-7000-8000-000000000001", "outcome": "created"}
    ]
    assert replies[2]["results"][0]["prompt"] == "What is a wren?"
