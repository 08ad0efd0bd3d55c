"""Events from the kernel: what changes is named, what cannot be known raises."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from steno.capture.inotify import AVAILABLE, Inotify, LostSight

pytestmark = pytest.mark.skipif(not AVAILABLE, reason="inotify is Linux's own")


@pytest.fixture
def inotify() -> Iterator[Inotify]:
    with Inotify() as opened:
        yield opened


def test_a_write_names_its_file(inotify: Inotify, tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    file = tmp_path / "a" / "b" / "x.jsonl"
    inotify.watch_tree(tmp_path)
    file.write_text("{}\n")
    assert file in inotify.read()
    with file.open("a") as handle:
        handle.write("{}\n")
    assert inotify.read() == [file]


def test_many_writes_are_one_path(inotify: Inotify, tmp_path: Path) -> None:
    inotify.watch_tree(tmp_path)
    file = tmp_path / "x"
    for _ in range(50):
        with file.open("ab") as handle:
            handle.write(b"x" * 10)
    assert inotify.read() == [file]


def test_a_new_folder_is_named_and_watched(inotify: Inotify, tmp_path: Path) -> None:
    inotify.watch_tree(tmp_path)
    (tmp_path / "new" / "deep").mkdir(parents=True)
    assert tmp_path / "new" in inotify.read()
    file = tmp_path / "new" / "deep" / "x"
    file.write_text("late")
    seen: list[Path] = []
    while file not in seen:
        seen += inotify.read()


def test_the_watched_folder_going_away_is_told(inotify: Inotify, tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    inotify.watch_tree(root)
    root.rmdir()
    with pytest.raises(LostSight):
        inotify.read()


def test_a_folder_below_going_away_is_ordinary(inotify: Inotify, tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    inotify.watch_tree(tmp_path)
    (tmp_path / "below").rmdir()
    assert tmp_path / "below" in inotify.read()


def test_an_awaited_folder_is_told_step_by_step(inotify: Inotify, tmp_path: Path) -> None:
    inotify.await_folder(tmp_path / "one" / "two")
    (tmp_path / "other").mkdir()
    (tmp_path / "one").mkdir()
    with pytest.raises(LostSight):
        inotify.read()


def test_stop_ends_the_wait(inotify: Inotify, tmp_path: Path) -> None:
    inotify.watch_tree(tmp_path)
    stopper = threading.Thread(target=inotify.stop)
    stopper.start()
    assert inotify.read() == []
    stopper.join()


def test_overflow_is_told(inotify: Inotify, tmp_path: Path) -> None:
    """The queue holds what the system allows; what is dropped beyond it must not be missed."""
    limit = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    if limit > 40_000:
        pytest.skip(f"{limit} events fit in the queue here: too many to make in a test")
    inotify.watch_tree(tmp_path)
    for number in range(limit + 10):
        os.close(os.open(tmp_path / str(number), os.O_CREAT | os.O_WRONLY))

    def read_all() -> None:
        while True:
            inotify.read()

    with pytest.raises(LostSight):
        read_all()


def test_names_that_are_no_text_are_named_all_the_same(inotify: Inotify, tmp_path: Path) -> None:
    inotify.watch_tree(tmp_path)
    name = os.fsencode(tmp_path) + b"/\xff\xfe.jsonl"
    os.close(os.open(name, os.O_CREAT | os.O_WRONLY))
    assert [os.fsencode(path) for path in inotify.read()] == [name]


def test_folders_that_hold_nothing_of_a_source_are_not_watched(tmp_path: Path) -> None:
    (tmp_path / "snapshot" / "ab").mkdir(parents=True)
    with Inotify(is_watched=lambda folder: folder.name not in {"snapshot", "log"}) as chosen:
        chosen.watch_tree(tmp_path)
        assert (chosen.watched, chosen.unwatched) == (1, 0)
        (tmp_path / "log" / "deep").mkdir(parents=True)
        (tmp_path / "snapshot" / "ab" / "x").write_text("a copy")
        (tmp_path / "seen").write_text("a file")
        seen: list[Path] = []
        while tmp_path / "seen" not in seen:
            seen += chosen.read()
        assert set(seen) <= {tmp_path / "seen", tmp_path / "log"}
        assert chosen.watched == 1
