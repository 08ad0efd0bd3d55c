"""``steno service``: have systemd or launchd run the daemon, or no longer."""

import argparse
import os
import subprocess
import sys
from typing import Any

from steno.cli.command import Command, Context, Failed
from steno.cli.failures import say
from steno.cli.launch import find_daemon, wait_until_gone
from steno.cli.units import Unit, units, write
from steno_schema.replies import Done
from steno_schema.requests import Admin

_TIMEOUT_S = 90.0
_SYSTEMCTL = ("systemctl", "--user")


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=["install", "uninstall", "status"])
    parser.add_argument("--dry-run", action="store_true", help="show what would be written")


def _run(context: Context) -> int:
    if context.paths.private:
        raise Failed(
            "A private instance (STENO_HOME) is not run by the system.", "Start it: steno up."
        )
    chosen = units(dict(os.environ))
    if context.args.action == "status":
        return _status(context, chosen)
    if context.args.action == "uninstall":
        return _uninstall(context, chosen)
    return _install(context, chosen)


def _install(context: Context, chosen: list[Unit]) -> int:
    for unit in chosen:
        context.screen.line(f"{'as it is' if unit.is_current else 'writes'}  {unit.path}")
        if context.args.dry_run:
            context.screen.text(unit.content)
        elif not unit.is_current:
            write(unit)
    if context.args.dry_run:
        return 0
    _stop_unsupervised(context)
    for command in _commands(chosen, start=True):
        _call(command)
    context.screen.line("The daemon is run by the system from now on, and after every login.")
    return 0


def _uninstall(context: Context, chosen: list[Unit]) -> int:
    there = [unit for unit in chosen if unit.path.exists()]
    if not there:
        context.screen.line("Nothing is installed.")
        return 0
    if context.args.dry_run:
        for unit in there:
            context.screen.line(f"removes  {unit.path}")
        return 0
    for command in _commands(chosen, start=False):
        _call(command, must_succeed=False)
    for unit in there:
        unit.path.unlink(missing_ok=True)
        context.screen.line(f"removed  {unit.path}")
    if sys.platform != "darwin":
        _call([*_SYSTEMCTL, "daemon-reload"], must_succeed=False)
    context.screen.line("Your records stay where they are.")
    return 0


def _status(context: Context, chosen: list[Unit]) -> int:
    states: list[dict[str, Any]] = []
    for unit in chosen:
        if unit.read() is None:
            state = "not installed"
        else:
            state = "installed" if unit.is_current else "of another release or edited"
        states.append({"path": str(unit.path), "state": state, "active": _active(unit)})
    if context.args.json:
        context.screen.json({"units": states})
    else:
        for each in states:
            context.screen.line(f"{each['state']:<28}{each['active']:<10}{each['path']}")
    return 0 if all(each["state"] == "installed" for each in states) else 1


def _active(unit: Unit) -> str:
    command = (
        ["launchctl", "print", f"gui/{os.getuid()}/{unit.path.stem}"]
        if sys.platform == "darwin"
        else [*_SYSTEMCTL, "is-active", unit.path.name]
    )
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    if sys.platform == "darwin":
        return "active" if done.returncode == 0 else "inactive"
    return done.stdout.strip() or "unknown"


def _commands(chosen: list[Unit], *, start: bool) -> list[list[str]]:
    if sys.platform == "darwin":
        domain = f"gui/{os.getuid()}"
        agent = chosen[0].path
        if start:
            return [["launchctl", "bootstrap", domain, str(agent)]]
        return [["launchctl", "bootout", f"{domain}/{agent.stem}"]]
    names = [unit.path.name for unit in chosen]
    if start:
        return [[*_SYSTEMCTL, "daemon-reload"], [*_SYSTEMCTL, "enable", "--now", *names]]
    return [[*_SYSTEMCTL, "disable", "--now", *names]]


def _call(command: list[str], *, must_succeed: bool = True) -> None:
    """Run one of the supervisor's commands; what it says goes into our one sentence."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False
        )
        problem = "" if done.returncode == 0 else done.stderr.strip().split("\n")[-1][:300]
        failed = done.returncode != 0
    except (OSError, subprocess.TimeoutExpired) as error:
        failed, problem = True, str(error)
    if not failed:
        return
    words = " ".join(command)
    if must_succeed:
        raise Failed(
            f"The files are written, but {words} failed: {problem or 'without a word'}.",
            "Run it yourself where a user's session of systemd or launchd is there.",
        )
    say(f"{words} failed: {problem or 'without a word'}.")


def _stop_unsupervised(context: Context) -> None:
    """Let a daemon that was started by hand finish: two cannot have one database."""
    welcome = find_daemon(context)
    if welcome is not None:
        context.ask(Admin(action="shutdown"), Done)
        wait_until_gone(welcome.pid, context.paths.socket)


COMMANDS = {
    "service": Command(
        "Have systemd (or launchd on macOS) run the daemon as a service of yours: install,"
        " uninstall or status. Files that are written are named; --dry-run only shows them.",
        "steno service install",
        _configure,
        _run,
    ),
}
