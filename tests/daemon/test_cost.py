"""Computed costs: of calls and exchanges, beside what was reported, and every row explained."""

import json
import math
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apsw
import pytest

from steno_schema.config import OwnPrice, Settings
from steno_schema.ids import uuid7, uuid8
from steno_schema.records import AnyRecord, Conversation, Exchange, Message, Tokens, Turn, Usage
from steno_schema.replies import Rows
from steno_schema.requests import Admin, Append, Delete, Filters, List, Stats
from stenod.followers.cost import CallCost, ExchangeCost
from stenod.followers.follower import Follower
from stenod.followers.rollup import RollUp, roll_up
from stenod.prices.pricelist import Counts, PriceList
from stenod.query.calls import cost_rows
from stenod.query.stats import statistics
from stenod.store.append import append
from stenod.store.connection import open_writer
from stenod.store.context import Context
from stenod.store.days import DAY_SQL
from stenod.store.merge import refresh_touched
from stenod.store.migrate import migrate
from support.running import RunningDaemon
from support.store import Store, call, exchange, sighting
from support.wire import Wire

PRICES = PriceList()
CALL = (
    "model, recorded_at, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens,"
    " cache_write_5m_tokens, cache_write_1h_tokens"
)


def expected_cost(row: tuple[Any, ...]) -> float | None:
    """Return what (model, time, buckets) cost, straight from the price list."""
    model, at_ms, *buckets = row
    counts = Counts(*(bucket or 0 for bucket in buckets))
    quote = None if model is None or counts.is_zero else PRICES.quote(model, counts, at_ms)
    return None if quote is None else quote.cost_usd(counts)


def every_cost_is_right(reader: apsw.Connection) -> None:
    """Compare every stored cost with one computed here, row by row."""
    for reported, computed, *row in reader.execute(
        f"SELECT cost_usd, computed_cost_usd, {CALL} FROM usage"
    ):
        assert computed == expected_cost(tuple(row)), (reported, row)
    for (
        row_id,
        uid,
        origin,
        conversation,
        reported,
        computed,
        complete,
        told,
        *row,
    ) in reader.execute(
        "SELECT id, uid, origin, conversation_id, cost_usd, computed_cost_usd, cost_complete,"
        f" tokens_complete, {CALL.replace('recorded_at', 'created_at')} FROM exchange"
    ).fetchall():
        if origin == "script" and (reported is not None or row[2] is not None):
            assert computed == expected_cost(tuple(row))
            assert complete == (None if computed is None else told)
            continue
        parts: list[tuple[Any, ...]] = reader.execute(
            "SELECT coalesce(cost_usd, computed_cost_usd), cost_usd IS NOT NULL OR tokens_complete,"
            " input_tokens + output_tokens + cache_read_tokens + cache_write_tokens, cost_usd"
            " FROM usage WHERE exchange_id = ? AND nested = 0 AND (? OR conversation_id = ?)",
            (row_id, origin == "script", conversation),
        ).fetchall()
        known = [part[0] for part in parts if part[0] is not None]
        assert computed == (round(math.fsum(known), 12) if known else None), (uid, parts)
        whole = all(part[0] is not None and part[1] for part in parts if part[0] or part[2])
        assert complete == (int(whole) if known else None), parts
        if origin != "script":
            partly = any(part[3] is None and part[2] for part in parts)
            assert (reported is None) >= partly, "a part of the cost stands for the whole"


def every_row_adds_up(reader: apsw.Connection, filters: Filters) -> None:
    """The rows behind a figure, read page by page, come to that figure."""
    rows: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        page: Rows = cost_rows(reader, List(type="cost", filters=filters, limit=7, cursor=cursor))
        rows += page.items
        cursor = page.next_cursor
        if cursor is None:
            break
    assert [row["at"] for row in rows] == sorted((row["at"] for row in rows), reverse=True)
    with reader:  # one snapshot, as every question has it: days are rolled up meanwhile
        totals = statistics(reader, Stats(filters=filters)).totals
    figures = [totals["cost_usd"], *(group["cost_usd"] for group in totals["outside"])]
    spent = math.fsum(figure for figure in figures if figure is not None)
    counted = [row["cost_usd"] for row in rows if row["counted"]]
    assert math.fsum(counted) == pytest.approx(spent, abs=1e-6)
    apart = sum(group["calls"] for group in totals["outside"])
    assert apart == len(
        [row for row in rows if row["place"] != "exchange" and row["reason"] != "nested"]
    )
    backwards = cost_rows(reader, List(type="cost", filters=filters, limit=500, oldest_first=True))
    assert [row["at"] for row in backwards.items] == [row["at"] for row in rows[::-1]][:500]


