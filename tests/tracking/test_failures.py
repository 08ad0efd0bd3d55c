"""Failures of tracking: never the caller's, said once, counted where ``steno doctor`` looks."""

import json
import logging
import time
from pathlib import Path

import pytest

from steno import track_execution, track_prompt
from steno.cli.checks_tracking import check_tracking
from steno.tracking import configure, flush
from steno.tracking import failures as counting
from steno.tracking.failures import FILE_MAX_BYTES, Failures, file_of, read
from steno_schema.paths import Paths, resolve
from steno_schema.times import format_ms
from support.tracked import Tracked

SECRET = "a very secret prompt"


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return resolve({}, home=tmp_path / "instance")


def fail(times: int) -> None:
    for _ in range(times):
        track_prompt(SECRET, rating=500)


def test_failures_are_logged_once_and_counted(
    tracked: Tracked, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        fail(3)
        assert flush(60)
    (record,) = caplog.records
    assert "(Misuse)" in record.getMessage()
    assert SECRET not in caplog.text
    found = list(read(resolve({}, home=tracked.daemon.home)))
    assert {failure.kind for failure in found} == {"Misuse"}
    assert sum(failure.count for failure in found) == 3


def test_doctor_tells_of_them(tracked: Tracked) -> None:
    before = json.loads(tracked.daemon.steno("doctor", "--json").stdout)
    fail(2)
    assert flush(60)
    after = json.loads(tracked.daemon.steno("doctor", "--json").stdout)
    first, second = (
        next(check for check in told["checks"] if check["name"] == "tracking")
        for told in (before, after)
    )
    assert first["state"] == "ok"
    assert second["state"] == "warn"
    assert second["finding"].startswith("2 failures in the last 7 days (Misuse 2 times)")
    assert SECRET not in str(after)


def test_a_broken_configuration_does_not_stop_tracking(
    tracked: Tracked, caplog: pytest.LogCaptureFixture
) -> None:
    (tracked.daemon.home / "config.toml").write_text("[defaults]\nuser = 'ada'\n[tracking")
    tracked.again()
    assert track_prompt("Why is the sky blue?") is not None
    with track_execution("Why is the sky black?") as run:
        run.output = "No air."
    tracked.settled()
    with tracked.daemon.client() as client:
        assert [exchange.user for exchange in client.history.recent(2)] == ["ada", "ada"]
    assert sum("line 3: " in message for message in caplog.messages) == 1
    assert check_tracking(resolve({}, home=tracked.daemon.home)).state == "ok"


def test_a_prompt_that_is_no_text_is_passed_over(tracked: Tracked) -> None:
    for value in (None, 3.5, ["a", "list", "of", "words"]):
        track_prompt(value)  # type: ignore[call-overload]
    assert tracked.prompts() == ['["a","list","of","words"]']


def test_why_a_prompt_was_left_out_is_told_on_request(
    tracked: Tracked, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    track_prompt("Hi")
    assert caplog.messages == []
    monkeypatch.setenv("STENO_DEBUG", "1")
    tracked.again()
    track_prompt("Hi")
    assert caplog.messages == ["a prompt was not recorded: the prompt is too short"]


def test_a_disk_that_takes_nothing_is_a_failure_like_any_other(
    work: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    home = tmp_path / "instance"
    home.mkdir()
    (home / "spool").write_text("no folder")
    monkeypatch.setenv("STENO_HOME", str(home))
    configure()
    assert track_prompt("nobody can take this") is not None
    assert flush(60)
    assert [failure.kind for failure in read(resolve({}, home=home))] == ["SpoolFailed"]
    configure(tmp_path / "nowhere")


def test_what_could_not_be_written_down_is_written_later(paths: Paths) -> None:
    failures = Failures(paths)
    failures.note(ValueError(SECRET))
    paths.data.parent.mkdir(exist_ok=True)
    paths.data.write_text("in the way")
    failures.write()
    paths.data.unlink()
    failures.note("QueueFull")
    failures.write()
    failures.write()
    assert {failure.kind: failure.count for failure in read(paths)} == {
        "ValueError": 1,
        "QueueFull": 1,
    }
    assert file_of(paths).stat().st_mode & 0o777 == 0o600
    assert SECRET not in file_of(paths).read_text()


def test_the_file_stays_small_and_survives_damage(paths: Paths) -> None:
    failures = Failures(paths)
    failures.note("First")
    failures.write()
    with file_of(paths).open("ab") as file:
        file.write(b'{"at": "torn\n\xff\xfe\n[]\n' + b"x" * FILE_MAX_BYTES + b"\n")
    for kind in ("Second", "Third"):
        failures.note(kind)
        failures.write()
    assert [failure.kind for failure in read(paths)] == ["First", "Second", "Third"]
    assert file_of(paths).stat().st_size < 1000


def test_old_failures_are_no_concern(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    eight_days_ago_ms = time.time_ns() // 1_000_000 - 8 * 86_400_000
    monkeypatch.setattr(counting, "format_ms", lambda _now: format_ms(eight_days_ago_ms))
    failures = Failures(paths)
    failures.note("Old")
    failures.write()
    assert len(list(read(paths))) == 1
    assert check_tracking(paths).state == "ok"
