"""Statistics are exact: roll-ups and a scan of everything say the same after any mix of changes."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from queue import SimpleQueue

import apsw
import pytest

from steno_schema.config import Settings
from steno_schema.ids import uuid7
from steno_schema.records import Exchange, Tokens
from steno_schema.replies import AnyReply, Error
from steno_schema.requests import Amend, AnyRequest, Append, Delete, Filters, Stats
from stenod.inbox import Job
from stenod.query.stats import statistics
from stenod.store.connection import open_reader
from stenod.writer import Writer
from support.running import RunningDaemon

NOW = datetime.now(UTC)
FOLLOWERS = ("analysis", "rollup")
PROMPTS = ("create a database table", "fix the login bug", "write tests", "hello")


class Store:
    """A writer in this process, asked one request at a time."""

    def __init__(self, folder: Path) -> None:
        self._writer = Writer(folder / "steno.db", Settings())
        self._writer.start()
        self.reader = open_reader(folder / "steno.db")

    def ask(self, request: AnyRequest) -> AnyReply:
        replies: SimpleQueue[AnyReply] = SimpleQueue()
        assert self._writer.inbox.put(Job(request, 100, replies.put))
        reply = replies.get(timeout=60)
        assert not isinstance(reply, Error), reply
        return reply

    def settled(self) -> None:
        """Wait for the followers; days are rolled up when the writer has nothing else to do."""
        for name in FOLLOWERS:
            assert self._writer.progress.wait_for(name, 60) == 0

    def rolled_up(self) -> None:
        """Stop and start nothing: take the remaining days here, as the writer would."""
        self.settled()
        self._writer.stop()

    def close(self) -> None:
        self.reader.close()
        self._writer.stop()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path)
    yield opened
    opened.close()


def exchange(rng: random.Random) -> Exchange:
    moment = NOW - timedelta(days=rng.randrange(12), seconds=rng.randrange(86_400))
    return Exchange(
        id=uuid7(),
        prompt=rng.choice(PROMPTS),
        output=rng.choice(("", "done")),
        created_at=moment.isoformat(),
        model=rng.choice((None, "large", "small")),
        agent=rng.choice(("python", "codex")),
        project=rng.choice((None, "/a", "/b")),
        tokens=rng.choice((None, Tokens(input=rng.randrange(99), output=3), Tokens(total=7))),
        cost_usd=rng.choice((None, 0.25, 0.5)),
        tags=rng.sample(("x", "y", "z"), rng.randrange(3)),
        session=rng.choice(("s1", "s2")),
    )


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
        store.ask(Append(records=list(batch)))
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


def test_a_wrong_rollup_would_be_noticed(store: Store) -> None:
    """The comparison can fail: a roll-up that missed something differs from the scan."""
    rng = random.Random(9)
    store.ask(Append(records=[exchange(rng) for _ in range(60)]))
    store.rolled_up()
    path = store.reader.db_filename("main")
    other = apsw.Connection(path)
    other.execute("UPDATE rollup SET exchanges = exchanges + 1 WHERE dimension = ''")
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
