"""What agents delete by themselves: told before it goes, kept when it is gone."""

import json
import os
import time
from pathlib import Path
from typing import cast

import pytest

from capture.build import SESSION, append, claude_turn
from capture.inprocess import CLAUDE
from capture.instance import instance_of, json_of, status_of
from steno.capture import retention
from steno.capture.agent import Agent
from steno.capture.retention import Retention, retentions
from steno_schema.times import format_ms

DAY_S = 86_400


class _Gemini:
    name = "gemini"


@pytest.fixture(autouse=True)
def _no_managed_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(retention, "MANAGED_SETTINGS", tmp_path / "managed.json")


def _root(tmp_path: Path, name: str, settings: str | None) -> Path:
    root = tmp_path / "agent" / name
    root.mkdir(parents=True)
    if settings is not None:
        (tmp_path / "agent" / "settings.json").write_text(settings)
    return root


def test_what_goes_when_is_told_and_what_is_gone_is_kept(tmp_path: Path) -> None:
    daemon = instance_of(tmp_path, "claude")
    folder = tmp_path / "claude" / "projects" / "shop"
    old, new = folder / f"{SESSION}.jsonl", folder / "other.jsonl"
    append(old, claude_turn("heron"))
    append(new, claude_turn("egret", sessionId="5e551011-0000-4000-8000-00000000000e"))
    written = int(time.time()) - 8 * DAY_S
    os.utime(old, (written, written))
    settings = tmp_path / "claude" / "settings.json"
    settings.write_text(json.dumps({"cleanupPeriodDays": 10}))
    daemon.start()
    daemon.captured()
    told = status_of(daemon)["retention"]
    goes_at = format_ms((written + 10 * DAY_S) * 1000)
    assert told == {
        "agent": "claude-code",
        "days": 10.0,
        "most": None,
        "said_by": str(settings),
        "next_at": goes_at,
        "files_soon": 1,
    }
    screen = daemon.steno("capture", "status").stdout
    assert "it deletes its files 10 days after the last write" in screen
    assert f"1 files go within a week, the first on {goes_at[:10]}; what they say stays" in screen

    old.unlink()
    settings.write_text("{}")
    daemon.captured()
    status = status_of(daemon)
    assert (status["files"], status["files_gone"], status["sessions_only_here"]) == (2, 1, 1)
    assert (status["retention"]["days"], status["retention"]["files_soon"]) == (30.0, 0)
    assert "1 sessions are only here" in daemon.steno("capture", "status").stdout
    (found,) = json_of(daemon, "search", "heron")["results"]
    assert found["prompt"] == "Ask heron"
    daemon.stop()


@pytest.mark.parametrize(
    ("settings", "days", "is_said"),
    [
        (None, 30.0, False),
        ('{"cleanupPeriodDays": 0}', 0.0, True),
        ('{"cleanupPeriodDays": 365}', 365.0, True),
        ('{"cleanupPeriodDays": true}', 30.0, False),
        ('{"cleanupPeriodDays": -1}', 30.0, False),
        ('["no map"]', 30.0, False),
        ("{" * 100_000, 30.0, False),
        ("{not json", 30.0, False),
    ],
)
def test_settings_of_claude_code(
    tmp_path: Path, settings: str | None, days: float, is_said: bool
) -> None:
    root = _root(tmp_path, "projects", settings)
    said_by = str(tmp_path / "agent" / "settings.json") if is_said else "default"
    assert retentions([(CLAUDE, root)]) == [Retention("claude-code", said_by, days)]


def test_managed_settings_go_first_and_the_sooner_of_two_roots_counts(tmp_path: Path) -> None:
    root = _root(tmp_path, "projects", '{"cleanupPeriodDays": 5}')
    other = _root(tmp_path / "other", "projects", '{"cleanupPeriodDays": 3}')
    assert [each.days for each in retentions([(CLAUDE, root), (CLAUDE, other)])] == [3.0]
    retention.MANAGED_SETTINGS.write_text('{"cleanupPeriodDays": 90}')
    assert [each.days for each in retentions([(CLAUDE, root)])] == [90.0]
    assert retentions([(CLAUDE, tmp_path / "none")]) == []


@pytest.mark.parametrize(
    ("said", "days", "most"),
    [
        ({"maxAge": "12h"}, 0.5, None),
        ({"maxAge": "2w", "maxCount": 50}, 14.0, 50),
        ({"maxAge": "soon"}, None, None),
        ({"enabled": True}, 30.0, None),
    ],
)
def test_settings_of_gemini(
    tmp_path: Path, said: dict[str, object], days: float | None, most: int | None
) -> None:
    agent = cast("Agent", _Gemini())
    root = _root(tmp_path, "tmp", json.dumps({"general": {"sessionRetention": said}}))
    (found,) = retentions([(agent, root)])
    assert (found.days, found.most) == (days, most)


def test_gemini_may_keep_everything(tmp_path: Path) -> None:
    agent = cast("Agent", _Gemini())
    off = json.dumps({"general": {"sessionRetention": {"enabled": False}}})
    assert retentions([(agent, _root(tmp_path, "tmp", off))]) == []
    assert retentions([(agent, _root(tmp_path / "other", "tmp", None))])[0].days == 30.0
