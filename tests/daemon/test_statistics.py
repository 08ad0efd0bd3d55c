"""Statistics are exact: roll-ups and a scan of everything say the same after any mix of changes."""

import json
import random
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import get_args

import apsw
import pytest

from steno import Client
from steno_schema.records import AnyRecord, Exchange, Tokens
from steno_schema.requests import Admin, Amend, Append, Delete, Filters, Stats, StatsBy
from stenod.query.stats import statistics
from support.running import RunningDaemon
from support.store import NOW, Store, call, exchange, sighting


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path)
    yield opened
    opened.close()


def same_both_ways(reader: apsw.Connection) -> None:
    for filters in (
        Filters(),
        Filters(since="6d"),
        Filters(since="6d", until="2d"),
        Filters(until=(NOW - timedelta(days=3)).date().isoformat()),
        Filters(since="2000-01-01", until="2001-01-01"),
    ):
        for by in (None, *get_args(StatsBy)):
            request = Stats(filters=filters, by=by)
            with reader:
                rolled = statistics(reader, request, use_rollup=True)
                scanned = statistics(reader, request, use_rollup=False)
            assert rolled == scanned, (filters, by)


@pytest.mark.parametrize("seed", range(4))
def test_rollups_equal_a_scan(store: Store, seed: int) -> None:
    rng = random.Random(seed)
    known: list[str] = []
    for _ in range(12):
        batch = [exchange(rng) for _ in range(rng.randrange(1, 12))]
        calls: list[AnyRecord] = [call(rng, rng.choice((None, batch[0].id))) for _ in range(4)]
        store.ask(Append(records=[*batch, *calls]))
        store.ask(Append(records=sighting(rng), mode="merge"))
        known += [record.id for record in batch]
        if rng.random() < 0.5:
            changes = {"category": rng.choice(("api", "testing", None)),
                       "keywords": rng.choice((["red", "blue"], None)),
                       "rating": rng.choice((None, 0.1, 9.95))}  # fmt: skip
            target = rng.choice(known)
            store.ask(Amend(target=target, set=changes, add_tags=["w"], remove_tags=["x"]))
        if rng.random() < 0.4:
            store.ask(Delete(target=known.pop(rng.randrange(len(known)))))
        if rng.random() < 0.5:
            store.settled()
            same_both_ways(store.reader)
    store.rolled_up()
    same_both_ways(store.reader)
    clean = store.reader.execute("SELECT count(*) FROM rollup_day WHERE clean = 1").get
    assert clean, "no day was ever rolled up: this compared a scan with itself"


def test_calls_that_go_with_their_session_leave_the_rollups(store: Store) -> None:
    rng = random.Random(3)
    store.ask(Append(records=[call(rng, None) for _ in range(30)]))
    for _ in range(9):
        store.ask(Append(records=sighting(rng), mode="merge"))
    store.settled()
    for key in ("s1", "main-1"):
        store.ask(Delete(target=key, type="session"))
        store.settled()
        same_both_ways(store.reader)
    store.rolled_up()
    same_both_ways(store.reader)
    assert store.reader.execute("SELECT count(*) FROM rollup_day WHERE clean = 1").get


def test_money_adds_up_alike_in_any_order(store: Store) -> None:
    """Large and small costs together: sums of fractions would differ in their last digits."""
    rng = random.Random(5)
    batch = [exchange(rng) for _ in range(200)]
    for number, record in enumerate(batch):
        record.cost_usd = 1e6 / 7 if number % 40 == 0 else rng.random() / 1e6
    store.ask(Append(records=list(batch)))
    store.rolled_up()
    same_both_ways(store.reader)


@pytest.mark.parametrize("dimension", ["", "outside"])
def test_a_wrong_rollup_would_be_noticed(store: Store, dimension: str) -> None:
    """The comparison can fail: a roll-up that missed something differs from the scan."""
    rng = random.Random(9)
    store.ask(Append(records=[exchange(rng) for _ in range(60)]))
    store.ask(Append(records=[call(rng, None) for _ in range(60)]))
    store.rolled_up()
    path = store.reader.db_filename("main")
    other = apsw.Connection(path)
    other.execute("UPDATE rollup SET exchanges = exchanges + 1 WHERE dimension = ?", (dimension,))
    other.close()
    with pytest.raises(AssertionError):
        same_both_ways(store.reader)


def test_groups_are_what_counting_by_hand_gives(daemon: RunningDaemon) -> None:
    """Against a plain count in Python: the days are past, so that roll-ups answer in the end."""
    rng = random.Random(11)
    records = [exchange(rng) for _ in range(80)]
    for record in records:
        moment = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=rng.randrange(24 * 30))
        record.created_at = moment.isoformat()
        record.keywords = rng.sample(("red", "green", "blue"), rng.randrange(3))
        record.user = {"s1": "ada", "s2": "bob"}[record.session or ""]
    with daemon.client() as client:
        client.append(records)
        client.request(Admin(action="flush"))
        for _ in range(2):  # before and after the days are summed up
            for by, names in COUNTED.items():
                expected = Counter(name for record in records for name in names(record))
                groups = client.history.stats(by=by).groups
                assert {group["name"]: group["exchanges"] for group in groups} == expected, by
            hours = [group["name"] for group in client.history.stats(by="hour").groups]
            assert hours == sorted(hours)
            timed = [
                each.response_time_ms for each in records if each.response_time_ms is not None
            ]
            totals = client.history.stats().totals
            assert totals["mean_response_ms"] == sum(map(round, timed)) / len(timed)
            until_clean(client)
    for by, names in COUNTED.items():
        told = daemon.steno("stats", "--by", by, "--json")
        first = json.loads(told.stdout)["groups"][0]
        of_group = [record for record in records if first["name"] in names(record)]
        assert first["exchanges"] == len(of_group)
    table = daemon.steno("stats", "--by", "hour").stdout
    assert table.splitlines()[-1].split("\t")[:1] == ["23"]


def _at(record: Exchange) -> datetime:
    return datetime.fromisoformat(record.created_at or "")


def _monday(record: Exchange) -> str:
    day = _at(record).date()
    return (day - timedelta(days=day.weekday())).isoformat()


COUNTED: dict[StatsBy, Callable[[Exchange], list[str]]] = {
    "day": lambda each: [_at(each).date().isoformat()],
    "week": lambda each: [_monday(each)],
    "hour": lambda each: [f"{_at(each).hour:02}"],
    "keyword": lambda each: each.keywords or [],
    "tag": lambda each: each.tags,
    "agent": lambda each: [each.agent],
    "framework": lambda each: [each.agent],
    "project": lambda each: [each.project or ""],
    "model": lambda each: [each.model or ""],
    "session": lambda each: [each.session or ""],
    "user": lambda each: [each.user or ""],
}


def until_clean(client: Client) -> None:
    """Wait until every day is summed up; each question lets the writer do more."""
    while client.sql("SELECT count(*) FROM rollup_day WHERE clean = 0").rows != [[0]]:
        client.request(Admin(action="flush"))


def test_statistics_through_the_socket(daemon: RunningDaemon) -> None:
    with daemon.client() as client:
        client.history.save("one", "1", tokens=Tokens(input=5, output=2), cost_usd=0.5, model="m")
        client.history.save("two", "2", tokens=Tokens(input=1, output=1), model="m")
        totals = client.history.stats().totals
        groups = client.history.stats(by="model").groups
    assert (totals["exchanges"], totals["tokens"], totals["cost_usd"]) == (2, 9, 0.5)
    assert [(group["name"], group["exchanges"]) for group in groups] == [("m", 2)]
