"""Search through the socket over many messages: forty queries of every kind, shuffled."""

import os
import random
import time
from pathlib import Path
from queue import SimpleQueue

from bench.data import Texts
from bench.tables import Row, median, milliseconds, percentile
from steno import Client
from steno_schema.config import Settings
from steno_schema.replies import AnyReply
from steno_schema.requests import Append, Filters, Search
from stenod.inbox import Job
from stenod.writer import Writer
from support.running import RunningDaemon

EXCHANGES = int(os.environ.get("BENCH_EXCHANGES", "50000"))
"""Two messages each; 500000 makes the million of the targets."""
BATCH = 100
PASSES = 20


def run(folder: Path) -> list[Row]:
    home = folder / "home"
    home.mkdir()
    build_s = _build(home)
    daemon = RunningDaemon(home)
    daemon.start("--no-capture")
    try:
        with daemon.client(spool=False) as client:
            rows = [_measure(client, name, queries) for name, queries in _queries().items()]
    finally:
        daemon.stop()
    made = Row(
        f"{EXCHANGES:,} exchanges saved in requests of {BATCH} and searchable",
        {"p50": f"{EXCHANGES / build_s:,.0f} exchanges/s"},
    )
    return [made, *rows]


def _build(home: Path) -> float:
    writer = Writer(home / "steno.db", Settings())
    writer.start()
    texts = Texts(3)
    end_ms = int(time.time() * 1000)
    batches = [
        [texts.exchange(number + place, EXCHANGES, end_ms) for place in range(BATCH)]
        for number in range(0, EXCHANGES, BATCH)
    ]
    replies: SimpleQueue[AnyReply] = SimpleQueue()
    started = time.perf_counter()
    for number, batch in enumerate(batches):
        while not writer.inbox.put(Job(Append(records=list(batch)), 100_000, replies.put)):
            replies.get()
        if number >= 32:
            replies.get()
    writer.progress.wait_for("fulltext", 3600)
    elapsed = time.perf_counter() - started
    writer.stop()
    return elapsed


def _queries() -> dict[str, list[Search]]:
    words = Texts(3).words
    plain = {
        "very common": [words[rank] for rank in range(4)],
        "common": [words[rank] for rank in (20, 40, 60, 80)],
        "rare": [words[rank] for rank in (5000, 9000, 15_000, 25_000)],
        "two words": [f"{words[rank]} {words[rank * 7]}" for rank in (5, 10, 20, 40)],
        "three words": [f"{words[rank]} {words[rank * 3]} {words[rank * 9]}" for rank in (3, 9)],
        "phrase": [f'"{words[rank]} {words[rank + 1]}"' for rank in range(4)],
        "OR": [f"{words[rank]} OR {words[rank * 10]}" for rank in (10, 100, 1000)],
        "prefix": [f"{words[rank][:3]}*" for rank in (100, 400, 900)],
    }
    chosen = {name: [Search(query=query) for query in asked] for name, asked in plain.items()}
    common = words[30]
    for name, filters in {
        "with a tag": Filters(tag=["tag-7"]),
        "with a model": Filters(model=["model-3"]),
        "with a project": Filters(project=["/project/4"]),
        "of the last week": Filters(since="7d"),
    }.items():
        chosen[name] = [Search(query=common, filters=filters)]
    return chosen


def _measure(client: Client, name: str, queries: list[Search]) -> Row:
    asked = queries * PASSES
    random.Random(5).shuffle(asked)
    latencies = []
    for query in asked:
        started = time.perf_counter()
        client.request(query)
        latencies.append(time.perf_counter() - started)
    return Row(
        name,
        {
            "p50": milliseconds(median(latencies)),
            "p99": milliseconds(percentile(latencies, 0.99)),
            "max": milliseconds(max(latencies)),
        },
    )
