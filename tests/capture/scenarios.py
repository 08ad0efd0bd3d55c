"""Scripted runs of real agents: what is known of them, and what is stored, in the same words.

A fact is a tuple of what was said, with the prompt it belongs to. What never reached the disk is
named by the test; everything else that is known must be stored, and nothing else may be.
"""

import json
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from capture.inprocess import InProcess
from steno.capture.agent import Agent

Fact = tuple[Any, ...]

_PROMPT = "coalesce(p.content, '')"
_EXCHANGES = f"""
SELECT {_PROMPT}, s.key, s.project, e.status, e.tokens_complete, e.origin FROM exchange AS e
JOIN conversation AS c ON c.id = e.conversation_id JOIN session AS s ON s.id = c.session_id
LEFT JOIN message AS p ON p.id = e.prompt_id
"""
_MESSAGES = f"""
SELECT m.kind, {_PROMPT}, m.content, m.tool_name, m.call_id, m.role FROM message AS m
LEFT JOIN exchange AS e ON e.id = m.exchange_id AND e.origin <> 'command'
LEFT JOIN message AS p ON p.id = e.prompt_id
"""
_USAGES = f"""
SELECT {_PROMPT}, u.model, u.input_tokens, u.output_tokens, u.cache_read_tokens,
  u.cache_write_tokens, u.reasoning_tokens FROM usage AS u
LEFT JOIN exchange AS e ON e.id = u.exchange_id AND e.origin <> 'command'
LEFT JOIN message AS p ON p.id = e.prompt_id WHERE u.tokens_complete
"""


class Scenario:
    """What is known of one scripted run.

    ``shown`` says what a prompt became on its way, ``ends_with`` what stands behind each.
    """

    ODD_FOLDER = "/home/dev/src/My Shop.v2 ünï_x"
    """Where the scenario of odd paths works; its truth names the folder of the others."""

    def __init__(self, folder: Path, shown: dict[str, str], ends_with: str) -> None:
        self.folder = folder
        self.truth: dict[str, Any] = json.loads((folder / "truth.json").read_text("utf-8"))
        self._shown = shown
        self._ends_with = ends_with
        is_odd = folder.name == "s19_oddpath"
        self.project: str = self.ODD_FOLDER if is_odd else self.truth["project_dir"]

    def turns(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield each turn with its prompt as it was sent."""
        for session in self.truth["sessions"].values():
            for turn in session["turns"]:
                prompt = self._shown.get(turn["prompt_id"], turn["prompt"])
                yield prompt + self._ends_with, turn

    def works(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield what the model did, for a person or for the agent itself."""
        yield from self.turns()
        for task in self.truth["subagent_prompts"]:
            yield "", task
        for call in self.truth["aux_calls"]:
            yield "", {"api_calls": [call], "replies": [], "tool_calls": []}

    def facts(self) -> dict[str, Fact]:
        """Return everything that is known, by a name of its own."""
        facts: dict[str, Fact] = {}
        for prompt, turn in self.turns():
            facts[f"prompt {turn['prompt_id']}"] = ("prompt", prompt, self.project)
            if turn["agent_session_id"]:
                facts[f"session of {turn['prompt_id']}"] = (
                    "session", prompt, turn["agent_session_id"],
                )  # fmt: skip
        for prompt, work in self.works():
            for index, reply in enumerate(work["replies"]):
                number = reply.get("seq", work["api_calls"][index]["seq"])
                if reply["text"]:
                    text = reply.get("text_sent_before_abort", reply["text"])
                    facts[f"reply {number}"] = ("reply", prompt, as_kept(text))
                if reply["thinking"]:
                    facts[f"thought {number}"] = ("thought", prompt, reply["thinking"])
                for call in reply.get("tool_calls") or []:
                    facts[f"tool {call['id']}"] = ("tool", prompt, call["name"], call["id"])
            for call in work.get("tool_calls", []):
                facts[f"tool {call['id']}"] = ("tool", prompt, call["name"], call["id"])
            for call in work["api_calls"]:
                if call.get("usage_raw"):
                    facts[f"usage {call['seq']}"] = (
                        "usage", prompt, call["model"], *buckets(call["usage_raw"]),
                    )  # fmt: skip
        return facts

    def incomplete(self) -> set[str]:
        """Return the prompts with a call that was answered in part; a refused one costs nothing."""
        return {
            prompt
            for prompt, turn in self.turns()
            for call in turn["api_calls"]
            if not call.get("usage_raw") and not isinstance(call.get("failed_with"), int)
        }


def as_kept(text: str) -> str:
    """Return a reply without the marks of direction that Gemini drops, and we compare without."""
    return text.replace("\u200e", "").replace("\u200f", "")


def buckets(sent: dict[str, Any]) -> tuple[int, int, int, int, int]:
    """Return usage as it went over the wire: input, output, cache read and write, reasoning."""
    if "promptTokenCount" in sent:
        cached = sent["cachedContentTokenCount"]
        thoughts = sent.get("thoughtsTokenCount", 0)
        output = sent["candidatesTokenCount"] + thoughts
        return sent["promptTokenCount"] - cached, output, cached, 0, thoughts
    cached = sent["prompt_tokens_details"]["cached_tokens"]
    reasoning = sent["completion_tokens_details"]["reasoning_tokens"]
    return sent["prompt_tokens"] - cached, sent["completion_tokens"], cached, 0, reasoning


def read_as_it_went(store: InProcess, agent: Agent, folder: Path, inside: str, live: Path) -> None:
    """Have the agent's home looked at after each run, as one folder in which things come and go."""
    homes = [*sorted(folder.glob("steps/*")), folder / "home"]
    for home in homes:
        shutil.rmtree(live, ignore_errors=True)
        shutil.copytree(home, live)
        store.rescan(live / inside, agent)


def stored(store: InProcess) -> Counter[Fact]:
    """Return what is stored, as facts."""
    facts = Counter[Fact]()
    for prompt, session, project, _, _, origin in store.rows(_EXCHANGES):
        if origin != "command":
            facts["prompt", prompt, project] += 1
            facts["session", prompt, session] += 1
    for kind, prompt, content, tool, call_id, role in store.rows(_MESSAGES):
        if kind == "tool_call":
            facts["tool", prompt, tool, call_id.rpartition("__")[2]] += 1
        elif kind == "thinking":
            facts["thought", prompt, content.rpartition("\n")[2]] += 1
        elif kind == "text" and role == "assistant":
            facts["reply", prompt, as_kept(content)] += 1
    for usage in store.rows(_USAGES):
        facts["usage", *usage] += 1
    return facts


def incomplete(store: InProcess) -> set[str]:
    """Return the prompts whose tokens are said not to be complete."""
    return {row[0] for row in store.rows(_EXCHANGES) if row[4] == 0}
