"""``steno search``: ranked results with their matches in colour."""

import argparse
from typing import TYPE_CHECKING

from steno.cli.command import Command, Context, WrongUse
from steno.cli.exchanges import base_name
from steno.cli.filters import add_filters, filters_from, is_empty, page_size
from steno.cli.screen import escape_line
from steno_schema.requests import Search

if TYPE_CHECKING:
    from steno.cli.screen import Screen
    from steno_schema.replies import Results, SearchResult


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "query",
        nargs="*",
        metavar="QUERY",
        help='words, "a phrase", pre*, -without, OR, agent:codex since:30d tag:auth …',
    )
    parser.add_argument(
        "--rank",
        choices=("best", "recent", "exact"),
        default="best",
        help="best scores the newest matches, recent goes by time, exact scores all",
    )
    add_filters(parser)


def _run(context: Context) -> int:
    args, screen = context.args, context.screen
    query = " ".join(args.query).strip()
    filters = filters_from(args)
    if not query and is_empty(filters):
        raise WrongUse("search for what?", "Give words to find, or filters to list by.")
    request = Search(
        query=query,
        filters=filters,
        limit=page_size(args.limit),
        cursor=args.cursor,
        rank=args.rank,
    )
    found = _collect(context, request)
    if args.json:
        from steno.cli.jsontext import plain

        screen.json(
            {
                "results": plain(found.results),
                "next_cursor": found.next_cursor,
                "complete": found.complete,
                "behind": found.behind,
            }
        )
    else:
        _print(screen, found)
    if found.results:
        return 0
    if not args.json:
        from steno.cli.nearmiss import tell_near_misses

        _say_nothing_found(query)
        tell_near_misses(context, filters, query)
    return 1


def _collect(context: Context, request: Search) -> "Results":
    from steno.cli.paging import pages
    from steno_schema.replies import Results

    whole: Results | None = None
    for page in pages(context, request, Results, context.args.limit):
        if whole is not None:
            page.results = whole.results + page.results
        whole = page
    assert whole is not None
    return whole


def _print(screen: "Screen", found: "Results") -> None:
    from steno.cli.failures import say
    from steno.cli.paging import tell_more

    screen.start_pager()
    for result in found.results:
        if screen.is_terminal:
            _print_on_terminal(screen, result)
        else:
            _print_in_pipe(screen, result)
    tell_more(screen, found.next_cursor)
    if not found.complete:
        screen.stop_pager()
        say(f"The index is {found.behind} changes behind; the newest records may be missing.")


def _print_on_terminal(screen: "Screen", result: "SearchResult") -> None:
    parts = [
        screen.style(escape_line(str(result.number or result.id)), "yellow"),
        screen.style(escape_line(result.agent or "-"), "cyan"),
        screen.style(escape_line(base_name(result.project) or "-"), "blue"),
        screen.style(screen.time(result.created_at), "dim"),
    ]
    screen.line("  ".join(parts))
    screen.line("    " + screen.highlight(result.snippet))


def _print_in_pipe(screen: "Screen", result: "SearchResult") -> None:
    cells = [result.id, result.agent or "-", base_name(result.project) or "-", result.created_at]
    line = "\t".join(escape_line(cell) for cell in cells)
    screen.line(f"{line}\t{screen.highlight(result.snippet)}")


def _say_nothing_found(query: str) -> None:
    from steno.cli.failures import say

    wanted = " ".join(query.split())
    what = f" for {wanted[:80]!r}" if wanted else " that fits the filters"
    if wanted and not any(char.isalnum() for char in wanted):
        say(f"Nothing found{what}: punctuation is not searched for, only words are.")
    else:
        say(f"Nothing found{what}.")


COMMANDS = {
    "search": Command(
        "Find words in every prompt and reply; the words of the filters work in the query too.",
        "steno search 'token refresh agent:codex since:30d -flaky'",
        _configure,
        _run,
        dashes_are_words=True,
    )
}
