"""Statistics are exact: roll-ups and a scan of everything say the same after any mix of changes."""

import random
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import apsw
import pytest

from steno_schema.records import AnyRecord, Tokens
from steno_schema.requests import Amend, Append, Delete, Filters, Stats
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
        for by in (None, "day", "model", "agent", "project", "tag", "category", "session"):
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
            changes = {"category": rng.choice(("api", "testing", None))}
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


def test_statistics_through_the_socket(daemon: RunningDaemon) -> None:
    with daemon.client() as client:
        client.history.save("one", "1", tokens=Tokens(input=5, output=2), cost_usd=0.5, model="m")
        client.history.save("two", "2", tokens=Tokens(input=1, output=1), model="m")
        totals = client.history.stats().totals
        groups = client.history.stats(by="model").groups
    assert (totals["exchanges"], totals["tokens"], totals["cost_usd"]) == (2, 9, 0.5)
    assert [(group["name"], group["exchanges"]) for group in groups] == [("m", 2)]
