"""What stands beside a sub-agent's transcript names its thread, also when the file is gone."""

import json
from pathlib import Path

import pytest

from capture.build import SESSION, append, claude_turn
from capture.inprocess import InProcess
from capture.instance import instance_of
from support.running import RunningDaemon

META = {"agentType": "explorer", "description": "Count the wrens", "spawnDepth": 1}


def _helper(tmp_path: Path) -> Path:
    folder = tmp_path / "claude" / "projects" / "shop"
    append(folder / f"{SESSION}.jsonl", claude_turn("heron"))
    return folder / SESSION / "subagents" / "agent-a9c0.jsonl"


def _threads(store: InProcess) -> dict[str, tuple[str | None, str | None]]:
    rows = store.rows("SELECT key, title, metadata FROM conversation WHERE kind = 'subagent'")
    return {key: (title, metadata) for key, title, metadata in rows}


def test_a_helpers_thread_is_called_what_it_is_for(tmp_path: Path) -> None:
    helper = _helper(tmp_path)
    append(helper, claude_turn("count", isSidechain=True, agentId="a9c0"))
    helper.with_name("agent-a9c0.meta.json").write_text(json.dumps(META))
    daemon = instance_of(tmp_path, "claude")
    daemon.start()
    daemon.captured()
    expected = [["Count the wrens", '{"agent_type":"explorer"}']]
    assert _told(daemon) == expected
    helper.with_name("agent-a9c0.meta.json").unlink()
    helper.unlink()
    daemon.captured()
    assert daemon.steno("rederive", "capture").returncode == 0
    daemon.captured()
    assert _told(daemon) == expected
    daemon.stop()


def _told(daemon: RunningDaemon) -> list[list[object]]:
    with daemon.client() as client:
        return client.sql(
            "SELECT title, metadata_json FROM conversations WHERE conversation_id LIKE '%/a9c0'"
        ).rows


def test_what_is_written_beside_later_is_taken_with_the_next_lines(tmp_path: Path) -> None:
    helper = _helper(tmp_path)
    append(helper, claude_turn("one", isSidechain=True, agentId="a9c0"))
    with InProcess(tmp_path / "steno.db") as store:
        store.read(helper)
        assert _threads(store) == {f"{SESSION}/a9c0": (None, None)}
        helper.with_name("agent-a9c0.meta.json").write_text(json.dumps(META))
        append(helper, claude_turn("two", isSidechain=True, agentId="a9c0"))
        store.read(helper)
        told = ("Count the wrens", '{"agent_type":"explorer"}')
        assert _threads(store) == {f"{SESSION}/a9c0": told}


@pytest.mark.parametrize("data", ["", "[]", '{"agentType": 5}', "{" * 100_000, '{"other": 1}'])
def test_what_is_not_understood_beside_a_transcript_is_nothing(tmp_path: Path, data: str) -> None:
    helper = _helper(tmp_path)
    append(helper, claude_turn("one", isSidechain=True, agentId="a9c0"))
    helper.with_name("agent-a9c0.meta.json").write_text(data)
    with InProcess(tmp_path / "steno.db") as store:
        store.read(helper)
        assert _threads(store) == {f"{SESSION}/a9c0": (None, None)}
