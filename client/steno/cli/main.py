"""The command table, and the way from ``sys.argv`` to an exit code.

Only the module of the chosen command is imported and only its parser is built: that keeps the
start of ``steno search`` close to that of the interpreter.
"""

import os
import sys
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from steno.cli.command import Command, Group


class Entry(NamedTuple):
    """Where a command lives, and what ``steno --help`` says of it."""

    module: str
    summary: str


GROUPS: dict[str, dict[str, Entry]] = {
    "the daemon": {
        "up": Entry("lifecycle", "start the daemon with its watcher, or find it running"),
        "down": Entry("lifecycle", "let the daemon finish its work, and stop it"),
        "restart": Entry("lifecycle", "stop the daemon and start it again"),
        "status": Entry("status", "versions, database, queue, capture and spool at a glance"),
        "doctor": Entry("doctor", "check everything, and say how to mend what is broken"),
        "metrics": Entry("metrics", "the daemon's figures as OpenMetrics text"),
        "service": Entry("service", "have systemd or launchd run the daemon"),
    },
    "records": {
        "save": Entry("save", "record one exchange, and print its id"),
        "search": Entry("search", "find words in everything you asked and got"),
        "list": Entry("listing", "the newest exchanges"),
        "today": Entry("listing", "the exchanges of today"),
        "week": Entry("listing", "the exchanges of this week"),
        "show": Entry("show", "one exchange in full"),
        "thread": Entry("thread", "one conversation as it went"),
        "tail": Entry("tail", "follow new exchanges live"),
        "rate": Entry("annotate", "rate an exchange from 0 to 10"),
        "tag": Entry("annotate", "put tags on an exchange, or take them off"),
        "note": Entry("annotate", "write a note to an exchange"),
        "forget": Entry("forget", "delete exchanges for good, index and kept bytes included"),
    },
    "numbers": {
        "stats": Entry("stats", "totals and tables"),
        "cost": Entry("cost", "what was spent, and how that was computed"),
        "sql": Entry("sql", "a read-only SQL statement over the views"),
    },
    "work": {
        "tasks": Entry("records", "pieces of work: estimated and actual hours"),
        "sessions": Entry("records", "stretches of work, of an agent or a person"),
        "conversations": Entry("records", "threads of messages; steno thread shows one"),
        "commands": Entry("records", "commands that were run: model, duration, success"),
        "errors": Entry("records", "errors of your work, by severity"),
        "patterns": Entry("records", "what was learned from work, and the time it saves"),
        "handoffs": Entry("records", "what one session leaves to the next"),
        "interactions": Entry("records", "what agents were asked to do (also: steno agents)"),
        "routing": Entry("records", "which workflow a request was sent to, and why"),
        "costs": Entry("records", "single model calls; steno cost adds them up"),
        "preferences": Entry("records", "small settings of a person, by key"),
        "measurements": Entry("records", "numbers worth watching"),
        "workflow": Entry("records", "what is being worked on right now"),
        "metadata": Entry("records", "small facts about the whole instance, by key"),
    },
    "in and out": {
        "export": Entry("export", "write exchanges as JSON, JSON Lines, CSV or Markdown"),
        "import": Entry("importing", "read exported files back in; nothing is stored twice"),
    },
    "capture": {
        "capture": Entry("capture", "what was read from the agents' files, and reading more"),
        "hook": Entry("hooks", "hand an agent's event to the daemon; agents call it"),
        "hooks": Entry("hooks", "put that call into an agent's settings, or take it out"),
        "rederive": Entry("capture", "compute the analysis or the captured records anew"),
    },
    "care": {
        "backup": Entry("care", "write a verified backup while everything goes on"),
        "restore": Entry("care", "put a backup in the database's place"),
        "publish": Entry("care", "write a snapshot in one file for others to read"),
        "check": Entry("care", "read the whole database and check that it is sound"),
        "jobs": Entry("jobs", "what the daemon does by itself, and running one of it now"),
        "retention": Entry("retention", "remove what the settings say shall not be kept"),
        "vacuum": Entry("care", "write the database anew without free pages"),
    },
    "the rest": {
        "config": Entry("configuration", "the settings in force, and where each comes from"),
        "completion": Entry("completion", "a completion script for bash, zsh or fish"),
        "version": Entry("version", "the version of this program"),
    },
}
ALIASES = {"agents": "interactions"}
COMMANDS = {name: entry for group in GROUPS.values() for name, entry in group.items()}

