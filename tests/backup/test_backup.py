"""Backups: whole and private while others write, rotated, and refused where they cannot be."""

import json
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import apsw
import pytest

from steno.errors import Refused
from steno_schema.errors import RequestError
from steno_schema.limits import FREE_SPACE_FLOOR_BYTES
from stenod.backup import snapshot
from stenod.backup.rotation import backup_name, found_in
from stenod.backup.snapshot import copy_database
from stenod.backup.verify import verify
from support.running import RunningDaemon
from support.saving import Savers, check_file, stored_exchanges

UNDER_LOAD = int(os.environ.get("STENO_TEST_BACKUPS", "3"))


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDaemon]:
    """One daemon with a little in it for the tests of this file."""
    daemon = RunningDaemon(tmp_path_factory.mktemp("backup") / "home")
    daemon.start("--no-capture")
    with daemon.client(spool=False) as client:
        for number in range(20):
            client.history.save(f"prompt {number}", "answer", tags=["kept"])
    yield daemon
    assert daemon.stop() == 0


def test_backups_made_under_load_restore_to_an_equal_database(
    daemon: RunningDaemon, tmp_path: Path
) -> None:
    """Everything acknowledged before a backup began is in it, and it equals what it copied."""
    savers = Savers(daemon, processes=2)
    with daemon.client(spool=False) as client:
        for number in range(UNDER_LOAD):
            savers.ask_for(60)
            savers.wait_for(60 * number + 5)
            before = {each for told in savers.told.values() for each, _ in list(told)}
            savers.ask_for(0)
            copy = client.admin.backup(tmp_path / f"{number}.db")
            assert client.admin.rehearse().detail["equal"] is True
            savers.wait_for_all()
            home = RunningDaemon(tmp_path / f"home{number}")
            assert home.steno("restore", copy.path).returncode == 0
            check_file(home.database)
            restored = {uid for _, uid, _, _ in stored_exchanges(home.database)}
            assert before <= restored
            assert len(restored) == copy.exchanges
            home.start("--no-capture")
            assert home.stop() == 0
    savers.finish()


def test_a_backup_is_one_private_file(filled: RunningDaemon) -> None:
    done = filled.steno("backup", "--json")
    assert done.returncode == 0, done.stderr
    path = Path(json.loads(done.stdout)["detail"]["path"])
    assert path.parent == filled.home / "backups"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [each.name for each in path.parent.iterdir()] == [path.name]
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    assert connection.pragma("journal_mode") == "delete"
    connection.close()
    assert verify(path).rows["exchange"] == 20


def test_old_backups_go(daemon: RunningDaemon) -> None:
    elsewhere = daemon.home.with_name("elsewhere")
    text = f'[jobs.backup]\nkeep = 2\nweekly = 0\nto = "{elsewhere}"\n'
    (daemon.home / "config.toml").write_text(text)
    daemon.stop()
    daemon.start("--no-capture")
    elsewhere.mkdir()
    for day in range(1, 6):
        (elsewhere / f"steno-2025010{day}T000000Z.db").touch()
    (elsewhere / "of somebody else.db").touch()
    (elsewhere / ".steno-20250101T000000Z.db.partial").touch()
    with daemon.client(spool=False) as client:
        made = Path(client.admin.backup().path)
    names = {path.name for path in elsewhere.iterdir()}
    assert names == {made.name, "steno-20250105T000000Z.db", "of somebody else.db"}


def test_a_person_s_own_backup_is_no_turn_of_the_job(daemon: RunningDaemon) -> None:
    with daemon.client(spool=False) as client:
        client.admin.backup(daemon.home.with_name("mine.db"))
        told = next(job for job in client.admin.jobs() if job.name == "backup")
        assert told.last is None
        client.admin.backup()
        told = next(job for job in client.admin.jobs() if job.name == "backup")
        assert told.last is not None


