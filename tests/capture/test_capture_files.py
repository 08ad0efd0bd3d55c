"""What may happen to a file: whatever it is, nothing is lost, nothing is there twice."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from capture.build import SESSION, append, claude_prompt, claude_reply, claude_turn, codex_thread
from capture.inprocess import CLAUDE, CODEX, InProcess
from steno.errors import Refused, Unreachable


@pytest.fixture
def store(tmp_path: Path) -> Iterator[InProcess]:
    with InProcess(tmp_path / "steno.db") as opened:
        yield opened


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "projects" / "shop" / f"{SESSION}.jsonl"
    append(path, claude_turn("one") + claude_turn("two"))
    return path


def prompts(store: InProcess) -> list[str]:
    """Return every exchange as prompt and output, in the order of their prompts' text."""
    rows = store.rows(
        "SELECT p.content || ' > ' || coalesce(o.content, '') FROM exchange AS e"
        " JOIN message AS p ON p.id = e.prompt_id LEFT JOIN message AS o ON o.id = e.output_id"
        " ORDER BY 1"
    )
    return [row[0] for row in rows]


def turns(*words: str) -> list[str]:
    return sorted(f"Ask {word} > Answer {word}" for word in words)


def states(store: InProcess) -> dict[str, list[str]]:
    """Return the states of each file name's generations, the oldest first."""
    found: dict[str, list[str]] = {}
    for name, state in store.rows("SELECT path, state FROM source ORDER BY id"):
        found.setdefault(Path(name).name, []).append(state)
    return found


def lines(store: InProcess, agent: str = "claude-code") -> int:
    return int(store.status()[agent]["lines"])


def test_what_is_appended_is_read_and_only_that(store: InProcess, file: Path) -> None:
    store.read(file)
    size = file.stat().st_size
    append(file, claude_turn("three"))
    assert store.read(file) == file.stat().st_size - size
    assert store.read(file) == 0
    assert prompts(store) == turns("one", "two", "three")
    assert lines(store) == 6
    assert len(states(store)[file.name]) == 1


def test_a_torn_last_line_is_read_once_it_is_whole(store: InProcess, file: Path) -> None:
    line = claude_prompt("Ask torn")
    append(file, line[:40])
    store.read(file)
    assert prompts(store) == turns("one", "two")
    assert store.read(file) == 0
    append(file, line[40:])
    store.read(file)
    assert prompts(store) == [*turns("one"), "Ask torn > ", *turns("two")]


def test_a_last_line_without_its_newline_is_read(store: InProcess, file: Path) -> None:
    append(file, claude_turn("three")[:-1])
    store.read(file)
    assert prompts(store) == turns("one", "two", "three")
    append(file, b"\n" + claude_turn("four"))
    store.read(file)
    assert prompts(store) == turns("one", "two", "three", "four")
    assert lines(store) == 8


def test_two_objects_on_a_line_are_both_read(store: InProcess, file: Path) -> None:
    first, second, _ = claude_turn("three").split(b"\n")
    append(file, first + second + b"\n")
    store.read(file)
    assert prompts(store) == turns("one", "two", "three")
    assert store.status()["claude-code"]["lines_not_understood"] == 0


def test_an_empty_file_is_one_without_lines(store: InProcess, file: Path) -> None:
    file.write_bytes(b"")
    store.read(file)
    assert (lines(store), states(store)) == (0, {file.name: ["live"]})


