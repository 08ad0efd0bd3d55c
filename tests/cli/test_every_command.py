"""What holds for every command there is, by a table that cannot leave one out."""

import re
import shlex
from pathlib import Path

import pytest

from steno.cli.command import Parser, build_parser, parse
from steno.cli.main import ALIASES, COMMANDS, leaves, main

LEAVES = leaves()
STARTS_A_DAEMON = {"up", "restart"}
WITHOUT_A_DAEMON = {
    "config": 0,
    "completion": 0,
    "version": 0,
    "down": 0,
    "save": 0,
    "doctor": 1,
    "import": 4,  # its file is not there
    **dict.fromkeys(("check", "publish", "restore"), 4),  # there is no database
    "hook": 0,
    "hooks": 0,
    "service": 4,  # a private instance is none
}
"""Exit codes of what needs no daemon; a save is spooled."""
SPOOLED = {
    "tasks add", "sessions add", "commands add", "errors add", "patterns add", "patterns use",
    "preferences set", "handoffs add", "conversations add", "interactions add", "routing add",
    "costs add", "measurements add", "workflow set", "metadata set",
}  # fmt: skip


def example_words(name: str) -> list[str]:
    """Return the words of a command's example, without ``steno``."""
    written = re.sub(r"^source <\((.*)\)$", r"\1", LEAVES[name].example)
    lines = [shlex.split(line) for line in written.split(" && ")]
    assert all(line[0] == "steno" for line in lines)
    return next(line[1:] for line in lines if line[1] == name.split(maxsplit=1)[0])


def parser_of(name: str) -> Parser:
    return build_parser(name, LEAVES[name])


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    for name in ("STENO_HOME", "STENO_SOCKET", "STENO_CONFIG", "STENO_SESSION"):
        monkeypatch.delenv(name, raising=False)
    return str(tmp_path / "home")


@pytest.mark.parametrize("name", LEAVES)
def test_help_has_a_summary_and_an_example_that_can_be_typed(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    command = LEAVES[name]
    assert main([*name.split(), "--help"]) == 0
    shown = capsys.readouterr().out
    assert f"usage: steno {name}" in shown
    assert shown.partition("example:\n")[2].strip() == command.example
    assert command.summary.endswith(".")
    words = example_words(name)
    called = name.split()
    assert words[:1] == called[:1]
    rest = words[len(called) :] if words[: len(called)] == called else words[1:]
    parse(name, command, rest)


@pytest.mark.parametrize("name", sorted({name.split()[0] for name in LEAVES if " " in name}))
def test_a_group_of_actions_has_help_of_its_own(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([name, "--help"]) == 0
    shown = capsys.readouterr().out
    actions = [leaf.split()[1] for leaf in LEAVES if leaf.startswith(f"{name} ")]
    assert all(f"\n  {action}" in shown for action in actions)
    assert "example:\n  steno " in shown


@pytest.mark.parametrize("name", sorted(set(LEAVES) - {"completion", "hook"}))
def test_what_prints_data_has_json(name: str) -> None:
    assert "--json" in parser_of(name).flags()


@pytest.mark.parametrize("name", LEAVES)
def test_an_unknown_flag_is_wrong_use_and_guessed_at(
    name: str, home: str, capsys: pytest.CaptureFixture[str]
) -> None:
    flag = "--hoem"
    assert main([*example_words(name), flag]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.count("\n") == 1
    assert "Did you mean --home?" in shown.err


@pytest.mark.parametrize("name", sorted(set(LEAVES) - STARTS_A_DAEMON))
def test_without_a_daemon(name: str, home: str, capsys: pytest.CaptureFixture[str]) -> None:
    code = main([*example_words(name), "--home", home])
    shown = capsys.readouterr()
    expected = WITHOUT_A_DAEMON.get(name, 0 if name in SPOOLED else 3)
    assert code == expected, shown.err
    if expected == 3:
        assert shown.out == ""
        assert "steno up" in shown.err
        assert shown.err.count("\n") == 1
    if name in SPOOLED:
        assert "spool" in shown.err
        assert len(list(Path(home, "spool").glob("*.rec"))) == 1
    else:
        assert name == "save" or not Path(home).exists()


def test_an_alias_is_the_command_itself(capsys: pytest.CaptureFixture[str]) -> None:
    for alias, name in ALIASES.items():
        assert alias not in COMMANDS
        assert main([alias, "list", "--help"]) == 0
        assert "usage: steno" in capsys.readouterr().out
        assert name in COMMANDS


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["task"], "steno tasks?"),
        (["tasks", "ad"], "steno tasks add?"),
        (["sessions", "strak"], "steno sessions streak?"),
        (["search", "x", "--agnt", "codex"], "--agent?"),
        (["list", "--sinse=7d"], "--since?"),
    ],
)
def test_what_was_meant(words: list[str], meant: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    assert f"Did you mean {meant}" in capsys.readouterr().err
