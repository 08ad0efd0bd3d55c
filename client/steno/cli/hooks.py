"""``steno hook`` and ``steno hooks``: agents ring at the daemon at their events."""

import argparse
import os
from typing import Any

from steno.cli.agentsettings import HOOKED, command, read, text_of, with_hooks, without, write
from steno.cli.command import Command, Context
from steno.cli.failures import say


def _configure_hook(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("agent", help="claude-code, codex or another agent")
    parser.add_argument("event", nargs="?", help="the event's JSON; standard input without it")


def _run_hook(context: Context) -> int:
    from steno import hook

    given = [context.args.event] if context.args.event else []
    return hook.main([context.args.agent, str(context.paths.socket), *given])


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=["install", "uninstall", "status"])
    parser.add_argument("agent", nargs="?", choices=sorted(HOOKED), help="all without it")
    parser.add_argument("--dry-run", action="store_true", help="only show the change")


def _run(context: Context) -> int:
    names = [context.args.agent] if context.args.agent else sorted(HOOKED)
    states: list[dict[str, Any]] = []
    for name in names:
        agent = HOOKED[name]
        path = agent.path(dict(os.environ))
        before = read(path)
        wanted = with_hooks(before, agent, command(agent, context.paths.socket))
        after = without(before, agent) if context.args.action == "uninstall" else wanted
        if context.args.action == "status":
            state = "installed" if before == wanted else "not installed"
            if before not in (wanted, without(before, agent)):
                state = "of another installation"
            states.append({"agent": name, "path": str(path), "state": state})
            continue
        if before == after:
            context.screen.line(f"{name}: nothing to change in {path}")
            continue
        _show(context, str(path), text_of(before) if before else "", text_of(after))
        if not context.args.dry_run:
            copy = write(path, after)
            kept = f"; what stood there is in {copy}" if copy else ""
            context.screen.line(f"{name}: {path} is changed{kept}.")
            if agent.remark and context.args.action == "install":
                say(agent.remark)
    return _tell(context, states) if context.args.action == "status" else 0


def _show(context: Context, path: str, before: str, after: str) -> None:
    import difflib

    lines = difflib.unified_diff(
        before.splitlines(), after.splitlines(), path, path, lineterm="", n=1
    )
    for line in lines:
        context.screen.line(line)


def _tell(context: Context, states: list[dict[str, Any]]) -> int:
    if context.args.json:
        context.screen.json({"hooks": states})
    else:
        for each in states:
            context.screen.line(f"{each['agent']:<14}{each['state']:<26}{each['path']}")
    return 0 if all(each["state"] == "installed" for each in states) else 1


COMMANDS = {
    "hook": Command(
        "Hand an agent's event to the daemon. It always succeeds, says nothing and waits for"
        " nothing; agents call it, by what steno hooks install writes into their settings.",
        'steno hook claude-code \'{"hook_event_name": "Stop"}\'',
        _configure_hook,
        _run_hook,
        prints_data=False,
    ),
    "hooks": Command(
        "Have an agent ring at the daemon at its events, or no longer: its settings are changed in"
        " this one respect, the change is shown, and a copy of what stood there is kept.",
        "steno hooks install claude-code --dry-run",
        _configure,
        _run,
    ),
}
