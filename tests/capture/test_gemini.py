"""What the Gemini parser makes of lines and documents: who said what, in which turn, at what price."""

import json
import random
from collections.abc import Container
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capture.codex_lines import Kept
from capture.gemini_lines import (
    FOLDER,
    MODEL,
    SESSION,
    Json,
    change,
    document,
    header,
    lines,
    message,
    prompt,
    reply,
    session_file,
    tokens,
    tool,
)
from steno.capture.agent import Outcome, Tells
from steno.capture.gemini import AGENT
from steno.capture.gemini_wire import cut
from steno_schema.records import Conversation

NOWHERE = Path("/none/tmp/shop/chats/session-2026-03-01T10-00-9e551011.jsonl")
CALL = tool("read_1")
DONE = tool("read_1", "def total(): ...")
SAID = [
    header(),
    prompt("Name the wrens", 1),
    reply("I look.", 2),
    reply("I look.", 2, toolCalls=[DONE]),
    reply("Two.", 3),
]


def read(*objects: Json, path: Path = NOWHERE, restarts: Container[int] = ()) -> Kept:
    return read_lines(lines(*objects).splitlines(), path=path, restarts=restarts)


def read_lines(data: list[bytes], *, path: Path = NOWHERE, restarts: Container[int] = ()) -> Kept:
    kept, parser = Kept(), AGENT.parser(path)
    for number, line in enumerate(data, 1):
        kept.outcomes.append(parser.feed(number, line))
        if number in restarts:
            kept.add(parser.take())
            parser = AGENT.parser(path, parser.state())
    kept.add(parser.take())
    return kept


def said(kept: Kept) -> list[tuple[str, str, str]]:
    ordered = sorted(kept.messages, key=lambda each: each.position or 0)
    return [(each.role, each.kind, each.content) for each in ordered]


def statuses(kept: Kept) -> list[str]:
    return [turn.status for turn in kept.turns]


def test_a_turn_with_a_tool_and_its_answer(tmp_path: Path) -> None:
    kept = read(*SAID, path=session_file(tmp_path))
    assert said(kept) == [
        ("user", "text", "Name the wrens"),
        ("assistant", "text", "I look."),
        ("assistant", "tool_call", '{"path":"cart.py"}'),
        ("tool", "tool_result", "def total(): ..."),
        ("assistant", "text", "Two."),
    ]
    (turn,), (session,) = kept.turns, kept.sessions
    assert (turn.origin, turn.status, turn.project) == ("human", "completed", FOLDER)
    assert {each.exchange for each in kept.messages} == {turn.id}
    assert {each.exchange for each in kept.usages} == {turn.id}
    assert (session.key, session.project) == (SESSION, FOLDER)
    assert len(kept.usages) == 2
    used = kept.usages[0]
    assert (used.model, used.tokens.input, used.tokens.output) == (MODEL, 40, 15)
    assert (used.tokens.cache_read, used.tokens.reasoning) == (60, 5)
    assert set(kept.outcomes) == {Outcome.RECORDS}


def test_tokens_that_come_after_the_reply_complete_it() -> None:
    late = reply("Two.", 2, tokens=None)
    (before,) = read(header(), prompt("Ask", 1), late).usages
    (after,) = read(header(), prompt("Ask", 1), late, reply("Two.", 2)).usages
    assert (before.id, before.tokens.complete) == (after.id, False)
    assert (after.tokens.complete, after.tokens.output) == (True, 15)


def test_tokens_of_tools_are_input() -> None:
    counted = tokens(10, 2, cached=4) | {"tool": 7}
    (used,) = read(header(), reply("Two.", 1, tokens=counted)).usages
    assert (used.tokens.input, used.tokens.cache_read, used.tokens.output) == (13, 4, 2)


def test_thoughts_stand_before_the_text() -> None:
    thoughts = [{"subject": "Plan", "description": "Look first."}, {"description": "Then answer."}]
    kept = read(header(), prompt("Ask", 1), reply("Two.", 2, thoughts=thoughts))
    assert [text for _, kind, text in said(kept) if kind == "thinking"] == [
        "Plan\nLook first.",
        "Then answer.",
    ]
    assert said(kept)[-1] == ("assistant", "text", "Two.")


def test_the_history_that_is_written_again_is_nothing_new() -> None:
    history = [
        prompt("<session_context>\nThe folder", 0),
        prompt("Name the wrens", 9),
        {**reply("I look.", 9), "content": [{"text": "I look."}, {"functionCall": {"id": "x"}}]},
        {**reply("Two.", 9), "id": "another id, as after a compaction"},
        prompt("<state_snapshot>of what was said", 9),
    ]
    kept = read(*SAID, header(8), change(messages=history), prompt("Go on", 10))
    before = read(*SAID)
    assert {each.id for each in before.messages} <= {each.id for each in kept.messages}
    assert [text for _, kind, text in said(kept) if kind == "injected"] == [
        "<session_context>\nThe folder",
        "<state_snapshot>of what was said",
    ]
    assert kept.prompts == ["Name the wrens", "Go on"]
    assert len(kept.usages) == 2


