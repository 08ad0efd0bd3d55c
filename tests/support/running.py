"""A real daemon process for tests: started in a folder of its own, ready when it says so."""

import contextlib
import itertools
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

from steno import Client
from steno.capture.agents import AGENTS
from steno_schema.replies import Done
from steno_schema.requests import Admin

ROOT = Path(__file__).resolve().parents[2]
READY_TIMEOUT_S = 60.0
"""Generous: nothing is timed in a test, a test that hangs must only end at some time."""
STOP_TIMEOUT_S = 60.0
NAMING = (
    "STENO_",
    "XDG_",
    *{name.partition("_")[0] + "_" for agent in AGENTS for name in agent.variables},
)
"""Variables by which people name folders; a test's daemon reads those of the test alone."""
_starts = itertools.count()
"""Each start listens at an address of its own: a daemon that ends speaks to nobody else's."""


class RunningDaemon:
    """``stenod`` as users run it; kill it, stop it and start it again at will."""

    def __init__(self, home: Path, *, environ: Mapping[str, str] | None = None) -> None:
        self.home = home
        self.environ = {
            name: value for name, value in os.environ.items() if not name.startswith(NAMING)
        }
        self.environ |= {"STENO_HOME": str(home), "HOME": str(home / "user"), "TZ": "UTC"}
        roots = (ROOT / "schema", ROOT / "client", ROOT / "daemon")
        self.environ["PYTHONPATH"] = os.pathsep.join(map(str, roots))
        self.environ |= environ or {}
        self.process: subprocess.Popen[bytes] | None = None
        self.log = home.with_name(f"{home.name}.log")

    @property
    def database(self) -> Path:
        return self.home / "steno.db"

    @property
    def socket(self) -> Path:
        return self.home / "steno.sock"

    def start(self, *arguments: str, environ: Mapping[str, str] | None = None) -> None:
        """Start and return once the daemon said it is ready."""
        (self.home / "user").mkdir(parents=True, exist_ok=True)
        address = f"\0steno-test-{os.getpid()}-{next(_starts)}"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
            channel.bind(address)
            notify = {"NOTIFY_SOCKET": "@" + address[1:]}
            self.process = self.spawn(*arguments, environ={**(environ or {}), **notify})
            ended = threading.Thread(target=self._tell_end, args=(address, self.process))
            ended.daemon = True
            ended.start()
            channel.settimeout(READY_TIMEOUT_S)
            word = channel.recv(4096)
        if word != b"READY=1":
            raise AssertionError(f"stenod did not start: {self.log.read_text()[-2000:]}")

    @staticmethod
    def _tell_end(address: str, process: "subprocess.Popen[bytes]") -> None:
        """Wake the one who waits for readiness when the process ends instead."""
        process.wait()
        channel = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        with channel, contextlib.suppress(OSError):
            channel.sendto(b"ENDED=1", address)

    def spawn(
        self, *arguments: str, environ: Mapping[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        """Start without waiting."""
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "stenod", *arguments],
                env=self.environ | dict(environ or {}),
                cwd=self.home.parent,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def stop(self) -> int:
        """Drain and stop; return the exit code."""
        return self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it without a chance to do anything."""
        self._end(signal.SIGKILL)

    def wait_for_log(self, part: str, count: int = 1) -> None:
        """Wait until the log has said ``part`` that many times."""
        with subprocess.Popen(
            ["tail", "-c", "+1", "-F", str(self.log)], stdout=subprocess.PIPE, text=True
        ) as follow:
            assert follow.stdout is not None
            for line in follow.stdout:
                count -= part in line
                if not count:
                    break
            follow.terminate()

    def freeze(self) -> None:
        """Stop it where it stands; it keeps its socket and answers nobody."""
        self.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self.send_signal(signal.SIGCONT)

    def send_signal(self, number: signal.Signals) -> None:
        """Send it a signal and go on at once."""
        assert self.process is not None
        self.process.send_signal(number)

    def _end(self, number: signal.Signals) -> int:
        process, self.process = self.process, None
        if process is None:
            return 0
        process.send_signal(number)
        return process.wait(STOP_TIMEOUT_S)

    def wait(self) -> int:
        """Wait for it to end by itself."""
        assert self.process is not None
        process, self.process = self.process, None
        return process.wait(STOP_TIMEOUT_S)

    def client(self, *, spool: bool = True, timeout_s: float = 60.0) -> Client:
        return Client(home=self.home, spool=spool, timeout_s=timeout_s)

    def captured(self) -> None:
        """Wait until every transcript there is now is read and searchable."""
        with self.client(spool=False, timeout_s=300) as client:
            client.request(Admin(action="rescan", arguments={"wait": True}))
            client.request(Admin(action="flush"))

    def capture_status(self) -> dict[str, dict[str, object]]:
        """Return what ``steno capture status --json`` gives, by agent."""
        with self.client(spool=False, timeout_s=300) as client:
            reply = client.request(Admin(action="capture_status"))
        assert isinstance(reply, Done)
        return {entry["agent"]: entry for entry in reply.result["agents"]}

    def steno(
        self, *arguments: str, stdin: str | bytes | None = None, **environ: str
    ) -> "subprocess.CompletedProcess[str]":
        """Run the command line as a person would, away from a terminal."""
        return self.python("-m", "steno.cli", *arguments, stdin=stdin, **environ)

    def stenod(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run what ``stenod`` does without being a daemon."""
        return self.python("-m", "stenod", *arguments)

    def python(
        self, *arguments: str, stdin: str | bytes | None = None, **environ: str
    ) -> "subprocess.CompletedProcess[str]":
        """Run a program that speaks to this daemon."""
        given = stdin.encode() if isinstance(stdin, str) else (stdin or b"")
        done = subprocess.run(
            [sys.executable, *arguments],
            env=self.environ | environ,
            cwd=self.home.parent,
            input=given,
            capture_output=True,
            timeout=300,
            check=False,
        )
        return subprocess.CompletedProcess(
            done.args, done.returncode, done.stdout.decode(), done.stderr.decode()
        )
