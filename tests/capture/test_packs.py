"""Long texts of tools live in their transcript's chunk, and nobody notices."""

import json
import sqlite3
from pathlib import Path

import pytest

from capture import claude_fixtures as claude
from stenod.store.compression import decompress
from stenod.store.connection import open_writer
from support.running import RunningDaemon

LISTING = "\n".join(f"{number}: pangolin-{number:05}" for number in range(400))
OTHER = "\n".join(f"{number}: armadillo-{number:05}" for number in range(400))


def _turn(number: int, listing: str) -> list[dict[str, object]]:
    """Return a prompt, a tool call, its long result and a reply."""
    ids = [f"{number}1111111-0000-4000-8000-{part:012}" for part in range(4)]
    call = claude.tool_use(f"toolu_{number}", command="ls")
    return [
        claude.user(ids[0], f"list them, please, number {number}"),
        claude.assistant(ids[1], f"msg_{number}", call),
        claude.user(ids[2], [claude.tool_result(f"toolu_{number}", listing)]),
        claude.assistant(ids[3], f"msg_{number}b", claude.text(f"Listed {number}.")),
    ]


@pytest.fixture
def captured(daemon_at_rest: RunningDaemon, tmp_path: Path) -> RunningDaemon:
    root = tmp_path / "claude"
    folder = root / "projects" / "-home-ada-shop"
    folder.mkdir(parents=True)
    lines = [*_turn(1, LISTING), *_turn(2, OTHER)]
    path = folder / f"{claude.SESSION}.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    daemon_at_rest.environ["CLAUDE_CONFIG_DIR"] = str(root)
    daemon_at_rest.start()
    daemon_at_rest.captured()
    return daemon_at_rest


def _results(daemon: RunningDaemon) -> list[str]:
    with daemon.client() as client:
        messages = client.messages.recent(claude.SESSION, limit=50)
        return [each.content for each in messages if each.kind == "tool_result"]


def test_the_whole_text_is_shown_everywhere(captured: RunningDaemon) -> None:
    assert sorted(_results(captured)) == sorted([LISTING, OTHER])
    with captured.client() as client:
        for view in ("messages", "conversation_messages"):
            rows = client.sql(f"SELECT content FROM {view} WHERE role = 'tool'").rows
            assert sorted(row[0] for row in rows) == sorted([LISTING, OTHER])
        found = client.history.search("pangolin-00150")
        assert "pangolin-00150" in "".join(each.snippet for each in found)
    with sqlite3.connect(f"file:{captured.database}?mode=ro", uri=True) as connection:
        heads = connection.execute("SELECT content FROM messages WHERE role = 'tool'").fetchall()
    assert {head[:14] for (head,) in heads} == {LISTING[:14], OTHER[:14]}
    assert all(head.endswith("…") and len(head) < 600 for (head,) in heads)


def test_what_is_forgotten_goes_and_what_stays_is_whole(captured: RunningDaemon) -> None:
    with captured.client() as client:
        first = next(each for each in client.history.recent(9) if "number 1" in each.prompt)
        client.history.delete(first.id)
    assert _results(captured) == [OTHER]
    with captured.client() as client:
        assert client.sql("SELECT kept_bytes FROM source").rows == [[0]]
    with sqlite3.connect(f"file:{captured.database}?mode=ro", uri=True) as connection:
        ((kept_size, data),) = connection.execute("SELECT kept_size, data FROM source_chunk")
    texts = decompress(data, "zstd")
    assert kept_size == 0
    assert b"armadillo" in texts
    assert b"pangolin" not in texts


def test_small_appends_are_packed_together(captured: RunningDaemon, tmp_path: Path) -> None:
    (path,) = (tmp_path / "claude").rglob("*.jsonl")
    for number in range(3, 6):
        with path.open("a") as file:
            for line in _turn(number, LISTING.replace("pangolin", f"tapir{number}")):
                file.write(json.dumps(line) + "\n")
        captured.captured()
    with captured.client() as client:
        before = sorted(_results(captured))
        chunks = "SELECT count(*), sum(length(data)) FROM source_chunk"
        ((several, size_before),) = client.sql(chunks).rows
        assert several > 1
    done = captured.steno("jobs", "run", "pack")
    assert done.returncode == 0, done.stderr
    with captured.client() as client:
        ((one, size_after),) = client.sql(chunks).rows
    assert (one, size_after < size_before) == (1, True)
    assert sorted(_results(captured)) == before
    path.unlink()
    captured.captured()
    assert captured.steno("rederive", "capture").returncode == 0
    captured.captured()
    assert sorted(_results(captured)) == before


def test_another_text_keeps_the_whole_original(captured: RunningDaemon) -> None:
    with captured.client() as client:
        messages = client.messages.recent(claude.SESSION, limit=50)
        result = next(each for each in messages if each.content == LISTING)
        client.messages.mark_summarised(result.id, "a list of pangolins")
        (row,) = client.sql(
            "SELECT content, original_content FROM messages WHERE is_summarized = 1"
        ).rows
    assert row == ["a list of pangolins", LISTING]


def test_bytes_that_are_missing_stay_known_to_be_missing(
    captured: RunningDaemon, tmp_path: Path
) -> None:
    (path,) = (tmp_path / "claude").rglob("*.jsonl")
    for number in (3, 4):
        with path.open("a") as file:
            file.writelines(json.dumps(line) + "\n" for line in _turn(number, LISTING))
        captured.captured()
    captured.stop()
    connection = open_writer(captured.database)
    chunks = connection.execute("SELECT id FROM source_chunk ORDER BY start_offset").fetchall()
    connection.execute("DELETE FROM source_chunk WHERE id = ?", chunks[1])
    connection.close()
    captured.start()
    captured.captured()
    assert captured.steno("jobs", "run", "pack").returncode == 0
    with captured.client() as client:
        rows = client.sql(
            "SELECT start_offset, end_offset FROM source_chunk ORDER BY start_offset"
        ).rows
    assert len(rows) == len(chunks) - 1 == 2
    assert rows[0][1] < rows[1][0], "the gap is still there"
