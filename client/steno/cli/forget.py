"""``steno forget``: delete for good; on a terminal it shows what would go, and asks."""

import argparse
import sys
from pathlib import Path

from msgspec.structs import replace

from steno.cli.command import Command, Context, WrongUse
from steno.cli.exchanges import print_list
from steno.cli.failures import say
from steno.cli.filters import add_filters, filters_from, is_empty
from steno_schema.replies import Done, Exchanges
from steno_schema.requests import Delete, Filters, Get, List

_SHOWN = 5
_NOT_DONE = 1


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", nargs="?", metavar="ID", help="one record; else say filters")
    parser.add_argument(
        "--type",
        choices=("exchange", "session", "conversation", "user"),
        default="exchange",
        help="what ID names; with all that is in it",
    )
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--yes", action="store_true", help="do it without asking")
    how.add_argument("--dry-run", action="store_true", help="only tell what would go")
    add_filters(parser, limit=None)


def _run(context: Context) -> int:
    args, screen = context.args, context.screen
    request = _request(args)
    asks = screen.is_terminal and sys.stdin is not None and sys.stdin.isatty() and not args.json
    if not (args.yes or args.dry_run or asks):
        raise WrongUse(
            "away from a terminal forget needs --yes.", "--dry-run tells what would go."
        )
    if args.yes:
        return _told(context, request, context.ask(request, Done).changed)
    trial = replace(request, dry_run=True)
    count = context.ask(trial, Done).changed
    if args.json or not _is_any(request, count):
        return _told(context, trial, count)
    _preview(context, request, count)
    _tell_of_copies(context)
    if args.dry_run:
        return 0
    if not _agreed():
        say("Nothing is forgotten.")
        return _NOT_DONE
    return _told(context, request, context.ask(request, Done).changed)


def _told(context: Context, request: Delete, count: int) -> int:
    """Tell what became of it; return the exit code."""
    if context.args.json:
        context.screen.json({"count": count, "forgotten": not request.dry_run})
    elif _is_any(request, count):
        context.screen.line(f"{_what(request, count)} forgotten, index and kept bytes included.")
        if context.args.yes:
            _tell_of_copies(context)
    else:
        from steno.cli.nearmiss import tell_near_misses

        say("Nothing found, so nothing is forgotten.")
        tell_near_misses(context, request.filters or Filters())
    return 0 if _is_any(request, count) else _NOT_DONE


def _preview(context: Context, request: Delete, count: int) -> None:
    """Print how much would go, and the newest of it."""
    screen = context.screen
    if request.target is None:
        ask: List | Get = List(filters=request.filters or Filters(), limit=_SHOWN)
    elif request.type == "exchange":
        ask = Get(target=request.target)
    else:
        screen.line(f"{_what(request, count)} would be forgotten.")
        return
    print_list(screen, context.ask(ask, Exchanges).items)
    if count > _SHOWN:
        screen.line(screen.style(f"… and {count - _SHOWN:,} more", "dim"))
    screen.line(f"{_what(request, count)} would be forgotten.")


def _tell_of_copies(context: Context) -> None:
    """Say which copies of the database keep what is forgotten here."""
    from steno_schema.config import load_usable

    paths = context.paths
    backups = load_usable(paths).settings.jobs.backup.to
    for folder, what in ((Path(backups or paths.backups), "backup"), (paths.aside, "database")):
        count = sum(1 for _ in folder.glob("**/*.db"))
        if count:
            plural = "" if count == 1 else "s"
            say(f"Copies that still hold it: {count} {what}{plural} in {folder}.")
    set_aside = sum(1 for _ in paths.quarantine.glob("*"))
    if set_aside:
        say(f"Nobody can read {set_aside} files in {paths.quarantine}; they may hold it too.")


def _agreed() -> bool:
    sys.stderr.write("Forget for good? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def _is_any(request: Delete, count: int) -> bool:
    return count > 0 or request.target is not None


def _request(args: argparse.Namespace) -> Delete:
    filters = filters_from(args)
    if filters.role:
        raise WrongUse("--role chooses messages, but whole exchanges are forgotten.")
    if args.id is not None:
        if not is_empty(filters):
            raise WrongUse("give an ID or filters, not both.")
        return Delete(target=args.id, type=args.type)
    if args.type != "exchange":
        raise WrongUse(f"--type {args.type} needs the ID of one.")
    if is_empty(filters):
        raise WrongUse(
            "forget what?", "Give an ID or filters; --since 1970-01-01 means everything."
        )
    return Delete(filters=filters)


def _what(request: Delete, exchanges: int) -> str:
    amount = "1 exchange" if exchanges == 1 else f"{exchanges:,} exchanges"
    return amount if request.type == "exchange" else f"The {request.type} with {amount}"


COMMANDS = {
    "forget": Command(
        "Delete exchanges for good, index and kept bytes included; on a terminal it asks first.",
        "steno forget --project ~/secret --yes",
        _configure,
        _run,
    )
}
