"""Where a file may be, and in what form: its state is told, its rows stay, nothing is there twice."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from capture.build import SESSION, append, claude_turn, codex_thread, codex_turn, joined
from capture.inprocess import CLAUDE, CODEX, InProcess
from capture.instance import instance_of, json_of, status_of
from steno.capture import compressed, ingest
from steno.capture.compression import compress, decompress

NAME = f"rollout-2026-01-02T03-04-05-{SESSION}.jsonl"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[InProcess]:
    with InProcess(tmp_path / "steno.db") as opened:
        yield opened


@pytest.fixture
def rollout(tmp_path: Path) -> Path:
    path = tmp_path / "codex" / "sessions" / "2026" / "01" / "02" / NAME
    append(path, codex_thread(SESSION, "one", "two"))
    return path


def _pack(plain: Path) -> Path:
    """Compress a file as its agent does: written under another name, moved, the plain one gone."""
    packed = plain.with_name(f"{plain.name}.zst")
    packed.write_bytes(compress(plain.read_bytes())[0])
    return packed


def _sources(store: InProcess) -> list[tuple[str, str]]:
    return [(Path(row["path"]).name, row["state"]) for row in store.files()]


def _prompts(store: InProcess) -> list[str]:
    rows = store.rows("SELECT content FROM message WHERE role = 'user' AND kind = 'text'")
    return sorted(row[0] for row in rows)


def _kept(store: InProcess) -> bytes:
    rows = store.rows("SELECT data, codec, kept_size FROM source_chunk ORDER BY id")
    return b"".join(decompress(data, codec)[:size] for data, codec, size in rows)


def test_a_compressed_file_goes_on_where_the_plain_one_was_read_to(
    store: InProcess, rollout: Path, tmp_path: Path
) -> None:
    store.rescan(tmp_path / "codex", CODEX)
    append(rollout, joined(codex_turn("three", 3)))
    data = rollout.read_bytes()
    packed = _pack(rollout)
    rollout.unlink()
    store.rescan(tmp_path / "codex", CODEX)
    assert _sources(store) == [(packed.name, "live")]
    assert _prompts(store) == ["Ask one", "Ask three", "Ask two"]
    assert _kept(store) == data
    appends = len(store.appends)
    store.rescan(tmp_path / "codex", CODEX)
    assert len(store.appends) == appends

    rollout.write_bytes(data + joined(codex_turn("four", 4)))
    packed.unlink()
    store.rescan(tmp_path / "codex", CODEX)
    assert _sources(store) == [(rollout.name, "live")]
    assert _prompts(store) == ["Ask four", "Ask one", "Ask three", "Ask two"]
    assert _kept(store) == rollout.read_bytes()


def test_a_compressed_file_gives_the_records_of_the_plain_one(
    store: InProcess, rollout: Path, tmp_path: Path
) -> None:
    store.rescan(tmp_path / "codex", CODEX)
    packed = _pack(rollout)
    rollout.unlink()
    with InProcess(tmp_path / "other.db") as other:
        assert other.read(packed, CODEX) > 0
        assert other.content() == store.content()


def test_the_plain_file_goes_first_where_both_are(
    store: InProcess, rollout: Path, tmp_path: Path
) -> None:
    _pack(rollout)
    store.rescan(tmp_path / "codex", CODEX)
    assert _sources(store) == [(rollout.name, "live")]


def test_a_file_in_the_middle_of_being_compressed_waits(
    store: InProcess, rollout: Path, tmp_path: Path
) -> None:
    packed = _pack(rollout)
    rollout.unlink()
    whole = packed.read_bytes()
    packed.write_bytes(whole[:-10])
    store.rescan(tmp_path / "codex", CODEX)
    assert _sources(store) == []
    packed.write_bytes(whole)
    store.rescan(tmp_path / "codex", CODEX)
    assert _prompts(store) == ["Ask one", "Ask two"]


@pytest.mark.parametrize("data", [b"", b"no zstd at all", compress(b"x" * 99)[0][:-3]])
def test_what_is_no_compressed_file_is_reported(
    store: InProcess, rollout: Path, tmp_path: Path, data: bytes
) -> None:
    packed = rollout.with_name(f"{NAME}.zst")
    rollout.unlink()
    packed.write_bytes(data)
    os.utime(packed, (1, 1))
    store.rescan(tmp_path / "codex", CODEX)
    assert _sources(store) == [(packed.name, "unreadable")]
    assert _prompts(store) == []


def test_a_bomb_is_not_unpacked(
    store: InProcess, rollout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compressed, "PLAIN_MAX_BYTES", 100)
    packed = _pack(rollout)
    rollout.unlink()
    store.rescan(tmp_path / "codex", CODEX)
    assert _sources(store) == [(packed.name, "unreadable")]


def test_a_session_archived_on_another_disk_is_the_same_one(
    store: InProcess, rollout: Path, tmp_path: Path
) -> None:
    """Copied and deleted, compressed on the way: neither inode nor bytes are what they were."""
    store.rescan(tmp_path / "codex", CODEX)
    archived = tmp_path / "codex" / "archived_sessions" / f"{NAME}.zst"
    archived.parent.mkdir()
    shutil.copyfile(_pack(rollout), archived)
    shutil.rmtree(tmp_path / "codex" / "sessions" / "2026")
    store.rescan(tmp_path / "codex", CODEX)
    assert [(row["path"], row["state"]) for row in store.files()] == [(str(archived), "live")]
    assert _prompts(store) == ["Ask one", "Ask two"]


def test_a_copy_beside_the_original_is_a_source_of_its_own(
    store: InProcess, rollout: Path, tmp_path: Path
) -> None:
    store.rescan(tmp_path / "codex", CODEX)
    copy = tmp_path / "codex" / "sessions" / NAME
    shutil.copyfile(rollout, copy)
    store.rescan(tmp_path / "codex", CODEX)
    assert _sources(store) == [(NAME, "live"), (NAME, "live")]
    assert _prompts(store) == ["Ask one", "Ask two"]


def test_a_disk_that_is_away_takes_nothing_with_it(
    store: InProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a mount point shows without its disk is another disk's empty folder."""
    root = tmp_path / "disk" / "projects"
    file = root / "shop" / f"{SESSION}.jsonl"
    append(file, claude_turn("heron"))
    store.rescan(root)
    elsewhere = tmp_path / "elsewhere"
    root.rename(elsewhere)
    devices = _devices(monkeypatch)
    devices[str(tmp_path / "disk")] = 1
    store.rescan(root)
    assert _sources(store) == [(file.name, "away")]
    assert store.status()["claude-code"]["files_away"] == 1
    store.restart()
    store.rescan(root)
    assert _sources(store) == [(file.name, "away")]
    devices.clear()
    elsewhere.rename(root)
    append(file, claude_turn("egret"))
    store.rescan(root)
    assert _sources(store) == [(file.name, "live")]
    assert _prompts(store) == ["Ask egret", "Ask heron"]
    shutil.rmtree(root)
    store.rescan(root)
    assert _sources(store) == [(file.name, "gone")]
    assert store.status()["claude-code"]["sessions_only_here"] == 1


