"""How far a backfill is, and that a large file does not hold up what is said meanwhile."""

from pathlib import Path

from capture.build import SESSION, append, claude_turn
from capture.inprocess import InProcess
from steno.capture.progress import Progress
from steno.capture.tail import BATCH_BYTES

OTHER = "5e551011-0000-4000-8000-00000000000e"


def test_rate_and_time_left_follow_from_what_was_read() -> None:
    now = 100.0
    progress = Progress(3, 4000, newest_files=2, clock=lambda: now)
    told = progress.told()
    assert (told["state"], told["rate"], told["left_s"]) == ("running", None, None)
    now += 2
    progress.stretch(500)
    told = progress.told()
    assert (told["files_done"], told["bytes_done"]) == (0, 500)
    assert (told["rate"], told["left_s"]) == (250, 14.0)
    progress.read(1000)
    assert progress.told()["bytes_done"] == 1000
    assert not progress.newest_ready
    progress.read(1000)
    assert progress.newest_ready
    progress.read(2000)
    progress.over()
    told = progress.told()
    assert (told["state"], told["files_done"], told["left_s"]) == ("done", 3, None)


def test_nothing_to_read_is_over_at_once() -> None:
    assert Progress().told()["state"] == "done"
    assert Progress().newest_ready


def test_files_that_change_are_read_between_two_stretches_of_a_large_one(tmp_path: Path) -> None:
    root = tmp_path / "projects" / "shop"
    large, small = root / f"{SESSION}.jsonl", root / f"{OTHER}.jsonl"
    while not large.exists() or large.stat().st_size < 3 * BATCH_BYTES:
        append(large, b"".join(claude_turn(f"word{n}" * 300) for n in range(100)))
    append(small, claude_turn("egret", sessionId=OTHER))
    with InProcess(tmp_path / "steno.db") as store:
        stretches: list[int] = []

        def between(read_bytes: int) -> None:
            stretches.append(read_bytes)
            if len(stretches) == 1:
                assert store.read(small) == small.stat().st_size
                assert store.read(large) > 0

        store.ingest.between = between
        store.read(large)
        assert sum(stretches) >= large.stat().st_size
        offsets = store.rows("SELECT offset, size_bytes FROM source ORDER BY id")
        assert offsets == [(path.stat().st_size,) * 2 for path in (large, small)]
        assert store.rows("SELECT count(*) FROM source_chunk WHERE start_offset = 0") == [(2,)]
