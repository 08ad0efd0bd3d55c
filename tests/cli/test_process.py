"""Processes beside the command: a daemon that does not start, the pager, the progress bar."""

import io
import os
import subprocess
import sys
from pathlib import Path
from typing import cast

import pytest

from cli.support import StubClient
from steno.cli.command import Command, Context, Failed, parse
from steno.cli.launch import (
    daemon_command,
    daemon_environment,
    find_daemon,
    start_daemon,
    wait_until_gone,
)
from steno.cli.main import find
from steno.cli.pager import start
from steno.cli.progress import Progress
from steno.cli.screen import Screen
from steno.client import Client
from steno_schema.replies import Pong

UP = cast("Command", find("up"))


def context(home: Path) -> Context:
    args = parse("up", UP, ["--home", str(home)])
    return Context(args, Screen(io.StringIO(), terminal=False))


def daemon_that_says(folder: Path, program: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a package named like the daemon's in front of it."""
    package = folder / "stenod"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text(program)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(folder), *sys.path]))


def test_a_daemon_that_stops_at_its_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = "import sys; sys.exit('stenod: the disk is \\x1b[31mfull.')"
    daemon_that_says(tmp_path / "path", program, monkeypatch)
    here = context(tmp_path / "home")
    with pytest.raises(Failed, match="stopped at its start with exit code 1") as raised:
        start_daemon(here, [])
    assert str(here.paths.log) in raised.value.hint
    assert "the disk is" in raised.value.hint
    assert here.paths.log.stat().st_mode & 0o777 == 0o600
    assert here.paths.log.parent.stat().st_mode & 0o777 == 0o700


def test_home_overrides_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("STENO_HOME", "STENO_SOCKET", "STENO_CONFIG"):
        monkeypatch.setenv(name, "somewhere")
    here = context(tmp_path / "home")
    assert daemon_command(here, ["--no-capture"])[-3:] == [
        "--home",
        str(tmp_path / "home"),
        "--no-capture",
    ]
    assert "STENO_SOCKET" not in daemon_environment(here)
    here.args.home = None
    assert daemon_environment(here)["STENO_SOCKET"] == os.path.abspath("somewhere")


def test_no_daemon_is_found_where_there_is_none(tmp_path: Path) -> None:
    assert find_daemon(context(tmp_path)) is None


def test_what_is_no_daemon_is_not_taken_for_one(tmp_path: Path) -> None:
    args = parse("up", UP, ["--home", str(tmp_path)])
    stub = cast("Client", StubClient(lambda _: Pong()))
    assert find_daemon(Context(args, Screen(None), stub)) is None


def test_a_process_that_is_gone_is_not_waited_for(tmp_path: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", "pass"])
    child.wait()
    wait_until_gone(child.pid, tmp_path / "no.sock")


def test_the_pager_gets_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "shown"
    monkeypatch.setenv("PAGER", f"sh -c 'cat > {file}'")
    pager = start()
    assert pager is not None
    pager.write("größe\udcff\n")
    pager.close()
    assert file.read_text() == "größe\\udcff\n"


def test_a_pager_that_is_left_ends_quietly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAGER", "true")
    pager = start()
    assert pager is not None
    with pytest.raises(BrokenPipeError):
        pager.write("x" * 10_000_000)
    pager.close()


@pytest.mark.parametrize("command", ["", "cat", "no-such-pager", "'unclosed"])
def test_without_a_pager_output_is_plain(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAGER", command)
    assert start() is None


def test_no_progress_bar_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress("reading") as progress:
        progress.show(1, 2, "files")
    assert capsys.readouterr().err == ""
