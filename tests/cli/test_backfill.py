"""``steno capture backfill``: progress while it reads, a summary of what it read."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from capture.build import SESSION, append, claude_turn
from capture.instance import instance_of
from steno.cli.backfill import speed
from steno.cli.progress import Progress
from support.running import RunningDaemon


class Terminal:
    """A stderr that is one."""

    def __init__(self) -> None:
        self.shown = ""

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> None:
        self.shown += text

    def flush(self) -> None:
        """Nothing is held back."""


@pytest.fixture
def transcript(tmp_path: Path) -> Path:
    return tmp_path / "claude" / "projects" / "shop" / f"{SESSION}.jsonl"


@pytest.fixture
def capturing(tmp_path: Path, transcript: Path) -> Iterator[RunningDaemon]:
    daemon = instance_of(tmp_path, "claude")
    transcript.parent.mkdir(parents=True, exist_ok=True)
    daemon.start()
    daemon.captured()
    yield daemon
    daemon.stop()


def test_the_summary_is_of_what_was_read_now(capturing: RunningDaemon, transcript: Path) -> None:
    nothing = capturing.steno("capture", "backfill")
    assert nothing.stdout == "Nothing new: all 0 files of the agents were read before.\n"
    append(transcript, claude_turn("one") + claude_turn("two") + b'{"type":"never-seen"}\n')
    read = json.loads(capturing.steno("capture", "backfill", "--json").stdout)["read"]
    held = json.loads(capturing.steno("capture", "backfill", "--json").stdout)["held"]
    assert held["human_prompts"] == 2
    # The watcher may have been there first, and then there was nothing left to read.
    assert read["human_prompts"] in {0, 2}
    assert (read["human_prompts"] == 0) == (read["read_bytes"] == 0)
    again = capturing.steno("capture", "backfill")
    assert again.stdout == "Nothing new: all 1 files of the agents were read before.\n"
    assert (again.returncode, again.stderr) == (0, "")


def test_a_first_reading_tells_what_came_of_it(tmp_path: Path, transcript: Path) -> None:
    daemon = instance_of(tmp_path, "claude")
    transcript.parent.mkdir(parents=True, exist_ok=True)
    daemon.start(environ={"STENO_CAPTURE": "0"})
    try:
        off = daemon.steno("capture", "backfill")
        assert (off.returncode, off.stdout) == (4, "")
        assert "Capture is off" in off.stderr
    finally:
        daemon.stop()


def test_rate_and_time_left_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    assert speed(None) == speed({"rate": None, "left_s": None}) == ""
    assert speed({"rate": 3 * 1024 * 1024, "left_s": 12.0}) == "3.0 MiB/s, 12 s left"
    assert speed({"rate": 2048, "left_s": 0.01}) == "2.0 KiB/s, 1 s left"
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setattr("steno.cli.progress._FIRST_S", 0.0)
    with Progress("reading") as progress:
        progress.show(1, 4, "files", note=speed({"rate": 2048, "left_s": 90}))
    assert "1 of 4 files, 2.0 KiB/s, 1 min left" in terminal.shown
    assert terminal.shown.endswith("\x1b[K")
