"""``steno doctor``: every check with its mend; also where no daemon runs."""

from collections.abc import Callable, Iterator

from steno.cli.checks import Check, check_configuration, check_disk, check_files, check_spool
from steno.cli.checks_care import check_jobs, check_recoveries
from steno.cli.checks_daemon import (
    check_capture,
    check_database,
    check_plugin,
    check_redactions,
    check_versions,
)
from steno.cli.checks_tracking import check_tracking
from steno.cli.command import Command, Context, no_arguments
from steno.cli.launch import find_daemon
from steno.cli.screen import escape_line
from steno.errors import StenoError

_MARKS = {
    "ok": ("✓", "ok", "green"),
    "warn": ("!", "warn", "yellow"),
    "fail": ("✗", "fail", "red"),
}
_FAILED = 1


def _run(context: Context) -> int:
    checks: list[Check] = []
    for check in _checks(context):
        checks.append(check)
        if not context.args.json:
            _print(context, check)
            context.screen.flush()
    healthy = all(check.state != "fail" for check in checks)
    if context.args.json:
        told = [check._asdict() for check in checks]
        context.screen.json({"ok": healthy, "checks": told})
    return 0 if healthy else _FAILED


def _checks(context: Context) -> Iterator[Check]:
    paths = context.paths
    try:
        welcome = find_daemon(context)
        finding = "none answers" if welcome is None else f"answers (process {welcome.pid})"
        yield Check("daemon", "fail" if welcome is None else "ok", finding, _UP)
    except StenoError as error:
        welcome = None
        yield Check("daemon", "fail", error.message, error.hint)
    if welcome is not None:
        yield check_versions(welcome)
    yield from check_files(paths)
    yield from check_configuration(paths)
    if welcome is not None:
        yield from _ask(context, "database", check_database)
        yield from _ask(context, "jobs", check_jobs)
        yield from _ask(context, "recovery", check_recoveries)
        yield from _ask(context, "secrets", check_redactions)
        yield from _ask(context, "plug-in", check_plugin)
    yield from check_spool(paths, daemon_runs=welcome is not None)
    yield check_disk(paths)
    yield check_tracking(paths)
    if welcome is not None:
        yield from _ask(context, "capture", check_capture)


def _ask(
    context: Context, name: str, check: Callable[[Context], Iterator[Check]]
) -> Iterator[Check]:
    try:
        yield from check(context)
    except StenoError as error:
        yield Check(name, "fail", error.message, error.hint or "See steno status.")


def _print(context: Context, check: Check) -> None:
    screen = context.screen
    mark, word, style = _MARKS[check.state]
    sign = screen.style(mark if screen.is_terminal and screen.speaks_unicode else word, style)
    screen.line(f"{sign:<4} {check.name}: {escape_line(check.finding)}")
    if check.state != "ok" and check.mend:
        screen.line(f"       {screen.style('mend:', 'bold')} {escape_line(check.mend)}")


_UP = "steno up starts it."

COMMANDS = {
    "doctor": Command(
        "Check everything, and say how to mend what is broken. Exit code 1 if a check failed.",
        "steno doctor --json",
        no_arguments,
        _run,
    )
}
