"""What is captured and what stays out: projects, private instances, capture switched off."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest

from capture.build import (
    SESSION,
    append,
    claude_line,
    claude_prompt,
    claude_reply,
    claude_turn,
    codex_thread,
)
from capture.inprocess import CLAUDE, CODEX, InProcess
from capture.instance import instance_of
from steno.capture.agent import Agent
from steno.capture.agents import AGENTS, roots
from steno.capture.compression import decompress
from steno_schema.config import Capture
from steno_schema.ids import format_id
from steno_schema.paths import resolve
from steno_schema.requests import Delete
from support.running import RunningDaemon

THREAD = "019c0000-1111-7222-8333-944444444444"


@pytest.fixture
def store() -> Iterator[InProcess]:
    with InProcess(Path(":memory:"), ignore=("*/secret-*",)) as opened:
        yield opened


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "projects" / f"{SESSION}.jsonl"


def project(tmp_path: Path, name: str, *, out: bool = False) -> Path:
    """Return a folder inside of a git project."""
    root = tmp_path / name
    (root / ".git").mkdir(parents=True, exist_ok=True)
    (root / "src").mkdir(exist_ok=True)
    if out:
        (root / ".stenoignore").touch()
    return root / "src"


def everything(store: InProcess) -> bytes:
    """Return every text and every byte that is kept."""
    texts = [row[0].encode() for row in store.rows("SELECT content FROM message")]
    texts += [row[0].encode() for row in store.rows("SELECT coalesce(sample, '') FROM source")]
    texts += [decompress(*row) for row in store.rows("SELECT data, codec FROM source_chunk")]
    return b"\n".join(texts)


@pytest.mark.parametrize("name", ["out", "secret-plans"])
@pytest.mark.parametrize("restarted", [False, True])
def test_nothing_of_a_project_that_stays_out_is_kept(
    store: InProcess, file: Path, tmp_path: Path, name: str, restarted: bool
) -> None:
    folder = str(project(tmp_path, name, out=name == "out"))
    agents = file.with_name("agent-a1.jsonl")
    rollout = file.with_name(f"rollout-2026-01-02T03-04-05-{THREAD}.jsonl")
    append(file, claude_turn("hidden", cwd=folder))
    append(agents, claude_reply("hidden work", cwd=folder, agentId="a1", isSidechain=True))
    append(rollout, codex_thread(THREAD, "hidden", folder=folder))
    files: list[tuple[Path, Agent]] = [(file, CLAUDE), (agents, CLAUDE), (rollout, CODEX)]
    for path, agent in files:
        store.read(path, agent)
    if restarted:
        store.restart()
    append(file, claude_line("never-heard-of", "x", cwd=folder, text="hidden"))
    append(file, claude_reply("hidden again", cwd=folder))
    append(agents, claude_reply("hidden later", agentId="a1", isSidechain=True))
    append(rollout, codex_thread(THREAD, "one", "hidden", folder=folder).partition(b"\n")[2])
    for path, agent in files:
        assert store.read(path, agent) > 0
    assert b"hidden" not in everything(store)
    assert [row["read_bytes"] for row in store.files()] == [
        row["size_bytes"] for row in store.files()
    ]
    assert store.rows("SELECT count(*) FROM usage") == [(0,)]


def test_a_project_belongs_to_its_git_root(store: InProcess, file: Path, tmp_path: Path) -> None:
    folder = project(tmp_path, "shop")
    append(file, claude_turn("seen", cwd=str(folder)))
    store.read(file)
    assert store.rows("SELECT project FROM exchange") == [(str(folder.parent),)]
    assert store.rows("SELECT project FROM session") == [(str(folder.parent),)]


@pytest.mark.parametrize("restarted", [False, True])
def test_turns_in_a_project_that_stays_out_are_left_out_of_a_session_elsewhere(
    store: InProcess, file: Path, tmp_path: Path, restarted: bool
) -> None:
    seen, hidden = str(project(tmp_path, "seen")), str(project(tmp_path, "out", out=True))
    append(file, claude_turn("one", cwd=seen))
    store.read(file)
    append(file, claude_prompt("Ask hidden", cwd=hidden))
    store.read(file)
    if restarted:
        store.restart()
    append(file, claude_reply("hidden answer", cwd=hidden))
    store.read(file)
    append(file, claude_turn("two", cwd=seen))
    store.read(file)
    append(file, claude_turn("three", cwd=seen))
    store.read(file)
    kept = everything(store)
    assert b"hidden" not in kept
    assert all(words in kept for words in (b"Answer one", b"Answer two", b"Answer three"))
    assert store.rows("SELECT count(*) FROM exchange") == [(3,)]
    assert store.rows("SELECT count(*) FROM usage") == [(3,)]


def test_a_project_stays_out_from_when_a_person_says_so(
    store: InProcess, file: Path, tmp_path: Path
) -> None:
    folder = project(tmp_path, "shop")
    append(file, claude_turn("seen", cwd=str(folder)))
    store.read(file)
    (folder.parent / ".stenoignore").touch()
    append(file, claude_turn("hidden", cwd=str(folder)))
    store.read(file)
    assert b"Answer seen" in everything(store)
    assert b"hidden" not in everything(store)


@pytest.mark.parametrize("what", ["exchange", "conversation", "session"])
def test_what_was_forgotten_does_not_come_back_with_its_file(
    store: InProcess, file: Path, what: Literal["exchange", "conversation", "session"]
) -> None:
    append(file, claude_turn("hidden"))
    store.read(file)
    uid = store.rows(f"SELECT uid FROM {what}")[0][0]
    store.request(Delete(target=format_id(uid), type=what))
    assert b"hidden" not in everything(store)
    file.write_bytes(claude_line("never-heard-of", "x", text="hidden") + file.read_bytes())
    store.read(file)
    assert b"hidden" not in everything(store)
    content = store.content()
    assert not content["exchange"] + content["message"] + content["usage"]
    append(file, claude_turn("seen"))
    store.read(file)
    assert b"Answer seen" in everything(store)


def test_a_private_instance_reads_only_what_is_named(tmp_path: Path) -> None:
    user = {"HOME": str(tmp_path)}
    private = resolve(user | {"STENO_HOME": str(tmp_path / "steno")})
    assert roots(private, Capture(), user) == []
    named = user | {"CODEX_HOME": "/some/codex"}
    assert roots(private, Capture(), named) == [(CODEX, Path("/some/codex"))]
    chosen = Capture(roots={"claude-code": ("/some/claude",)})
    assert roots(private, chosen, user) == [(CLAUDE, Path("/some/claude"))]
    usual = [root for _, root in roots(resolve(user), Capture(), user)]
    assert tmp_path / ".claude" / "projects" in usual
    nowhere = Capture(roots={agent.name: () for agent in AGENTS})
    assert roots(resolve(user), nowhere, user) == []


def captured_in(daemon: RunningDaemon, *arguments: str) -> int:
    """Start, have everything looked at, and return how many exchanges there are."""
    daemon.start(*arguments)
    daemon.captured()
    with daemon.client() as client:
        exchanges: int = client.status()["counts"]["exchanges"]
    daemon.stop()
    return exchanges


def test_capture_is_switched_off_by_flag_variable_and_configuration(tmp_path: Path) -> None:
    daemon = instance_of(tmp_path, "claude")
    append(tmp_path / "claude" / "projects" / "shop" / "a.jsonl", claude_turn("heron"))
    assert captured_in(daemon, "--no-capture") == 0
    daemon.environ["STENO_CAPTURE"] = "off"
    assert captured_in(daemon) == 0
    del daemon.environ["STENO_CAPTURE"]
    configuration = daemon.home / "config.toml"
    configuration.write_text("[capture]\nenabled = false\n")
    assert captured_in(daemon) == 0
    configuration.write_text("[capture]\nroots = { codex = [] }\nignore = ['/home/ada/*']\n")
    assert captured_in(daemon) == 0
    configuration.unlink()
    # What was passed over stays out; what comes now does not.
    (tmp_path / "claude" / "projects" / "shop" / "b.jsonl").write_bytes(claude_turn("egret"))
    assert captured_in(daemon) == 1


def test_the_usual_folders_are_not_read_by_a_private_instance(
    daemon_at_rest: RunningDaemon,
) -> None:
    usual = daemon_at_rest.home / "user" / ".claude" / "projects" / "shop" / "a.jsonl"
    append(usual, claude_turn("heron"))
    assert captured_in(daemon_at_rest) == 0