def test_how_a_turn_ends() -> None:
    ask = [header(), prompt("Ask", 1)]
    cancelled = message("info", "Request cancelled.", 2)
    failed = message("error", "[API Error: quota]", 2)
    assert statuses(read(*ask)) == ["completed"]
    assert statuses(read(*ask, cancelled)) == ["aborted"]
    assert statuses(read(*ask, failed)) == ["failed"]
    assert statuses(read(*ask, failed, reply("Two.", 3))) == ["completed"]
    assert statuses(read(*ask, header(5))) == ["aborted"]
    assert statuses(read(*ask, prompt("More", 5))) == ["aborted", "completed"]
    assert statuses(read(*ask, change(messages=[prompt("Before", 0)]))) == ["failed"]
    assert statuses(read(*ask, change(messages=[prompt("Ask", 1)]))) == ["completed"]
    assert (
        statuses(read(*ask, reply("Two.", 2), header(5), prompt("More", 6))) == ["completed"] * 2
    )


def test_a_call_that_was_cut_is_not_counted_as_complete() -> None:
    cut_off = read(header(), prompt("Ask", 1), prompt("More", 5), reply("Two.", 6))
    assert sorted(used.tokens.complete for used in cut_off.usages) == [False, True]
    in_tool = read(header(), prompt("Ask", 1), reply("I look.", 2, toolCalls=[DONE]), header(9))
    assert sorted(used.tokens.complete for used in in_tool.usages) == [False, True]
    stopped = tool("read_1", "stopped", status="cancelled")
    by_hand = read(header(), prompt("Ask", 1), reply("I look.", 2, toolCalls=[stopped]), header(9))
    assert [used.tokens.complete for used in by_hand.usages] == [True]


def test_commands_and_contexts_are_no_prompts() -> None:
    kept = read(
        header(),
        prompt("/compress", 1),
        prompt("/home/ada/cart.py is wrong", 2),
        prompt("System: Please continue.", 3),
        prompt("Look\n--- Content from referenced files ---\nContent from @a:\nx", 4),
    )
    assert [turn.origin for turn in kept.turns] == ["command", "human", "human"]
    assert kept.prompts == ["/compress", "/home/ada/cart.py is wrong", "Look"]
    assert len(kept.contents("injected")) == 2


def test_results_may_stand_in_a_message_of_their_own() -> None:
    response = {"id": "read_1", "name": "read_file", "response": {"error": "gone"}}
    own = message("user", [{"functionResponse": response}], 4, key="results")
    (result,) = read(header(), prompt("Ask", 1), own).contents("tool_result")
    assert result == "gone"
    again = read(*SAID, own)
    assert again.contents("tool_result") == ["def total(): ..."]
    assert again.outcomes[-1] is Outcome.SKIPPED


def test_a_sub_agents_file_is_a_conversation_of_its_session() -> None:
    path = NOWHERE.parent / SESSION / "77777777-0000-4000-8000-000000000001.jsonl"
    own = header(sessionId=path.stem, kind="subagent", directories=[FOLDER])
    kept = read(own, prompt("Count the files", 1), reply("Three.", 2), path=path)
    (thread,) = kept.conversations
    assert isinstance(thread, Conversation)
    assert (thread.key, thread.session, thread.parent) == (path.stem, SESSION, SESSION)
    assert (thread.kind, kept.turns) == ("subagent", [])
    assert said(kept)[0] == ("user", "injected", "Count the files")
    assert [used.conversation for used in kept.usages] == [path.stem]


def test_a_summary_is_the_sessions_title() -> None:
    (session,) = read(*SAID, change(summary="Wrens of the north")).sessions
    assert session.title == "Wrens of the north"


def test_a_message_said_again_later_stays_in_its_turn() -> None:
    late = reply("I look.", 2, toolCalls=[tool("read_1", "late")])
    kept = read(*SAID, prompt("More", 8), reply("Three.", 9), late)
    assert kept.prompt_of(next(
        each.exchange for each in kept.messages if each.kind == "tool_result"
    )) == "Name the wrens"  # fmt: skip
    assert statuses(kept) == ["completed", "completed"]


