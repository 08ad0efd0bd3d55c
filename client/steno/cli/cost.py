"""``steno cost``: what was spent, and with ``--explain`` the rows and prices behind the figure."""

import argparse
import math
from typing import Any

from steno.cli.command import Command, Context
from steno.cli.failures import say
from steno.cli.filters import add_filters, at_least_one, filters_from
from steno.cli.nearmiss import tell_near_misses
from steno.cli.screen import Screen
from steno.cli.stats import BY, OUTSIDE, money, outside
from steno_schema.replies import Statistics
from steno_schema.requests import Stats

_GROUPS, _GROUPS_MAX = 50, 1000
_ROWS = 1000
_COLUMNS = {
    "exchanges": "exchanges",
    "input_tokens": "input",
    "output_tokens": "output",
    "cache_read_tokens": "cache read",
    "cache_write_tokens": "cache write",
    "cost_usd": "cost",
}


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--by", choices=BY, default="model", help="model unless told")
    parser.add_argument("--explain", action="store_true", help="the rows and prices behind it")
    add_filters(parser, limit=None)
    told = f"rows at most: {_GROUPS}, with --explain {_ROWS} unless told"
    parser.add_argument("--limit", metavar="N", type=at_least_one, help=told)


def _run(context: Context) -> int:
    if context.args.explain:
        from steno.cli.explained import explain

        return explain(context, context.args.limit or _ROWS)
    args, screen = context.args, context.screen
    limit = min(args.limit or _GROUPS, _GROUPS_MAX)
    found = context.ask(Stats(filters=filters_from(args), by=args.by, limit=limit), Statistics)
    if args.json:
        screen.json({"by": args.by, "totals": found.totals, "groups": found.groups})
        return 0
    screen.start_pager()
    if not found.totals.get("exchanges"):
        tell_near_misses(context, filters_from(args))
    rows = [_cells(screen, str(group.get("name") or "-"), group) for group in found.groups]
    rows.append(_cells(screen, "total", found.totals))
    apart = outside(found.totals)
    if apart:
        rows += [_cells(screen, OUTSIDE.get(group["name"], "outside"), group) for group in apart]
        rows.append(_cells(screen, "in all", _together([found.totals, *apart])))
    screen.table([args.by, *_COLUMNS.values()], rows)
    for note in _notes([found.totals, *apart], found.totals.get("costs_behind")):
        if screen.is_terminal:
            screen.line(screen.style(note, "dim"))
        else:
            say(note)
    return 0


def _cells(screen: Screen, name: str, numbers: dict[str, Any]) -> list[object]:
    cells = {column: screen.number(numbers.get(column)) for column in _COLUMNS}
    return [name, *(cells | {"cost_usd": money(numbers.get("cost_usd"))}).values()]


def _together(groups: list[dict[str, Any]]) -> dict[str, Any]:
    """Return sums over groups; what no group has is left out, what is not known is not added."""
    sums: dict[str, Any] = {}
    for name in _COLUMNS:
        known = [group[name] for group in groups if group.get(name) is not None]
        if known and name != "exchanges":
            sums[name] = sum_usd(known) if name == "cost_usd" else sum(known)
    return sums


def sum_usd(costs: list[float]) -> float | None:
    """Return a sum in whole nanodollars, as the daemon adds up; ``None`` of nothing."""
    return round(math.fsum(costs), 9) if costs else None


def _notes(groups: list[dict[str, Any]], behind: object) -> list[str]:
    unknown = sum(int(group.get("unknown_costs") or 0) for group in groups)
    incomplete = sum(int(group.get("incomplete_costs") or 0) for group in groups)
    notes: list[str] = []
    if unknown:
        notes.append(f"{unknown} without a known cost are not added: see --explain.")
    if incomplete:
        notes.append(f"{incomplete} may have cost more: not every count or price is known.")
    if behind:
        notes.append(f"{behind} changes are not priced yet.")
    return notes


COMMANDS = {
    "cost": Command(
        "What was spent: as reported, else by tokens and prices; what is not known stays blank.",
        "steno cost --by project --week",
        _configure,
        _run,
    ),
}
