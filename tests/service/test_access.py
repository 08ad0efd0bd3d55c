"""Who gets in, and what each socket lets them do: with a second user where there can be one."""

import grp
import json
import os
import socket
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from support.running import RunningDaemon

STRANGER = 65534
"""The user nobody: there on every system."""
_ASK = f"""
import os, socket, sys
path, group, *lines = sys.argv[1:]
os.setgroups([int(group)] if group else [])
os.setgid({STRANGER})
os.setuid({STRANGER})
try:
    with socket.socket(socket.AF_UNIX) as channel:
        channel.settimeout(30)
        channel.connect(path)
        for line in lines:
            channel.sendall(line.encode() + b"\\n")
        channel.shutdown(socket.SHUT_WR)
        while data := channel.recv(65536):
            sys.stdout.write(data.decode())
except OSError as error:
    sys.exit(f"refused: {{error.strerror}}")
"""

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")


def _as_stranger(path: Path, *requests: dict[str, Any], group: int | None = None) -> Any:
    lines = [json.dumps(request) for request in requests]
    done = subprocess.run(
        [sys.executable, "-c", _ASK, str(path), "" if group is None else str(group), *lines],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if done.returncode:
        return done.stderr.strip()
    replies = [json.loads(line) for line in done.stdout.splitlines()]
    return sorted(replies, key=lambda reply: reply["id"])


@pytest.fixture
def shared(daemon_at_rest: RunningDaemon, tmp_path: Path) -> tuple[RunningDaemon, int]:
    """A daemon with a reading and an appending socket for a group that is not its own."""
    group = next(entry.gr_gid for entry in grp.getgrall() if entry.gr_gid not in {0, STRANGER})
    places = {name: tmp_path / "shared" / name / "steno.sock" for name in ("read", "append")}
    (tmp_path / "shared").mkdir(mode=0o755)
    daemon_at_rest.home.mkdir(mode=0o700)
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_uid == os.geteuid() and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o011)
    (daemon_at_rest.home / "config.toml").write_text(
        f'[access]\ngroup = "{group}"\nread_socket = "{places["read"]}"\n'
        f'append_socket = "{places["append"]}"\n'
    )
    daemon_at_rest.start("--no-capture")
    return daemon_at_rest, group


def _socket(name: str, tmp_path: Path) -> Path:
    return tmp_path / "shared" / name / "steno.sock"


PING = {"verb": "ping", "id": 1}
SAVE = {
    "verb": "append",
    "id": 2,
    "records": [
        {
            "type": "exchange",
            "id": "01890000-0000-7000-8000-00000000cafe",
            "prompt": "from a stranger",
            "output": "hello",
        }
    ],
}
LIST = {"verb": "list", "id": 3}
DELETE = {"verb": "delete", "id": 4, "target": "01890000-0000-7000-8000-00000000cafe"}
DOWN = {"verb": "admin", "id": 5, "action": "shutdown"}


@needs_root
def test_a_stranger_is_refused_everywhere(daemon: RunningDaemon) -> None:
    with daemon.client() as client:
        client.history.save("a secret plan", "hush")
    daemon.steno("export", "-o", str(daemon.home / "out.jsonl"), "--format", "jsonl")
    assert "refused" in _as_stranger(daemon.socket, PING)
    for path in [daemon.home, *daemon.home.rglob("*")]:
        found = path.lstat()
        if not stat.S_ISLNK(found.st_mode) and "user" not in path.parts[-1:]:
            assert not found.st_mode & 0o077, f"{path.name} {stat.filemode(found.st_mode)}"
    # Even where the folder is opened by mistake, the peer's user is looked at.
    for folder in (daemon.home, *daemon.home.parents):
        if folder.stat().st_uid == os.geteuid() and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o011)
    daemon.socket.chmod(0o666)
    answer = _as_stranger(daemon.socket, PING)
    assert answer == [] or "refused" in answer, answer


@needs_root
def test_the_group_may_read_and_no_more(shared: tuple[RunningDaemon, int], tmp_path: Path) -> None:
    daemon, group = shared
    with daemon.client() as client:
        client.history.save("what everybody may know", "indeed")
    place = _socket("read", tmp_path)
    assert stat.S_IMODE(place.parent.stat().st_mode) == 0o750
    assert stat.S_IMODE(place.stat().st_mode) == 0o660
    pong, listed = _as_stranger(place, PING, LIST, group=group)
    assert pong["reply"] == "pong"
    assert [item["prompt"] for item in listed["items"]] == ["what everybody may know"]
    for refused in _as_stranger(place, SAVE, DELETE, DOWN, group=group):
        assert (refused["reply"], refused["code"]) == ("error", "unauthorised"), refused
    assert "refused" in _as_stranger(place, PING)


@needs_root
def test_the_group_may_add_and_no_more(shared: tuple[RunningDaemon, int], tmp_path: Path) -> None:
    daemon, group = shared
    place = _socket("append", tmp_path)
    merge = SAVE | {"mode": "merge", "id": 9}
    added, *refused = _as_stranger(place, SAVE, LIST, DELETE, DOWN, merge, group=group)
    assert added["outcomes"][0]["outcome"] == "created"
    assert {each["code"] for each in refused} == {"unauthorised"}
    with daemon.client() as client:
        assert [each.prompt for each in client.history.recent(9)] == ["from a stranger"]


def test_roles_hold_for_the_owner_too(shared: tuple[RunningDaemon, int], tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as channel:
        channel.connect(str(_socket("read", tmp_path)))
        channel.sendall(json.dumps(SAVE).encode() + b"\n")
        reply = json.loads(channel.recv(65536))
    assert reply["code"] == "unauthorised"


def test_a_folder_with_other_files_is_not_opened(
    daemon_at_rest: RunningDaemon, tmp_path: Path
) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "diary").write_text("dear diary")
    daemon_at_rest.home.mkdir(mode=0o700)
    (daemon_at_rest.home / "config.toml").write_text(
        f'[access]\ngroup = "{os.getegid()}"\nread_socket = "{folder / "steno.sock"}"\n'
    )
    process = daemon_at_rest.spawn("--no-capture")
    assert process.wait(60) == 4
    assert "holds other files" in daemon_at_rest.log.read_text()
