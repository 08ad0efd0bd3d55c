"""What was read can be read again from the kept bytes alone, and what people added stays."""

import json
from pathlib import Path

import pytest

from capture import claude_fixtures as claude
from support.running import RunningDaemon


def _write(path: Path) -> None:
    lines = [
        claude.user("11111111-0000-4000-8000-000000000001", "name the wrens of the north"),
        claude.assistant("11111111-0000-4000-8000-000000000002", "msg_1", claude.text("Two.")),
        claude.user("11111111-0000-4000-8000-000000000003", "and those of the south"),
        claude.assistant("11111111-0000-4000-8000-000000000004", "msg_2", claude.text("Five.")),
    ]
    path.parent.mkdir(parents=True)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))


def _content(daemon: RunningDaemon) -> list[list[object]]:
    with daemon.client() as client:
        return client.sql(
            "SELECT h.uid, h.prompt, h.output, h.timestamp, h.model, h.tokens, h.tags, h.notes,"
            " p.prompt_category FROM history AS h JOIN prompts AS p ON p.id = h.id ORDER BY h.uid"
        ).rows


@pytest.fixture
def captured(daemon_at_rest: RunningDaemon, tmp_path: Path) -> RunningDaemon:
    root = tmp_path / "claude"
    _write(root / "projects" / "-home-ada-shop" / f"{claude.SESSION}.jsonl")
    daemon_at_rest.environ["CLAUDE_CONFIG_DIR"] = str(root)
    daemon_at_rest.start()
    daemon_at_rest.captured()
    return daemon_at_rest


def test_records_come_back_from_kept_bytes(captured: RunningDaemon, tmp_path: Path) -> None:
    """The source is gone, a record was damaged: reading the kept bytes mends it."""
    before = _content(captured)
    assert [row[2] for row in before] == ["Two.", "Five."] or len(before) == 2
    with captured.client() as client:
        first = client.history.recent(2)[0]
        client.history.update(first.id, rating=9, tags=["kept"], notes="mine")
    annotated = _content(captured)
    for file in (tmp_path / "claude").rglob("*.jsonl"):
        file.unlink()
    captured.captured()
    done = captured.steno("rederive", "capture")
    assert done.returncode == 0, done.stderr
    captured.captured()
    assert _content(captured) == annotated
    status = captured.steno("capture", "status", "--files", "--json")
    assert json.loads(status.stdout)["files"][0]["state"] == "gone"


def test_analysis_is_made_anew(captured: RunningDaemon) -> None:
    before = _content(captured)
    done = captured.steno("rederive", "analysis")
    assert done.returncode == 0, done.stderr
    captured.captured()
    assert _content(captured) == before


def test_an_unknown_follower_is_refused(captured: RunningDaemon) -> None:
    assert captured.steno("rederive", "nothing").returncode == 2
