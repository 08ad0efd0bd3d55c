"""``steno cost``: what was spent, and with ``--explain`` the rows and prices behind the figure."""

import argparse
import math
from collections import Counter
from typing import Any

from steno.cli.command import Command, Context
from steno.cli.failures import say
from steno.cli.filters import add_filters, at_least_one, filters_from
from steno.cli.jsontext import is_map
from steno.cli.nearmiss import tell_near_misses
from steno.cli.paging import pages
from steno.cli.screen import Screen
from steno.cli.stats import BY, OUTSIDE, money, outside
from steno_schema.replies import Rows, Statistics
from steno_schema.requests import List, Stats

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
_REASONS = {
    "nested": "not counted: found inside another record only",
    "said_by_exchange": "not counted: its exchange said its own tokens or cost",
    "no_tokens": "no cost: no tokens were told",
    "only_a_total": "no cost: only a total of tokens is known",
    "no_model": "no cost: no model was told",
    "unknown_model": "no cost: no price is known for this model",
}
_RATES = {
    "input_usd": "input",
    "output_usd": "output",
    "cache_read_usd": "cache read",
    "cache_write_usd": "cache write",
    "cache_write_1h_usd": "1h write",
}


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--by", choices=BY, default="model", help="model unless told")
    parser.add_argument("--explain", action="store_true", help="the rows and prices behind it")
    add_filters(parser, limit=None)
    told = f"rows at most: {_GROUPS}, with --explain {_ROWS} unless told"
    parser.add_argument("--limit", metavar="N", type=at_least_one, help=told)


def _run(context: Context) -> int:
    if context.args.explain:
        return _explain(context)
    args, screen = context.args, context.screen
    limit = min(args.limit or _GROUPS, _GROUPS_MAX)
    found = context.ask(Stats(filters=filters_from(args), by=args.by, limit=limit), Statistics)
    if args.json:
        screen.json({"by": args.by, "totals": found.totals, "groups": found.groups})
        return 0
    screen.start_pager()
    if not found.totals.get("exchanges"):
        tell_near_misses(context, filters_from(args))
    rows = [_cells(str(group.get("name") or "-"), group) for group in found.groups]
    rows.append(_cells("total", found.totals))
    apart = outside(found.totals)
    if apart:
        rows += [_cells(OUTSIDE.get(group["name"], "outside"), group) for group in apart]
        rows.append(_cells("in all", _together([found.totals, *apart])))
    screen.table([args.by, *_COLUMNS.values()], rows)
    for note in _notes([found.totals, *apart], found.totals.get("costs_behind")):
        if screen.is_terminal:
            screen.line(screen.style(note, "dim"))
        else:
            say(note)
    return 0


def _cells(name: str, numbers: dict[str, Any]) -> list[object]:
    cells = [money(numbers.get(c)) if c == "cost_usd" else numbers.get(c) for c in _COLUMNS]
    return [name, *cells]


def _together(groups: list[dict[str, Any]]) -> dict[str, Any]:
    """Return sums over groups; what no group has is left out, what is not known is not added."""
    sums: dict[str, Any] = {}
    for name in _COLUMNS:
        known = [group[name] for group in groups if group.get(name) is not None]
        if known and name != "exchanges":
            sums[name] = _sum_usd(known) if name == "cost_usd" else sum(known)
    return sums


def _sum_usd(costs: list[float]) -> float | None:
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


def _explain(context: Context) -> int:
    args, screen = context.args, context.screen
    limit: int = args.limit or _ROWS
    request = List(type="cost", filters=filters_from(args))
    rows: list[dict[str, Any]] = []
    following: str | None = None
    for page in pages(context, request, Rows, limit):
        rows += page.items
        following = page.next_cursor
    counted = [row for row in rows if row.get("counted")]
    sum_usd = _sum_usd([row["cost_usd"] for row in counted])
    if args.json:
        told = {"counted": len(counted), "cost_usd": sum_usd}
        screen.json({"rows": rows, **told, "next_cursor": following})
        return 0
    screen.start_pager()
    _print_rows(screen, rows)
    screen.line()
    screen.line(f"counted: {money(sum_usd) or 'nothing'} in {len(counted)} of {len(rows)} rows")
    left_out = Counter(str(row.get("reason")) for row in rows if not row.get("counted"))
    for reason, number in left_out.most_common():
        screen.text(f"{number} {_REASONS.get(reason, reason)}")
    if following is not None:
        screen.line(f"These are the newest {len(rows)} rows; --limit N shows more.")
    return 0


def _print_rows(screen: Screen, rows: list[dict[str, Any]]) -> None:
    prices: dict[tuple[Any, ...], int] = {}
    cells: list[list[object]] = []
    for row in rows:
        price: object = row.get("price")
        number = None
        if is_map(price):
            rates = (*(price.get(name) for name in _RATES), price.get("above_tokens") or None)
            of = f"{price.get('provider') or ''} {price.get('model')}".strip()
            number = prices.setdefault((price.get("version"), of, *rates), len(prices) + 1)
        cells.append(
            [
                screen.time(row.get("at")),
                _part_of(row),
                row.get("model"),
                *(row.get(f"{name}_tokens") for name in ("input", "output")),
                *(row.get(f"cache_{name}_tokens") for name in ("read", "write", "write_1h")),
                money(row.get("cost_usd")),
                None if number is None else f"[{number}]",
                _remark(row),
            ]
        )
    headers = ["when", "part of", "model", "input", "output", "cache read", "cache write"]
    screen.table([*headers, "of it 1h", "cost", "price", "remark"], cells)
    if prices:
        screen.line()
        names = ["price", "version", "for", *(f"{name} $/M" for name in _RATES.values())]
        listed = [[f"[{number}]", *price] for price, number in prices.items()]
        screen.table([*names, "above tokens"], listed)


def _part_of(row: dict[str, Any]) -> str:
    if row.get("place") == "exchange":
        return f"exchange {row.get('exchange_number')}"
    return OUTSIDE.get(str(row.get("place")), "outside")


def _remark(row: dict[str, Any]) -> str:
    remarks: list[str] = []
    if not row.get("counted"):
        remarks.append(_REASONS.get(str(row.get("reason")), str(row.get("reason"))))
    elif row.get("cost_source") == "reported":
        remarks.append("reported")
    elif not row.get("tokens_complete"):
        remarks.append("at least: the count is not final")
    if row.get("copied"):
        remarks.append("a copy, its original is not here")
    return ", ".join(remarks)


COMMANDS = {
    "cost": Command(
        "What was spent: as reported, else by tokens and prices; what is not known stays blank.",
        "steno cost --by project --week",
        _configure,
        _run,
    ),
}
