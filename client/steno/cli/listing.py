"""``steno list``, ``today`` and ``week``: exchanges, newest first."""

import argparse

from steno.cli.command import Command, Context
from steno.cli.exchanges import print_list
from steno.cli.filters import add_filters, filters_from, page_size, this_monday
from steno.cli.paging import pages, tell_more
from steno_schema.replies import Exchanges
from steno_schema.requests import Filters, List


def _configure(parser: argparse.ArgumentParser) -> None:
    add_filters(parser)


def _configure_fixed(parser: argparse.ArgumentParser) -> None:
    add_filters(parser, days=False)


def _run_list(context: Context) -> int:
    return _print(context, filters_from(context.args))


def _run_today(context: Context) -> int:
    filters = filters_from(context.args)
    filters.since = "today"
    return _print(context, filters)


def _run_week(context: Context) -> int:
    filters = filters_from(context.args)
    filters.since = this_monday()
    return _print(context, filters)


def _print(context: Context, filters: Filters) -> int:
    args, screen = context.args, context.screen
    request = List(filters=filters, limit=page_size(args.limit), cursor=args.cursor)
    found = Exchanges(items=[])
    for page in pages(context, request, Exchanges, args.limit):
        found = Exchanges(items=found.items + page.items, next_cursor=page.next_cursor)
    if args.json:
        from steno.cli.jsontext import plain

        screen.json({"items": plain(found.items), "next_cursor": found.next_cursor})
    elif found.items:
        screen.start_pager()
        print_list(screen, found.items)
        tell_more(screen, found.next_cursor)
    else:
        from steno.cli.failures import say
        from steno.cli.nearmiss import tell_near_misses

        say("Nothing found.")
        tell_near_misses(context, filters)
    return 0 if found.items else 1


COMMANDS = {
    "list": Command(
        "List exchanges, newest first.",
        "steno list --agent codex --since 7d",
        _configure,
        _run_list,
    ),
    "today": Command(
        "List the exchanges of today, newest first.",
        "steno today --project .",
        _configure_fixed,
        _run_today,
    ),
    "week": Command(
        "List the exchanges since Monday, newest first.",
        "steno week --tag auth --json",
        _configure_fixed,
        _run_week,
    ),
}
