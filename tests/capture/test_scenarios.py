"""What Gemini CLI and Qwen Code wrote for scripted tasks is stored as it went, to the unit."""

from collections import Counter
from pathlib import Path

import pytest

from capture.inprocess import GEMINI, QWEN, InProcess
from capture.scenarios import Scenario, incomplete, read_as_it_went, stored

SHARED = Path(__file__).resolve().parents[3] / "shared" / "transcripts-real"
AGENTS = {
    "gemini": (GEMINI, ".gemini/tmp"),
    "qwen": (QWEN, ".qwen/projects"),
    "qwen@0.15.10": (QWEN, ".qwen/projects"),
}
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
