"""What a record carries when its maker does not say."""

import os
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from steno.client import Client
from steno.context import Context, implicit_session
from steno.filters import time_text
from steno.projects import project_of
from support.fake_daemon import FakeDaemon


def test_a_project_is_the_git_root_above(tmp_path: Path) -> None:
    deep = tmp_path / "work" / "src" / "deep"
    deep.mkdir(parents=True)
    assert project_of(deep) == str(deep)
    (tmp_path / "work" / ".git").mkdir()
    assert project_of(deep) == str(tmp_path / "work")
    assert project_of(str(deep / "not there")) == str(tmp_path / "work")
    (tmp_path / "work" / "src" / ".git").write_text("gitdir: elsewhere")
    assert project_of(deep) == str(tmp_path / "work" / "src"), "a worktree's .git is a file"


def test_a_project_is_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert project_of(".") == str(tmp_path)
    assert project_of("/") == "/"


def test_a_save_carries_this_process_and_this_folder(
    home: Path, daemon: FakeDaemon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with Client(home) as client:
        client.history.save("one")
        client.history.save("two")
        (tmp_path / "other").mkdir()
        monkeypatch.chdir(tmp_path / "other")
        client.history.save("three")
    one, two, three = daemon.exchanges()
    assert one.session == two.session == three.session == implicit_session()
    assert (one.project, three.project) == (str(tmp_path), str(tmp_path / "other"))
    assert (one.agent, one.user, one.conversation) == ("python", None, None)


def test_settings_come_before_guesses_and_words_before_settings(
    home: Path, daemon: FakeDaemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "config.toml").write_text('[defaults]\nuser = "file"\nsession = "file"\n')
    monkeypatch.setenv("STENO_SESSION", "variable")
    monkeypatch.setenv("STENO_PROJECT", "/variable")
    with Client(home) as client:
        client.history.save("one")
        client.history.save("two", user="word", session="word", project="/word")
        client.history.save("three", conversation="thread")
    one, two, three = daemon.exchanges()
    assert (one.user, one.session, one.project) == ("file", "variable", "/variable")
    assert (two.user, two.session, two.project) == ("word", "word", "/word")
    assert (three.session, three.conversation) == (None, "thread")


def test_settings_that_cannot_be_used_say_where(
    home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (home / "config.toml").write_text("[tracking]\ndebug = true\n[redaction]\nenabled = 7\n")
    for _ in range(2):
        settings = Context(home, None).settings
        assert (settings.tracking.debug, settings.redaction.enabled) == (True, True)
    (message,) = caplog.messages
    assert f"{home / 'config.toml'}, line 4: " in message


def test_a_folder_that_is_gone_is_no_project(
    home: Path, daemon: FakeDaemon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with Client(home) as client:
        client.history.save("one")
    os.chdir(tmp_path)
    assert daemon.exchanges()[0].project is None


def test_a_socket_may_be_named(home: Path, daemon: FakeDaemon, tmp_path: Path) -> None:
    with Client(tmp_path / "elsewhere", socket=home / "steno.sock") as client:
        client.ping()


def test_times_are_text_with_their_zone() -> None:
    moment = datetime(2026, 1, 2, 3, tzinfo=timezone(timedelta(hours=2)))
    assert time_text(moment) == "2026-01-02T03:00:00+02:00"
    local = datetime.fromisoformat("2026-01-02T03:00")
    assert datetime.fromisoformat(time_text(local)).astimezone(UTC) == local.astimezone(UTC)
    assert time_text("yesterday") == "yesterday"