@pytest.mark.parametrize("path", ["steno.db", "config.toml", "nowhere/b.db"])
def test_nothing_is_overwritten(filled: RunningDaemon, path: str) -> None:
    (filled.home / "config.toml").touch()
    before = (filled.home / "config.toml").stat().st_mtime_ns
    with filled.client(spool=False) as client:
        with pytest.raises(Refused, match=r"exists already|no folder"):
            client.admin.backup(filled.home / path)
        assert client.admin.integrity_check().ok
    assert (filled.home / "config.toml").stat().st_mtime_ns == before


def test_a_published_snapshot_is_readable_and_replaced(
    filled: RunningDaemon, tmp_path: Path
) -> None:
    target = tmp_path / "share" / "steno.db"
    target.parent.mkdir()
    for count in (20, 21):
        assert filled.steno("publish", str(target)).returncode == 0
        assert stat.S_IMODE(target.stat().st_mode) == 0o644
        assert len(stored_exchanges(target)) == count
        assert [path.name for path in target.parent.iterdir()] == ["steno.db"]
        filled.steno("save", "one more prompt")
    other = tmp_path / "notes.txt"
    other.write_text("mine")
    refused = filled.steno("publish", str(other))
    assert refused.returncode == 4
    assert "no steno database" in refused.stderr
    assert other.read_text() == "mine"


def test_publishing_by_the_settings(daemon: RunningDaemon) -> None:
    with daemon.client(spool=False) as client:
        with pytest.raises(Refused, match="absolute path"):
            client.admin.run("publish")
        target = daemon.home.with_name("shared.db")
        (daemon.home / "config.toml").write_text(f'[jobs.publish]\nto = "{target}"\n')
        daemon.stop()
        daemon.start("--no-capture")
        assert client.admin.run("publish").detail["path"] == str(target)
    assert stored_exchanges(target) == []


def test_a_copy_that_does_not_fit_is_refused_and_leaves_nothing(
    filled: RunningDaemon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "source.db"
    with filled.client(spool=False) as client:
        client.admin.backup(source)
    target = tmp_path / "target.db"
    shutil.copy(source, target)
    room = SimpleNamespace(f_bavail=FREE_SPACE_FLOOR_BYTES // 4096 + 10, f_frsize=4096)
    monkeypatch.setattr(os, "statvfs", lambda _path: room)
    before = target.read_bytes()
    with pytest.raises(RequestError, match="MiB free"):
        copy_database(source, target)
    assert target.read_bytes() == before
    assert {path.name for path in tmp_path.iterdir()} == {"source.db", "target.db"}


def test_a_copy_gives_way_when_the_daemon_stops(
    filled: RunningDaemon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot, "STEP_PAGES", 20)
    source = tmp_path / "source.db"
    with filled.client(spool=False) as client:
        client.admin.backup(source)
    for looks in range(1, 20):
        answers = iter([False] * looks)
        try:
            copy_database(source, tmp_path / "target.db", is_stopping=lambda: next(answers, True))  # noqa: B023
        except apsw.InterruptError:
            assert [path.name for path in tmp_path.iterdir()] == ["source.db"]
            continue
        break
    assert looks > 1
    assert verify(tmp_path / "target.db").rows["exchange"] >= 20


def test_a_killed_backup_leaves_no_backup(daemon_at_rest: RunningDaemon) -> None:
    daemon_at_rest.start("--no-capture", environ={"STENO_FAILPOINTS": "backup.copied=kill"})
    assert daemon_at_rest.steno("backup").returncode == 3
    daemon_at_rest.wait()
    folder = daemon_at_rest.home / "backups"
    assert found_in(folder) == []
    assert len(list(folder.iterdir())) == 1, "what it had written so far"
    daemon_at_rest.start("--no-capture")
    assert daemon_at_rest.steno("backup").returncode == 0
    assert [path.name for path in folder.iterdir()] == [found_in(folder)[0].name]


def test_names_sort_by_time() -> None:
    assert backup_name().startswith("steno-20")
