"""What an agent writes is found without any command in between, whatever happened before."""

import os
import shutil
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from capture.build import SESSION, append, claude_turn, codex_thread
from capture.instance import instance_of, json_of, prompt_heard
from steno.client import Subscription
from steno_schema.requests import Admin
from support.running import RunningDaemon

THREAD = "019c0000-1111-7222-8333-944444444444"


class Live:
    """An instance that watches two folders, and a subscriber that hears of what it stores."""

    def __init__(self, folder: Path) -> None:
        self.claude = folder / "claude" / "projects"
        self.codex = folder / "codex"
        self.file = self.claude / "shop" / f"{SESSION}.jsonl"
        self.daemon = instance_of(folder, "claude")
        self.daemon.environ["CODEX_HOME"] = str(self.codex)
        self._heard = 0

    def start(self) -> None:
        self.daemon.home.mkdir(exist_ok=True)
        (self.daemon.home / "config.toml").write_text("[capture]\nrescan_active_s = 1\n")
        self.daemon.start()

    def is_found(self, words: str) -> None:
        """Wait until it is stored, then find it as a person would."""
        with self.daemon.client() as client, client.subscribe(after=self._heard) as events:
            prompt_heard(events, f"Ask {words}")
            self._heard = _sequence(events)
        (result,) = json_of(self.daemon, "search", words)["results"]
        assert result["prompt"] == f"Ask {words}"


def _sequence(events: Subscription) -> int:
    assert events.sequence is not None
    return events.sequence


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    made = Live(tmp_path)
    made.claude.mkdir(parents=True, exist_ok=True)
    made.start()
    made.daemon.captured()
    yield made
    made.daemon.stop()


def test_a_line_appended_to_a_watched_file_is_found(live: Live) -> None:
    append(live.file, claude_turn("heron"))
    live.is_found("heron")
    append(live.file, claude_turn("egret"))
    live.is_found("egret")


def test_new_folders_are_watched_as_they_come(live: Live) -> None:
    append(live.claude / "barn" / "one.jsonl", claude_turn("heron"))
    live.is_found("heron")
    append(live.claude / "a" / "b" / "c" / "two.jsonl", claude_turn("egret"))
    live.is_found("egret")
    sessions = live.codex / "sessions" / "2026" / "01" / "02"
    append(sessions / f"rollout-2026-01-02T03-04-05-{THREAD}.jsonl", codex_thread(THREAD, "stork"))
    live.is_found("stork")


def test_what_is_written_while_the_daemon_is_stopped_is_found_when_it_is_back(live: Live) -> None:
    append(live.file, claude_turn("heron"))
    live.is_found("heron")
    live.daemon.stop()
    append(live.file, claude_turn("egret"))
    live.start()
    live.is_found("egret")
    live.daemon.kill()
    append(live.file, claude_turn("stork"))
    live.start()
    live.is_found("stork")


def test_what_is_written_while_the_watcher_is_dead_is_found(live: Live) -> None:
    append(live.file, claude_turn("heron"))
    live.is_found("heron")
    with live.daemon.client() as client:
        os.kill(client.status()["capture"]["pid"], signal.SIGKILL)
    append(live.file, claude_turn("egret"))
    live.is_found("egret")


def test_a_root_that_is_made_anew_is_watched_again(live: Live) -> None:
    append(live.file, claude_turn("heron"))
    live.is_found("heron")
    shutil.rmtree(live.claude)
    append(live.file, claude_turn("egret"))
    live.is_found("egret")
    append(live.file, claude_turn("stork"))
    live.is_found("stork")


def test_a_name_that_is_no_text_does_not_blind_the_watcher(live: Live) -> None:
    append(live.file, claude_turn("heron"))
    live.is_found("heron")
    append(Path(os.fsdecode(os.fsencode(live.claude) + b"/\xff.jsonl")), claude_turn("unseen"))
    append(live.file, claude_turn("egret"))
    live.is_found("egret")
    append(live.file, claude_turn("stork"))
    live.is_found("stork")
    assert live.daemon.steno("search", "unseen").returncode == 1


def test_what_no_event_tells_of_is_found_by_looking(live: Live, tmp_path: Path) -> None:
    append(live.file, claude_turn("heron"))
    live.is_found("heron")
    outside = tmp_path / "outside.jsonl"
    outside.hardlink_to(live.file)
    append(outside, claude_turn("egret"))
    live.is_found("egret")


def test_a_pipe_among_the_transcripts_blocks_nothing(live: Live) -> None:
    live.file.parent.mkdir(parents=True)
    os.mkfifo(live.file.with_name("pipe.jsonl"))
    append(live.file, claude_turn("heron"))
    live.is_found("heron")
    live.daemon.captured()
    (agent,) = json_of(live.daemon, "capture", "status")["agents"]
    assert agent["files_unreadable"] == 1


def test_a_scan_that_was_waited_for_has_seen_everything(live: Live) -> None:
    append(live.file, claude_turn("heron"))
    stop = threading.Event()

    def hint() -> None:
        with live.daemon.client() as client:
            while not stop.is_set():
                hint = {"path": str(live.file), "wait": True}
                client.request(Admin(action="rescan", arguments=hint))

    hinting = threading.Thread(target=hint)
    hinting.start()
    try:
        for number in range(1, 11):
            append(live.file.with_name(f"{number}.jsonl"), claude_turn(f"egret {number}"))
            live.daemon.captured()
            with live.daemon.client() as client:
                assert client.status()["counts"]["exchanges"] == number + 1
    finally:
        stop.set()
        hinting.join()


def test_an_instance_without_named_folders_rests(daemon_at_rest: RunningDaemon) -> None:
    daemon_at_rest.start()
    daemon_at_rest.captured()
    daemon_at_rest.stop()
    assert "file events failed" not in daemon_at_rest.log.read_text("utf-8")


def test_folders_and_projects_to_leave_out_are_taken_over_on_the_fly(
    live: Live, tmp_path: Path
) -> None:
    append(live.file, claude_turn("heron"))
    live.is_found("heron")
    elsewhere = tmp_path / "elsewhere"
    append(elsewhere / "other.jsonl", claude_turn("egret", cwd="/home/ada/barn"))
    append(elsewhere / "secret.jsonl", claude_turn("stork", cwd="/home/ada/secret"))
    config = live.daemon.home / "config.toml"
    config.write_text(
        f'[capture]\nroots = {{"claude-code" = ["{elsewhere}"]}}\nignore = ["*/secret"]\n'
    )
    live.daemon.send_signal(signal.SIGHUP)
    live.is_found("egret")
    live.daemon.captured()
    assert live.daemon.steno("search", "stork").returncode == 1
    before = json_of(live.daemon, "status")["capture"]
    assert before["restarts"] == 0
    config.write_text(f"{config.read_text()}alarm_command = ['true']\n")
    live.daemon.send_signal(signal.SIGHUP)
    live.daemon.wait_for_log("configuration read again", 2)
    assert json_of(live.daemon, "status")["capture"]["pid"] == before["pid"]
    config.write_text("[capture]\nenabled = false\n")
    live.daemon.send_signal(signal.SIGHUP)
    live.daemon.wait_for_log("the watcher ends", 2)
    append(live.file, claude_turn("ibis"))
    config.unlink()
    live.daemon.send_signal(signal.SIGHUP)
    live.is_found("ibis")
