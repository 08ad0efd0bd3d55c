"""What the Codex parser finds in real rollouts, against what is known to be in them."""

import json
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from capture.codex_lines import Kept, read
from steno.capture.agent import Outcome
from steno.capture.codex import AGENT
from steno_schema.records import Tokens

SHARED = Path(__file__).resolve().parents[3] / "shared"


def present(folder: str) -> list[str]:
    """Return what there is to test against; where there is nothing, the fixtures skip."""
    where = SHARED / folder
    return sorted(path.name for path in where.iterdir()) if where.is_dir() else ["none"]


SETS = present("transcripts/codex")
SCENARIOS = present("transcripts-real/codex")

NEVER_ON_DISK = {
    ("s17_tui", 2): "the request for a title is not part of the thread, and in no rollout",
    ("s17_tui", 5): "the reply was interrupted: Codex keeps neither its text nor its tokens",
}
"""Requests, by scenario and number, that Codex wrote nothing of."""


def rollouts(codex_home: Path) -> list[Path]:
    roots = AGENT.roots({"HOME": "/none", "CODEX_HOME": str(codex_home)})
    found = (path for root in roots for path in sorted(root.rglob("*")))
    return [path for path in found if path.is_file() and AGENT.is_transcript(path)]


def lines(path: Path) -> list[bytes]:
    return path.read_bytes().split(b"\n")


def read_home(codex_home: Path) -> Kept:
    kept = Kept()
    for path in rollouts(codex_home):
        read(lines(path), path=path, kept=kept)
    return kept


