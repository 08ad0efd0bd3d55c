"""``steno stats`` and ``steno cost``: totals, and tables by day, model, agent and more."""

import argparse
from typing import Any

from steno.cli.command import Command, Context
from steno.cli.filters import add_filters, filters_from
from steno.cli.jsontext import is_list
from steno.cli.screen import Screen
from steno.cli.tables import bar
from steno_schema.replies import Statistics
from steno_schema.requests import Filters, Stats

_BY = ("day", "model", "agent", "project", "tag", "category", "session")
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
_COST_COLUMNS = {
    "exchanges": "exchanges",
    "input_tokens": "input",
    "output_tokens": "output",
    "cache_read_tokens": "cache read",
    "cache_write_tokens": "cache write",
    "cost_usd": "cost",
}
_BAR_COLUMNS = 24


def _configure_stats(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--by", choices=_BY, help="a table by this, instead of the top of each")
    _configure_groups(parser)


def _configure_cost(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--by", choices=_BY, default="model", help="model unless told")
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
    _print_totals(screen, found.totals)
    tables = {by: found.groups} if by else _tables_in(found.totals)
    for name, groups in tables.items():
        if groups:
            screen.line()
            print_groups(screen, name, groups)
    return 0


def _run_cost(context: Context) -> int:
    found = _ask(context)
    by, screen = context.args.by, context.screen
    if context.args.json:
        screen.json({"by": by, "totals": found.totals, "groups": found.groups})
        return 0
    screen.start_pager()
    rows = [_cost_row(str(group.get("name") or "-"), group) for group in found.groups]
    rows.append(_cost_row("total", found.totals))
    screen.table([by, *_COST_COLUMNS.values()], rows)
    return 0


def _cost_row(name: str, numbers: dict[str, Any]) -> list[object]:
    cells = [money(numbers[c]) if c == "cost_usd" else numbers.get(c) for c in _COST_COLUMNS]
    return [name, *cells]


def money(cost_usd: object) -> str | None:
    """Return a cost as text; what was not reported stays blank, it is not 0."""
    return f"${float(str(cost_usd)):.4f}" if cost_usd is not None else None


def _print_totals(screen: Screen, totals: dict[str, Any]) -> None:
    rows: list[tuple[str, object]] = []
    for name, label in _TOTALS.items():
        value: object = totals.get(name)
        if name == "cost_usd":
            value = money(value)
        elif isinstance(value, str):
            value = screen.time(value)
        elif isinstance(value, int):
            value = f"{value:,}" if screen.is_terminal else value
        if value not in (None, ""):
            rows.append((label if screen.is_terminal else label.strip(), value))
    for label, told in rows:
        screen.line(f"{label:<20}{told}" if screen.is_terminal else f"{label}\t{told}")


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
        row: list[object] = [group.get("name") or "-", number, group.get("tokens"), cost]
        rows.append([*row, bar(number, largest, _BAR_COLUMNS)] if screen.is_terminal else row)
    headers = [by, "exchanges", "tokens", "cost"]
    screen.table([*headers, ""] if screen.is_terminal else headers, rows)


COMMANDS = {
    "stats": Command(
        "Totals, and tables by day, model, agent, project, tag, category or session.",
        "steno stats --by day --since 30d",
        _configure_stats,
        _run_stats,
    ),
    "cost": Command(
        "What it cost, as far as it was reported; what was not stays blank.",
        "steno cost --by project --week",
        _configure_cost,
        _run_cost,
    ),
}
