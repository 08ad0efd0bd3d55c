"""Tracking into a real daemon, and what became of it, read back by SQL.

One daemon serves all tests of a folder, whose ``conftest`` takes the fixtures over; each test
begins with nothing in it.
"""

import json
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from steno.tracking import configure, flush
from steno_schema.requests import Admin
from support.running import RunningDaemon

SETTLED_TIMEOUT_S = 60.0


class Tracked:
    """A process that tracks into ``daemon``; the environment must name that instance already."""

    def __init__(self, daemon: RunningDaemon) -> None:
        self.daemon = daemon
        configure()

    def again(self) -> None:
        """Track by the settings as they are now."""
        configure()

    def settled(self) -> None:
        """Wait until everything tracked is stored and analysed."""
        assert flush(SETTLED_TIMEOUT_S)
        with self.daemon.client(spool=False) as client:
            client.request(Admin(action="drain_spool", arguments={"wait": True}))
            client.request(Admin(action="flush"))

    def sql(self, query: str, *values: object) -> list[list[Any]]:
        """Return rows of the views, once everything is settled."""
        self.settled()
        with self.daemon.client(spool=False) as client:
            return client.sql(query, list(values), limit=10_000).rows

    def prompts(self) -> list[str]:
        """Return every prompt there is, in the order of being stored."""
        return [row[0] for row in self.sql("SELECT prompt FROM history ORDER BY id")]

    def history(self) -> list[dict[str, Any]]:
        """Return every exchange, both views and all columns in one, metadata taken apart."""
        rows: list[dict[str, Any]] = []
        self.settled()
        with self.daemon.client(spool=False) as client:
            table = client.sql(
                "SELECT h.*, p.*, e.status FROM history AS h JOIN prompts AS p ON p.uid = h.uid"
                " JOIN exchange AS e ON e.id = h.id ORDER BY h.id"
            )
        for values in table.rows:
            row = dict(zip(table.columns, values, strict=True))
            row["metadata"] = json.loads(row["metadata"] or "{}")
            rows.append(row)
        return rows

    def one(self) -> dict[str, Any]:
        """Return the only exchange there is."""
        (row,) = self.history()
        return row

    def sightings(self) -> int:
        """Return how often a duplicate was met."""
        self.settled()
        connection = sqlite3.connect(f"file:{self.daemon.database}?mode=ro", uri=True)
        try:
            return int(connection.execute("SELECT count(*) FROM sighting").fetchone()[0])
        finally:
            connection.close()


@pytest.fixture(scope="session")
def shared_daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDaemon]:
    """A daemon without capture that many tests use, one after the other."""
    running = RunningDaemon(tmp_path_factory.mktemp("shared") / "home")
    running.start("--no-capture")
    yield running
    running.stop()


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory that is no project; the environment says nothing about steno."""
    for name in [name for name in os.environ if name.startswith(("STENO_", "XDG_"))]:
        monkeypatch.delenv(name)
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def tracked(
    shared_daemon: RunningDaemon, work: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Tracked]:
    """This process tracks into a daemon that holds nothing yet."""
    for name in ("config.toml", "tracking-failures.jsonl"):
        (shared_daemon.home / name).unlink(missing_ok=True)
    with shared_daemon.client(spool=False) as client:
        client.history.delete(since="1970-01-01")
    monkeypatch.setenv("STENO_HOME", str(shared_daemon.home))
    yield Tracked(shared_daemon)
    configure(tmp_path / "nowhere")