@pytest.mark.parametrize("seed", range(3))
def test_any_mix_of_changes_leaves_right_costs(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    store = Store(tmp_path)
    for _ in range(10):
        batch = [exchange(rng) for _ in range(4)]
        calls: list[AnyRecord] = [call(rng, rng.choice((None, batch[0].id))) for _ in range(3)]
        store.ask(Append(records=[*batch, *calls]))
        store.ask(Append(records=sighting(rng) + sighting(rng), mode="merge"))
        if rng.random() < 0.3:
            store.ask(Delete(target=batch[1].id))
        if rng.random() < 0.5:
            store.settled()
            every_cost_is_right(store.reader)
    store.settled()
    every_cost_is_right(store.reader)
    for filters in (
        Filters(),
        Filters(since="6d", until="2d"),
        Filters(model=["gpt-5"]),
        Filters(session=["main-1", "s1"]),
        Filters(tag=["x"]),
        Filters(min_cost=0.1),
        Filters(agent=["codex"], project=["/a"]),
    ):
        every_row_adds_up(store.reader, filters)
    store.close()


def test_other_prices_compute_everything_again(tmp_path: Path) -> None:
    saved = Exchange(id=uuid7(), prompt="one", model="of-nobody", tokens=Tokens(input=10**6))
    recorded = Usage(id=uuid7(), model="of-nobody", tokens=Tokens(output=10**6), session="s")
    costs = []
    own = OwnPrice(input=2, output=3)
    for prices in ({}, {"of-*": own}, {"of-*": own}, {}):
        store = Store(tmp_path, Settings(prices=prices))
        store.ask(Append(records=[saved, recorded]))
        store.settled()
        of_exchange = "SELECT computed_cost_usd FROM exchange"
        versions = (
            "SELECT group_concat(p.version) FROM usage AS u JOIN price AS p ON p.id = price_id"
        )
        costs.append(
            (
                store.reader.execute(of_exchange).get,
                store.reader.execute("SELECT computed_cost_usd FROM usage").get,
                store.reader.execute(versions).get,
            )
        )
        store.close()
    nothing = (None, None, None)
    assert costs == [nothing, (2.0, 3.0, "config.toml"), (2.0, 3.0, "config.toml"), nothing]


@pytest.fixture
def filled(tmp_path: Path) -> Iterator[apsw.Connection]:
    """A database with a transcript that no follower has seen yet."""
    connection = open_writer(tmp_path / "steno.db")
    migrate(connection)
    context = Context(connection)
    append(context, Append(records=transcript(), mode="merge"))
    refresh_touched(context)
    yield connection
    connection.close()


@pytest.mark.parametrize("exchanges_first", [True, False])
def test_either_follower_may_be_ahead(filled: apsw.Connection, exchanges_first: bool) -> None:
    followers: list[Follower] = [CallCost(PRICES), ExchangeCost(PRICES)]
    for follower in reversed(followers) if exchanges_first else followers:
        follower.put(filled, 1, 100)
    every_cost_is_right(filled)
    assert filled.execute("SELECT computed_cost_usd > 0 FROM exchange").get


def test_a_day_is_rolled_up_again_when_a_price_changed(filled: apsw.Connection) -> None:
    RollUp().put(filled, 1, 100)
    other = PriceList({"claude-*": OwnPrice(input=1, output=1)})
    for prices, changes in ((PRICES, True), (PRICES, False), (other, True)):
        for day in _column(filled, "SELECT day FROM rollup_day"):
            roll_up(filled, day)
        CallCost(prices).put(filled, 1, 100)
        ExchangeCost(prices).put(filled, 1, 100)
        unclean = "SELECT DISTINCT day FROM rollup_day WHERE clean = 0"
        of_exchange = f"SELECT {DAY_SQL} FROM exchange AS e"
        assert (filled.execute(of_exchange).get in _column(filled, unclean)) is changes


def _column(connection: apsw.Connection, query: str) -> list[Any]:
    return [row[0] for row in connection.execute(query)]


def transcript() -> list[AnyRecord]:
    """Return a turn of two calls, a sub-agent's and a compaction's call, and a nested one."""
    known: dict[str, Any] = {"agent": "claude-code", "session": "s", "recorded_at": "2025-12-01"}
    opus = Tokens(input=10, output=100, cache_read=1000, cache_write=200, cache_write_1h=200)
    haiku = Tokens(input=1000, output=1000)
    turn, prompt = uuid8("turn"), uuid8("prompt")
    return [
        Conversation(id=uuid8("c"), key="s", session="s"),
        Conversation(id=uuid8("a"), key="s/agent-1", session="s", parent="s", kind="subagent"),
        Conversation(id=uuid8("b"), key="s/acompact-1", session="s", parent="s", kind="subagent"),
        Message(id=prompt, conversation="s", role="user", content="do it"),
        Turn(id=turn, conversation="s", prompt_message=prompt, agent="claude-code"),
        Usage(id=uuid8("1"), conversation="s", exchange=turn, model="claude-opus-4-5",
              tokens=opus, position=1, **known),
        Usage(id=uuid8("2"), conversation="s", exchange=turn, model="claude-haiku-4-5",
              tokens=Tokens(input=1000, output=1, complete=False), position=2, **known),
        Usage(id=uuid8("3"), conversation="s/agent-1", model="claude-haiku-4-5", tokens=haiku,
              **known),
        Usage(id=uuid8("4"), conversation="s/acompact-1", model="claude-haiku-4-5", tokens=haiku,
              **known),
        Usage(id=uuid8("5"), conversation="s/agent-1", model="claude-haiku-4-5", tokens=haiku,
              nested=True, **known),
        Usage(id=uuid8("6"), conversation="s", exchange=turn, model="<synthetic>",
              tokens=Tokens(), position=3, **known),
    ]  # fmt: skip


OPUS_USD, HAIKU_USD, AGENT_USD = 0.00505, 0.001005, 0.006


def test_a_turn_costs_its_calls_and_the_rest_is_told_apart(daemon: RunningDaemon) -> None:
    with daemon.client() as client:
        client.request(Append(records=transcript(), mode="merge"))
        (turn,) = client.history.recent()
        totals = client.history.stats().totals
    assert turn.cost_usd == pytest.approx(OPUS_USD + HAIKU_USD, abs=1e-12)
    assert (turn.cost_source, turn.cost_complete) == ("computed", False)
    assert totals["cost_usd"] == pytest.approx(OPUS_USD + HAIKU_USD)
    apart = {group["name"]: (group["calls"], group["cost_usd"]) for group in totals["outside"]}
    assert apart == {"subagent": (1, AGENT_USD), "compaction": (1, AGENT_USD)}
    told = json.loads(daemon.steno("cost", "--explain", "--json").stdout)
    assert told["cost_usd"] == pytest.approx(OPUS_USD + HAIKU_USD + 2 * AGENT_USD)
    reasons = [row["reason"] for row in told["rows"]]
    assert sorted(filter(None, reasons)) == ["nested", "no_tokens"]
    (dearest,) = [row for row in told["rows"] if row["model"] == "claude-opus-4-5"]
    assert dearest["price"]["version"] == PRICES.version
    assert (dearest["price"]["cache_write_1h_usd"], dearest["exchange_id"]) == (10, turn.id)
    printed = daemon.steno("cost").stdout
    assert "outside: sub-agents\t\t1000\t1000\t0\t0\t$0.0060" in printed
    assert "in all" in printed


def test_a_saved_call_shows_its_cost_everywhere(daemon: RunningDaemon) -> None:
    saved = daemon.steno("save", "hello", "--output", "hi", "--model", "gpt-5",
                         "--input-tokens", "1000", "--output-tokens", "500")  # fmt: skip
    uid = saved.stdout.split()[0]
    shown = json.loads(daemon.steno("show", uid, "--json").stdout)
    assert (shown["cost_usd"], shown["cost_source"]) == (0.00625, "computed")
    assert shown["cost_complete"] is True
    assert "$0.0063" in daemon.steno("cost").stdout
    assert "$0.0063" in daemon.steno("stats").stdout
    assert json.loads(daemon.steno("list", "--min-cost", "0.006", "--json").stdout)["items"]
    assert daemon.steno("list", "--min-cost", "0.007").returncode == 1
    with daemon.client() as client:
        assert client.sql("SELECT cost FROM history").rows == [[0.00625]]


def test_what_is_not_known_is_no_cost_and_what_was_reported_wins(daemon: RunningDaemon) -> None:
    cases: dict[str, dict[str, Any]] = {
        "unknown model": {"model": "of-nobody", "tokens": Tokens(input=5)},
        "no model": {"tokens": Tokens(input=5)},
        "only a total": {"model": "gpt-5", "tokens": Tokens(total=5)},
        "no tokens": {"model": "gpt-5"},
        "reported": {"model": "gpt-5", "tokens": Tokens(input=10**6), "cost_usd": 0.5},
        "nothing": {"model": "gpt-5", "tokens": Tokens(input=10**6), "cost_usd": 0.0},
    }
    with daemon.client() as client:
        for prompt, fields in cases.items():
            client.history.save(prompt, "done", **fields)
        found = {
            each.prompt: (each.cost_usd, each.cost_source) for each in client.history.recent()
        }
        totals = client.history.stats().totals
        beside = client.sql(
            "SELECT cost_usd, computed_cost_usd FROM exchange WHERE cost_usd > 0"
        ).rows
    unknown = {"unknown model", "no model", "only a total", "no tokens"}
    assert {prompt for prompt, (cost, _) in found.items() if cost is None} == unknown
    assert (found["reported"], found["nothing"]) == ((0.5, "reported"), (0.0, "reported"))
    assert beside == [[0.5, 1.25]]
    assert (totals["cost_usd"], totals["unknown_costs"], totals["costs_behind"]) == (0.5, 3, 0)
    told = json.loads(daemon.steno("cost", "--explain", "--json").stdout)["rows"]
    reasons = {row["exchange_number"]: row["reason"] for row in told}
    assert list(reasons.values()) == [None, None, "only_a_total", "no_model", "unknown_model"]


def test_calls_of_a_script_count_for_an_exchange_without_its_own(daemon: RunningDaemon) -> None:
    with daemon.client() as client:
        bare = client.history.save("bare", "done", model="gpt-5")
        told = client.history.save("told", "done", model="gpt-5", tokens=Tokens(input=10**6))
        for each in (bare, told):
            client.costs.add("gpt-5", input_tokens=10**6, output_tokens=0, exchange=each.id)
        costs = {each.prompt: each.cost_usd for each in client.history.recent()}
        totals = client.history.stats().totals
    assert costs == {"bare": 1.25, "told": 1.25}
    assert (totals["cost_usd"], totals["outside"]) == (2.5, [])
    rows = json.loads(daemon.steno("cost", "--explain", "--json").stdout)["rows"]
    assert [row["reason"] for row in rows if not row["counted"]] == ["said_by_exchange"]


def test_own_prices_come_from_the_configuration(daemon_at_rest: RunningDaemon) -> None:
    daemon = daemon_at_rest
    daemon.home.mkdir()
    (daemon.home / "config.toml").write_text(
        '[prices]\n"gpt-5" = { input = 2, output = 4 }\n"local-*" = { input = 0, output = 0 }\n'
    )
    daemon.start("--no-capture")
    with daemon.client() as client:
        client.history.save("dear", "done", model="gpt-5", tokens=Tokens(input=10**6))
        client.history.save("free", "done", model="local-7b", tokens=Tokens(input=10**6))
        costs = {each.prompt: each.cost_usd for each in client.history.recent()}
    assert costs == {"dear": 2.0, "free": 0.0}
    shown = daemon.steno("config", "show", "--origin").stdout
    assert 'prices.gpt-5\t{"input":2.0' in shown


def test_a_broken_price_is_refused_with_a_sentence(daemon_at_rest: RunningDaemon) -> None:
    daemon_at_rest.home.mkdir()
    (daemon_at_rest.home / "config.toml").write_text("[prices]\nm = { input = -1, output = 4 }\n")
    process = daemon_at_rest.spawn("--no-capture")
    assert process.wait(60) != 0
    assert "prices" in daemon_at_rest.log.read_text()


def test_an_export_does_not_turn_computed_costs_into_reported_ones(
    daemon: RunningDaemon, tmp_path: Path
) -> None:
    with daemon.client() as client:
        client.history.save("one", "done", model="gpt-5", tokens=Tokens(input=10**6))
        client.history.save("two", "done", model="gpt-5", cost_usd=0.5)
        client.request(Append(records=transcript(), mode="merge"))
    before = {(each.prompt, each.cost_usd) for each in _all(daemon)}
    file = tmp_path / "all.jsonl"
    assert daemon.steno("export", "-o", str(file)).returncode == 0
    other = RunningDaemon(tmp_path / "other")
    other.start("--no-capture")
    assert other.steno("import", str(file)).returncode == 0
    found = _all(other)
    other.stop()
    assert {(each.prompt, each.cost_usd) for each in found} == before
    assert {each.prompt: each.cost_source for each in found}["one"] == "computed"


def _all(daemon: RunningDaemon) -> list[Any]:
    with daemon.client() as client:
        client.request(Admin(action="flush"))
        return list(client.history.recent())


def test_a_page_goes_on_and_a_wrong_request_gets_a_sentence(daemon: RunningDaemon) -> None:
    with daemon.client() as client:
        client.request(Append(records=transcript(), mode="merge"))
    with Wire(daemon.socket) as wire:
        first = wire.ask(verb="list", type="cost", limit=4)
        rest = wire.ask(verb="list", type="cost", limit=4, cursor=first["next_cursor"])
        assert (len(first["items"]), len(rest["items"])) == (4, 2)
        assert "next_cursor" not in rest
        assert wire.ask(verb="list", type="cost", cursor="7")["code"] == "bad_request"
        assert wire.ask(verb="get", type="cost", target="1")["code"] == "bad_request"
        assert wire.ask(verb="amend", type="cost", target="1")["code"] == "bad_request"
