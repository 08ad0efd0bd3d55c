"""The version is written once, and what installs the daemon says the same as the daemon."""

import plistlib
import re
import shutil
import subprocess
import tomllib
from configparser import RawConfigParser
from importlib import metadata
from pathlib import Path

import pytest

import steno_schema
from steno_schema import migrations
from steno_schema.paths import resolve
from tidy.tree import ROOT, python_files, text

SYSTEMD = ROOT / "systemd"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
VERSION_ASSIGNMENT = re.compile(r'^__version__ = "(\d+\.\d+\.\d+)"$', re.MULTILINE)


class Unit(RawConfigParser):
    """A systemd unit; unlike in other INI files, the case of its keys matters."""

    def __init__(self, name: str) -> None:
        super().__init__(delimiters="=", comment_prefixes=("#", ";"), strict=False)
        self.read_string(text(SYSTEMD / name))

    def optionxform(self, optionstr: str) -> str:
        return optionstr


def test_the_version_is_written_in_one_place() -> None:
    home = ROOT / PROJECT["tool"]["hatch"]["version"]["path"]
    product = [path for path in python_files() if not path.is_relative_to(ROOT / "tests")]
    found = {path: VERSION_ASSIGNMENT.findall(text(path)) for path in product}
    assert {path: versions for path, versions in found.items() if versions} == {
        home: [steno_schema.__version__]
    }


def test_the_installed_distribution_has_this_version() -> None:
    try:
        installed = metadata.version("steno")
    except metadata.PackageNotFoundError:
        pytest.skip("steno is not installed in this environment, only on its path")
    assert installed == steno_schema.__version__


def test_migrations_are_numbered_without_gap_or_double() -> None:
    """Of two with one number a database that has met the first would never get the second."""
    numbers = [version for version, _name, _sql in migrations.numbered()]
    assert numbers == list(range(1, len(numbers) + 1))


def test_the_base_install_needs_msgspec_alone() -> None:
    names = [re.split(r"[<>=!~\[; ]", need)[0] for need in PROJECT["project"]["dependencies"]]
    assert names == ["msgspec"]


def test_what_is_shared_with_the_system_exists() -> None:
    shared = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["shared-data"]
    assert {ROOT / path for path in shared} == set(SYSTEMD.iterdir())


def test_the_service_runs_the_daemon_and_waits_until_it_is_ready() -> None:
    service = Unit("stenod.service")
    assert service["Service"]["Type"] == "notify"
    assert service["Service"]["ExecStart"] == "%h/.local/bin/stenod --foreground"
    assert service["Service"]["UMask"] == "0077"
    assert service["Unit"]["Wants"] == service["Unit"]["After"] == "stenod.socket"


def test_the_socket_is_where_the_client_looks_and_private() -> None:
    socket = Unit("stenod.socket")["Socket"]
    paths = resolve({"HOME": "/home/ada", "XDG_RUNTIME_DIR": "/run/user/7"})
    assert socket["ListenStream"].replace("%t", "/run/user/7") == str(paths.socket)
    assert socket["SocketMode"] == "0600"
    assert socket["DirectoryMode"] == "0700"


def test_the_launchd_agent_runs_the_daemon() -> None:
    agent = plistlib.loads((SYSTEMD / "dev.steno.stenod.plist").read_bytes())
    assert agent["Label"] == "dev.steno.stenod"
    assert agent["ProgramArguments"][-1].endswith('.local/bin/stenod" --foreground')
    assert agent["Umask"] == 0o077


def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    """The program need not be installed here, so another one stands for it."""
    verify = shutil.which("systemd-analyze")
    if verify is None:
        pytest.skip("systemd-analyze is not installed")
    for path in SYSTEMD.glob("stenod.*"):
        content = text(path).replace("%h/.local/bin/stenod", "/bin/true")
        (tmp_path / path.name).write_text(content)
    run = subprocess.run(
        [verify, "--user", "verify", *sorted(map(str, tmp_path.glob("stenod.*")))],
        env={"HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path)},
        capture_output=True,
        check=False,
        text=True,
    )
    assert (run.returncode, run.stderr) == (0, "")
