"""Numbers of real Claude Code transcripts against an independent count, where they are at hand."""

import hashlib
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from capture.claude_fixtures import Merged, read
from steno.capture.agent import Outcome
from steno.capture.claude_code import AGENT
from steno_schema.records import Message, Tokens, Turn, Usage

SCRIPTED = Path(__file__).resolve().parents[3] / "shared" / "transcripts-real"
SCENARIOS = sorted(
    str(path.parent.relative_to(SCRIPTED)) for path in SCRIPTED.glob("claude*/*/truth.json")
) or ["none"]

SETS = [
    "claude/EntityProcess+agentv",
    "claude/daaain+claude-code-log",
    "claude/entireio+cli",
    "claude/simonw+claude-code-transcripts",
]

REPEATED_TOOL_IDS = {"claude/daaain+claude-code-log": 1}
"""A hand-made set that uses one tool id in two files: counted once here, twice in the truth."""

NOT_UNDERSTOOD = {"claude/daaain+claude-code-log": 5}
"""Its deliberately broken lines: text, a number, a list, no type, a block that is no object."""

NEVER_ON_DISK = {
    ("claude/s22_stream_cut", "msg_01rig0001"): "cut off before the final count was sent",
}
"""Calls whose usage the service never told, though the agent wrote a first block of them."""

NO_REASONING = {
    "claude@2.1.197/s01_single": "2.1.197 wrote no output_tokens_details",
}
"""Scenarios with thinking whose share of the output was not written down."""

FILLED_IN = {
    ("claude/s03_read_write", "toolu_01rig00020101"): {"replace_all": False},
}
"""Arguments that Claude Code adds to what the model sent, a default, before it writes the call."""

TOKEN_NAMES = ("input", "output", "cache_read", "cache_write", "cache_write_5m", "cache_write_1h")


