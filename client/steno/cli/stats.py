"""``steno stats``: totals, and tables by day, week, hour, model, keyword and more."""

import argparse
from typing import Any, get_args

from steno.cli.command import Command, Context
from steno.cli.filters import add_filters, filters_from
from steno.cli.jsontext import is_list, is_map
from steno.cli.screen import Screen
from steno.cli.tables import bar
from steno_schema.replies import Statistics
from steno_schema.requests import Filters, Stats, StatsBy

BY: tuple[str, ...] = get_args(StatsBy)
_TOTALS = {
    "exchanges": "exchanges",
    "sessions": "sessions",
    "projects": "projects",
    "first_at": "first",
    "last_at": "last",
    "tokens": "tokens",
    "input_tokens": "  input",
    "output_tokens": "  output",
    "reasoning_tokens": "    of it reasoning",
    "cache_read_tokens": "  cache read",
    "cache_write_tokens": "  cache write",
    "cost_usd": "cost",
}
OUTSIDE = {
    "subagent": "outside: sub-agents",
    "compaction": "outside: compactions",
    "other": "outside: other calls",
}
"""What calls that belong to no exchange were for."""
_BAR_COLUMNS = 24


def _configure_stats(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--by", choices=BY, help="a table by this, instead of the top of each")
    _configure_groups(parser)


def _configure_groups(parser: argparse.ArgumentParser) -> None:
    add_filters(parser, limit=None)
    parser.add_argument("--limit", metavar="N", type=_groups, default=50, help="rows at most")


def _groups(text: str) -> int:
    value = int(text)
    if not 1 <= value <= 1000:
        raise argparse.ArgumentTypeError("must be from 1 to 1000")
    return value


def _ask(context: Context) -> Statistics:
    args = context.args
    filters: Filters = filters_from(args)
    return context.ask(Stats(filters=filters, by=args.by, limit=args.limit), Statistics)


def _run_stats(context: Context) -> int:
    found = _ask(context)
    by, screen = context.args.by, context.screen
    if context.args.json:
        screen.json({"by": by, "totals": found.totals, "groups": found.groups})
        return 0
    screen.start_pager()
    if not found.totals.get("exchanges"):
        from steno.cli.nearmiss import tell_near_misses

        tell_near_misses(context, filters_from(context.args))
    _print_totals(screen, found.totals)
    tables = {by: found.groups} if by else _tables_in(found.totals)
    for name, groups in tables.items():
        if groups:
            screen.line()
            print_groups(screen, name, groups)
    return 0


def money(cost_usd: object) -> str | None:
    """Return a cost as text; what is not known stays blank, it is not 0."""
    if cost_usd is None:
        return None
    usd = float(str(cost_usd))
    return f"${usd:.4f}" if usd >= 0.0001 or not usd else f"${usd:.2g}"


def seconds(mean_response_ms: object) -> str | None:
    """Return how long an answer took on average as text; blank where nothing was timed."""
    return None if mean_response_ms is None else f"{float(str(mean_response_ms)) / 1000:.3g} s"


def outside(totals: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the groups of calls that belong to no exchange, from the totals of statistics."""
    groups = totals.get("outside")
    return [group for group in groups if is_map(group)] if is_list(groups) else []


def _print_totals(screen: Screen, totals: dict[str, Any]) -> None:
    rows: list[tuple[str, object]] = []
    for name, label in _TOTALS.items():
        value: object = totals.get(name)
        if name == "cost_usd":
            value = money(value)
        elif isinstance(value, str):
            value = screen.time(value)
        elif isinstance(value, int):
            value = screen.number(value)
        if value not in (None, ""):
            rows.append((label if screen.is_terminal else label.strip(), value))
    for group in outside(totals):
        label = OUTSIDE.get(str(group.get("name")), "outside")
        rows.append((label, money(group.get("cost_usd")) or "not known"))
    for label, told in rows:
        screen.line(f"{label:<22}{told}" if screen.is_terminal else f"{label}\t{told}")


def _tables_in(totals: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    return {
        name.removeprefix("by_"): value
        for name, value in totals.items()
        if name.startswith("by_") and is_list(value)
    }


def print_groups(screen: Screen, by: str, groups: list[dict[str, Any]]) -> None:
    """Print a table of groups, on a terminal with a bar for the number of exchanges."""
    rows: list[list[object]] = []
    largest = max(int(group.get("exchanges") or 0) for group in groups)
    for group in groups:
        number = int(group.get("exchanges") or 0)
        cost = money(group.get("cost_usd"))
        took = seconds(group.get("mean_response_ms"))
        counts = (screen.number(number), screen.number(group.get("tokens")))
        row: list[object] = [group.get("name") or "-", *counts, cost, took]
        rows.append([*row, bar(number, largest, _BAR_COLUMNS)] if screen.is_terminal else row)
    headers = [by, "exchanges", "tokens", "cost", "took"]
    screen.table([*headers, ""] if screen.is_terminal else headers, rows)


COMMANDS = {
    "stats": Command(
        "Totals, and tables by day, week, hour, model, project, tag, keyword and more.",
        "steno stats --by day --since 30d",
        _configure_stats,
        _run_stats,
    ),
}
