"""What Gemini CLI and Qwen Code wrote for scripted tasks is stored as it went, to the unit."""

import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from capture.inprocess import GEMINI, QWEN, InProcess
from capture.instance import json_of
from capture.scenarios import Scenario, buckets, incomplete, read_as_it_went, stored
from support.running import RunningDaemon

SHARED = Path(__file__).resolve().parents[3] / "shared" / "transcripts-real"
AGENTS = {
    "gemini": (GEMINI, ".gemini/tmp"),
    "qwen": (QWEN, ".qwen/projects"),
    "qwen@0.15.10": (QWEN, ".qwen/projects"),
}
FOLDER = "/home/dev/src/webshop"
NEVER_ON_DISK = {
    "gemini/s09_compact": {
        "usage 4": "the call that summarises is in no file",
        "usage 6": "the call that checks the summary is in no file",
    },
    "gemini/s15_killed": {
        "reply 2": "killed in mid-reply: a reply is written when it is whole",
        "tool rig00030000": "killed in the tool: a call is written with its result",
    },
    "qwen/s17_tui": dict.fromkeys(
        ("usage 5", "usage 7", "usage 9"),
        "calls that suggest what the user might type next are in no file",
    ),
    "qwen@0.15.10/s12_hooks": {
        "reply 4": "sub-agents leave no file; what this one said is in the tool's result",
    },
}
"""By scenario: what is known of the run and in no file, with the reason."""
ENDS_WITH = {"qwen/s06_long": "\n\n"}
"""By scenario: what the agent put behind each prompt, as it came from a pipe."""
SHOWN = {
    # What was interrupted is put back into the input line, and what is typed comes behind it.
    "qwen/s17_tui": {"p4": "SHOP-1173: Interrupt me.SHOP-1174: After the interrupt."},
}
"""By scenario: what the agent made of a prompt before it was sent."""
MORE_ON_DISK = {
    "gemini/s09_compact": Counter({("reply", "", "Stub auxiliary reply."): 1}),
}
"""By scenario: what the agent's own calls said, which the truth does not count as replies."""


def names() -> list[str]:
    """Return the scenarios there are; where there are none, the fixture skips."""
    found = [
        f"{agent}/{folder.name}"
        for agent in AGENTS
        if (SHARED / agent).is_dir()
        for folder in sorted((SHARED / agent).iterdir())
    ]
    return found or ["gemini/none"]


@pytest.mark.parametrize("name", names())
def test_a_scenario_is_stored_as_it_went(
    name: str, shared_transcripts_real: Path, tmp_path: Path
) -> None:
    agent, inside = AGENTS[name.partition("/")[0]]
    scenario = Scenario(
        shared_transcripts_real / name, SHOWN.get(name, {}), ENDS_WITH.get(name, "")
    )
    known = scenario.facts()
    missing = NEVER_ON_DISK.get(name, {})
    assert missing.keys() <= known.keys()
    expected = Counter(fact for label, fact in known.items() if label not in missing)
    expected += MORE_ON_DISK.get(name, Counter())
    with InProcess(Path(":memory:")) as store:
        read_as_it_went(store, agent, scenario.folder, inside, tmp_path / "live")
        found = stored(store)
        for label in [f"session of {turn['prompt_id']}" for _, turn in scenario.turns()]:
            if label not in known or label in missing:
                # The run told no session; that the prompt has one all the same is no difference.
                _without_session(found, scenario, label)
        assert found - expected == Counter()
        assert expected - found == Counter()
        assert incomplete(store) == scenario.incomplete()
        assert {file["lines_not_understood"] for file in store.files()} == {0}


def _without_session(found: Counter[tuple[object, ...]], scenario: Scenario, label: str) -> None:
    prompt = next(
        prompt for prompt, turn in scenario.turns() if label.endswith(f" {turn['prompt_id']}")
    )
    for fact in [fact for fact in found if fact[:2] == ("session", prompt)]:
        del found[fact]


def test_scenarios_are_shown_as_they_went(shared_transcripts_real: Path, tmp_path: Path) -> None:
    """Both agents at once, through a daemon and its commands."""
    scenarios = {
        "gemini": Scenario(shared_transcripts_real / "gemini" / "s12_hooks", {}, ""),
        "qwen": Scenario(shared_transcripts_real / "qwen" / "s12_hooks", {}, ""),
    }
    user = tmp_path / "user"
    for scenario in scenarios.values():
        shutil.copytree(scenario.folder / "home", user, dirs_exist_ok=True)
    environ = {"GEMINI_CLI_HOME": str(user), "QWEN_HOME": str(user / ".qwen")}
    daemon = RunningDaemon(tmp_path / "home", environ=environ)
    daemon.start()
    try:
        daemon.captured()
        for agent, scenario in scenarios.items():
            shown = json_of(daemon, "list", "--agent", agent, "--limit", "9")["items"]
            assert {item["prompt"]: shown_as(item) for item in shown} == {
                prompt: known_as(turn) for prompt, turn in scenario.turns()
            }
        told = {each["agent"]: each for each in json_of(daemon, "capture", "status")["agents"]}
        assert {name: told[name]["model_calls"] for name in told} == {"gemini": 6, "qwen": 8}
        found = json_of(daemon, "search", "hook tool", "--agent", "qwen")["results"]
        assert {item["agent"] for item in found} == {"qwen"}
    finally:
        daemon.stop()


def shown_as(item: dict[str, Any]) -> tuple[object, ...]:
    tokens = item["tokens"]
    counts = [tokens.get(name, 0) for name in ("input", "output", "cache_read", "reasoning")]
    return item["output"], item["model"], item["project"], *counts, tokens.get("complete", True)


def known_as(turn: dict[str, Any]) -> tuple[object, ...]:
    used = [buckets(call["usage_raw"]) for call in turn["api_calls"]]
    counts = [sum(each[index] for each in used) for index in (0, 1, 2, 4)]
    return turn["replies"][-1]["text"], turn["api_calls"][-1]["model"], FOLDER, *counts, True