def test_a_truncated_file_is_read_again(store: InProcess, file: Path) -> None:
    store.read(file)
    os.truncate(file, file.stat().st_size // 2 + 20)
    store.read(file)
    assert prompts(store) == turns("one", "two")
    os.truncate(file, 0)
    append(file, claude_turn("three"))
    store.read(file)
    assert prompts(store) == turns("one", "two", "three")
    assert states(store) == {file.name: ["replaced", "replaced", "live"]}
    assert lines(store) == 2


def test_a_rewritten_file_is_read_again(store: InProcess, file: Path) -> None:
    store.read(file)
    size = file.stat().st_size
    other = claude_turn("ONE") + claude_turn("TWO")
    assert len(other) == size
    file.write_bytes(other)
    store.read(file)
    assert prompts(store) == turns("one", "two", "ONE", "TWO")


def test_a_rewrite_within_a_step_of_the_clock_is_seen(store: InProcess, file: Path) -> None:
    found = file.stat()
    store.read(file)
    file.write_bytes(claude_turn("ONE") + claude_turn("TWO"))
    os.utime(file, ns=(found.st_atime_ns, found.st_mtime_ns))
    store.read(file)
    assert prompts(store) == turns("one", "two", "ONE", "TWO")


def test_a_file_that_grew_past_the_cursor_after_a_rewrite_is_read_from_its_start(
    store: InProcess, file: Path
) -> None:
    store.read(file)
    file.write_bytes(b"".join(claude_turn(word) for word in ("three", "four", "five")))
    store.read(file)
    assert prompts(store) == turns("one", "two", "three", "four", "five")


def test_a_rotated_file_goes_on_under_its_new_name(store: InProcess, file: Path) -> None:
    store.read(file)
    kept_bytes = store.status()["claude-code"]["kept_bytes"]
    old = file.rename(file.with_name("old.jsonl"))
    append(file, claude_turn("three"))
    store.read(file)
    append(old, claude_turn("late"))
    store.read(old)
    assert prompts(store) == turns("one", "two", "three", "late")
    assert states(store) == {old.name: ["live"], file.name: ["live"]}
    assert lines(store) == 8
    assert store.status()["claude-code"]["kept_bytes"] < 3 * kept_bytes


@pytest.mark.parametrize("restarted", [False, True])
def test_a_rotated_file_that_is_read_after_its_successor(
    store: InProcess, file: Path, restarted: bool
) -> None:
    store.read(file)
    old = file.rename(file.with_name("old.jsonl"))
    append(file, claude_turn("three"))
    store.read(file)
    if restarted:
        store.restart()
    assert store.read(old) == 0
    assert lines(store) == 6
    assert prompts(store) == turns("one", "two", "three")


def test_a_file_made_anew_with_the_same_beginning_goes_on(store: InProcess, file: Path) -> None:
    store.read(file)
    data = file.read_bytes()
    file.unlink()
    store.read(file)
    assert states(store) == {file.name: ["gone"]}
    append(file, data + claude_turn("three"))
    store.read(file)
    assert states(store) == {file.name: ["live"]}
    assert prompts(store) == turns("one", "two", "three")


def test_a_file_that_comes_back_unchanged_is_live_again(store: InProcess, file: Path) -> None:
    store.read(file)
    away = file.rename(file.parent.parent / "away")
    store.read(file)
    away.rename(file)
    store.read(file)
    assert states(store) == {file.name: ["live"]}


def test_codex_moves_its_sessions_away(store: InProcess, tmp_path: Path) -> None:
    name = f"rollout-2026-01-02T03-04-05-{SESSION}.jsonl"
    path = tmp_path / "sessions" / "2026" / "01" / "02" / name
    append(path, codex_thread(SESSION, "one", "two"))
    store.read(path, CODEX)
    archived = tmp_path / "archived_sessions" / name
    archived.parent.mkdir()
    path.rename(archived)
    store.rescan(tmp_path, CODEX)
    assert [(row["path"], row["state"]) for row in store.files()] == [(str(archived), "live")]
    assert lines(store, "codex") == 9
    assert prompts(store) == turns("one", "two")


def test_a_second_name_of_a_file_adds_nothing(store: InProcess, file: Path) -> None:
    store.read(file)
    link = file.with_name("link.jsonl")
    link.hardlink_to(file)
    append(link, claude_turn("three"))
    store.rescan(file.parent)
    content = store.content()
    assert prompts(store) == turns("one", "two", "three")
    assert len(content["message"]) == 6
    assert len(content["usage"]) == 3
    assert states(store) == {file.name: ["live"], link.name: ["live"]}


def make_link(path: Path) -> None:
    path.symlink_to("/etc/passwd")


@pytest.mark.parametrize("make", [make_link, os.mkfifo, os.mkdir], ids=["link", "pipe", "folder"])
def test_what_is_no_regular_file_is_refused_and_reported(
    store: InProcess, file: Path, make: Callable[[Path], None]
) -> None:
    store.read(file)
    file.unlink()
    make(file)
    store.rescan(file.parent)
    store.read(file)
    assert states(store) == {file.name: ["unreadable"]}
    assert store.status()["claude-code"]["files_unreadable"] == 1
    assert prompts(store) == turns("one", "two")


def test_a_file_that_becomes_readable_is_read(store: InProcess, file: Path) -> None:
    data = file.read_bytes()
    file.unlink()
    os.mkfifo(file)
    store.read(file)
    assert states(store) == {file.name: ["unreadable"]}
    file.unlink()
    append(file, data)
    store.read(file)
    assert states(store) == {file.name: ["live"]}
    assert prompts(store) == turns("one", "two")


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is unreadable for root")
def test_a_file_without_permission_is_reported(store: InProcess, file: Path) -> None:
    file.chmod(0)
    store.read(file)
    assert states(store) == {file.name: ["unreadable"]}


@pytest.mark.parametrize(
    "garbage",
    [
        bytes(range(256)).replace(b"\n", b""),
        b"\0" * 5000,
        b'{"type":"user","message":{"content":"\xff\xfe\xc3"}}',
        b'{"type":"user","message":{"content":"a\x00b"}}',
        b"[" * 100_000,
        b'{"type": 3}',
        b'{"type":"user","uuid":"' + b"u" * 100_000 + b'"}',
        b'{"type":"user","message":{"content":"\\ud800"}}',
    ],
    ids=["bytes", "nul", "not-utf8", "control", "nested", "number", "long-id", "half-character"],
)
def test_garbage_is_counted_and_what_follows_is_read(
    store: InProcess, file: Path, garbage: bytes
) -> None:
    append(file, garbage + b"\n" + claude_turn("three"))
    store.read(file)
    assert set(turns("one", "two", "three")) <= set(prompts(store))
    assert lines(store) == 7
    assert store.read(file) == 0


def test_a_20_mib_line_is_kept_aside_and_counted(store: InProcess, file: Path) -> None:
    words = b"word " * (4 * 1024 * 1024)
    append(file, claude_prompt("long").replace(b"long", b"long" + words, 1))
    append(file, claude_turn("three"))
    store.read(file)
    assert prompts(store) == turns("one", "two", "three")
    (row,) = store.files()
    assert (row["lines"], row["lines_not_understood"]) == (7, 1)
    assert row["sample"] == "a line longer than 16 MiB"
    assert row["read_bytes"] == file.stat().st_size
    assert row["kept_bytes"] > 0


def test_a_name_that_is_no_text_is_passed_over(store: InProcess, file: Path) -> None:
    append(Path(os.fsdecode(os.fsencode(file.parent) + b"/\xff.jsonl")), claude_turn("unseen"))
    store.rescan(file.parent)
    assert prompts(store) == turns("one", "two")


def test_nothing_is_lost_when_a_reply_is(store: InProcess, file: Path) -> None:
    store.fault = lambda _append: "lose"
    with pytest.raises(Unreachable):
        store.read(file)
    store.fault = lambda _append: None
    store.read(file)
    assert prompts(store) == turns("one", "two")
    assert (lines(store), states(store)) == (4, {file.name: ["live"]})


def test_nothing_is_lost_when_an_append_is(store: InProcess, file: Path) -> None:
    store.fault = lambda _append: "drop"
    with pytest.raises(Unreachable):
        store.read(file)
    assert prompts(store) == []
    store.fault = lambda _append: None
    store.restart()
    store.read(file)
    assert prompts(store) == turns("one", "two")


def test_two_watchers_do_not_take_the_same_bytes(store: InProcess, file: Path) -> None:
    store.read(file)
    stale = store.ingest
    store.restart()
    append(file, claude_turn("three"))
    store.read(file)
    append(file, claude_turn("four"))
    stale.read(CLAUDE, file)
    assert prompts(store) == turns("one", "two", "three", "four")
    assert (lines(store), states(store)) == (8, {file.name: ["live"]})


def test_a_parser_that_does_not_know_its_state_begins_anew(store: InProcess, file: Path) -> None:
    store.read(file)
    store.rows("UPDATE source SET parser_state = ?", (b"\x81\xa6parser\xc4\x01\xc1",))
    append(file, claude_turn("three"))
    store.read(file)
    assert prompts(store) == turns("one", "two", "three")
    assert states(store) == {file.name: ["replaced", "live"]}


def test_a_reply_in_another_stretch_belongs_to_its_prompt(store: InProcess, file: Path) -> None:
    append(file, claude_prompt("Ask three"))
    store.read(file)
    store.restart()
    append(file, claude_reply("Answer three"))
    store.read(file)
    assert prompts(store) == turns("one", "two", "three")


def test_other_refusals_are_not_hidden(store: InProcess, file: Path) -> None:
    def refuse(_append: object) -> str:
        raise Refused("disk_full", "The disk is full.", retryable=True)

    store.fault = refuse
    with pytest.raises(Refused):
        store.read(file)
