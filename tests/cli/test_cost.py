"""``steno cost``: sums that say what is part of them, and the rows behind."""

import json
from typing import Any

import pytest

from cli.support import HOSTILE, StubClient, only_harmless, run
from steno.cli.command import WrongUse
from steno.cli.stats import money
from steno_schema.replies import Reply, Rows, Statistics
from steno_schema.requests import Filters, List, Stats

PRICE = {
    "version": "list-1", "provider": "maker", "model": "gpt-5", "input_usd": 1.25,
    "output_usd": 10.0, "cache_read_usd": 0.125, "cache_write_usd": 1.25,
    "cache_write_1h_usd": 1.25, "above_tokens": 0,
}  # fmt: skip


def row(**fields: Any) -> dict[str, Any]:
    return {
        "at": "2026-01-02T03:04:05.678Z", "place": "exchange", "exchange_number": 7,
        "model": "gpt-5", "input_tokens": 10, "output_tokens": 5, "cache_read_tokens": 0,
        "cache_write_tokens": 0, "cache_write_1h_tokens": 0, "tokens_complete": True,
        "copied": False, "cost_usd": 0.25, "cost_source": "computed", "price": PRICE,
        "counted": True, "reason": None, **fields,
    }  # fmt: skip


def answering(*pages: Reply) -> StubClient:
    left = list(pages)
    return StubClient(lambda _: left.pop(0))


def test_the_sum_says_what_was_spent_outside_of_exchanges() -> None:
    totals = {
        "exchanges": 2, "input_tokens": 6, "cost_usd": 0.1, "unknown_costs": 1,
        "incomplete_costs": 0, "costs_behind": 3,
        "outside": [{"name": "subagent", "calls": 9, "input_tokens": 4, "cost_usd": 0.2,
                     "unknown_costs": 0, "incomplete_costs": 2}],
    }  # fmt: skip
    groups = [{"name": "gpt-5", "exchanges": 2, "input_tokens": 6, "cost_usd": 0.1}]
    out = run("cost", client=answering(Statistics(totals=totals, groups=groups)))[1]
    lines = [line.split("\t") for line in out.splitlines()]
    assert [(line[0], line[-1]) for line in lines[1:]] == [
        ("gpt-5", "$0.1000"),
        ("total", "$0.1000"),
        ("outside: sub-agents", "$0.2000"),
        ("in all", "$0.3000"),
    ]
    client = answering(Statistics(totals=totals, groups=groups))
    shown = run("cost", client=client, terminal=True)[1]
    assert "1 without a known cost are not added: see --explain." in shown
    assert "2 may have cost more" in shown
    assert "3 changes are not priced yet." in shown


def test_the_rows_behind_a_figure_with_their_prices() -> None:
    rows = [
        row(),
        row(cost_usd=0.5, cost_source="reported", price=None),
        row(place="subagent", copied=True, tokens_complete=False),
        row(counted=False, reason="nested"),
        row(counted=False, reason="unknown_model", cost_usd=None, cost_source=None, price=None),
        row(place="compaction", price={**PRICE, "above_tokens": 200_000}),
    ]
    client = answering(Rows(items=rows[:4], next_cursor="c"), Rows(items=rows[4:]))
    argv = ("cost", "--explain", "--model", "gpt-5")
    out = run(*argv, client=client, terminal=True, width=300)[1]
    table, prices, summary = (part.splitlines() for part in out.split("\n\n"))
    assert [line.partition("outside: ")[2][:10] for line in table if "sub-agents" in line] == [
        "sub-agents"
    ]
    assert [line.count("[1]") for line in table] == [0, 1, 0, 1, 1, 0, 0]
    assert "[2]" in table[6]
    assert prices[1].split() == [
        *("[1]", "list-1", "maker", "gpt-5", "1.25", "10", "0.125", "1.25", "1.25")
    ]
    assert prices[2].endswith("200000")
    assert summary[0] == "counted: $1.2500 in 4 of 6 rows"
    assert len(summary) == 3
    assert client.asked[0] == List(type="cost", filters=Filters(model=["gpt-5"]), limit=1000)
    assert client.asked[1].cursor == "c"


def test_in_a_pipe_the_rows_are_one_table_with_a_header(
    capsys: pytest.CaptureFixture[str],
) -> None:
    rows = [
        row(),
        row(cost_usd=0.5, cost_source="reported", price=None),
        row(place="subagent", copied=True, tokens_complete=False),
        row(counted=False, reason="unknown_model", cost_usd=None, cost_source=None, price=None),
        row(price={**PRICE, "above_tokens": 200_000}),
    ]
    out = run("cost", "--explain", client=answering(Rows(items=rows)))[1]
    header, *lines = [line.split("\t") for line in out.splitlines()]
    assert {len(line) for line in lines} == {len(header)}
    cells = [dict(zip(header, line, strict=True)) for line in lines]
    assert [line["part of"] for line in cells[1:3]] == ["exchange 7", "outside: sub-agents"]
    assert [line["cost"] for line in cells] == ["$0.2500", "$0.5000", "$0.2500", "", "$0.2500"]
    assert [line["for"] for line in cells[:2]] == ["maker gpt-5", ""]
    assert (cells[0]["input $/M"], cells[4]["above tokens"]) == ("1.25", "200000")
    assert [line["remark"] for line in cells[1:4]] == [
        "reported",
        "at least: the count is not final, a copy, its original is not here",
        "no cost: no price is known for this model",
    ]
    assert capsys.readouterr().err.splitlines() == [
        "counted: $1.2500 in 4 of 5 rows",
        "1 no cost: no price is known for this model",
    ]


def test_rows_that_are_left_out_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    client = answering(Rows(items=[row(), row()], next_cursor="more"))
    run("cost", "--explain", "--limit", "2", client=client)
    said = capsys.readouterr().err
    assert said.endswith("These are the newest 2 rows; --limit N shows more.\n")
    assert client.asked[0].limit == 2
    client = answering(Rows(items=[row()], next_cursor="more"))
    told = json.loads(run("cost", "--explain", "--limit", "1", "--json", client=client)[1])
    assert (told["counted"], told["cost_usd"], told["next_cursor"]) == (1, 0.25, "more")
    run("cost", "--explain", client=answering(Rows(items=[])))
    assert "counted: nothing in 0 of 0 rows" in capsys.readouterr().err


@pytest.mark.parametrize("terminal", [True, False])
def test_nothing_hostile_reaches_the_output(terminal: bool) -> None:
    evil = row(model=HOSTILE, at=HOSTILE, place=HOSTILE, reason=HOSTILE, counted=False,
               price={**PRICE, "model": HOSTILE, "version": HOSTILE})  # fmt: skip
    out = run("cost", "--explain", client=answering(Rows(items=[evil])), terminal=terminal)[1]
    assert only_harmless(out)


def test_limits_are_whole_numbers_above_zero() -> None:
    client = answering(Statistics(totals={"cost_usd": None}))
    run("cost", "--limit", "5000", client=client)
    assert client.asked == [Stats(by="model", limit=1000)]
    with pytest.raises(WrongUse, match="must be 1 or more"):
        run("cost", "--limit", "0", client=client)


def test_a_small_cost_is_not_shown_as_none() -> None:
    assert [money(cost) for cost in (0, 2.8e-9, 0.00012, 12.5)] == [
        "$0.0000",
        "$2.8e-09",
        "$0.0001",
        "$12.5000",
    ]