_FLAGS_WITH_VALUE = ("--home", "--color", "--timeout")
_INTERRUPTED = 130


def main(words: list[str] | None = None) -> int:
    """Run the command line ``words`` (default: the program's own); return the exit code.

    0 done, 1 nothing found or a check failed, 2 wrong use, 3 the daemon cannot be reached,
    4 refused or failed, 130 interrupted.
    """
    try:
        try:
            code = _run(list(sys.argv[1:] if words is None else words))
        except SystemExit as stop:
            code = stop.code if isinstance(stop.code, int) else 0
        if sys.stdout is not None:
            sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        _settle_output()
        return _INTERRUPTED
    except BrokenPipeError:
        _settle_output()
        return 0
    except Exception as error:
        _settle_output()
        from steno.cli.failures import report

        return report(error)


def find(name: str) -> "Command | Group":
    """Import the module of the command ``name`` and return the command, or raise ``WrongUse``."""
    name = ALIASES.get(name, name)
    if name not in COMMANDS:
        from steno.cli.failures import unknown_command

        raise unknown_command(name, list(COMMANDS))
    from importlib import import_module

    commands: dict[str, Command | Group] = import_module(
        f"steno.cli.{COMMANDS[name].module}"
    ).COMMANDS
    return commands[name]


def leaves() -> "dict[str, Command]":
    """Return every command that does something, by its whole name: ``tasks add`` is one."""
    from steno.cli.command import Group

    found: dict[str, Command] = {}
    for name in COMMANDS:
        command = find(name)
        if isinstance(command, Group):
            found |= {f"{name} {word}": action for word, action in command.actions.items()}
        else:
            found[name] = command
    return found


def help_text() -> str:
    """Return what ``steno --help`` prints."""
    lines = ["usage: steno COMMAND [flags]", "", "One memory for everything you ask an AI.", ""]
    for title, entries in GROUPS.items():
        lines.append(f"{title}:")
        lines += [f"  {name:<13} {entry.summary}" for name, entry in entries.items()]
        lines.append("")
    lines += [
        "flags of every command:",
        "  --help      what it does, its flags and an example",
        "  --json      JSON instead of text, where a command prints data",
        "  --home DIR  a private instance in this folder, instead of STENO_HOME",
        "  --color W   colour: auto, always or never",
        "",
        "example:",
        "  steno up && steno search 'token refresh agent:codex since:30d'",
        "",
    ]
    return "\n".join(lines)


def _run(words: list[str]) -> int:
    leading: list[str] = []
    while words and words[0].startswith("-") and words[0] not in {"-h", "--help", "--version"}:
        leading.append(words.pop(0))
        if leading[-1] in _FLAGS_WITH_VALUE and words:
            leading.append(words.pop(0))
    name = words.pop(0) if words else "--help"
    if name == "help" and words:
        name, words = words[0], ["--help"]
    if name in {"-h", "--help", "help"}:
        sys.stdout.write(help_text())
        return 0
    if name == "--version":
        name = "version"
    command = find(name)
    from steno.cli.command import run

    return run(name, command, leading, words)


def _settle_output() -> None:
    """Write out what waits; if that fails, let it go: the flush at exit must not complain."""
    try:
        sys.stdout.flush()
        return
    except (OSError, ValueError, AttributeError):
        pass
    try:
        descriptor = os.open(os.devnull, os.O_WRONLY)
        os.dup2(descriptor, sys.stdout.fileno())
        os.close(descriptor)
    except (OSError, ValueError, AttributeError):
        return
