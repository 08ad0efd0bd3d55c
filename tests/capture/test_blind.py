"""The watcher with its eyes shut by the kernel's real limits: nothing is lost, and it says so."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from capture.build import SESSION, append, claude_turn
from capture.instance import instance_of, json_of, prompt_heard
from steno.capture.inotify import AVAILABLE, Inotify
from support.running import RunningDaemon

FOLDERS = 30
WATCHES = 12

pytestmark = pytest.mark.skipif(not AVAILABLE, reason="inotify is Linux's own")


class Limited(RunningDaemon):
    """A daemon in a user namespace of its own, with limits of its own."""

    limits: Mapping[str, int] = {}

    def spawn(
        self, *arguments: str, environ: Mapping[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        settings = "".join(
            f"echo {value} > /proc/sys/user/{name}; " for name, value in self.limits.items()
        )
        command = [sys.executable, "-m", "stenod", *arguments]
        with self.log.open("ab") as log:
            return subprocess.Popen(
                ["unshare", "-Ur", "sh", "-ec", f'{settings} exec "$@"', "sh", *command],
                env=self.environ | dict(environ or {}),
                cwd=self.home.parent,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )


@pytest.fixture
def limited(tmp_path: Path) -> Iterator[Limited]:
    unshare = shutil.which("unshare")
    if unshare is None or subprocess.run([unshare, "-Ur", "true"], check=False).returncode:
        pytest.skip("user namespaces are not to be had here")
    daemon = Limited(tmp_path / "home", environ=instance_of(tmp_path, "claude").environ)
    daemon.environ["STENO_HOME"] = str(tmp_path / "home")
    _look_every_second(daemon)
    yield daemon
    daemon.stop()


def _look_every_second(daemon: RunningDaemon) -> None:
    daemon.home.mkdir(exist_ok=True)
    (daemon.home / "config.toml").write_text("[capture]\nrescan_active_s = 1\n")


def _sight(daemon: RunningDaemon) -> dict[str, Any]:
    sight: dict[str, Any] = json_of(daemon, "status")["capture"]["sight"]
    return sight


def _events_check(daemon: RunningDaemon) -> dict[str, Any]:
    checks: list[dict[str, Any]] = json_of(daemon, "doctor")["checks"]
    (check,) = (each for each in checks if each["name"] == "file events")
    return check


def _is_found(daemon: RunningDaemon, words: str) -> None:
    """Wait until it is stored; no command says where to look."""
    with daemon.client() as client, client.subscribe(after=0) as events:
        prompt_heard(events, f"Ask {words}")


def _projects(tmp_path: Path) -> list[Path]:
    root = tmp_path / "claude" / "projects"
    return [root / f"shop{number}" / f"{SESSION}.jsonl" for number in range(FOLDERS)]


def test_folders_beyond_the_limit_are_looked_at(limited: Limited, tmp_path: Path) -> None:
    files = _projects(tmp_path)
    for number, file in enumerate(files):
        append(file, claude_turn(f"early{number}"))
    limited.limits = {"max_inotify_watches": WATCHES}
    limited.start()
    limited.captured()
    sight = _sight(limited)
    assert sight["way"] == "kernel"
    assert 0 < sight["watched"] < WATCHES
    assert sight["unwatched"] > 0
    check = _events_check(limited)
    assert check["state"] == "warn"
    assert "others are found by looking" in check["finding"]
    for number, file in enumerate(files):
        append(file, claude_turn(f"late{number}"))
    _is_found(limited, "late0")
    _is_found(limited, f"late{FOLDERS - 1}")


def test_without_any_watcher_left_everything_is_looked_at(
    limited: Limited, tmp_path: Path
) -> None:
    file = _projects(tmp_path)[0]
    append(file, claude_turn("heron"))
    limited.limits = {"max_inotify_instances": 0}
    limited.start()
    limited.captured()
    assert _sight(limited)["way"] == "scans"
    check = _events_check(limited)
    assert check["state"] == "warn"
    assert "max_user_instances" in check["finding"]
    append(file, claude_turn("egret"))
    _is_found(limited, "egret")


def test_events_that_the_kernel_dropped_are_made_good(tmp_path: Path) -> None:
    most = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    if most > 40_000:
        pytest.skip(f"{most} events fit in the queue here: too many to make in a test")
    daemon = instance_of(tmp_path, "claude")
    _look_every_second(daemon)
    files = _projects(tmp_path)
    for file in files[:2]:
        append(file, claude_turn("heron"))
    daemon.start()
    daemon.captured()
    assert _events_check(daemon)["state"] == "ok"
    pid = json_of(daemon, "status")["capture"]["pid"]
    os.kill(pid, signal.SIGSTOP)
    with files[0].open("ab") as one, files[1].open("ab") as other:
        for _ in range(most):
            os.write(one.fileno(), b"\n")
            os.write(other.fileno(), b"\n")
    append(files[2], claude_turn("egret"))
    os.kill(pid, signal.SIGCONT)
    _is_found(daemon, "egret")
    daemon.wait_for_log("file events were dropped")
    daemon.captured()
    assert _sight(daemon)["overflows"] == 1
    assert "the kernel dropped some 1 times" in _events_check(daemon)["finding"]
    daemon.stop()


def test_folders_used_last_are_watched_in_the_place_of_others(tmp_path: Path) -> None:
    folders = [tmp_path / f"folder{number}" for number in range(6)]
    for number, folder in enumerate(folders):
        folder.mkdir()
        os.utime(folder, (number, number))
    with Inotify(most=4) as kernel:
        kernel.watch_tree(tmp_path)
        assert (kernel.watched, kernel.unwatched) == (4, 3)
        (folders[0] / "unseen").touch()
        (folders[5] / "seen").touch()
        assert kernel.read() == [folders[5] / "seen"]
        kernel.watch_also(folders[0])
        assert kernel.watched == 4
        (folders[0] / "seen now").touch()
        (folders[5] / "seen too").touch()
        assert kernel.read() == [folders[0] / "seen now", folders[5] / "seen too"]
        new = tmp_path / "new"
        new.mkdir()
        assert kernel.read() == [new]
        (new / "file").touch()
        assert kernel.read() == [new / "file"]
