"""``steno capture`` and ``rederive``: what was read from the agents' files, and reading more."""

import argparse
import time
from typing import Any

from steno.cli.command import Command, Context, Failed
from steno.cli.coverage import coverage
from steno.cli.exchanges import base_name
from steno.cli.jsontext import is_list
from steno.cli.paging import pages
from steno.cli.quantities import duration_text, size_text
from steno.cli.screen import Screen, escape_line
from steno_schema.replies import Done, Rows
from steno_schema.requests import Admin, List

_COLUMNS = {
    "agent": "agent",
    "files": "files",
    "source_bytes": "bytes",
    "lines": "lines",
    "lines_not_understood": "not understood",
    "human_prompts": "prompts",
    "queued_prompts": "queued",
    "assistant_messages": "replies",
    "tool_calls": "tool calls",
    "last_event_at": "last event",
}
_FILE_COLUMNS = ("agent", "path", "state", "size_bytes", "read_bytes", "lines",
                 "lines_not_understood", "last_event_at")  # fmt: skip


_READ_LABELS = {
    "human_prompts": "prompts",
    "assistant_messages": "replies",
    "tool_calls": "tool calls",
}
_SUMMED = ("files", "read_bytes", "lines", "lines_not_understood", *_READ_LABELS)


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "action",
        choices=("status", "backfill", "rescan", "sources", "acknowledge"),
        help="status: coverage of each agent; backfill: read everything there is and wait for it;"
        " rescan: look for new files now; sources: every file known; acknowledge: alarms are known",
    )
    parser.add_argument("--files", action="store_true", help="with status: also each file")


def _run(context: Context) -> int:
    return _ACTIONS[context.args.action](context)


def _status(context: Context) -> int:
    arguments = {"files": True} if context.args.files else {}
    result = context.ask(Admin(action="capture_status", arguments=arguments), Done).result
    if context.args.json:
        context.screen.json(result)
        return 0
    screen = context.screen
    screen.start_pager()
    agents = _maps(result.get("agents"))
    if agents:
        cells = [[_cell(screen, agent, name) for name in _COLUMNS] for agent in agents]
        screen.table(list(_COLUMNS.values()), cells)
        for line in coverage(agents):
            screen.line(line)
    else:
        screen.line("Nothing is captured yet.")
    for alarm in _maps(result.get("alarms")):
        screen.line(f"{screen.style('alarm', 'yellow')}: {escape_line(alarm['message'])}")
        screen.line(f"       {escape_line(alarm['mend'])}")
    files = _maps(result.get("files"))
    if files:
        screen.line()
        _print_files(screen, files)
    return 0


def _backfill(context: Context) -> int:
    from steno.cli.backfill import read_all

    before, began = _totals(context), time.monotonic()
    if not read_all(context):
        raise Failed("Capture is off or its watcher does not run.", "See steno doctor.")
    after = _totals(context)
    read = {name: after[name] - before[name] for name in after}
    if context.args.json:
        context.screen.json({"read": read, "held": after})
    else:
        context.screen.text(_summary(read, after, time.monotonic() - began))
    return 0


def _totals(context: Context) -> dict[str, int]:
    """Return what was read of all agents together."""
    result = context.ask(Admin(action="capture_status"), Done).result
    agents = _maps(result.get("agents"))
    return {name: sum(int(agent.get(name) or 0) for agent in agents) for name in _SUMMED}


def _summary(read: dict[str, int], held: dict[str, int], took_s: float) -> str:
    if read["read_bytes"] <= 0:
        return f"Nothing new: all {held['files']:,} files of the agents were read before."
    rate = size_text(read["read_bytes"] / max(took_s, 0.001))
    told = ", ".join(f"{read[name]:,} {label}" for name, label in _READ_LABELS.items())
    text = (
        f"Read {size_text(read['read_bytes'])} in {duration_text(took_s)} ({rate}/s): {told}."
        f" All {held['files']:,} files of the agents are read."
    )
    unknown = read["lines_not_understood"]
    if unknown > 0:
        text += f" {unknown:,} lines were not understood; steno doctor tells more."
    return text


def _rescan(context: Context) -> int:
    done = context.ask(Admin(action="rescan"), Done)
    if not done.changed:
        raise Failed("Capture is off or its watcher does not run.", "See steno doctor.")
    if context.args.json:
        context.screen.json({"rescan": "started", **done.result})
    else:
        context.screen.line("Looking for new and grown files; steno capture status shows them.")
    return 0


def _sources(context: Context) -> int:
    rows: list[dict[str, Any]] = []
    for page in pages(context, List(type="source"), Rows, None):
        rows += page.items
    if context.args.json:
        context.screen.json({"items": rows, "next_cursor": None})
    elif rows:
        context.screen.start_pager()
        _print_files(context.screen, rows)
    else:
        context.screen.line("No file is known yet.")
    return 0


def _acknowledge(context: Context) -> int:
    done = context.ask(Admin(action="capture_acknowledge"), Done)
    count: int = done.result["acknowledged"]
    if context.args.json:
        context.screen.json({"acknowledged": count})
    else:
        context.screen.line(f"{count} alarms are taken note of; their lines stay counted.")
    return 0


def _print_files(screen: Screen, files: list[dict[str, Any]]) -> None:
    headers = [name.replace("_", " ") for name in _FILE_COLUMNS]
    screen.table(
        headers, [[_cell(screen, file, name) for name in _FILE_COLUMNS] for file in files]
    )


def _cell(screen: Screen, row: dict[str, Any], name: str) -> object:
    value = row.get(name)
    if name == "last_event_at":
        return screen.time(value)
    if name == "path" and screen.is_terminal:
        return base_name(str(value))
    return value


def _maps(value: object) -> list[dict[str, Any]]:
    return value if is_list(value) else []


def _configure_rederive(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "what",
        choices=("analysis", "capture"),
        help="analysis: categories, keywords …; capture: the records of the kept bytes",
    )
    parser.add_argument(
        "--wait", action="store_true", help="show the progress of the analysis until it is done"
    )


def _run_rederive(context: Context) -> int:
    what: str = context.args.what
    done = context.ask(Admin(action="rederive", arguments={"follower": what}), Done)
    if not done.changed:
        raise Failed(f"The daemon has no {what} to compute anew.", "See steno status.")
    wait = what == "analysis" and (context.args.wait or context.screen.is_terminal)
    if wait:
        from steno.cli.reanalysis import follow

        count = follow(context)
        if context.args.json:
            context.screen.json({"rederive": what, "state": "done", "exchanges": count})
        else:
            context.screen.line(f"{count:,} exchanges are analysed anew.")
    elif context.args.json:
        context.screen.json({"rederive": what, "state": "started", **done.result})
    else:
        context.screen.line(f"The {what} is computed anew; steno status shows how far it is.")
    return 0


_ACTIONS = {
    "status": _status,
    "backfill": _backfill,
    "rescan": _rescan,
    "sources": _sources,
    "acknowledge": _acknowledge,
}

COMMANDS = {
    "capture": Command(
        "What was read from the agents' files, and reading more of them.",
        "steno capture status --files --json",
        _configure,
        _run,
    ),
    "rederive": Command(
        "Compute the analysis, or the captured records, anew from what is kept.",
        "steno rederive analysis",
        _configure_rederive,
        _run_rederive,
    ),
}
