"""What ``steno capture status`` counts in real transcripts is what is known to be in them."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from capture.instance import instance_of, json_of, status_of, transcripts_in
from support.running import RunningDaemon

SHARED = Path(__file__).resolve().parents[3] / "shared"
SCENARIOS = ("s01_single", "s02_tool", "s04_resume")
REPEATED_TOOL_IDS = {"claude/daaain+claude-code-log": 1}
"""A set made by hand gives two calls one id; the truth counts blocks, we count calls."""

Counts = dict[str, int]


def sets() -> list[str]:
    """Return the names of the sets; where there are none, the fixture skips."""
    truth = SHARED / "transcripts" / "TRUTH.json"
    names = json.loads(truth.read_text("utf-8"))["sets"] if truth.is_file() else ["claude/none"]
    return [name for name in names if name.startswith(("claude/", "codex/"))]


def check(name: str, ours: Counts, truth: Counts) -> None:
    """Print both side by side, and fail where they differ."""
    print(f"\n{'set':44} {'field':20} {'ours':>12} {'truth':>12} {'difference':>10}")
    for field, known in truth.items():
        print(f"{name:44} {field:20} {ours[field]:12} {known:12} {ours[field] - known:10}")
    assert ours == truth


def test_every_set_is_read_as_it_is_known(shared_transcripts: Path) -> None:
    folders = {f"{kind}/{path.name}" for kind in ("claude", "codex")
               for path in (shared_transcripts / kind).iterdir()}  # fmt: skip
    assert set(sets()) == folders


@pytest.mark.parametrize("name", sets())
def test_a_set_is_counted_as_it_is_known(
    name: str, shared_transcripts: Path, tmp_path: Path
) -> None:
    source = shared_transcripts / name
    truth = json.loads((shared_transcripts / "TRUTH.json").read_text("utf-8"))["sets"][name]
    daemon = instance_of(tmp_path, name.partition("/")[0], source)
    daemon.start()
    try:
        daemon.captured()
        status = status_of(daemon)
    finally:
        daemon.stop()
    if name.startswith("claude/"):
        check(name, claude_counts(status), claude_truth(name, truth))
        assert repeated_tool_ids(source) == REPEATED_TOOL_IDS.get(name, 0)
    else:
        check(name, codex_counts(status), codex_truth(truth))
    assert status["read_bytes"] == status["source_bytes"]


def claude_counts(status: dict[str, Any]) -> Counts:
    tokens, nested = status["tokens"], status["nested"]
    return {
        "files": status["files"],
        "human_prompts": status["human_prompts"],
        "queued_prompts": status["queued_prompts"],
        "assistant_messages": status["assistant_messages"],
        "tool_calls": status["tool_calls"],
        **{field: tokens[field] for field in CLAUDE_TOKENS},
        "nested messages": nested["model_calls"],
        **{f"nested {field}": nested["tokens"][field] for field in CLAUDE_TOKENS},
    }


CLAUDE_TOKENS = (
    "input", "output", "cache_read", "cache_write", "cache_write_5m", "cache_write_1h",
)  # fmt: skip


def claude_truth(name: str, truth: dict[str, Any]) -> Counts:
    tokens, nested = truth["tokens_unique_across_files"], truth["nested_progress_only"]
    return {
        "files": truth["files"],
        "human_prompts": truth["human_prompts"],
        "queued_prompts": truth["queued_prompts_only_in_queue"],
        "assistant_messages": truth["assistant_messages_unique_across_files"],
        "tool_calls": truth["tool_calls"] - REPEATED_TOOL_IDS.get(name, 0),
        **{field: tokens[field] for field in CLAUDE_TOKENS},
        "nested messages": nested["assistant_messages"],
        **{f"nested {field}": nested["tokens"][field] for field in CLAUDE_TOKENS},
    }


def repeated_tool_ids(source: Path) -> int:
    """Return how many blocks of tool calls have an id that another block has too."""
    ids = Counter[str]()
    for path in transcripts_in(source):
        for line in path.read_bytes().splitlines():
            blocks = Counter(dict.fromkeys(_tool_ids(line), 1))
            ids += blocks
    return sum(ids.values()) - len(ids)


def _tool_ids(line: bytes) -> Iterator[str]:
    try:
        content = json.loads(line)["message"]["content"]
    except (ValueError, KeyError, TypeError):
        return
    for block in content if isinstance(content, list) else []:
        if isinstance(block, dict) and block.get("type") == "tool_use":
            yield block["id"]


def codex_counts(status: dict[str, Any]) -> Counts:
    tokens = status["tokens"]
    return {
        "files": status["files"],
        "human_prompts": status["human_prompts"],
        "tool_calls": status["tool_calls"],
        "new input": tokens["input"] + tokens["cache_write"],
        **{field: tokens[field] for field in ("cache_read", "output", "reasoning")},
    }


def codex_truth(truth: dict[str, Any]) -> Counts:
    tokens = truth["tokens"]
    return {
        "files": truth["files"],
        "human_prompts": truth["human_prompts"],
        "tool_calls": truth["tool_calls"],
        "new input": tokens["input_including_cached"] - tokens["cached_input"],
        "cache_read": tokens["cached_input"],
        "output": tokens["output_including_reasoning"],
        "reasoning": tokens["reasoning"],
    }


# What the agents wrote for scripted tasks


def buckets(agent: str, sent: dict[str, Any]) -> Counts:
    """Return usage as it went over the wire in disjoint buckets."""
    if agent == "claude":
        written = sent["cache_creation"]
        return {
            "input": sent["input_tokens"],
            "output": sent["output_tokens"],
            "cache_read": sent["cache_read_input_tokens"],
            "cache_write": sent["cache_creation_input_tokens"],
            "cache_write_5m": written["ephemeral_5m_input_tokens"],
            "cache_write_1h": written["ephemeral_1h_input_tokens"],
            "reasoning": sent["output_tokens_details"]["thinking_tokens"],
        }
    details = sent["input_tokens_details"]
    cached, written = details["cached_tokens"], details["cache_write_tokens"]
    return {
        "input": sent["input_tokens"] - cached - written,
        "output": sent["output_tokens"],
        "cache_read": cached,
        "cache_write": written,
        "cache_write_5m": 0,
        "cache_write_1h": 0,
        "reasoning": sent["output_tokens_details"]["reasoning_tokens"],
    }


def known_exchanges(agent: str, truth: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what was asked and answered, as ``steno list`` should show it."""
    known: list[dict[str, Any]] = []
    for turn in (turn for session in truth["sessions"].values() for turn in session["turns"]):
        tokens = Counter[str]()
        for call in turn["api_calls"]:
            tokens.update(buckets(agent, call["usage_raw"]))
        known.append(
            {
                "prompt": turn["prompt"],
                "output": turn["replies"][-1]["text"],
                "model": turn["api_calls"][-1]["model"],
                "session_id": turn["agent_session_id"],
                "project": truth["project_dir"],
                "tokens": dict(tokens) | {"complete": True},
                "status": "completed",
            }
        )
    return sorted(known, key=lambda each: str(each["prompt"]))


