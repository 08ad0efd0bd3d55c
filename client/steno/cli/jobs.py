"""``steno jobs``: what the daemon does by itself, how it last went, and running one now."""

import argparse
import time
from typing import Any

from steno.cli.command import Command, Context, WrongUse
from steno.cli.quantities import duration_text
from steno.cli.screen import parse_time
from steno_schema.replies import Done
from steno_schema.requests import Admin

TIMEOUT_S = 3600.0
"""A job on a large database takes its time; ``--timeout`` counts only for the list."""


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", nargs="?", choices=("run",), help="run one job now")
    parser.add_argument("name", nargs="?", help="its name, as the list shows it")


def _run(context: Context) -> int:
    if context.args.action == "run":
        return run_job(context, context.args.name)
    listed: list[dict[str, Any]] = context.ask(Admin(action="jobs"), Done).result["jobs"]
    if context.args.json:
        context.screen.json(listed)
        return 0
    headers = ["job", "every", "last", "took", "result", "next", "what it does"]
    context.screen.table(headers, [_row(context, job) for job in listed])
    return 0


def _row(context: Context, job: dict[str, Any]) -> list[str]:
    last: dict[str, Any] = job["last"] or {}
    duration_ms = last.get("duration_ms")
    return [
        job["name"],
        job["every"] if job["enabled"] else "off",
        context.screen.time(last.get("started_at")) or "never",
        "" if duration_ms is None else took_text(duration_ms),
        "running" if job["running"] else last.get("result", ""),
        _next_text(context, job["next"]),
        last.get("detail", {}).get("error") or job["summary"],
    ]


def _next_text(context: Context, moment: str | None) -> str:
    if moment is None:
        return "when asked"
    at_s = parse_time(moment) if context.screen.is_terminal else None
    if at_s is None:
        return moment
    left_s = at_s - time.time()
    return "when it is quiet" if left_s < 60 else f"in {duration_text(left_s)}"


def run_job(context: Context, name: str | None) -> int:
    """Run a job now and tell how it went; raise what the daemon refuses."""
    if not name:
        raise WrongUse("steno jobs run needs the name of a job.", "steno jobs lists them.")
    result = carry_out(context, name)
    if context.args.json:
        context.screen.json(result)
        return 0
    figures = ", ".join(
        f"{key.replace('_', ' ')} {value}" for key, value in result["detail"].items()
    )
    told = f"{name}: done in {took_text(result['duration_ms'])}"
    context.screen.text(f"{told} ({figures})." if figures else f"{told}.")
    return 0


def carry_out(
    context: Context, name: str, arguments: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Run a job now and return how it went; raise what the daemon refuses."""
    request = Admin(action="run_job", arguments={"name": name, **(arguments or {})})
    return context.ask(request, Done, timeout_s=TIMEOUT_S).result


def took_text(duration_ms: float) -> str:
    """Return how long something took.

    >>> took_text(1250.0)
    '1.2 s'
    """
    return f"{duration_ms:.0f} ms" if duration_ms < 1000 else f"{duration_ms / 1000:.1f} s"


COMMANDS = {
    "jobs": Command(
        "Show what the daemon does by itself and when; run one of its jobs now.",
        "steno jobs run check",
        _configure,
        _run,
    )
}
