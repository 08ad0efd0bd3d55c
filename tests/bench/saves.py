"""Saves a second, each synchronous and durable: steno, and processes writing one file themselves."""

import multiprocessing
import sqlite3
import time
from collections.abc import Callable
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from pathlib import Path

from bench.data import OUTPUT_WORDS, PROMPT_WORDS, Texts
from bench.tables import Row, median, milliseconds, percentile
from steno import Client
from support.running import RunningDaemon

CLIENTS = (1, 8, 32)
ROUND_S = 4.0
ROUNDS = 3
Saver = Callable[[Path, int], Callable[[str, str], object]]


def run(folder: Path) -> list[Row]:
    rows = []
    daemon = RunningDaemon(folder / "home")
    daemon.start("--no-capture")
    try:
        for clients in CLIENTS:
            ours: list[list[float]] = []
            theirs: list[list[float]] = []
            for number in range(ROUNDS):
                ours.append(_round(_steno, daemon.home, clients))
                theirs.append(_round(_direct, folder / f"direct-{clients}-{number}.db", clients))
            rows += [_row("steno", clients, ours), _row("direct SQLite", clients, theirs)]
    finally:
        daemon.stop()
    return rows


def _row(name: str, clients: int, rounds: list[list[float]]) -> Row:
    every = [latency for one in rounds for latency in one]
    return Row(
        f"{name}, {clients} clients",
        {
            "saves/s": f"{median([len(one) / ROUND_S for one in rounds]):,.0f}",
            "p50": milliseconds(median(every)),
            "p99": milliseconds(percentile(every, 0.99)),
            "p99.9": milliseconds(percentile(every, 0.999)),
        },
    )


def _round(saver: Saver, place: Path, clients: int) -> list[float]:
    """Return the latency of every save of one round, in seconds."""
    context = multiprocessing.get_context("spawn")
    ready, results = context.Barrier(clients), context.Queue()
    processes = [
        context.Process(target=_work, args=(saver, place, number, ready, results))
        for number in range(clients)
    ]
    if saver is _direct:
        _create(place)
    for process in processes:
        process.start()
    latencies = [latency for _ in processes for latency in results.get()]
    for process in processes:
        process.join()
    return latencies


def _work(
    saver: Saver, place: Path, number: int, ready: Barrier, results: "Queue[list[float]]"
) -> None:
    texts = Texts(number)
    prepared = [(texts.text(PROMPT_WORDS), texts.text(OUTPUT_WORDS)) for _ in range(200)]
    save = saver(place, number)
    save(*prepared[0])
    ready.wait()
    latencies: list[float] = []
    end = time.perf_counter() + ROUND_S
    while (start := time.perf_counter()) < end:
        save(*prepared[len(latencies) % len(prepared)])
        latencies.append(time.perf_counter() - start)
    results.put(latencies)


def _steno(home: Path, number: int) -> Callable[[str, str], object]:
    client = Client(home=home, spool=False)
    tags = ["bench", f"client-{number}"]
    return lambda prompt, output: client.history.save(
        prompt, output, model="model", tags=tags, cost_usd=0.01
    )


def _create(place: Path) -> None:
    connection = sqlite3.connect(place)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.executescript(
        "CREATE TABLE history (id INTEGER PRIMARY KEY, prompt TEXT, output TEXT, at REAL,"
        " model TEXT, cost REAL, tags TEXT);"
        "CREATE INDEX history_at ON history (at);"
        "CREATE VIRTUAL TABLE words USING fts5 (prompt, output, content = 'history',"
        " content_rowid = 'id');"
    )
    connection.close()


def _direct(place: Path, number: int) -> Callable[[str, str], object]:
    connection = sqlite3.connect(place, timeout=60, isolation_level=None)
    connection.execute("PRAGMA synchronous = FULL")

    def save(prompt: str, output: str) -> None:
        connection.execute("BEGIN IMMEDIATE")
        row = connection.execute(
            "INSERT INTO history (prompt, output, at, model, cost, tags) VALUES (?, ?, ?, ?, ?, ?)",
            (prompt, output, time.time(), "model", 0.01, f"bench,client-{number}"),
        )
        connection.execute(
            "INSERT INTO words (rowid, prompt, output) VALUES (?, ?, ?)",
            (row.lastrowid, prompt, output),
        )
        connection.execute("COMMIT")

    return save