def test_a_document_gives_what_its_lines_give() -> None:
    whole = [SAID[0], SAID[1], SAID[3], SAID[4]]
    parts = cut(document(*whole))
    assert parts.name == SESSION
    units = [unit.line() for unit in parts.units]
    from_document = read_lines([line for line in units if line is not None])
    assert from_document.by_id == read(*whole).by_id
    assert len(units) == len(whole)
    on_one_line = read(whole[0] | {"messages": whole[1:]})
    assert on_one_line.by_id == from_document.by_id


@pytest.mark.parametrize(
    "data", [b"[]", b"{}", b'{"messages": []}', b'{"sessionId": "a"', b"\xff"]
)
def test_what_is_no_session_cannot_be_cut(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        cut(data)


def test_torn_lines_are_read_as_far_as_they_go() -> None:
    ask, answer = (line for line in lines(prompt("Ask", 1), reply("Two.", 2)).splitlines())
    head = lines(header())
    both = read_lines([head, ask + answer])
    assert (both.prompts, both.outcomes[-1]) == (["Ask"], Outcome.RECORDS)
    torn = read_lines([head, ask[:-9] + answer])
    assert (torn.contents("text"), torn.outcomes[-1]) == (["Two."], Outcome.NOT_UNDERSTOOD)
    half = read_lines([head, ask.replace(b"Ask", rb"Ask \ud83d")])
    assert half.prompts == ["Ask \ufffd"]


HOSTILE: list[Any] = [
    None, 1, [], {}, "x", {"id": 1}, {"id": "a", "type": "user"}, {"id": "a", "type": "new"},
    {"$set": 1}, {"$set": {"messages": [1]}}, {"$set": {"sessionId": ""}}, {"sessionId": ""},
    {"id": "a", "type": "gemini", "tokens": [1]}, {"id": "a", "type": "gemini", "toolCalls": "x"},
    {"id": "a", "type": "gemini", "tokens": {"input": -1, "output": 10**30}},
    {"id": "a", "type": "user", "content": {"text": 1}, "timestamp": "yesterday"},
    {"id": "a", "type": "user", "content": [["x"]]}, {"$rewindTo": "a"}, {"$gone": ["a"]},
]  # fmt: skip


@given(st.lists(st.sampled_from(range(len(HOSTILE))), max_size=6), st.binary(max_size=40))
def test_no_line_makes_the_parser_fail(chosen: list[int], noise: bytes) -> None:
    data = [json.dumps(HOSTILE[index]).encode() for index in chosen]
    kept = read_lines([*data, noise.replace(b"\n", b""), *lines(*SAID).splitlines()])
    assert "Name the wrens" in kept.prompts


def test_the_parser_tells_what_it_read() -> None:
    parser = AGENT.parser(NOWHERE)
    assert isinstance(parser, Tells)
    told: list[tuple[str, int]] = []
    for number, line in enumerate(lines(*SAID, change(x=1), {"y": 1}).splitlines(), 1):
        parser.feed(number, line)
        told.append((parser.kind, parser.made))
    assert told == [
        ("session", 0), ("user", 2), ("gemini", 4), ("gemini", 8), ("gemini", 10), ("$set", 10),
        ("", 10),
    ]  # fmt: skip


@given(st.sets(st.integers(1, 9)), st.integers(0, 5))
def test_a_parser_may_be_replaced_between_any_two_lines(restarts: set[int], seed: int) -> None:
    story = [
        *SAID,
        message("info", "Request cancelled.", 4),
        header(5),
        change(messages=[prompt("Name the wrens", 5), prompt("<state_snapshot>", 5)]),
        prompt("More", 6),
    ]
    middle = story[1:]
    random.Random(seed).shuffle(middle)
    whole = read(story[0], *middle)
    assert read(story[0], *middle, restarts=restarts).by_id == whole.by_id


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("shop/chats/session-2026-03-01T10-00-9e551011.json", True),
        ("shop/chats/session-2026-03-01T10-00-9e551011.jsonl", True),
        (f"shop/chats/{SESSION}/77777777-0000-4000-8000-000000000001.jsonl", True),
        ("shop/chats/session-1.json.unreadable-17", False),
        ("shop/logs.json", False),
        ("shop/checkpoint-x.json", False),
        ("shop/tool-outputs/a.json", False),
    ],
)
def test_sessions_are_told_by_their_names(path: str, wanted: bool) -> None:
    assert AGENT.is_transcript(Path("/home/ada/.gemini/tmp") / path) is wanted


def test_the_folder_is_where_its_variable_says() -> None:
    assert AGENT.roots({"HOME": "/home/ada"}) == [Path("/home/ada/.gemini/tmp")]
    said = {"HOME": "/home/ada", "GEMINI_CLI_HOME": "/elsewhere"}
    assert AGENT.roots(said) == [Path("/elsewhere/.gemini/tmp")]
