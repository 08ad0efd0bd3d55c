"""``steno forget``: delete for good; first it only counts."""

import argparse

from steno.cli.command import Command, Context, WrongUse
from steno.cli.failures import say
from steno.cli.filters import add_filters, filters_from, is_empty
from steno_schema.replies import Done
from steno_schema.requests import Delete


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", nargs="?", metavar="ID", help="one record; else say filters")
    parser.add_argument(
        "--type",
        choices=("exchange", "session", "conversation"),
        default="exchange",
        help="what ID names; with all that is in it",
    )
    parser.add_argument("--yes", action="store_true", help="do it; without, only count")
    add_filters(parser, limit=None)


def _run(context: Context) -> int:
    request = _request(context.args)
    done = context.ask(request, Done)
    found = done.changed > 0 or request.target is not None
    what = _what(request, done.changed)
    if context.args.json:
        context.screen.json({"count": done.changed, "forgotten": not request.dry_run})
    elif not found:
        say("Nothing found, so nothing is forgotten.")
    elif request.dry_run:
        context.screen.line(f"{what} would be forgotten; --yes does it.")
    else:
        context.screen.line(f"{what} forgotten, index and kept bytes included.")
    return 0 if found else 1


def _request(args: argparse.Namespace) -> Delete:
    filters = filters_from(args)
    if filters.role:
        raise WrongUse("--role chooses messages, but whole exchanges are forgotten.")
    if args.id is not None:
        if not is_empty(filters):
            raise WrongUse("give an ID or filters, not both.")
        return Delete(target=args.id, type=args.type, dry_run=not args.yes)
    if args.type != "exchange":
        raise WrongUse(f"--type {args.type} needs the ID of one.")
    if is_empty(filters):
        raise WrongUse(
            "forget what?", "Give an ID or filters; --since 1970-01-01 means everything."
        )
    return Delete(filters=filters, dry_run=not args.yes)


def _what(request: Delete, exchanges: int) -> str:
    amount = "1 exchange" if exchanges == 1 else f"{exchanges:,} exchanges"
    return amount if request.type == "exchange" else f"The {request.type} with {amount}"


COMMANDS = {
    "forget": Command(
        "Delete exchanges for good, index and kept bytes included. Without --yes it only counts.",
        "steno forget --project ~/secret --yes",
        _configure,
        _run,
    )
}
