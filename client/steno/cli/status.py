"""``steno status``: the daemon's own report at a glance."""

from typing import Any

from steno.cli.backfill import backfill_of
from steno.cli.command import Command, Context, no_arguments
from steno.cli.quantities import duration_text, size_text
from steno.cli.screen import escape_line
from steno_schema import __version__
from steno_schema.replies import StatusReport
from steno_schema.requests import Status


def _run(context: Context) -> int:
    report = context.ask(Status(), StatusReport).report
    if context.args.json:
        context.screen.json({"client_version": __version__, **report})
        return 0
    for name, text in lines(report):
        context.screen.line(f"{context.screen.style(f'{name:<9}', 'bold')}{escape_line(text)}")
    return 0


def lines(report: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the report as (subject, sentence) pairs, most wanted first."""
    database, counts, spool = report["database"], report["counts"], report["spool"]
    size = size_text(database["size_bytes"] + database["wal_bytes"])
    queue = report["queue"]
    held = f"{counts['exchanges']:,} exchanges and {counts['messages']:,} messages"
    uptime = duration_text(report["uptime_s"])
    return [
        ("stenod", f"{report['version']}, up {uptime} (process {report['pid']})"),
        ("history", f"{held} in {_sessions(counts)}, {size} on disk"),
        ("capture", capture_text(report["capture"])),
        *_alarms(report["capture"].get("alarms", 0)),
        ("search", _search_text(report["followers"])),
        ("queue", f"{queue['requests']} writes wait" if queue["requests"] else "empty"),
        ("spool", _spool_text(spool)),
        ("disk", f"{size_text(report['disk']['free_bytes'])} free"),
        ("database", f"{database['path']} (SQLite {database['sqlite']})"),
        ("socket", report["socket"]),
    ]


def _sessions(counts: dict[str, int]) -> str:
    """Statistics count the sessions that have exchanges; here it is all of them."""
    without = counts.get("sessions_without_exchange")
    aside = f" ({without:,} without an exchange)" if without else ""
    number: int = counts["sessions"]
    return f"{number:,} {'session' if number == 1 else 'sessions'}{aside}"


def _alarms(count: int) -> list[tuple[str, str]]:
    told = f"{count} about what the agents write; see steno doctor"
    return [("alarms", told)] if count else []


def capture_text(capture: dict[str, Any]) -> str:
    """Return what the watcher is doing."""
    if not capture["enabled"]:
        return "off"
    if not capture["running"]:
        return f"the watcher is not running ({capture['restarts']} restarts)"
    state, done, total = backfill_of(capture["backfill"])
    if state == "done":
        return "up to date with every transcript"
    if state == "running":
        return f"reading what there is: {done:,} of {total:,} files"
    return "looking for transcripts"


def _search_text(followers: dict[str, int]) -> str:
    behind = {name: count for name, count in followers.items() if count}
    if not behind:
        return "index and analysis are up to date"
    return ", ".join(f"{name} is {count:,} changes behind" for name, count in behind.items())


def _spool_text(spool: dict[str, int]) -> str:
    told = [f"{spool['waiting']} writes wait"] if spool["waiting"] else []
    if spool["quarantined"]:
        told.append(f"{spool['quarantined']} were set aside (see steno doctor)")
    return ", ".join(told) or "empty"


COMMANDS = {
    "status": Command(
        "Versions, uptime, history, capture, queue, spool and disk at a glance.",
        "steno status --json",
        no_arguments,
        _run,
    )
}