def _devices(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """Have folders say that they are on another device."""
    devices: dict[str, int] = {}
    real = ingest.device_of

    def device_of(path: Path) -> int:
        return devices.get(str(path), real(path))

    monkeypatch.setattr(ingest, "device_of", device_of)
    return devices


def test_device_numbers_that_changed_with_a_restart_hide_no_deletion(
    store: InProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "projects"
    for name in ("one", "two"):
        append(root / "shop" / f"{name}.jsonl", claude_turn(name))
    store.rescan(root)
    (root / "shop" / "one.jsonl").unlink()
    _devices(monkeypatch)[str(root / "shop")] = 1
    store.rescan(root)
    assert sorted(_sources(store)) == [("one.jsonl", "gone"), ("two.jsonl", "live")]


def test_every_state_is_told_by_the_commands(tmp_path: Path) -> None:
    daemon = instance_of(tmp_path, "claude")
    folder = tmp_path / "claude" / "projects" / "shop"
    names = ("kept", "deleted", "truncated", "moved")
    for name in names:
        append(folder / f"{name}.jsonl", claude_turn(name) + claude_turn(f"{name} again"))
    daemon.start()
    daemon.captured()
    (folder / "deleted.jsonl").unlink()
    os.truncate(folder / "truncated.jsonl", len(claude_turn("truncated")))
    (folder / "moved.jsonl").rename(folder / "archived.jsonl")
    daemon.captured()
    files = json_of(daemon, "capture", "status", "--files")["files"]
    states = sorted((Path(file["path"]).stem, file["state"]) for file in files)
    assert states == [
        ("archived", "live"),
        ("deleted", "gone"),
        ("kept", "live"),
        ("truncated", "live"),
        ("truncated", "replaced"),
    ]
    status = status_of(daemon)
    assert (status["files"], status["files_gone"], status["files_replaced"]) == (4, 1, 1)
    assert status["human_prompts"] == 2 * len(names)
    assert len(json_of(daemon, "capture", "sources")["items"]) == len(states)
    daemon.stop()


def test_a_name_alone_makes_no_file_the_same(store: InProcess, tmp_path: Path) -> None:
    root = tmp_path / "projects"
    append(root / "one" / "same.jsonl", claude_turn("heron"))
    store.rescan(root, CLAUDE)
    (root / "one" / "same.jsonl").unlink()
    append(root / "two" / "same.jsonl", claude_turn("egret"))
    store.rescan(root, CLAUDE)
    assert sorted(_sources(store)) == [("same.jsonl", "gone"), ("same.jsonl", "live")]
    assert _prompts(store) == ["Ask egret", "Ask heron"]