@pytest.fixture(params=[f"{agent}/{name}" for agent in ("claude", "codex") for name in SCENARIOS])
def scenario(
    request: pytest.FixtureRequest, shared_transcripts_real: Path, tmp_path: Path
) -> Iterator[tuple[str, RunningDaemon, dict[str, Any]]]:
    agent, _, name = request.param.partition("/")
    folder = shared_transcripts_real / agent / name
    inside = {"claude": "home/.claude/projects", "codex": "home/.codex"}
    daemon = instance_of(tmp_path, agent, folder / inside[agent])
    daemon.start()
    daemon.captured()
    yield agent, daemon, json.loads((folder / "truth.json").read_text("utf-8"))
    daemon.stop()


def test_a_scenario_is_shown_as_it_went(
    scenario: tuple[str, RunningDaemon, dict[str, Any]],
) -> None:
    agent, daemon, truth = scenario
    known = known_exchanges(agent, truth)
    shown = json_of(daemon, "list", "--limit", "100")["items"]
    ours = [{name: item[name] for name in known[0]} for item in shown]
    for each in ours:
        each["tokens"] = {name: each["tokens"].get(name, 0) for name in known[0]["tokens"]}
    assert sorted(ours, key=lambda each: str(each["prompt"])) == known
    turns = [turn for session in truth["sessions"].values() for turn in session["turns"]]
    assert status_of(daemon)["tool_calls"] == sum(len(turn["tool_calls"]) for turn in turns)
    assert status_of(daemon)["lines_not_understood"] == 0
    calls = json_of(daemon, "sql", "SELECT count(*) AS calls FROM cost_tracking")
    assert calls == [{"calls": sum(len(turn["api_calls"]) for turn in turns)}]
