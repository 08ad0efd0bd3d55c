"""File events are hints: whatever goes wrong with them ends in a scan, and in new watches."""

import queue
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import watchfiles

from capture.inprocess import CLAUDE
from steno.capture import events
from steno.capture.events import FolderEvents
from steno.capture.inotify import AVAILABLE, Inotify

TIMEOUT_S = 60.0
TRIES = 600


class Heard:
    """What the events told: paths, or that they lost sight."""

    def __init__(self, *roots: Path) -> None:
        self.paths: queue.SimpleQueue[Path] = queue.SimpleQueue()
        self.blind: queue.SimpleQueue[None] = queue.SimpleQueue()
        self.thread = FolderEvents(
            [(CLAUDE, root) for root in roots],
            self._changed,
            lambda: self.blind.put(None),
        )
        self.thread.start()

    def _changed(self, paths: list[Path]) -> None:
        for path in paths:
            self.paths.put(path)

    def of(self, path: Path) -> None:
        """Write to a file until an event tells of it: watches take a moment to stand."""
        for _ in range(TRIES):
            with path.open("ab") as file:
                file.write(b"line\n")
            try:
                while self.paths.get(timeout=TIMEOUT_S / TRIES) != path:
                    pass
            except queue.Empty:
                continue
            return
        raise AssertionError(f"no event told of {path.name}")

    def lost_sight(self) -> None:
        self.blind.get(timeout=TIMEOUT_S)

    def close(self) -> None:
        self.thread.stop()
        self.thread.join()


@pytest.fixture(params=["kernel", "library"], autouse=True)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways of watching keep the same promises; the kernel's is Linux's own."""
    if request.param == "kernel" and not AVAILABLE:
        pytest.skip("inotify is Linux's own")
    monkeypatch.setattr(events, "AVAILABLE", request.param == "kernel")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    folder.mkdir()
    return folder


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> list[Exception]:
    """Errors that the next calls for file events meet."""
    errors: list[Exception] = []
    real = watchfiles.watch

    def watch(*paths: Path, **options: Any) -> Iterator[Any]:
        if errors:
            raise errors.pop(0)
        yield from real(*paths, **options)

    def read(kernel: Inotify) -> list[Path]:
        if errors:
            raise errors.pop(0)
        return really_read(kernel)

    really_read = Inotify.read
    monkeypatch.setattr(Inotify, "read", read)
    monkeypatch.setattr(watchfiles, "watch", watch)
    monkeypatch.setattr(events, "BACK_OFF_FIRST_S", 0.001)
    return errors


def test_events_tell_of_files(root: Path) -> None:
    heard = Heard(root)
    heard.of(root / "one")
    heard.close()


@pytest.mark.parametrize(
    "error",
    [OSError(28, "no watch is left"), OSError(24, "no instance is left"), RuntimeError("a name")],
)
def test_errors_end_in_a_scan_and_in_new_watches(
    root: Path, failing: list[Exception], error: Exception
) -> None:
    failing += [error] * 3
    heard = Heard(root)
    for _ in range(3):
        heard.lost_sight()
    heard.of(root / "one")
    heard.close()


def test_a_folder_that_comes_later_is_watched(root: Path, tmp_path: Path) -> None:
    late = tmp_path / "late" / "deep"
    heard = Heard(root, late)
    heard.of(root / "one")
    late.mkdir(parents=True)
    heard.lost_sight()
    heard.of(late / "two")
    heard.of(root / "three")
    heard.close()


def test_a_folder_made_anew_is_watched_again(root: Path) -> None:
    heard = Heard(root)
    heard.of(root / "one")
    (root / "one").unlink()
    root.rmdir()
    root.mkdir()
    heard.lost_sight()
    heard.of(root / "two")
    heard.close()


def test_watches_are_set_anew_when_asked(root: Path) -> None:
    heard = Heard(root)
    heard.of(root / "one")
    heard.thread.again()
    heard.lost_sight()
    heard.of(root / "two")
    heard.close()


def test_without_folders_there_is_nothing_to_do() -> None:
    heard = Heard()
    heard.thread.join()
    assert heard.blind.empty()