@pytest.fixture(scope="module")
def truth(shared_transcripts: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((shared_transcripts / "TRUTH.json").read_bytes())
    return loaded


@pytest.fixture(params=SCENARIOS)
def scenario(request: pytest.FixtureRequest, shared_transcripts_real: Path) -> "Scenario":
    return Scenario(shared_transcripts_real, request.param)


class Scenario:
    """What was said and done, and whatever of it is on disk: at the end and after each run."""

    def __init__(self, folder: Path, name: str) -> None:
        self.name = name
        truth = json.loads((folder / name / "truth.json").read_bytes())
        self.turns = [turn for one in truth["sessions"].values() for turn in one["turns"]]
        self.of_agents: list[Any] = truth["subagent_prompts"]
        files = [path for path in (folder / name).rglob("*") if "projects" in path.parts]
        self.merged = read_files(sorted(path for path in files if AGENT.is_transcript(path)))
        self.messages = {message.id: message for message in self.merged.of(Message)}

    def replies(self, *, of_agents: bool) -> Counter[str]:
        return Counter(
            one.content
            for one in self.messages.values()
            if (one.role, one.kind) == ("assistant", "text")
            and (one.conversation != one.session) is of_agents
        )

    def arguments(self, call: dict[str, Any]) -> Any:
        return call["args"] | FILLED_IN.get((self.name, call["id"]), {})

    def wire_tokens(self, raw: dict[str, Any]) -> Tokens:
        cache_creation = raw["cache_creation"]
        reasoning = raw["output_tokens_details"]["thinking_tokens"]
        return Tokens(
            input=raw["input_tokens"],
            output=raw["output_tokens"],
            cache_read=raw["cache_read_input_tokens"],
            cache_write=raw["cache_creation_input_tokens"],
            cache_write_5m=cache_creation["ephemeral_5m_input_tokens"],
            cache_write_1h=cache_creation["ephemeral_1h_input_tokens"],
            reasoning=0 if self.name in NO_REASONING else reasoning,
        )


def read_files(files: list[Path]) -> Merged:
    merged = Merged()
    for path in files:
        lines = [line for line in path.read_bytes().splitlines() if line.strip()]
        read(lines, path, into=merged)
    return merged


def prompts(merged: Merged) -> Counter[str]:
    return Counter(turn.origin for turn in merged.of(Turn) if not turn.withdrawn)


def token_sum(usages: list[Usage]) -> dict[str, int]:
    return {name: sum(getattr(one.tokens, name) for one in usages) for name in TOKEN_NAMES}


def tool_calls(merged: Merged, *, nested: bool) -> int:
    calls = [message for message in merged.of(Message) if message.kind == "tool_call"]
    return sum(bool(call.metadata) is nested for call in calls)


@pytest.mark.parametrize("name", SETS)
def test_a_sets_totals(shared_transcripts: Path, truth: dict[str, Any], name: str) -> None:
    expected = truth["sets"][name]
    folder = shared_transcripts / name
    files = [path for path in sorted(folder.rglob("*")) if AGENT.is_transcript(path)]
    assert len(files) == expected["files"]
    merged = read_files(files)
    main = [usage for usage in merged.of(Usage) if not usage.nested]
    nested = [usage for usage in merged.of(Usage) if usage.nested]
    assert prompts(merged)["human"] == expected["human_prompts"]
    assert prompts(merged)["queued"] == expected["queued_prompts_only_in_queue"]
    assert len(main) == expected["assistant_messages_unique_across_files"]
    assert token_sum(main) == named(expected["tokens_unique_across_files"])
    assert len(nested) == expected["nested_progress_only"]["assistant_messages"]
    assert token_sum(nested) == named(expected["nested_progress_only"]["tokens"])
    repeated = REPEATED_TOOL_IDS.get(name, 0)
    assert tool_calls(merged, nested=False) == expected["tool_calls"] - repeated
    assert merged.outcomes.count(Outcome.NOT_UNDERSTOOD) == NOT_UNDERSTOOD.get(name, 0)


def test_each_files_counts(shared_transcripts: Path, truth: dict[str, Any]) -> None:
    """Every file by itself, the growing ones too."""
    for name, expected in truth["claude"].items():
        merged = read_files([shared_transcripts / name])
        main = [usage for usage in merged.of(Usage) if not usage.nested]
        counted = prompts(merged)
        found = {
            "human_prompts": counted["human"],
            "queued_prompts_only_in_queue": counted["queued"],
            "plan_handoffs": counted["plan"],
            "assistant_messages": len(main),
            "tool_calls": tool_calls(merged, nested=False),
            "messages_without_stop_reason": sum(not one.tokens.complete for one in main),
        }
        assert found == {key: expected[key] for key in found}, name
        assert token_sum(main) == named(expected["tokens"]), name
        assert tool_calls(merged, nested=True) == expected["nested_progress"]["tool_calls"], name


def test_a_split_anywhere_changes_nothing(shared_transcripts: Path) -> None:
    """A real session with most kinds of lines, the parser made anew before every line."""
    path = next((shared_transcripts / "claude/entireio+cli").glob("062a8bdd*.jsonl"))
    lines = path.read_bytes().splitlines()
    whole = read(lines, path)
    assert read(lines, path, splits=range(2, len(lines) + 1)).by_id == whole.by_id


def test_a_scenarios_prompts_replies_and_tools(scenario: Scenario) -> None:
    turns = [one for one in scenario.merged.of(Turn) if one.origin in {"human", "queued"}]
    asked = [digest(scenario.messages[turn.prompt_message].content) for turn in turns]
    assert Counter(asked) == Counter(turn["prompt_sha256"] for turn in scenario.turns)

    assert scenario.replies(of_agents=False) == Counter(
        reply["text"] for turn in scenario.turns for reply in turn["replies"] if reply["text"]
    )
    assert scenario.replies(of_agents=True) == Counter(
        reply["text"] for one in scenario.of_agents for reply in one["replies"]
    )
    calls = {
        one.call_id: (one.tool_name, json.loads(one.content))
        for one in scenario.messages.values()
        if one.kind == "tool_call"
    }
    assert calls == {
        call["id"]: (call["name"], scenario.arguments(call))
        for turn in scenario.turns
        for call in turn["tool_calls"]
    }


def test_a_scenarios_usage(scenario: Scenario) -> None:
    makers = [*scenario.turns, *scenario.of_agents]
    told: dict[str, Tokens] = {}
    silent: set[str] = set()
    for call in (call for one in makers for call in one["api_calls"]):
        if (scenario.name, call["ids"]["message"]) in NEVER_ON_DISK:
            silent.add(call["ids"]["request"])
        else:
            told[call["ids"]["request"]] = scenario.wire_tokens(call["usage_raw"])
    found = {usage.request_id: usage.tokens for usage in scenario.merged.of(Usage)}
    for request in silent:
        assert not found.pop(request).complete
    assert found == told


def test_replies_belong_to_the_prompt_they_answer(scenario: Scenario) -> None:
    usages = {usage.request_id: usage for usage in scenario.merged.of(Usage)}
    turns = {turn.id: turn for turn in scenario.merged.of(Turn)}
    for turn in scenario.turns:
        for call in turn["api_calls"]:
            usage = usages[call["ids"]["request"]]
            owner = turns[usage.exchange or ""]
            prompt = scenario.messages[owner.prompt_message]
            assert digest(prompt.content) == turn["prompt_sha256"]
            places = {usage.conversation, owner.conversation, prompt.conversation}
            assert places == {turn["agent_session_id"]}


def test_every_line_of_a_scenario_is_known(scenario: Scenario) -> None:
    assert Outcome.NOT_UNDERSTOOD not in scenario.merged.outcomes


def named(counts: dict[str, int]) -> dict[str, int]:
    return {name: counts[name] for name in TOKEN_NAMES}


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
