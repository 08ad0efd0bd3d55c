"""``steno up``, ``down`` and ``restart``: nothing but these starts or stops the daemon."""

import argparse
import os
import sys
from typing import Any

from steno.cli.backfill import backfill_of, follow
from steno.cli.command import Command, Context, no_arguments
from steno.cli.failures import say
from steno.cli.launch import (
    daemon_command,
    daemon_environment,
    find_daemon,
    start_daemon,
    wait_until_gone,
)
from steno.errors import Unreachable
from steno_schema import __version__
from steno_schema.config import load
from steno_schema.replies import Done, Welcome
from steno_schema.requests import Admin

_NEWEST_WAIT_S = 60.0


def _configure_up(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--foreground", action="store_true", help="be the daemon, until Ctrl-C")
    _configure_capture(parser)


def _configure_capture(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--no-capture", action="store_true", help="read no agents' files")


def _run_up(context: Context) -> int:
    flags = ["--no-capture"] if context.args.no_capture else []
    if context.args.foreground:
        command = daemon_command(context, ["--foreground", *flags])
        context.screen.finish()
        environment = daemon_environment(context)
        os.execve(sys.executable, command, environment)  # noqa: S606 - no shell is the point
    welcome = find_daemon(context)
    started = welcome is None
    if welcome is None:
        welcome = start_daemon(context, flags)
    elif flags:
        say("stenod runs already: --no-capture counts only at its start.", "See steno restart.")
    return _tell_up(context, welcome, started=started)


def _run_down(context: Context) -> int:
    stopped = _stop(context)
    if context.args.json:
        context.screen.json({"stopped": stopped})
    else:
        context.screen.line("stenod is stopped." if stopped else "stenod is not running.")
    return 0


def _run_restart(context: Context) -> int:
    load(context.paths)  # a daemon that runs is worth more than one that would not start
    _stop(context)
    flags = ["--no-capture"] if context.args.no_capture else []
    return _tell_up(context, start_daemon(context, flags), started=True)


def _stop(context: Context) -> bool:
    """Let the daemon drain and end; return whether there was one."""
    welcome = find_daemon(context)
    if welcome is None:
        return False
    try:
        context.ask(Admin(action="shutdown"), Done)
    except Unreachable:
        say("stenod hung up before it answered; waiting for its end.")
    wait_until_gone(welcome.pid, context.paths.socket)
    return True


def _tell_up(context: Context, welcome: Welcome, *, started: bool) -> int:
    backfill = follow(context, until_newest=True, at_most_s=_NEWEST_WAIT_S)
    if context.args.json:
        told: dict[str, Any] = {
            "started": started,
            "pid": welcome.pid,
            "version": welcome.version,
            "socket": str(context.paths.socket),
            "backfill": backfill,
        }
        context.screen.json(told)
        return 0
    what = "started" if started else "is running"
    context.screen.text(f"stenod {welcome.version} {what} (process {welcome.pid}).")
    if welcome.version != __version__:
        say(f"This is steno {__version__}.", "steno restart brings both to one version.")
    context.screen.text(describe(backfill))
    return 0


def describe(backfill: dict[str, Any] | None) -> str:
    """Return one sentence about how far the agents' files are read."""
    state, done, total = backfill_of(backfill)
    if state == "off":
        return "Capture is off: no agents' files are read."
    if state == "done":
        return f"All {total:,} files of the agents are read." if total else "Capture is on."
    if backfill and backfill.get("newest_ready"):
        return (
            f"The newest sessions are searchable; the backfill goes on ({done:,} of {total:,}"
            " files). steno capture status shows how far it is."
        )
    return "The backfill goes on; steno capture status shows how far it is."


COMMANDS = {
    "up": Command(
        "Start the daemon with its watcher, or find it running; returns as soon as the newest"
        " sessions are searchable.",
        "steno up",
        _configure_up,
        _run_up,
    ),
    "down": Command(
        "Let the daemon finish its work, and stop it.", "steno down", no_arguments, _run_down
    ),
    "restart": Command(
        "Stop the daemon and start it again.", "steno restart", _configure_capture, _run_restart
    ),
}