@pytest.fixture
def truth(shared_transcripts: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((shared_transcripts / "TRUTH.json").read_text("utf-8"))
    return content


def found(kept: Kept) -> dict[str, int]:
    tokens = kept.tokens
    return {
        "human_prompts": len(kept.turns),
        "tool_calls": len(kept.contents("tool_call")),
        "new_input": tokens.input + tokens.cache_write,
        "cached_input": tokens.cache_read,
        "output": tokens.output,
        "reasoning": tokens.reasoning,
    }


def known(entry: dict[str, Any]) -> dict[str, int]:
    tokens = entry["tokens"]
    return {
        "human_prompts": entry["human_prompts"],
        "tool_calls": entry["tool_calls"],
        "new_input": tokens["input_including_cached"] - tokens["cached_input"],
        "cached_input": tokens["cached_input"],
        "output": tokens["output_including_reasoning"],
        "reasoning": tokens["reasoning"],
    }


@pytest.mark.parametrize("name", SETS)
def test_a_set_holds_what_is_known_of_it(
    name: str, shared_transcripts: Path, truth: dict[str, Any]
) -> None:
    home = shared_transcripts / "codex" / name
    entry = truth["sets"][f"codex/{name}"]
    kept = read_home(home)
    assert len(rollouts(home)) == entry["files"]
    assert found(kept) == known(entry)
    assert kept.outcomes.count(Outcome.NOT_UNDERSTOOD) == 0


@pytest.mark.parametrize("name", SETS)
def test_every_file_holds_what_is_known_of_it(
    name: str, shared_transcripts: Path, truth: dict[str, Any]
) -> None:
    for path in rollouts(shared_transcripts / "codex" / name):
        kept = read(lines(path), path=path)
        entry = truth["codex"][str(path.relative_to(shared_transcripts))]
        by_model = {
            model: usage["output_including_reasoning"]
            for model, usage in entry["tokens_by_model"].items()
        }
        outputs = Counter[str]()
        for usage in kept.usages:
            outputs[usage.model or ""] += usage.tokens.output
        assert found(kept) == known(entry)
        assert outputs == Counter(by_model)
        assert [session.key for session in kept.sessions] == [entry["session_id"]]
        assert kept.sessions[0].last_active_at == entry["last_timestamp"]


def test_no_set_is_without_its_files(truth: dict[str, Any]) -> None:
    known_sets = {name for name in truth["sets"] if name.startswith("codex/")}
    assert known_sets == {f"codex/{name}" for name in SETS}


# What the agent wrote for scripted tasks


class Scenario:
    """A scripted run: what was asked and answered, and what is kept of it."""

    def __init__(self, folder: Path) -> None:
        self.name = folder.name
        self.truth: dict[str, Any] = json.loads((folder / "truth.json").read_text("utf-8"))
        self.kept = read_home(folder / "home" / ".codex")

    def turns(self) -> Iterator[dict[str, Any]]:
        for session in self.truth["sessions"].values():
            yield from session["turns"]

    def is_on_disk(self, request: int) -> bool:
        return (self.name, request) not in NEVER_ON_DISK

    def requests(self) -> Iterator[tuple[dict[str, Any], str | None]]:
        """Every request that was answered, with the prompt that it worked on."""
        for turn in self.turns():
            yield from ((call, turn["prompt"]) for call in turn["api_calls"])
        for task in self.truth["subagent_prompts"]:
            yield from ((call, None) for call in task["api_calls"])
        yield from ((call, None) for call in self.truth["aux_calls"])


@pytest.fixture(params=SCENARIOS)
def scenario(request: pytest.FixtureRequest, shared_transcripts_real: Path) -> Scenario:
    return Scenario(shared_transcripts_real / "codex" / request.param)


def buckets(sent: dict[str, Any]) -> Tokens:
    """Return usage as it went over the wire in disjoint buckets."""
    details = sent["input_tokens_details"]
    cached, written = details["cached_tokens"], details["cache_write_tokens"]
    return Tokens(
        input=sent["input_tokens"] - cached - written,
        cache_read=cached,
        cache_write=written,
        output=sent["output_tokens"],
        reasoning=sent["output_tokens_details"]["reasoning_tokens"],
    )


def test_all_prompts_are_kept_and_nothing_else_is_one(scenario: Scenario) -> None:
    asked = [turn["prompt"] for turn in scenario.turns()]
    assert Counter(scenario.kept.prompts) == Counter(asked)


def test_every_reply_is_kept_with_its_prompt(scenario: Scenario) -> None:
    given = [
        (turn["prompt"], reply["text"])
        for turn in scenario.turns()
        for reply in turn["replies"]
        if reply["text"] and scenario.is_on_disk(reply["seq"])
    ]
    given += [
        (None, reply["text"])
        for task in scenario.truth["subagent_prompts"]
        for reply in task["replies"]
    ]
    kept = [
        (scenario.kept.prompt_of(message.exchange), message.content)
        for message in scenario.kept.messages
        if (message.role, message.kind) == ("assistant", "text")
    ]
    assert Counter(kept) == Counter(given)


def test_every_tool_call_is_kept_with_its_prompt(scenario: Scenario) -> None:
    made = {
        call["id"]: (turn["prompt"], call["name"])
        for turn in scenario.turns()
        for call in turn["tool_calls"]
    }
    messages = scenario.kept.messages
    kept = {
        message.call_id: (scenario.kept.prompt_of(message.exchange), message.tool_name)
        for message in messages
        if message.kind == "tool_call"
    }
    results = {message.call_id for message in messages if message.kind == "tool_result"}
    assert kept == made
    assert results == set(made)


def test_every_request_is_counted_once_with_its_prompt_and_model(scenario: Scenario) -> None:
    answered = {
        call["seq"]: (buckets(call["usage_raw"]), call["model"], prompt)
        for call, prompt in scenario.requests()
        if call.get("usage_raw") and scenario.is_on_disk(call["seq"])
    }
    counted = {
        int((usage.request_id or "").removeprefix("resp_rig")): (
            usage.tokens,
            usage.model,
            scenario.kept.prompt_of(usage.exchange),
        )
        for usage in scenario.kept.usages
    }
    assert counted == answered


def test_every_line_is_understood(scenario: Scenario) -> None:
    assert scenario.kept.outcomes.count(Outcome.NOT_UNDERSTOOD) == 0


def test_turns_end_as_they_did(scenario: Scenario) -> None:
    expected = Counter(
        "aborted"
        if any(call.get("aborted") for call in turn["api_calls"])
        else "completed"
        if turn["replies"]
        else "failed"
        for turn in scenario.turns()
    )
    assert Counter(turn.status for turn in scenario.kept.turns) == expected


def test_what_never_reached_the_disk_is_known_to_be_asked(shared_transcripts_real: Path) -> None:
    for name, number in NEVER_ON_DISK:
        scenario = Scenario(shared_transcripts_real / "codex" / name)
        assert number in {call["seq"] for call, _ in scenario.requests()}


def test_real_rollouts_may_be_read_in_any_number_of_lives(
    shared_transcripts: Path, shared_transcripts_real: Path
) -> None:
    chance = random.Random(32)
    homes = [shared_transcripts / "codex" / name for name in SETS]
    homes += [shared_transcripts_real / "codex" / name / "home/.codex" for name in SCENARIOS]
    for path in (path for home in homes for path in rollouts(home)):
        data = lines(path)
        whole = read(data, path=path)
        restarts = {chance.randrange(1, len(data) + 1) for _ in range(len(data) // 3)}
        parts = read(data, path=path, restarts=restarts)
        assert parts.by_id == whole.by_id
        assert parts.outcomes == whole.outcomes
