"""Starting the daemon as a process of its own, finding it, and waiting until it is gone."""

import os
import select
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from steno.cli.command import Failed
from steno.errors import Unreachable
from steno_schema import PROTOCOL, __version__
from steno_schema.replies import Welcome
from steno_schema.requests import Hello

if TYPE_CHECKING:
    from steno.cli.command import Context

START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 60.0
_ANSWER_TIMEOUT_S = 2.0
_BETWEEN_TRIES_S = 0.02
_LOG_TAIL_BYTES = 4096


def find_daemon(context: "Context") -> Welcome | None:
    """Return how the running daemon introduces itself, ``None`` if none answers."""
    hello = Hello(protocol=PROTOCOL, client="steno", version=__version__)
    try:
        reply = context.client.request(hello, timeout_s=_ANSWER_TIMEOUT_S)
    except Unreachable:
        return None
    return reply if isinstance(reply, Welcome) else None


def start_daemon(context: "Context", flags: list[str]) -> Welcome:
    """Start ``stenod`` detached and return its introduction; raise ``Failed`` if it stops."""
    process = _spawn(context, flags)
    end = time.monotonic() + START_TIMEOUT_S
    while True:
        try:
            code: int | None = process.wait(_BETWEEN_TRIES_S)
        except subprocess.TimeoutExpired:
            code = None
        welcome = find_daemon(context)
        if welcome is not None:
            return welcome
        if code is not None:
            raise Failed(
                f"stenod stopped at its start with exit code {code}.", _last_words(context)
            )
        if time.monotonic() > end:
            problem = f"stenod did not answer within {START_TIMEOUT_S:g} s."
            raise Failed(problem, _last_words(context))


def daemon_command(context: "Context", flags: list[str]) -> list[str]:
    """Return the command that runs the daemon with this interpreter."""
    home = ["--home", str(context.home)] if context.home else []
    return [sys.executable, "-P", "-m", "stenod", *home, *flags]


def daemon_environment(context: "Context") -> dict[str, str]:
    """Return this environment with absolute paths, without what ``--home`` overrides."""
    environment = dict(os.environ)
    if context.home:
        for name in ("STENO_HOME", "STENO_SOCKET", "STENO_CONFIG"):
            environment.pop(name, None)
    for name in ("STENO_HOME", "STENO_SOCKET", "STENO_CONFIG"):
        if environment.get(name):
            environment[name] = os.path.abspath(os.path.expanduser(environment[name]))
    return environment


def wait_until_gone(pid: int, socket: Path) -> None:
    """Wait until the process ``pid`` has ended; raise ``Failed`` after a minute."""
    end = time.monotonic() + STOP_TIMEOUT_S
    if hasattr(os, "pidfd_open"):
        try:
            descriptor = os.pidfd_open(pid)
        except OSError:
            return
        try:
            ready, _, _ = select.select([descriptor], [], [], STOP_TIMEOUT_S)
        finally:
            os.close(descriptor)
        if ready:
            return
    while socket.exists() and time.monotonic() < end:
        time.sleep(_BETWEEN_TRIES_S)
    if socket.exists():
        raise Failed(
            f"stenod (process {pid}) did not stop within {STOP_TIMEOUT_S:g} s.",
            "It may still be writing; see its log.",
        )


def _spawn(context: "Context", flags: list[str]) -> "subprocess.Popen[bytes]":
    log = context.paths.log
    try:
        log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise Failed(f"The log {log} cannot be opened: {error.strerror}.") from error
    try:
        return subprocess.Popen(
            daemon_command(context, flags),
            stdin=subprocess.DEVNULL,
            stdout=descriptor,
            stderr=descriptor,
            env=daemon_environment(context),
            start_new_session=True,
        )
    except OSError as error:
        raise Failed(f"stenod cannot be started: {error.strerror}.") from error
    finally:
        os.close(descriptor)


def _last_words(context: "Context") -> str:
    """Return where the log is, and its last line."""
    log = context.paths.log
    try:
        with log.open("rb") as file:
            file.seek(max(log.stat().st_size - _LOG_TAIL_BYTES, 0))
            lines = file.read().decode("utf-8", "replace").strip().split("\n")
    except OSError:
        return ""
    said = f" It said: {lines[-1][:300]}" if lines[-1] else ""
    return f"Its log is {log}.{said}"
