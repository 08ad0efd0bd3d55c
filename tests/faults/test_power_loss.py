"""Power may fail after any operation: what was acknowledged is there, once, and nothing is corrupt.

Followers commit without a sync of their own. That loses no record: the next commit that is
acknowledged syncs the log, and with it everything that stands before it there.
"""

import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import apsw
import msgspec
import pytest

from faults.vfs import MODES, Disk, after_power_cut
from faults.workload import Asked, Work, check
from steno_schema.ids import uuid7
from steno_schema.replies import Appended, Outcome
from steno_schema.requests import Append
from stenod import background, failpoints, verbs, writer
from stenod.store.connection import open_writer
from stenod.store.context import Context, uid_of

STATES = int(os.environ.get("STENO_TEST_POWER_STATES", "300"))
SEED = int(os.environ.get("STENO_TEST_SEED", "20261121"))
VARIANT_STATES = 50
WORKLOADS = 4
STEPS = 20


def run(folder: Path, seed: int, steps: int = STEPS) -> Work:
    """Let a writer work on a new database; return it with the log of its disk."""
    folder.mkdir()
    with Disk() as disk:
        work = Work(folder, disk, random.Random(seed))
        work.open()
        for _ in range(steps):
            work.step()
        work.close()
    return work


def states(work: Work, folder: Path, chance: random.Random, count: int) -> list[str]:
    """Cut the power ``count`` times; return everything that was wrong afterwards."""
    wrong: list[str] = []
    for number in range(count):
        length, mode = chance.randint(0, len(work.disk.log)), chance.choice(MODES)
        found = after_power_cut(work.disk.log[:length], mode, chance)
        after = folder / f"state{number}"
        after.mkdir()
        for name, content in found.items():
            (after / name).write_bytes(content)
        promised, everything = told_by(work.asked, length)
        wrong += [f"{each} ({mode} after {length})" for each in check(after, promised, everything)]
        shutil.rmtree(after)
    return wrong


def told_by(asked: list[Asked], length: int) -> tuple[list[Append], list[Append]]:
    """Return what was acknowledged by then, and everything ever asked for."""
    promised = [
        each.request
        for each in asked
        if each.acknowledged_at is not None and each.acknowledged_at <= length
    ]
    return promised, [each.request for each in asked]


@pytest.mark.parametrize("number", range(WORKLOADS))
def test_no_acknowledged_record_is_lost_and_nothing_is_corrupt(
    tmp_path: Path, number: int
) -> None:
    seed = SEED + number
    print(f"seed {seed}")
    work = run(tmp_path / "work", seed)
    assert all(each.acknowledged_at is not None for each in work.asked)
    assert states(work, tmp_path, random.Random(seed), STATES // WORKLOADS) == []


def sync_normally(monkeypatch: pytest.MonkeyPatch) -> None:
    """Synchronous NORMAL: a commit is on the disk some time later."""

    def relaxed(*arguments: Any) -> apsw.Connection:
        connection = open_writer(*arguments)
        connection.pragma("synchronous", "NORMAL")
        return connection

    monkeypatch.setattr(writer, "open_writer", relaxed)
    monkeypatch.setattr(background, "relaxed", lambda *_arguments, yes: None)


def acknowledge_early(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replies leave before the commit."""
    take_in = Work.again
    at_work: list[Work] = []

    def again(work: Work, asked: list[Asked]) -> None:
        at_work[:] = [work]
        take_in(work, asked)

    def hit(name: str) -> None:
        if name == "writer.before_commit" and at_work:
            for each in at_work[0].current:
                each.acknowledged_at = each.acknowledged_at or len(at_work[0].disk.log)

    monkeypatch.setattr(Work, "again", again)
    monkeypatch.setattr(failpoints, "hit", hit)


def remember_ids_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """The id that makes a retry harmless is kept in a transaction of its own, after the record."""
    stored: list[tuple[Context, list[bytes]]] = []
    append = verbs.VERBS[Append]

    def remembered(context: Context, request: Append) -> Any:
        context.connection.execute("CREATE TABLE IF NOT EXISTS seen (uid BLOB UNIQUE)")
        ids = [uid_of(record.id) for record in request.records]
        known = context.connection.execute("SELECT 1 FROM seen WHERE uid = ?", (ids[0],)).get
        if known or request.mode == "merge":
            outcome = [Outcome(id=record.id, outcome="existed") for record in request.records]
            return append(context, request) if not known else Appended(outcomes=outcome)
        fresh = [msgspec.structs.replace(record, id=uuid7()) for record in request.records]
        stored.append((context, ids))
        append(context, Append(records=fresh))
        created = [Outcome(id=record.id, outcome="created") for record in request.records]
        return Appended(outcomes=created)

    def hit(name: str) -> None:
        if name == "writer.after_commit":
            while stored:
                context, ids = stored.pop()
                context.connection.executemany(
                    "INSERT INTO seen VALUES (?)", [(each,) for each in ids]
                )

    monkeypatch.setitem(verbs.VERBS, Append, remembered)
    monkeypatch.setattr(failpoints, "hit", hit)


@pytest.mark.parametrize(
    ("breaks", "fault"),
    [(sync_normally, "lost"), (acknowledge_early, "lost"), (remember_ids_apart, "twice")],
)
def test_broken_variants_are_caught(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    breaks: Callable[[pytest.MonkeyPatch], None],
    fault: str,
) -> None:
    breaks(monkeypatch)
    work = Work(tmp_path / "work", Disk(), random.Random(SEED))
    work.folder.mkdir()
    with work.disk:
        work.open()
        for _ in range(4):
            work.step("saves")
        work.close()
    wrong = states(work, tmp_path, random.Random(SEED), VARIANT_STATES)
    assert any(each.startswith(fault) for each in wrong), wrong
