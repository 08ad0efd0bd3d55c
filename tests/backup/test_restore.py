"""Restoring: a backup takes the database's place, and nothing is ever lost on the way."""

import json
from pathlib import Path

import apsw
import pytest

from support.running import RunningDaemon
from support.saving import check_file, stored_exchanges

REFUSED = 4


@pytest.fixture
def backup(daemon: RunningDaemon) -> Path:
    """A backup of one exchange; since then the daemon has saved another one, and was stopped."""
    path = daemon.home.with_name("backup.db")
    with daemon.client(spool=False) as client:
        client.history.save("first")
        client.admin.backup(path)
        client.history.save("second")
    daemon.stop()
    return path


def prompts(database: Path) -> list[str]:
    return [prompt for _, _, prompt, _ in stored_exchanges(database)]


def set_aside(daemon: RunningDaemon) -> list[Path]:
    return sorted((daemon.home / "aside").glob("*/steno.db"))


def test_what_was_there_is_kept(daemon: RunningDaemon, backup: Path) -> None:
    done = daemon.steno("restore", str(backup), "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["rows"]["exchange"] == 1
    assert prompts(daemon.database) == ["first"]
    assert [prompts(path) for path in set_aside(daemon)] == [["first", "second"]]
    assert told["aside"] == str(set_aside(daemon)[0].parent)
    daemon.start("--no-capture")
    assert daemon.steno("search", "first").returncode == 0
    assert daemon.steno("search", "second").returncode == 1
    assert daemon.stop() == 0
    assert daemon.steno("restore", str(set_aside(daemon)[0])).returncode == 0
    assert prompts(daemon.database) == ["first", "second"]
    assert len(set_aside(daemon)) == 2


def test_what_was_not_copied_back_yet_is_kept_too(daemon: RunningDaemon, backup: Path) -> None:
    """A daemon that was killed leaves commits in the log beside the file."""
    daemon.start("--no-capture")
    daemon.steno("save", "third prompt")
    daemon.kill()
    assert daemon.database.with_name("steno.db-wal").stat().st_size > 0
    assert daemon.steno("restore", str(backup)).returncode == 0
    assert prompts(daemon.database) == ["first"]
    assert [prompts(path) for path in set_aside(daemon)] == [["first", "second", "third prompt"]]


def test_a_running_daemon_keeps_its_database(daemon: RunningDaemon, backup: Path) -> None:
    daemon.start("--no-capture")
    refused = daemon.steno("restore", str(backup))
    assert refused.returncode == REFUSED
    assert "steno down" in refused.stderr
    assert prompts(daemon.database) == ["first", "second"]


def test_what_is_no_backup_is_refused(daemon: RunningDaemon, backup: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.db"
    content = bytearray(backup.read_bytes())
    content[20_000:60_000] = bytes(40_000)
    damaged.write_bytes(content)
    newer, other = tmp_path / "newer.db", tmp_path / "other.db"
    newer.write_bytes(backup.read_bytes())
    for path, statement in ((newer, "PRAGMA user_version = 99"), (other, "CREATE TABLE t (x)")):
        connection = apsw.Connection(str(path))
        connection.execute(statement).fetchall()
        connection.close()
    (tmp_path / "text.db").write_text("mine")
    before = daemon.database.read_bytes()
    for name, reason in (
        ("damaged.db", "is damaged"),
        ("newer.db", "version 99"),
        ("other.db", "another program"),
        ("text.db", "no steno database"),
        ("missing.db", "cannot be read"),
    ):
        refused = daemon.steno("restore", str(tmp_path / name))
        assert (refused.returncode, refused.stdout) == (REFUSED, ""), name
        assert reason in refused.stderr, refused.stderr
    assert daemon.database.read_bytes() == before
    assert not (daemon.home / "aside").exists()


def test_where_nothing_was_nothing_is_set_aside(
    daemon_at_rest: RunningDaemon, backup: Path, tmp_path: Path
) -> None:
    elsewhere = RunningDaemon(tmp_path / "new" / "home")
    elsewhere.home.parent.mkdir()
    done = elsewhere.steno("restore", str(backup), "--json")
    assert json.loads(done.stdout)["aside"] is None
    assert prompts(elsewhere.database) == ["first"]
    check_file(elsewhere.database)


@pytest.mark.parametrize("point", ["backup.copied", "restore.ready", "restore.set_aside"])
def test_killed_in_the_middle_it_is_the_old_one_or_the_new_one(
    daemon: RunningDaemon, backup: Path, point: str
) -> None:
    killed = daemon.steno("restore", str(backup), STENO_FAILPOINTS=f"{point}=kill")
    assert killed.returncode != 0
    daemon.start("--no-capture")
    with daemon.client(spool=False) as client:
        found = [exchange.prompt for exchange in client.history.recent()]
    expected = ["second", "first"] if point == "backup.copied" else ["first"]
    assert found == expected
    kept = [prompts(path) for path in set_aside(daemon)]
    assert kept == ([] if point == "backup.copied" else [["first", "second"]])


def test_a_look_without_a_daemon(daemon: RunningDaemon, backup: Path) -> None:
    assert backup.exists()
    from_cli = daemon.steno("check")
    assert (from_cli.returncode, "is whole" in from_cli.stdout) == (0, True)
    assert daemon.steno("check", str(backup), "--json").returncode == 0
    content = bytearray(backup.read_bytes())
    content[20_000:60_000] = bytes(40_000)
    backup.write_bytes(content)
    found = daemon.steno("check", str(backup))
    assert found.returncode == 1
    assert "is damaged" in found.stdout
    published = daemon.home.with_name("published.db")
    assert daemon.steno("publish", str(published)).returncode == 0
    assert prompts(published) == ["first", "second"]
    read = daemon.stenod("read")
    assert read.stderr == ""
    rows = read.stdout.splitlines()
    assert [json.loads(row)["prompt"] for row in rows] == ["second", "first"]
    counted = daemon.stenod("read", "SELECT count(*) AS n FROM history").stdout
    assert json.loads(counted) == {"n": 2}
    refused = daemon.stenod("read", "DELETE FROM exchange")
    assert refused.returncode == REFUSED
    assert prompts(daemon.database) == ["first", "second"]
