"""A damaged database is replaced, and nothing that can be had anywhere is missing afterwards."""

import json
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest

from steno_schema.errors import ErrorCode
from steno_schema.requests import Admin
from support.damaging import PAGE_BYTES, fill, flip, overwrite, pages_of
from support.running import STOP_TIMEOUT_S, RunningDaemon
from support.saving import check_file, stored_exchanges

REFUSED = 4
BEFORE, AFTER = 120, 160


def prompts(database: Path) -> list[str]:
    return sorted(prompt.split(" word")[0] for _, _, prompt, _ in stored_exchanges(database))


def numbered(first: int, last: int) -> list[str]:
    return sorted(f"prompt {number}" for number in range(first, last + 1))


def report(daemon: RunningDaemon) -> dict[str, Any]:
    """Return what the daemon says of the one recovery there was."""
    (note,) = (daemon.home / "aside").glob("*/recovery.json")
    with daemon.client(spool=False) as client:
        (told,) = client.status()["recoveries"]
    assert json.loads(note.read_text()).items() <= told.items()
    return dict(told)


def damage_rows(database: Path, count: int = 2) -> None:
    """Lose some pages in the middle of the messages."""
    pages = pages_of(database, "message")
    overwrite(database, pages[len(pages) // 3 :][:count])


@pytest.fixture
def backed_up(daemon: RunningDaemon) -> RunningDaemon:
    """A daemon with 120 exchanges in its backup, 40 more since, and stopped."""
    fill(daemon, 1, BEFORE)
    with daemon.client(spool=False) as client:
        client.admin.backup()
    fill(daemon, BEFORE + 1, AFTER)
    daemon.stop()
    return daemon


def test_a_check_finds_it_and_what_is_newer_than_the_backup_is_kept(
    backed_up: RunningDaemon,
) -> None:
    damage_rows(backed_up.database)
    backed_up.start("--no-capture")
    found = backed_up.steno("jobs", "run", "check")
    assert found.returncode == REFUSED
    assert "damaged" in found.stderr
    backed_up.wait_for_log("ready", 3)
    assert len(prompts(backed_up.database)) == AFTER
    assert prompts(backed_up.database) == numbered(1, AFTER)
    told = report(backed_up)
    assert told["restored_from"].startswith(str(backed_up.home / "backups"))
    assert told["added"]["exchange"] == AFTER - BEFORE
    assert told["found"]["where"] == "job check"
    (kept,) = (backed_up.home / "aside").glob("*/steno.db")
    assert kept.stat().st_size > 0
    assert backed_up.steno("search", "prompt 7").returncode == 0
    assert backed_up.steno("check").returncode == 0


def test_a_save_that_meets_the_damage_is_stored_once(backed_up: RunningDaemon) -> None:
    """Clients keep what they cannot deliver; the new database takes it in."""
    overwrite(backed_up.database, pages_of(backed_up.database, "exchange"))
    backed_up.start("--no-capture")
    saved = []
    with backed_up.client() as client:
        for number in range(AFTER + 1, AFTER + 11):
            saved.append(client.history.save(f"prompt {number} word", f"answer {number}"))
    backed_up.wait_for_log("ready", 3)
    with backed_up.client(spool=False) as client:
        client.request(Admin(action="drain_spool", arguments={"wait": True}))
        for each in saved:
            assert client.history.get(each.id).id == each.id
    assert set(numbered(AFTER + 1, AFTER + 10)) <= set(prompts(backed_up.database))


def test_an_index_that_is_damaged_costs_nothing(daemon: RunningDaemon) -> None:
    """There is no backup, and none is needed: every record can be read."""
    fill(daemon, 1, BEFORE)
    with daemon.client(spool=False) as client:
        client.admin.optimize()
    daemon.stop()
    damaged = pages_of(daemon.database, "message_conversation")
    overwrite(daemon.database, damaged + pages_of(daemon.database, "message_index_data")[:1])
    daemon.start("--no-capture")
    assert daemon.steno("check").returncode == REFUSED
    daemon.wait_for_log("ready", 3)
    assert prompts(daemon.database) == numbered(1, BEFORE)
    told = report(daemon)
    assert (told["restored_from"], told["lost"]) == (None, {})
    assert daemon.steno("search", "prompt 7").returncode == 0


def test_without_a_backup_it_refuses_and_keeps_what_can_be_read(daemon: RunningDaemon) -> None:
    fill(daemon, 1, BEFORE)
    daemon.stop()
    damage_rows(daemon.database)
    before = daemon.database.read_bytes()
    daemon.start("--no-capture")
    assert daemon.steno("check").returncode == REFUSED
    assert daemon.wait() == REFUSED
    refused = daemon.spawn("--no-capture")
    assert refused.wait(STOP_TIMEOUT_S) == REFUSED
    said = daemon.log.read_text()
    assert "there is no backup of it" in said
    assert "Traceback" not in said
    salvaged = daemon.home / "salvaged.db"
    assert f"steno restore {salvaged}" in said
    assert daemon.database.read_bytes() == before, "it is left as it was found"
    left = prompts(salvaged)
    assert BEFORE - 60 < len(left) < BEFORE
    assert set(left) < set(numbered(1, BEFORE))
    assert daemon.steno("restore", str(salvaged)).returncode == 0
    daemon.start("--no-capture")
    assert prompts(daemon.database) == left
    assert daemon.steno("check").returncode == 0


@pytest.mark.parametrize("way", ["header", "half", "empty", "gone"])
def test_a_file_that_tells_nothing_is_replaced_by_the_backup(
    backed_up: RunningDaemon, way: str
) -> None:
    database = backed_up.database
    content = database.read_bytes()
    if way == "header":
        database.write_bytes(b"\xa5" * 100 + content[100:])
    elif way == "half":
        database.write_bytes(content[:8192] + b"\xa5" * (len(content) - 8192))
    elif way == "empty":
        database.write_bytes(b"")
    else:
        database.unlink()
    backed_up.start("--no-capture")
    assert set(numbered(1, BEFORE)) <= set(prompts(database))
    assert report(backed_up)["restored_from"] is not None
    check_file(database)


def test_without_backups_nothing_that_is_no_database_is_touched(
    daemon_at_rest: RunningDaemon,
) -> None:
    daemon_at_rest.home.mkdir(mode=0o700)
    daemon_at_rest.database.write_bytes(b"mine" * 5000)
    assert daemon_at_rest.spawn("--no-capture").wait(STOP_TIMEOUT_S) == REFUSED
    assert daemon_at_rest.database.read_bytes() == b"mine" * 5000


def test_what_was_changed_and_forgotten_since_the_backup_stays_so(daemon: RunningDaemon) -> None:
    ids = fill(daemon, 1, BEFORE)
    with daemon.client(spool=False) as client:
        client.admin.backup()
        client.history.update(ids[-1], rating=9, add_tags=["later"])
    assert daemon.steno("forget", ids[3], "--yes").returncode == 0
    daemon.stop()
    damage_rows(daemon.database, count=1)
    daemon.start("--no-capture")
    daemon.steno("check")
    daemon.wait_for_log("ready", 3)
    assert report(daemon)["restored_from"] is not None
    with daemon.client(spool=False) as client:
        changed = client.history.get(ids[-1])
        assert (changed.rating, changed.tags) == (9, ["later", "t"])
    assert prompts(daemon.database) == sorted(set(numbered(1, BEFORE)) - {"prompt 4"})


def test_sound_backups_are_preferred_to_newer_damaged_ones(backed_up: RunningDaemon) -> None:
    (good,) = (backed_up.home / "backups").iterdir()
    worse = good.with_name("steno-20990101T000000Z.db")
    shutil.copy(good, worse)
    flip(worse, (pages_of(worse, "message")[0] * PAGE_BYTES - 100) * 8)
    backed_up.database.write_bytes(b"")
    backed_up.start("--no-capture")
    assert report(backed_up)["restored_from"] == str(good)


@pytest.mark.parametrize("point", ["recovery.ready", "restore.set_aside"])
def test_killed_while_it_is_replaced(backed_up: RunningDaemon, point: str) -> None:
    backed_up.database.write_bytes(b"")
    killed = backed_up.spawn("--no-capture", environ={"STENO_FAILPOINTS": f"{point}=kill"})
    assert killed.wait(STOP_TIMEOUT_S) == -signal.SIGKILL
    backed_up.start("--no-capture")
    assert prompts(backed_up.database) == numbered(1, BEFORE)
    assert report(backed_up)["lost"] is None


def test_a_false_alarm_costs_a_look(backed_up: RunningDaemon) -> None:
    note = backed_up.home / "damaged.json"
    note.write_text("{}")
    backed_up.start("--no-capture")
    assert not note.exists()
    assert not (backed_up.home / "aside").exists()
    assert prompts(backed_up.database) == numbered(1, AFTER)
    assert "mistaken" in backed_up.log.read_text()


def test_doctor_tells_of_it(backed_up: RunningDaemon) -> None:
    backed_up.database.write_bytes(b"")
    backed_up.start("--no-capture")
    checks = json.loads(backed_up.steno("doctor", "--json").stdout)["checks"]
    (told,) = [check for check in checks if check["name"] == "recovery"]
    assert told["state"] == "warn"
    assert "backup" in told["finding"]
    assert "aside" in told["mend"]
    shutil.rmtree(backed_up.home / "aside")
    assert "recovery" not in backed_up.steno("doctor").stdout
    assert ErrorCode.CORRUPT not in backed_up.steno("status").stdout
