"""Every migration from every released shape: killed at any step, nothing is lost and it goes on."""

import os
import shutil
import signal
from pathlib import Path
from types import SimpleNamespace

import apsw
import pytest

from steno_schema import migrations
from steno_schema.config import Settings
from steno_schema.errors import RequestError
from steno_schema.ids import parse_id, uuid7
from stenod import failpoints
from stenod.backup.rotation import BEFORE_MIGRATION, MIGRATION_BACKUPS_KEPT, found_in
from stenod.backup.verify import verify
from stenod.store.connection import open_writer
from stenod.writer import Writer
from support.running import STOP_TIMEOUT_S, RunningDaemon
from support.saving import check_file, stored_exchanges

STEPS = migrations.numbered()
NEWEST = STEPS[-1][0]
_ROWS = (
    (
        "INSERT INTO session (id, uid, key, created_at, updated_at, last_active_at)"
        " VALUES (1, randomblob(16), 's', 0, 0, 0)"
    ),
    (
        "INSERT INTO conversation (id, uid, key, session_id, created_at, updated_at)"
        " VALUES (1, randomblob(16), 's', 1, 0, 0)"
    ),
    (
        "INSERT INTO message (id, uid, conversation_id, role, created_at, position, content)"
        " VALUES (7, ?, 1, 'user', 1764547200000, 1, 'written by an older release')"
    ),
    (
        "INSERT INTO exchange (id, uid, conversation_id, prompt_id, created_at, updated_at, origin)"
        " VALUES (1, ?, 1, 7, 1764547200000, 0, 'script')"
    ),
)


def of_release(version: int, database: Path) -> str:
    """Make a database as the release with this newest migration left it; return its record's id."""
    record_id = uuid7()
    connection = open_writer(database)
    for number, _name, sql in STEPS[:version]:
        connection.execute(sql).fetchall()
        connection.pragma("user_version", number)
    connection.pragma("application_id", migrations.APPLICATION_ID)
    for statement in _ROWS:
        connection.execute(statement, (parse_id(record_id),) if "?" in statement else ())
    connection.close()
    return record_id


def version_of(database: Path) -> int:
    connection = apsw.Connection(str(database), flags=apsw.SQLITE_OPEN_READONLY)
    version = connection.pragma("user_version")
    connection.close()
    assert isinstance(version, int)
    return version


def is_up_to_date(database: Path, record_id: str) -> None:
    """Open it as the daemon does, and look whether what it held is there, once."""
    Writer(database, Settings()).close()
    assert version_of(database) == NEWEST
    check_file(database)
    stored = [(uid, prompt) for _, uid, prompt, _ in stored_exchanges(database)]
    assert stored == [(record_id, "written by an older release")]


@pytest.mark.parametrize("version", range(1, NEWEST))
def test_killed_at_any_step_it_is_done_at_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: int
) -> None:
    (tmp_path / "home").mkdir()
    database = tmp_path / "home" / "steno.db"
    record_id = of_release(version, database)
    passed: list[str] = []

    def hit(name: str) -> None:
        """Keep what a kill at this very moment would leave."""
        passed.append(name)
        shutil.copytree(
            database.parent,
            tmp_path / f"{len(passed)}-{name}",
            ignore=shutil.ignore_patterns("*-shm"),
        )

    with monkeypatch.context() as watched:
        watched.setattr(failpoints, "hit", hit)
        is_up_to_date(database, record_id)
    steps = ["migration.begin", "migration.before_commit", "migration.after_commit"]
    assert passed == ["backup.copied", *steps * (NEWEST - version)]
    for number, name in enumerate(passed, 1):
        left = tmp_path / f"{number}-{name}"
        reached = version_of(left / "steno.db")
        assert version <= reached <= NEWEST
        is_up_to_date(left / "steno.db", record_id)
        kept = found_in(left / "backups", BEFORE_MIGRATION)
        assert kept or reached == NEWEST, "a backup stands before every change"
        assert {verify(each).schema_version for each in kept} <= {version, reached}


def test_a_daemon_killed_in_a_migration_starts_again(daemon_at_rest: RunningDaemon) -> None:
    daemon_at_rest.home.mkdir(mode=0o700)
    record_id = of_release(1, daemon_at_rest.database)
    process = daemon_at_rest.spawn(
        "--no-capture", environ={"STENO_FAILPOINTS": "migration.before_commit=kill:2"}
    )
    assert process.wait(STOP_TIMEOUT_S) == -signal.SIGKILL
    assert version_of(daemon_at_rest.database) == 2
    daemon_at_rest.start("--no-capture")
    assert daemon_at_rest.steno("search", "release").returncode == 0
    assert daemon_at_rest.stop() == 0
    is_up_to_date(daemon_at_rest.database, record_id)
    versions = [
        verify(path).schema_version
        for path in found_in(daemon_at_rest.home / "backups", BEFORE_MIGRATION)
    ]
    assert sorted(versions) == [1, 2]


def test_few_backups_of_migrations_are_kept(tmp_path: Path) -> None:
    (tmp_path / "backups").mkdir()
    for day in range(1, 5):
        (tmp_path / "backups" / f"before-0001-2025010{day}T000000Z.db").touch()
    is_up_to_date(tmp_path / "steno.db", of_release(1, tmp_path / "steno.db"))
    kept = found_in(tmp_path / "backups", BEFORE_MIGRATION)
    assert len(kept) == MIGRATION_BACKUPS_KEPT
    assert verify(kept[0]).schema_version == 1


def test_without_room_for_a_backup_nothing_is_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = tmp_path / "steno.db"
    record_id = of_release(1, database)
    before = database.read_bytes()
    with monkeypatch.context() as full:
        room = SimpleNamespace(f_bavail=10, f_frsize=4096)
        full.setattr(os, "statvfs", lambda _path: room)
        with pytest.raises(RequestError, match="MiB free"):
            Writer(database, Settings())
    assert database.read_bytes() == before
    is_up_to_date(database, record_id)


def test_a_new_database_needs_no_backup(tmp_path: Path) -> None:
    Writer(tmp_path / "steno.db", Settings()).close()
    assert version_of(tmp_path / "steno.db") == NEWEST
    assert not (tmp_path / "backups").exists()
