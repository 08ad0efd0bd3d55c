"""From ``sys.argv`` to an exit code: help, wrong use, failures, and what is loaded for it."""

import os
import subprocess
import sys
from pathlib import Path
from typing import IO

import pytest

from steno.cli.main import COMMANDS, main

ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


def run(
    *words: str, home: Path, stdin: str | None = None, stdout: IO[str] | int = subprocess.PIPE
) -> "subprocess.CompletedProcess[str]":
    """Run ``steno`` as a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "steno.cli", *words],
        env={**ENVIRONMENT, "STENO_HOME": str(home)},
        input=stdin,
        stdout=stdout,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="surrogateescape",
        check=False,
    )


@pytest.mark.parametrize("words", [[], ["--help"], ["-h"], ["help"]])
def test_help_lists_every_command(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 0
    shown = capsys.readouterr().out
    assert all(f"  {name} " in shown for name in COMMANDS)


def test_version_without_the_daemon(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("steno ")
    assert main(["--json", "version"]) == 0
    assert capsys.readouterr().out.startswith('{"version":')


@pytest.mark.parametrize(
    "words",
    [
        ["serach", "x"],
        ["\x1b[31m"],
        ["search"],
        ["search", ""],
        ["search", " \n"],
        ["list", "extra"],
        ["rate", "42"],
        ["rate", "42", "11"],
        ["rate", "42", "good"],
        ["tag", "42"],
        ["tag", "42", "+"],
        ["forget"],
        ["forget", "--yes"],
        ["forget", "--today"],
        ["forget", "--today", "--json"],
        ["forget", "--today", "--yes", "--dry-run"],
        ["forget", "42", "--today"],
        ["forget", "--type", "session"],
        ["forget", "--role", "user"],
        ["forget", "--project", ""],
        ["save", ""],
        ["save", "-", "--output", "-"],
        ["save", "x", "--tokens", "-1"],
        ["save", "x", "--cost", "nan"],
        ["save", "x", "--rating", "11"],
        ["save", "x", "--metadata", "[1]"],
        ["save", "x", "--metadata", "{"],
        ["sql"],
        ["sql", "SELECT 1", "--param", ":a=1", "--param", "2"],
        ["sql", "SELECT 1", "--limit", "0"],
        ["stats", "--by", "nothing"],
        ["export", "--format", "xml"],
        ["completion", "tcsh"],
        ["--colour", "search"],
    ],
)
def test_wrong_use_is_one_sentence_and_exit_2(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert len(shown.err.splitlines()) == 1
    assert shown.err.startswith("steno")
    assert "\x1b" not in shown.err


def test_a_near_miss_is_guessed(capsys: pytest.CaptureFixture[str]) -> None:
    main(["serach"])
    assert "steno search?" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ["search", "x"],
        ["list"],
        ["status"],
        ["show", "1"],
        ["tail"],
        ["sql", "SELECT 1"],
        ["forget", "--today", "--yes"],
        ["export"],
        ["capture", "status"],
    ],
)
def test_reads_without_a_daemon_exit_3(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*words, "--home", str(tmp_path / "home")]) == 3
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "steno up" in shown.err
    assert len(shown.err.splitlines()) == 1
    assert not (tmp_path / "home").exists()


def test_save_without_a_daemon_goes_to_the_spool(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "home"
    assert main(["--home", str(home), "save", "a prompt", "--json"]) == 0
    assert '"stored":"spool"' in capsys.readouterr().out
    assert len(list((home / "spool").glob("*.rec"))) == 1


def test_a_full_device_is_one_sentence_and_exit_4(tmp_path: Path) -> None:
    with Path("/dev/full").open("w") as full:
        result = run("--help", home=tmp_path, stdout=full)
    assert result.returncode == 4
    assert result.stderr == "steno: the output cannot be used: No space left on device.\n"


def test_a_reader_that_leaves_is_no_error(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        result = run("--help", home=tmp_path, stdout=writing)
    finally:
        os.close(writing)
    assert (result.returncode, result.stderr) == (0, "")


def test_ctrl_c_is_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(name: str) -> object:
        raise KeyboardInterrupt

    monkeypatch.setattr(sys.modules["steno.cli.main"], "find", interrupted)
    assert main(["version"]) == 130


def test_bytes_that_are_no_text_do_no_harm(tmp_path: Path) -> None:
    bad = os.fsdecode(b"bad \xff text")
    home = tmp_path / "home"
    assert run("save", bad, home=home).returncode == 0
    assert run("serach", bad, home=home).returncode == 2
    from_stdin = run("save", home=home, stdin=bad)
    assert from_stdin.returncode == 0
    assert "U+FFFD" in from_stdin.stderr
    assert len(list((home / "spool").glob("*.rec"))) == 2


@pytest.mark.parametrize(
    ("words", "absent"),
    [
        ("['--help']", {"argparse", "msgspec", "steno.cli.command"}),
        ("['version']", {"msgspec", "socket", "steno.client"}),
        (
            "['search', 'x']",
            {"apsw", "anyio", "watchfiles", "subprocess", "shutil", "tomllib", "csv",
             "dataclasses", "asyncio", "steno.cli.save", "steno.cli.pager", "steno.cli.records",
             "steno.cli.nearmiss", "difflib"},
        ),
    ],
)  # fmt: skip
def test_only_what_a_command_needs_is_loaded(words: str, absent: set[str], tmp_path: Path) -> None:
    program = (
        "import sys; from steno.cli import main; before = set(sys.modules);"
        f"main({words}); print(sorted({absent!r} & set(sys.modules)), file=sys.stderr)"
    )
    environment = {**ENVIRONMENT, "STENO_HOME": str(tmp_path)}
    result = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    assert result.stderr.splitlines()[-1] == "[]"
