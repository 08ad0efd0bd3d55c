"""Costs computed from tokens and prices: of each model call, and of the exchanges they make up.

Two followers, since a call may be heard of without its exchange and the other way round. Each
leaves the sum of an exchange as it follows from what is stored then, so the order does not matter.
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import apsw

from stenod.prices.pricelist import Counts, PriceList, Quote
from stenod.store.calls import COST, COUNTED, TOKENS
from stenod.store.changes import Kind
from stenod.store.days import mark_unclean
from stenod.store.rows import fetch_all

DIGITS = 12
"""Sums are rounded to picodollars: adding in another order must not show."""

_BUCKETS = (
    "input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, cache_write_5m_tokens,"
    " cache_write_1h_tokens"
)
_CALLS = f"""
SELECT id, exchange_id, computed_cost_usd, price_id, model, recorded_at, {_BUCKETS}
FROM usage WHERE id BETWEEN ? AND ?
"""
_EXCHANGES = f"""
SELECT id, origin = 'script' AND (cost_usd IS NOT NULL OR input_tokens IS NOT NULL),
  computed_cost_usd, price_id, cost_complete, tokens_complete, model, created_at, {_BUCKETS}
FROM exchange WHERE
"""
_PARTS = f"""
SELECT x.id, {COST}, e.cost_usd IS NOT NULL OR e.tokens_complete = 1
FROM usage AS e JOIN exchange AS x ON x.id = e.exchange_id
WHERE {COUNTED} AND ({COST} IS NOT NULL OR {TOKENS} > 0) AND
"""
_PRICE_COLUMNS = (
    "version, provider, model, input_usd, output_usd, cache_read_usd, cache_write_usd,"
    " cache_write_1h_usd, above_tokens"
)


class Figure(NamedTuple):
    """A computed cost as it is stored; ``complete`` is ``None`` where there is no cost."""

    cost_usd: float | None = None
    price_id: int | None = None
    complete: int | None = None


class CallCost:
    """Keeps the computed cost of ``usage`` in step with its tokens and the price list."""

    name = "call_cost"
    table = "usage"
    kinds: frozenset[Kind] = frozenset({"usage"})

    def __init__(self, prices: PriceList) -> None:
        self._prices = prices
        self.version = f"1:{prices.key}"

    def reset(self, connection: apsw.Connection) -> None:
        """Keep what there is: every row is gone through and says which prices it follows."""

    def put(self, connection: apsw.Connection, first_id: int, last_id: int) -> None:
        changed: list[tuple[float | None, int | None, int]] = []
        exchanges: set[int] = set()
        for row in fetch_all(connection, _CALLS, (first_id, last_id)):
            row_id, exchange_id, *known = row[:4]
            figure = _priced(connection, self._prices, row[4:])
            if list(figure[:2]) != known:
                changed.append((figure.cost_usd, figure.price_id, row_id))
                exchanges |= set() if exchange_id is None else {exchange_id}
        connection.executemany(
            "UPDATE usage SET computed_cost_usd = ?, price_id = ? WHERE id = ?", changed
        )
        if exchanges:
            marks = ", ".join("?" * len(exchanges))
            settle(connection, self._prices, f"id IN ({marks})", sorted(exchanges))

    def gone(self, connection: apsw.Connection, first_id: int, last_id: int) -> None:
        """Nothing to do: the cost goes with its row."""


class ExchangeCost:
    """Keeps the computed cost of ``exchange``: of its own tokens, or the sum of its calls."""

    name = "exchange_cost"
    table = "exchange"
    kinds: frozenset[Kind] = frozenset({"exchange"})

    def __init__(self, prices: PriceList) -> None:
        self._prices = prices
        self.version = f"1:{prices.key}"

    def reset(self, connection: apsw.Connection) -> None:
        """Keep what there is: every row is gone through."""

    def put(self, connection: apsw.Connection, first_id: int, last_id: int) -> None:
        settle(connection, self._prices, "id BETWEEN ? AND ?", (first_id, last_id))

    def gone(self, connection: apsw.Connection, first_id: int, last_id: int) -> None:
        """Nothing to do: the cost goes with its row."""


def settle(
    connection: apsw.Connection, prices: PriceList, condition: str, values: Sequence[int]
) -> None:
    """Compute the cost of these exchanges anew, and mark the days of those that changed."""
    sums = _sums(connection, f"x.{condition}", values)
    changed = []
    for row in fetch_all(connection, f"{_EXCHANGES} {condition}", values):
        row_id, says_itself, *known = row[:5]
        if says_itself:
            figure = _priced(connection, prices, row[6:], complete=row[5])
        else:
            figure = sums.get(row_id, Figure())
        if list(figure) != known:
            changed.append((*figure, row_id))
    connection.executemany(
        "UPDATE exchange SET computed_cost_usd = ?, price_id = ?, cost_complete = ? WHERE id = ?",
        changed,
    )
    if changed:
        marks = ", ".join("?" * len(changed))
        mark_unclean(connection, f"e.id IN ({marks})", [row[-1] for row in changed])


def _sums(connection: apsw.Connection, condition: str, values: Sequence[int]) -> dict[int, Figure]:
    parts: dict[int, list[tuple[float | None, int]]] = {}
    for exchange_id, cost, complete in fetch_all(connection, f"{_PARTS} {condition}", values):
        parts.setdefault(exchange_id, []).append((cost, complete))
    return {exchange_id: _sum(calls) for exchange_id, calls in parts.items()}


def _sum(calls: list[tuple[float | None, int]]) -> Figure:
    known = [(cost, complete) for cost, complete in calls if cost is not None]
    if not known:
        return Figure()
    complete = len(known) == len(calls) and all(complete for _, complete in known)
    return Figure(round(math.fsum(cost for cost, _ in known), DIGITS), None, int(complete))


def _priced(
    connection: apsw.Connection,
    prices: PriceList,
    row: Sequence[Any],
    complete: int | None = 1,
) -> Figure:
    """Return what (model, time, buckets) cost; nothing where model or tokens are not known."""
    model, at_ms, *buckets = row
    counts = Counts(*(count or 0 for count in buckets))
    quote = None if model is None or counts.is_zero else prices.quote(model, counts, at_ms)
    if quote is None:
        return Figure()
    return Figure(
        quote.cost_usd(counts), _price_id(connection, quote), int(complete is None or complete > 0)
    )


def _price_id(connection: apsw.Connection, quote: Quote) -> int:
    values = [*quote[:3], *(float(rate) for rate in quote[3:8]), quote.above_tokens]
    names = _PRICE_COLUMNS.split(", ")
    condition = " AND ".join(f"{name} = ?" for name in names)
    found = connection.execute(f"SELECT id FROM price WHERE {condition}", values).get
    if found is None:
        found = connection.execute(
            f"INSERT INTO price ({_PRICE_COLUMNS}) VALUES ({', '.join('?' * len(names))})"
            " RETURNING id",
            values,
        ).get
    return int(found)
