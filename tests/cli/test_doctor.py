"""Checks without a daemon, completion scripts, and the words of up and capture."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from cli.support import StubClient, run
from steno.cli.checks import check_configuration, check_disk, check_files, check_spool
from steno.cli.checks_daemon import check_versions
from steno.cli.completion import bash, fish, words_of_commands, zsh
from steno.cli.lifecycle import describe
from steno.cli.main import COMMANDS, main
from steno.cli.quantities import size_text
from steno_schema import PROTOCOL, __version__
from steno_schema.paths import Paths, resolve
from steno_schema.replies import Done, Reply, Rows, StatusReport, Welcome
from steno_schema.requests import Admin


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    found = resolve({}, home=home)
    found.spool.mkdir(mode=0o700)
    found.database.touch(mode=0o600)
    return found


def states(checks: Any) -> list[str]:
    return [check.state for check in checks]


def test_private_files(paths: Paths) -> None:
    assert states(check_files(paths)) == ["ok"]
    paths.database.chmod(0o640)
    paths.spool.chmod(0o755)
    folder, file = check_files(paths)
    assert (folder.state, file.state) == ("fail", "fail")
    assert folder.mend == f"chmod 700 {paths.spool}"
    assert file.mend == f"chmod 600 {paths.database}"


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a file away")
def test_files_of_another_user(paths: Paths) -> None:
    os.chown(paths.database, 65534, 65534)
    (check,) = check_files(paths)
    assert "65534" in check.finding


def test_configuration(paths: Paths) -> None:
    assert states(check_configuration(paths)) == ["ok", "ok"]
    paths.config.write_text("[redaction]\nenabled = false\n")
    assert states(check_configuration(paths)) == ["ok", "warn"]
    paths.config.write_text("[tracking]\ndebug = true\n[redaction\n")
    broken, redaction = check_configuration(paths)
    assert (broken.state, redaction.state) == ("fail", "ok")
    assert f"{paths.config}, line 3: " in broken.finding


def test_spool(paths: Paths) -> None:
    assert states(check_spool(paths, daemon_runs=True)) == ["ok"]
    (paths.spool / "1.rec").touch()
    paths.quarantine.mkdir()
    (paths.quarantine / "2.rec").touch()
    waiting, aside = check_spool(paths, daemon_runs=False)
    assert (waiting.state, waiting.mend, aside.state) == ("warn", "steno up", "fail")


def test_disk(paths: Paths) -> None:
    assert check_disk(paths).state in {"ok", "warn", "fail"}
    assert "MiB" in check_disk(paths).finding


def test_versions() -> None:
    def welcome(version: str, protocol: int = PROTOCOL) -> Welcome:
        return Welcome(protocol=protocol, server="stenod", version=version, features=[], pid=1)

    assert check_versions(welcome(__version__)).state == "ok"
    assert check_versions(welcome("0.0.0")).mend == "steno restart"
    assert check_versions(welcome(__version__, PROTOCOL + 1)).state == "fail"


def test_doctor_without_a_daemon(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--json", "--home", str(tmp_path / "none")]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["ok"] is False
    assert told["checks"][0]["name"] == "daemon"
    assert "steno up" in told["checks"][0]["mend"]


def healthy(request: Any) -> Reply:
    if isinstance(request, Admin):
        result: dict[str, Any] = {"ok": True, "problems": []}
        if request.action == "capture_status":
            agents = [{"agent": "codex", "lines": 10, "lines_not_understood": 2}]
            result = {"agents": agents, "backfill": {"state": "running"}}
        return Done(result=result)
    if request.__class__.__name__ == "Hello":
        return Welcome(protocol=PROTOCOL, server="stenod", version=__version__, features=[], pid=1)
    return StatusReport(report={"capture": {"running": True}})


def test_doctor_with_a_daemon(paths: Paths) -> None:
    code, out = run("doctor", "--home", str(paths.data), client=StubClient(healthy))
    assert code == 0
    assert "ok   database: whole" in out
    assert "warn lines: 2 of 10 lines" in out
    assert "mend:" in out


def test_doctor_with_a_damaged_database(paths: Paths) -> None:
    def damaged(request: Any) -> Reply:
        if isinstance(request, Admin) and request.action == "integrity_check":
            return Done(result={"ok": False, "problems": ["row 5 missing\x1b[2J"]})
        return healthy(request)

    code, out = run("doctor", "--home", str(paths.data), client=StubClient(damaged))
    assert code == 1
    assert "fail database: it is damaged: row 5 missing\\x1b[2J" in out


def test_capture_status_json_is_the_daemons_own() -> None:
    agents = [{"agent": "codex", "files": 3, "tokens": {"input": 0}, "last_event_at": None}]
    result: dict[str, Any] = {"agents": agents, "files": [{"path": "/a", "agent": "codex"}]}
    client = StubClient(lambda _: Done(result=result))
    code, out = run("capture", "status", "--files", "--json", client=client)
    assert (code, json.loads(out)) == (0, result)
    assert client.asked == [Admin(action="capture_status", arguments={"files": True})]
    assert "codex\t3" in run("capture", "status", client=client)[1]


def test_capture_sources() -> None:
    client = StubClient(lambda _: Rows(items=[{"agent": "codex", "path": "/a/b", "lines": 4}]))
    assert (
        json.loads(run("capture", "sources", "--json", client=client)[1])["items"][0]["lines"] == 4
    )
    assert "/a/b" in run("capture", "sources", client=client)[1]


def test_rederive() -> None:
    client = StubClient(lambda _: Done(changed=1))
    assert run("rederive", "analysis", client=client)[0] == 0
    assert client.asked == [Admin(action="rederive", arguments={"follower": "analysis"})]


@pytest.mark.parametrize(
    ("backfill", "words"),
    [
        (None, "Capture is off"),
        ({"state": "done", "files_total": 5, "files_done": 5}, "All 5 files"),
        ({"state": "running", "files_total": 9, "files_done": 5, "newest_ready": True}, "5 of 9"),
        ({"state": "scanning"}, "goes on"),
    ],
)
def test_how_far_the_backfill_is(backfill: dict[str, Any] | None, words: str) -> None:
    assert words in describe(backfill)


def test_config_show(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STENO_MIN_LENGTH", "9")
    _, out = run("config", "show", "--origin", "--json", "--home", str(paths.data))
    told = json.loads(out)
    assert told["settings"]["tracking"]["min_length"] == 9
    assert told["origins"]["tracking.min_length"] == "STENO_MIN_LENGTH"
    assert told["origins"]["tracking.enabled"] == "default"
    shown = run("config", "show", "--origin", "--home", str(paths.data))[1]
    assert "tracking.min_length\t9\tSTENO_MIN_LENGTH" in shown


@pytest.mark.parametrize(("shell", "make"), [("bash", bash), ("zsh", zsh), ("fish", fish)])
def test_completion_scripts(shell: str, make: Any, tmp_path: Path) -> None:
    script = make(words_of_commands())
    assert all(name in script for name in COMMANDS)
    assert run("completion", shell)[1] == script
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"{shell} is not installed: its syntax is not checked")
    file = tmp_path / "completion"
    file.write_text(script)
    subprocess.run([program, "-n", str(file)], check=True)


def test_bash_completes_flags() -> None:
    program = shutil.which("bash")
    if program is None:
        pytest.skip("bash is not installed")
    ask = bash(words_of_commands()) + (
        "\nCOMP_WORDS=(steno search --ra); COMP_CWORD=2; _steno; echo ${COMPREPLY[@]}"
        "\nCOMP_WORDS=(steno sea); COMP_CWORD=1; _steno; echo ${COMPREPLY[@]}"
    )
    done = subprocess.run([program, "-c", ask], check=True, capture_output=True, text=True)
    assert done.stdout.splitlines() == ["--rank --rating", "search"]


def test_sizes() -> None:
    assert [size_text(size) for size in (0, 1023, 1024, 5 << 30, 3 << 50)] == [
        *("0 B", "1023 B", "1.0 KiB", "5.0 GiB", "3072.0 TiB")
    ]
