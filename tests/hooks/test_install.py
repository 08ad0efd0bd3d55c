"""``steno hooks`` changes an agent's settings in one respect, shows it and keeps a copy."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from support.running import ROOT

OTHERS: dict[str, Any] = {
    "model": "opus",
    "hooks": {
        "Stop": [{"hooks": [{"type": "command", "command": "say done"}]}],
        "PreToolUse": [{"matcher": "Bash", "hooks": [{"type": "command", "command": "check"}]}],
    },
    "später": "ja",
}


class Person:
    """Somebody's home with the agents' folders in it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        roots = (ROOT / "schema", ROOT / "client", ROOT / "daemon")
        self.environ = {
            "HOME": str(home),
            "XDG_RUNTIME_DIR": str(home),
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join(map(str, roots)),
        }
        self.claude = home / ".claude" / "settings.json"
        self.codex = home / ".codex" / "hooks.json"

    def steno(self, *words: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "steno.cli", *words],
            env=self.environ, capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip


@pytest.fixture
def person(tmp_path: Path) -> Person:
    return Person(tmp_path)


def _commands(settings: dict[str, Any]) -> list[str]:
    groups = [group for groups in settings.get("hooks", {}).values() for group in groups]
    return [entry["command"] for group in groups for entry in group["hooks"]]


def test_hooks_are_put_beside_what_is_there_and_taken_out_again(person: Person) -> None:
    person.claude.parent.mkdir()
    original = json.dumps(OTHERS, indent=4, ensure_ascii=False)
    person.claude.write_text(original)
    person.claude.chmod(0o640)
    shown = person.steno("hooks", "install", "claude-code", "--dry-run")
    assert "+" in shown.stdout
    assert person.claude.read_text() == original
    done = person.steno("hooks", "install", "claude-code")
    assert done.returncode == 0, done.stderr
    settings = json.loads(person.claude.read_text())
    assert settings["model"] == "opus"
    assert settings["hooks"]["Stop"][0] == OTHERS["hooks"]["Stop"][0]
    assert {"say done", "check"} < set(_commands(settings))
    assert len(_commands(settings)) == 7
    assert person.claude.stat().st_mode & 0o777 == 0o640
    (copy,) = person.claude.parent.glob("settings.json.before-steno-*")
    assert copy.read_text() == original
    again = person.steno("hooks", "install", "claude-code")
    assert "nothing to change" in again.stdout
    assert person.steno("hooks", "status", "claude-code").returncode == 0
    person.steno("hooks", "uninstall", "claude-code")
    assert json.loads(person.claude.read_text()) == OTHERS


def test_the_command_that_is_written_works(person: Person) -> None:
    done = person.steno("hooks", "install")
    assert done.returncode == 0, done.stderr
    assert "/hooks" in done.stderr, "Codex must be told to trust it"
    for path in (person.claude, person.codex):
        commands = set(_commands(json.loads(path.read_text())))
        assert len(commands) == 1
        ran = subprocess.run(
            commands.pop(), shell=True, input="{}", capture_output=True, text=True, check=False
        )
        assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
    assert person.steno("hooks", "status").returncode == 0
    person.steno("hooks", "uninstall")
    assert json.loads(person.claude.read_text()) == {}


@pytest.mark.parametrize("content", ["{", "[]", '{"hooks": []}', "\x00"])
def test_settings_that_are_not_understood_are_left_alone(person: Person, content: str) -> None:
    person.claude.parent.mkdir()
    person.claude.write_text(content)
    done = person.steno("hooks", "install", "claude-code")
    assert done.returncode == 4
    assert len(done.stderr.splitlines()) == 1
    assert person.claude.read_text() == content


def test_a_link_stays_a_link(person: Person, tmp_path: Path) -> None:
    person.claude.parent.mkdir()
    elsewhere = tmp_path / "dotfiles.json"
    elsewhere.write_text("{}")
    person.claude.symlink_to(elsewhere)
    assert person.steno("hooks", "install", "claude-code").returncode == 0
    assert person.claude.is_symlink()
    assert _commands(json.loads(elsewhere.read_text()))
