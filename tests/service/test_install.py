"""``steno service``: files for the supervisor, and its commands, called in order."""

import json
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from support.running import ROOT

_SYSTEMCTL = """#!/bin/sh
echo "$@" >> "$CALLS"
case "$*" in
  *is-active*) echo active ;;
  *enable*) exit "${ENABLE_CODE:-0}" ;;
esac
"""


class Machine:
    """A home of its own, with a systemctl that only notes what it was told."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self.calls = folder / "calls"
        tools = folder / "bin"
        for made in (self.home, tools, folder / "run"):
            made.mkdir(mode=0o700)
        (tools / "systemctl").write_text(_SYSTEMCTL)
        (tools / "systemctl").chmod(0o755)
        roots = (ROOT / "schema", ROOT / "client", ROOT / "daemon")
        self.environ = {
            "HOME": str(self.home),
            "XDG_RUNTIME_DIR": str(folder / "run"),
            "PATH": f"{tools}:{os.environ['PATH']}",
            "PYTHONPATH": os.pathsep.join(map(str, roots)),
            "CALLS": str(self.calls),
        }
        self.units = self.home / ".config" / "systemd" / "user"

    def steno(self, *words: str, **environ: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "steno.cli", *words],
            env=self.environ | environ, capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip

    def told(self) -> list[str]:
        return self.calls.read_text().splitlines() if self.calls.exists() else []


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    if sys.platform == "darwin":
        pytest.skip("systemd is not of this system")
    return Machine(tmp_path)


def test_install_writes_the_units_and_starts_them(machine: Machine) -> None:
    shown = machine.steno("service", "install", "--dry-run")
    assert (shown.returncode, machine.units.exists(), machine.told()) == (0, False, [])
    assert "ExecStart=" in shown.stdout
    done = machine.steno("service", "install")
    assert done.returncode == 0, done.stderr
    service = (machine.units / "stenod.service").read_text()
    assert f'ExecStart="{sys.executable}" -P -m stenod --foreground' in service
    assert stat.S_IMODE((machine.units / "stenod.socket").stat().st_mode) & 0o022 == 0
    enable = "--user enable --now stenod.service stenod.socket"
    assert machine.told() == ["--user daemon-reload", enable]
    again = machine.steno("service", "install")
    assert "as it is" in again.stdout
    assert "writes  " not in again.stdout


def test_the_units_that_are_written_are_accepted(machine: Machine) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd-analyze is not installed")
    machine.steno("service", "install")
    files = sorted(map(str, machine.units.glob("stenod.*")))
    done = subprocess.run(
        [analyze, "--user", "verify", *files],
        env=machine.environ, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    rated = subprocess.run(
        [analyze, "--user", "security", "--offline=true", "--threshold=20", files[0]],
        env=machine.environ, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert rated.returncode == 0, rated.stdout[-200:] + rated.stderr


def test_status_and_uninstall(machine: Machine) -> None:
    assert machine.steno("service", "status").returncode == 1
    machine.steno("service", "install")
    status = machine.steno("service", "status", "--json")
    states = {unit["state"] for unit in json.loads(status.stdout)["units"]}
    assert (status.returncode, states) == (0, {"installed"})
    with (machine.units / "stenod.service").open("a") as unit:
        unit.write("# mine\n")
    assert "edited" in machine.steno("service", "status").stdout
    done = machine.steno("service", "uninstall")
    assert done.returncode == 0
    assert list(machine.units.iterdir()) == []
    assert "--user disable --now stenod.service stenod.socket" in machine.told()


def test_a_supervisor_that_refuses_is_told_in_a_sentence(machine: Machine) -> None:
    done = machine.steno("service", "install", ENABLE_CODE="1")
    assert done.returncode == 4
    assert "The files are written, but systemctl --user enable" in done.stderr
    assert len(done.stderr.splitlines()) <= 2


def test_a_private_instance_is_no_service(machine: Machine, tmp_path: Path) -> None:
    done = machine.steno("service", "install", STENO_HOME=str(tmp_path / "mine"))
    assert done.returncode == 4
    assert "private instance" in done.stderr
