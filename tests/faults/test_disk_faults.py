"""A disk that is full or broken, for one call or for good: every reply says what is on the disk.

After the fault everything that was refused is asked for again, and is there once. A process that
is killed, or loses power, in the middle of it has lost nothing that was acknowledged.
"""

import os
import random
import shutil
from pathlib import Path

import apsw
import pytest

from faults.vfs import Disk, Fault, after_power_cut
from faults.workload import DATABASE, Stopped, Work, check, is_known
from steno_schema.ids import parse_id
from steno_schema.records import Exchange, Turn
from steno_schema.replies import AnyReply, Appended
from steno_schema.requests import Append
from stenod import writer

POINTS = int(os.environ.get("STENO_TEST_FAULT_POINTS", "100"))
SEED = int(os.environ.get("STENO_TEST_SEED", "20261121"))
STEPS = 10
CODES = (apsw.SQLITE_FULL, apsw.SQLITE_IOERR)


@pytest.fixture(autouse=True)
def no_exit(monkeypatch: pytest.MonkeyPatch) -> None:
    """The writer's end is not this process's end."""

    def stop() -> None:
        raise Stopped

    monkeypatch.setattr(writer, "give_up", stop)


class Episode:
    """One run of the writer with one fault in it; ``wrong`` says what it found."""

    def __init__(self, folder: Path, seed: int, fault: Fault | None) -> None:
        self.wrong: list[str] = []
        self.killed = False
        self.restarts = 0
        self._folder = folder
        self._chance = random.Random(seed)
        self.disk = Disk()
        (folder / "0").mkdir(parents=True)
        self.work = Work(folder / "0", self.disk, random.Random(seed), self._compare)
        with self.disk:
            self.work.open()
            self.disk.fault = fault
            before = self.disk.calls
            for _ in range(STEPS):
                self._attempt()
            self.disk.mend()
            self.calls = self.disk.calls - before
            for asked in self.work.asked:
                if asked.acknowledged_at is None:
                    self.work.again([asked])
            self.work.close()
        self.wrong += [f"unanswered: {a}" for a in self.work.asked if a.acknowledged_at is None]
        everything = [asked.request for asked in self.work.asked]
        self.wrong += check(self.work.folder, everything, everything)

    def _attempt(self) -> None:
        try:
            self.work.step()
        except (Stopped, apsw.Error):
            # What the supervisor does; what was in memory is gone, and the fault with it.
            self.restarts += 1
            self.disk.mend()
            following = self._folder / str(self.restarts)
            shutil.copytree(self.work.folder, following, ignore=shutil.ignore_patterns("*-shm"))
            self.work.close()
            self.work.folder = following
            self.work.open()

    def _compare(self, request: Append, reply: AnyReply) -> None:
        """Look at the disk at the very moment a reply leaves."""
        database = str(self.work.folder / DATABASE)
        connection = apsw.Connection(database, flags=apsw.SQLITE_OPEN_READONLY)
        wanted = [r.id for r in request.records if isinstance(r, Exchange | Turn)]
        marks = ", ".join("?" * len(wanted))
        found = connection.execute(
            f"SELECT count(*) FROM exchange WHERE uid IN ({marks})", [parse_id(w) for w in wanted]
        ).get
        stored_before = is_known(connection, request, reply)
        connection.close()
        if stored_before:
            return
        expected = len(wanted) if isinstance(reply, Appended) else 0
        if found != expected:
            self.wrong.append(f"replied {type(reply).__name__}, but {found} are on the disk")
        if not isinstance(reply, Appended) and not self.killed:
            self.killed = True
            self._kill_here()
            self._cut_power_here()

    def _kill_here(self) -> None:
        """Open a copy of what other processes see now: what kill -9 would leave."""
        left = self._folder / "killed"
        shutil.copytree(self.work.folder, left, ignore=shutil.ignore_patterns("*-shm"))
        self.wrong += [f"{each} (killed)" for each in check(left, *self._told())]

    def _cut_power_here(self) -> None:
        left = self._folder / "dark"
        left.mkdir()
        for name, content in after_power_cut(self.disk.log, "torn", self._chance).items():
            (left / name).write_bytes(content)
        self.wrong += [f"{each} (power cut)" for each in check(left, *self._told())]

    def _told(self) -> tuple[list[Append], list[Append]]:
        promised = [a.request for a in self.work.asked if a.acknowledged_at is not None]
        return promised, [asked.request for asked in self.work.asked]


@pytest.mark.parametrize("lasting", [False, True], ids=["once", "lasting"])
@pytest.mark.parametrize("code", CODES, ids=["full", "ioerr"])
def test_a_fault_at_any_call(tmp_path: Path, code: int, lasting: bool) -> None:
    chance = random.Random(SEED)
    calls = Episode(tmp_path / "clean", SEED, None).calls
    print(f"seed {SEED}, {calls} calls")
    points = [chance.randrange(calls) for _ in range(POINTS // (len(CODES) * 2))]
    wrong = []
    noticed = 0
    for at in points:
        episode = Episode(
            tmp_path / str(len(os.listdir(tmp_path))), SEED, Fault(at, code, lasting)
        )
        wrong += [f"{each} (fault at {at})" for each in episode.wrong]
        noticed += episode.killed or episode.restarts > 0
    assert wrong == []
    assert noticed, "some of the faults were met by a request"


def test_power_may_fail_long_after_a_sync_did(tmp_path: Path) -> None:
    """What a failed sync should have written is gone, though everybody still sees it.

    The followers' commit before it was not synced either; what is acknowledged afterwards must
    not stand behind it in the log.
    """
    for number in range(12):
        folder = tmp_path / str(number)
        folder.mkdir()
        disk = Disk()
        work = Work(folder, disk, random.Random(SEED + number))
        with disk:
            work.open()
            for step in ("saves", "follow"):
                work.step(step)
            disk.fault = Fault(number % 4, apsw.SQLITE_IOERR, kind="sync")
            for step in ("saves", "saves", "follow", "saves"):
                try:
                    work.step(step)
                except Stopped:
                    disk.mend()
                    work.reopen()
            left = folder / "dark"
            left.mkdir()
            found = after_power_cut(disk.log, "nothing", random.Random(number))
            for name, content in found.items():
                (left / name).write_bytes(content)
            work.close()
        promised = [asked.request for asked in work.asked if asked.acknowledged_at is not None]
        assert len(promised) >= 2
        assert check(left, promised, [asked.request for asked in work.asked]) == [], number


def test_a_reply_that_does_not_fit_the_disk_would_be_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A writer that believes a failed commit was none answers wrongly, and the check says so."""
    monkeypatch.setattr(writer.Writer, "_is_stored", lambda _self, _job, _reply: True)
    wrong: list[str] = []
    calls = Episode(tmp_path / "clean", SEED, None).calls
    for at in range(0, calls, calls // 12):
        wrong += Episode(tmp_path / str(at), SEED, Fault(at, apsw.SQLITE_IOERR)).wrong
    assert any(each.startswith("replied Appended, but 0") for each in wrong), wrong
