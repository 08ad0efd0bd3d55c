"""The daemon under a supervisor: readiness, watchdog, a socket handed over, another release."""

import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from steno import Client
from support.running import READY_TIMEOUT_S, RunningDaemon

WATCHED_USEC = 400_000
"""Short, so that the test sees several feedings; nothing here is timed."""


def _words(channel: socket.socket, wanted: str, count: int) -> list[str]:
    """Return what the daemon says until it said ``wanted`` so many times."""
    said: list[str] = []
    while said.count(wanted) < count:
        said.append(channel.recv(4096).decode())
    return said


_HOLD = """
import sqlite3, sys
c = sqlite3.connect(sys.argv[1], isolation_level=None)
sys.stdin.readline()
c.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def notified(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.bind(str(tmp_path / "notify"))
        channel.settimeout(READY_TIMEOUT_S)
        yield channel


def _spawned(daemon: RunningDaemon, tmp_path: Path, **environ: str) -> "subprocess.Popen[bytes]":
    (daemon.home / "user").mkdir(parents=True, exist_ok=True)
    told = {"NOTIFY_SOCKET": str(tmp_path / "notify"), **environ}
    daemon.process = daemon.spawn("--no-capture", environ=told)
    return daemon.process


def test_the_watchdog_is_fed_by_work(
    daemon_at_rest: RunningDaemon, tmp_path: Path, notified: socket.socket
) -> None:
    daemon = daemon_at_rest
    _spawned(daemon, tmp_path, WATCHDOG_USEC=str(WATCHED_USEC))
    said = _words(notified, "WATCHDOG=1", 3)
    assert "READY=1" in said
    with daemon.client() as client:
        before = client.status()["sequence"]
        _words(notified, "WATCHDOG=1", 3)
        assert client.status()["sequence"] == before, "the probe is no record"
    daemon.stop()


def test_a_writer_that_hangs_is_not_fed(
    daemon_at_rest: RunningDaemon, tmp_path: Path, notified: socket.socket
) -> None:
    """Somebody else holds the database's write lock: reads go on, writes do not."""
    daemon = daemon_at_rest
    daemon.start("--no-capture")
    daemon.stop()
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            _HOLD,
            str(daemon.database),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdin is not None
    assert holder.stdout is not None
    try:
        _spawned(daemon, tmp_path, WATCHDOG_USEC=str(WATCHED_USEC))
        _words(notified, "WATCHDOG=1", 2)
        holder.stdin.write("\n")
        holder.stdin.flush()
        assert holder.stdout.readline() == "held\n"
        notified.settimeout(WATCHED_USEC / 1e6 * 3)
        with pytest.raises(TimeoutError):
            _words(notified, "WATCHDOG=1", 5)
    finally:
        holder.communicate("\n")
        daemon.kill()


@pytest.fixture
def handed_over(daemon_at_rest: RunningDaemon) -> Iterator[socket.socket]:
    """The daemon's socket, as a supervisor holds it."""
    (daemon_at_rest.home / "user").mkdir(parents=True, mode=0o700)
    daemon_at_rest.home.chmod(0o700)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(daemon_at_rest.socket))
        listener.listen(64)
        yield listener


_HAND_OVER = (
    "import os, sys\n"
    "os.dup2(int(sys.argv[1]), 3)\n"
    "os.set_inheritable(3, True)\n"
    "os.environ |= {'LISTEN_PID': str(os.getpid()), 'LISTEN_FDS': '1'}\n"
    "os.execv(sys.executable, [sys.executable, '-m', 'stenod', '--no-capture'])\n"
)


def _handed(daemon: RunningDaemon, listener: socket.socket, tmp_path: Path) -> None:
    with daemon.log.open("ab") as log:
        daemon.process = subprocess.Popen(
            [sys.executable, "-c", _HAND_OVER, str(listener.fileno())],
            env=daemon.environ | {"NOTIFY_SOCKET": str(tmp_path / "notify")},
            pass_fds=[listener.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )


def test_a_new_daemon_takes_over_and_clients_notice_a_pause(
    daemon_at_rest: RunningDaemon,
    tmp_path: Path,
    notified: socket.socket,
    handed_over: socket.socket,
) -> None:
    """The supervisor keeps the socket: what comes in between waits in it."""
    daemon = daemon_at_rest
    listener = handed_over
    _handed(daemon, listener, tmp_path)
    _words(notified, "READY=1", 1)
    saved: list[str] = []
    stop = threading.Event()
    problems: list[BaseException] = []

    def save() -> None:
        try:
            with Client(home=daemon.home, spool=False) as client:
                while not stop.is_set():
                    saved.append(client.history.save(f"number {len(saved)}", "kept").id)
        except BaseException as error:
            problems.append(error)

    saver = threading.Thread(target=save)
    saver.start()
    for _ in range(3):
        assert daemon.stop() == 0
        _handed(daemon, listener, tmp_path)
        _words(notified, "READY=1", 1)
    stop.set()
    saver.join()
    assert not problems, problems
    with daemon.client() as client:
        assert client.sql("SELECT count(*) FROM history").rows == [[len(saved)]]
    assert daemon.stop() == 0
    assert daemon.socket.exists(), "a socket that was handed over is left"


def test_systemd_starts_it_with_the_first_client(
    daemon_at_rest: RunningDaemon, tmp_path: Path
) -> None:
    activate = shutil.which("systemd-socket-activate")
    if activate is None:
        pytest.skip("systemd-socket-activate is not installed")
    daemon = daemon_at_rest
    (daemon.home / "user").mkdir(parents=True, exist_ok=True)
    daemon.home.chmod(0o700)
    passed = [f"--setenv={name}" for name in ("STENO_HOME", "HOME", "PYTHONPATH", "TZ", "PATH")]
    with daemon.log.open("ab") as log:
        daemon.process = subprocess.Popen(
            [activate, *passed, "-l", str(daemon.socket), sys.executable, "-m", "stenod",
             "--no-capture"],
            env=daemon.environ, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
        )  # fmt: skip
    daemon.wait_for_log("Listening on")
    with daemon.client(spool=False) as client:
        assert client.history.save("the first one wakes it", "good morning").stored == "daemon"
        pid = client.status()["pid"]
    assert pid == daemon.process.pid, "the activator becomes the daemon"
    assert daemon.stop() == 0
    assert os.path.exists(daemon.socket)
