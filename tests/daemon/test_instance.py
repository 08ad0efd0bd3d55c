"""One daemon a folder, in private files, and a database that is never touched by mistake."""

import os
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apsw
import pytest

from steno_schema.errors import ErrorCode, RequestError
from stenod import instance, sockets
from support.running import STOP_TIMEOUT_S, RunningDaemon
from support.wire import Wire

REFUSED = 4
OTHER_UID = 65534


def refusal(daemon: RunningDaemon, *arguments: str, **environ: str) -> str:
    """Start a daemon that must refuse to run; return what it said."""
    before = daemon.log.stat().st_size if daemon.log.exists() else 0
    process = daemon.spawn(*arguments, environ=environ)
    assert process.wait(STOP_TIMEOUT_S) == REFUSED
    said = daemon.log.read_bytes()[before:].decode()
    assert "Traceback" not in said
    return said


def test_a_second_daemon_gives_up_and_names_the_holder(daemon: RunningDaemon) -> None:
    assert daemon.process is not None
    said = refusal(daemon, "--no-capture")
    assert f"pid {daemon.process.pid}" in said
    assert "--replace" in said
    with Wire(daemon.socket) as wire:
        assert wire.ask(verb="ping", id=1)["reply"] == "pong"


def test_a_second_daemon_waits_for_one_that_is_stopping(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lock is asked for again until its holder has let go."""
    holder, waiting = instance.Lock(tmp_path / "lock"), instance.Lock(tmp_path / "lock")
    holder.take()
    asked: list[float] = []

    def sleep(seconds: float) -> None:
        asked.append(seconds)
        if len(asked) == 3:
            holder.release()

    monkeypatch.setattr("time.sleep", sleep)
    waiting.take()
    assert len(asked) == 3
    waiting.release()


def test_the_lock_is_not_fooled_by_a_file_that_was_replaced(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    first = instance.Lock(path)
    first.take()
    path.unlink()
    second = instance.Lock(path)
    second.take(wait_s=0)
    third = instance.Lock(path)
    with pytest.raises(instance.AlreadyRunning):
        third.take(wait_s=0)
    first.release()
    with pytest.raises(instance.AlreadyRunning):
        third.take(wait_s=0)
    second.release()


def test_replace_drains_the_one_that_runs(daemon: RunningDaemon) -> None:
    old = daemon.process
    assert old is not None
    with daemon.client(spool=False) as client:
        record_id = client.history.save("before").id
    daemon.start("--no-capture", "--replace")
    assert old.wait(STOP_TIMEOUT_S) == 0
    assert daemon.process is not None
    with daemon.client(spool=False) as client:
        assert client.status()["pid"] == daemon.process.pid != old.pid
        assert client.history.get(record_id).prompt == "before"


def test_a_socket_left_by_a_killed_daemon_is_replaced(daemon: RunningDaemon) -> None:
    daemon.kill()
    assert stat.S_ISSOCK(daemon.socket.stat().st_mode)
    daemon.start("--no-capture")
    with Wire(daemon.socket) as wire:
        assert wire.ask(verb="ping", id=1)["reply"] == "pong"


def test_a_live_socket_is_never_stolen(daemon: RunningDaemon, tmp_path: Path) -> None:
    """Another folder, the same socket."""
    other = RunningDaemon(tmp_path / "other", environ={"STENO_SOCKET": str(daemon.socket)})
    (other.home / "user").mkdir(parents=True)
    assert "answers on" in refusal(other, "--no-capture")
    with Wire(daemon.socket) as wire:
        assert wire.ask(verb="ping", id=1)["reply"] == "pong"


def test_a_file_in_the_socket_s_place_is_left_alone(daemon_at_rest: RunningDaemon) -> None:
    daemon_at_rest.home.mkdir()
    daemon_at_rest.socket.write_text("mine")
    assert "no socket" in refusal(daemon_at_rest, "--no-capture")
    assert daemon_at_rest.socket.read_text() == "mine"


@pytest.fixture(params=[0o000, 0o022], ids=["umask-000", "umask-022"])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    previous = os.umask(request.param)
    yield request.param
    os.umask(previous)


def modes(home: Path) -> dict[str, int]:
    """Return the mode of everything below (and with) a folder, but the home of the test's user."""
    paths = [home, *(path for path in home.rglob("*") if "user" not in path.parts)]
    return {str(path.relative_to(home)): stat.S_IMODE(path.lstat().st_mode) for path in paths}


def test_files_are_private_under_any_umask(daemon_at_rest: RunningDaemon, umask: int) -> None:
    daemon_at_rest.start("--no-capture")
    with daemon_at_rest.client() as client:
        client.history.save("private")
    (daemon_at_rest.home / "spool" / "torn.rec").write_bytes(b"torn")
    with Wire(daemon_at_rest.socket) as wire:
        wire.ask(verb="admin", action="drain_spool", arguments={"wait": True})
    found = modes(daemon_at_rest.home)
    del found["spool/quarantine/torn.rec"]
    assert {"steno.db", "steno.db-wal", "steno.db-shm", "steno.sock", "lock", "spool"} <= set(
        found
    )
    for name, mode in found.items():
        assert mode == (0o700 if name in {".", "spool", "spool/quarantine"} else 0o600), name


def test_a_folder_that_was_open_to_others_is_closed(daemon_at_rest: RunningDaemon) -> None:
    daemon_at_rest.home.mkdir(mode=0o755)
    daemon_at_rest.home.chmod(0o755)
    daemon_at_rest.start("--no-capture")
    assert stat.S_IMODE(daemon_at_rest.home.stat().st_mode) == 0o700


def test_a_link_or_file_in_the_folder_s_place_is_refused(
    daemon_at_rest: RunningDaemon, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").mkdir()
    daemon_at_rest.home.symlink_to(tmp_path / "elsewhere")
    assert "not a folder of this user" in refusal(daemon_at_rest, "--no-capture")
    assert list((tmp_path / "elsewhere").iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to another user")
def test_a_folder_of_somebody_else_is_refused(daemon_at_rest: RunningDaemon) -> None:
    daemon_at_rest.home.mkdir()
    os.chown(daemon_at_rest.home, OTHER_UID, OTHER_UID)
    assert "not a folder of this user" in refusal(daemon_at_rest, "--no-capture")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another user")
def test_another_user_is_refused(daemon: RunningDaemon) -> None:
    """Even where every mode lets him in, the daemon itself does not talk to him."""
    for folder in (daemon.home, *daemon.home.parents):
        if not folder.stat().st_mode & stat.S_IXOTH:
            folder.chmod(folder.stat().st_mode | stat.S_IXOTH)
    daemon.socket.chmod(0o666)
    program = (
        "import os, socket, sys\n"
        f"os.setresgid({OTHER_UID}, {OTHER_UID}, {OTHER_UID}); os.setgroups([])\n"
        f"os.setresuid({OTHER_UID}, {OTHER_UID}, {OTHER_UID})\n"
        "s = socket.socket(socket.AF_UNIX); s.settimeout(60); s.connect(sys.argv[1])\n"
        "try:\n"
        '    s.sendall(b\'{"verb":"ping"}\\n\')\n'
        "    print(s.recv(100))\n"
        "except (ConnectionResetError, BrokenPipeError):\n"
        '    print(b"")\n'
        "for name in sys.argv[2:]:\n"
        "    try:\n"
        "        open(name)\n"
        "        print('opened', name)\n"
        "    except PermissionError:\n"
        "        pass\n"
    )
    files = [str(path) for path in daemon.home.iterdir() if path.is_file()]
    assert any(path.endswith("steno.db") for path in files)
    done = subprocess.run(
        [sys.executable, "-c", program, str(daemon.socket), *files],
        capture_output=True, text=True, check=False, cwd="/",
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("b''\n", "")
    with Wire(daemon.socket) as wire:
        assert wire.ask(verb="ping", id=1)["reply"] == "pong"


def make_database(path: Path, *statements: str) -> bytes:
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = apsw.Connection(str(path))  # which keeps the checksums of the daemon's pages
    for statement in statements:
        connection.execute(statement).fetchall()
    connection.close()
    return path.read_bytes()


def test_a_newer_database_is_refused_untouched(daemon: RunningDaemon) -> None:
    with daemon.client() as client:
        client.history.save("of the future")
    daemon.stop()
    content = make_database(daemon.database, "PRAGMA user_version = 99")
    assert "version 99" in refusal(daemon, "--no-capture")
    assert daemon.database.read_bytes() == content


@pytest.mark.parametrize(
    "statements",
    [
        ("CREATE TABLE notes (text)", "INSERT INTO notes VALUES ('mine')"),
        ("PRAGMA application_id = 42",),
        ("PRAGMA user_version = 1",),
        ("PRAGMA journal_mode = WAL", "CREATE TABLE notes (text)"),
    ],
)
def test_the_database_of_another_program_is_refused_untouched(
    daemon_at_rest: RunningDaemon, statements: tuple[str, ...]
) -> None:
    content = make_database(daemon_at_rest.database, *statements)
    assert "another program" in refusal(daemon_at_rest, "--no-capture")
    assert daemon_at_rest.database.read_bytes() == content


def test_what_is_no_database_is_refused_untouched(daemon_at_rest: RunningDaemon) -> None:
    daemon_at_rest.home.mkdir()
    daemon_at_rest.database.write_bytes(b"just some notes of mine\n" * 100)
    assert "no SQLite database" in refusal(daemon_at_rest, "--no-capture")
    assert daemon_at_rest.database.read_bytes() == b"just some notes of mine\n" * 100


def test_starting_again_and_again_changes_nothing(daemon_at_rest: RunningDaemon) -> None:
    schemas = []
    for _ in range(3):
        daemon_at_rest.start("--no-capture")
        daemon_at_rest.stop()
        connection = sqlite3.connect(f"file:{daemon_at_rest.database}?mode=ro", uri=True)
        schemas.append(
            connection.execute(
                "SELECT type, name, sql FROM sqlite_schema ORDER BY 1, 2"
            ).fetchall()
        )
        connection.close()
    assert schemas[0] == schemas[1] == schemas[2] != []


def test_a_term_signal_drains(daemon: RunningDaemon) -> None:
    """What was sent before the daemon stopped is answered and stored, or neither."""
    saves = 200
    with Wire(daemon.socket) as wire:
        for number in range(saves):
            record = {"type": "exchange", "id": f"0199f7a2-0000-7000-8000-{number:012}"}
            wire.say(verb="append", id=number, records=[record | {"prompt": f"p{number}"}])
            if number == saves // 2:
                daemon.send_signal(signal.SIGTERM)
        replies: list[dict[str, Any]] = []
        try:
            while len(replies) < saves:
                replies.append(wire.reply())
        except (EOFError, ConnectionResetError):
            pass
    assert daemon.wait() == 0
    answered = {r.get("id", 0) for r in replies if r["reply"] == "appended"}
    refused = {r["code"] for r in replies if r["reply"] == "error"}
    assert refused <= {ErrorCode.SHUTTING_DOWN}
    assert {path.name for path in daemon.home.iterdir()} == {"lock", "spool", "steno.db", "user"}
    connection = sqlite3.connect(f"file:{daemon.database}?mode=ro", uri=True)
    stored = {row[0] for row in connection.execute("SELECT prompt FROM history")}
    connection.close()
    assert {f"p{number}" for number in answered} <= stored
    assert len(answered) >= 1


def test_a_save_in_flight_gets_its_reply(daemon_at_rest: RunningDaemon) -> None:
    """The signal arrives while the commit is under way."""
    daemon_at_rest.start("--no-capture", environ={"STENO_FAILPOINTS": "writer.before_commit=term"})
    with Wire(daemon_at_rest.socket) as wire:
        record = {"type": "exchange", "id": "0199f7a2-0000-7000-8000-000000000001"}
        reply = wire.ask(verb="append", id=1, records=[record | {"prompt": "in flight"}])
        assert reply["outcomes"][0]["outcome"] == "created"
        assert wire.ended()
    assert daemon_at_rest.wait() == 0


def test_a_hangup_signal_reads_the_configuration_again(daemon: RunningDaemon) -> None:
    def said(part: str, count: int) -> dict[str, object]:
        """Return the configuration in force once the log has said so that many times."""
        daemon.wait_for_log(part, count)
        with Wire(daemon.socket) as wire:
            result = wire.ask(verb="admin", action="config")["result"]
            return dict(result["settings"]["tracking"])

    config = daemon.home / "config.toml"
    config.write_text("[tracking]\nmin_length = 11\n")
    daemon.send_signal(signal.SIGHUP)
    assert said("configuration read again", 1)["min_length"] == 11
    config.write_text("[tracking]\nmin_length = 'many\n")
    daemon.send_signal(signal.SIGHUP)
    assert said("configuration not taken over", 1)["min_length"] == 11
    config.write_text("[tracking]\nmin_length = -5\n")
    daemon.send_signal(signal.SIGHUP)
    assert said("configuration not taken over", 2)["min_length"] == 11
    config.unlink()
    daemon.send_signal(signal.SIGHUP)
    assert said("configuration read again", 2)["min_length"] == 5


def test_a_broken_configuration_at_the_start_is_told(daemon_at_rest: RunningDaemon) -> None:
    daemon_at_rest.home.mkdir()
    (daemon_at_rest.home / "config.toml").write_text("[tracking]\nmin_lenght = 5\n")
    assert "min_lenght" in refusal(daemon_at_rest, "--no-capture")


def test_a_socket_that_is_handed_over_is_used_and_left(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s"))
        listener.listen()
        assert (tmp_path / "s").exists()
        with pytest.raises(RequestError, match="answers on"):
            sockets.listen(tmp_path / "s")
