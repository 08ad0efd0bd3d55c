"""``steno cost --explain``: the rows behind a figure, and the prices they were charged by."""

from collections import Counter
from typing import Any

from steno.cli.command import Context
from steno.cli.cost import sum_usd
from steno.cli.failures import say
from steno.cli.filters import filters_from
from steno.cli.jsontext import is_map
from steno.cli.paging import pages
from steno.cli.screen import Screen
from steno.cli.stats import OUTSIDE, money
from steno_schema.replies import Rows
from steno_schema.requests import List

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
_COLUMNS = ("when", "part of", "model", "input", "output", "cache read", "cache write", "of it 1h",
            "cost")  # fmt: skip
_PRICE_COLUMNS = ("version", "for", *(f"{name} $/M" for name in _RATES.values()), "above tokens")


def explain(context: Context, limit: int) -> int:
    """Print the newest ``limit`` rows, what they add up to, and what is not counted and why."""
    args, screen = context.args, context.screen
    request = List(type="cost", filters=filters_from(args))
    rows: list[dict[str, Any]] = []
    following: str | None = None
    for page in pages(context, request, Rows, limit):
        rows += page.items
        following = page.next_cursor
    counted = [row for row in rows if row.get("counted")]
    cost_usd = sum_usd([row["cost_usd"] for row in counted])
    if args.json:
        told = {"counted": len(counted), "cost_usd": cost_usd}
        screen.json({"rows": rows, **told, "next_cursor": following})
        return 0
    notes = [f"counted: {money(cost_usd) or 'nothing'} in {len(counted)} of {len(rows)} rows"]
    left_out = Counter(str(row.get("reason")) for row in rows if not row.get("counted"))
    notes += [
        f"{count} {_REASONS.get(reason, reason)}" for reason, count in left_out.most_common()
    ]
    if following is not None:
        notes.append(f"These are the newest {len(rows)} rows; --limit N shows more.")
    if screen.is_terminal:
        _print_on_terminal(screen, rows)
        screen.line()
        screen.text("\n".join(notes))
    else:
        headers = (*_COLUMNS, *_PRICE_COLUMNS, "remark")
        cells = [[*_cells(screen, row), *(_price(row) or _NO_PRICE), _remark(row)] for row in rows]
        screen.table(headers, cells)
        for note in notes:
            say(note)
    return 0


def _print_on_terminal(screen: Screen, rows: list[dict[str, Any]]) -> None:
    """Print the rows with the number of their price, then each price once."""
    screen.start_pager()
    prices: dict[tuple[object, ...], int] = {}
    cells: list[list[object]] = []
    for row in rows:
        price = _price(row)
        number = None if price is None else prices.setdefault(price, len(prices) + 1)
        named = None if number is None else f"[{number}]"
        cells.append([*_cells(screen, row), named, _remark(row)])
    screen.table([*_COLUMNS, "price", "remark"], cells)
    if prices:
        screen.line()
        listed = [[f"[{number}]", *price] for price, number in prices.items()]
        screen.table(["price", *_PRICE_COLUMNS], listed)


def _cells(screen: Screen, row: dict[str, Any]) -> list[object]:
    tokens = [row.get(f"{name}_tokens") for name in ("input", "output")]
    tokens += [row.get(f"cache_{name}_tokens") for name in ("read", "write", "write_1h")]
    return [
        screen.time(row.get("at")),
        _part_of(row),
        row.get("model"),
        *(screen.number(count) for count in tokens),
        money(row.get("cost_usd")),
    ]


def _price(row: dict[str, Any]) -> tuple[object, ...] | None:
    """Return the cells of the price that a row was charged by."""
    price: object = row.get("price")
    if not is_map(price):
        return None
    of = f"{price.get('provider') or ''} {price.get('model')}".strip()
    rates = (price.get(name) for name in _RATES)
    return (price.get("version"), of, *rates, price.get("above_tokens") or None)


_NO_PRICE = (None,) * len(_PRICE_COLUMNS)


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
