"""Torn, odd and hostile lines; and the same records however the lines are split."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capture.claude_fixtures import (
    FILE,
    assistant,
    line,
    queue,
    queued,
    raw,
    read,
    text,
    tool_result,
    tool_use,
    user,
)
from capture.test_claude_threads import fork_lines, progress
from steno.capture.agent import RECOVERY_ATTEMPTS, Outcome, objects_in
from steno.capture.claude_code import AGENT
from steno_schema.records import AnyRecord, Conversation, Message, Turn, Usage

RECORDS = Outcome.RECORDS
SKIPPED = Outcome.SKIPPED
NOT_UNDERSTOOD = Outcome.NOT_UNDERSTOOD
OBJECT = msgspec.json.Decoder(msgspec.Raw)

LIFE: list[dict[str, Any]] = [
    line("file-history-snapshot", snapshot={}, timestamp=None),
    user("u1", "work", timestamp="2026-03-01T10:00:03.000Z"),
    assistant("a1", "m1", {"type": "thinking", "thinking": "hm"}, stop=None, output=1),
    queue("enqueue", "one more"),
    assistant("a2", "m1", tool_use("t1", command="ls"), output=50),
    user("u2", [tool_result("t1", "a"), text("[Request interrupted by user for tool use]")]),
    queue("remove"),
    queued("q1", "one more"),
    progress("p1", assistant("n1", "m7", tool_use("t7"))),
    user("u3", "<command-name>/model</command-name>"),
    user("u4", "<local-command-stdout>set</local-command-stdout>"),
    line("custom-title", customTitle="Cart", timestamp=None),
    line("ai-title", aiTitle="Other", timestamp=None),
    user("u5", "sub", isSidechain=True, agentId="x"),
    assistant("e1", "e1", text("API Error"), model="<synthetic>", isApiErrorMessage=True),
    assistant("a3", "m2", text("again"), timestamp="2026-03-01T09:00:00.000Z"),
    user("u6", "one more"),
    *fork_lines(names_origin=True),
    {"type": "summary", "summary": "Forked", "leafUuid": "a3"},
    user("u7", "back in the first"),
]


@given(st.sets(st.integers(2, len(LIFE))))
def test_any_split_gives_the_same_records(splits: set[int]) -> None:
    whole = read(LIFE)
    split = read(LIFE, splits=sorted(splits))
    assert split.by_id == whole.by_id
    assert split.outcomes == whole.outcomes


def test_every_single_split_gives_the_same_records() -> None:
    whole = read(LIFE)
    for at in range(2, len(LIFE) + 1):
        assert read(LIFE, splits=[at]).by_id == whole.by_id, at
    assert read(LIFE, splits=range(2, len(LIFE) + 1)).by_id == whole.by_id


def test_what_is_named_comes_before_what_names_it() -> None:
    parser = AGENT.parser(FILE)
    for number, one in enumerate(LIFE, 1):
        parser.feed(number, raw(one))
    named: set[str | None] = {None}
    for record in parser.take():
        if isinstance(record, Conversation):
            assert record.session in named
        elif isinstance(record, Message | Turn | Usage):
            assert record.conversation in named
        if isinstance(record, Turn) and not record.withdrawn:
            assert record.prompt_message in named
        named |= {record.id, getattr(record, "key", None)}


def test_reading_twice_changes_nothing() -> None:
    assert read([*LIFE], into=read(LIFE)).by_id == read(LIFE).by_id


@pytest.mark.parametrize(
    ("record", "outcome"),
    [
        (line("last-prompt", lastPrompt="x"), SKIPPED),
        (line("api-request-blob", message={"role": "user"}), SKIPPED),
        (line("system", uuid="s", subtype="turn_duration"), SKIPPED),
        (line("system", uuid="s", content="older", level="info"), SKIPPED),
        (line("attachment", uuid="s", attachment={"type": "skill_listing"}), SKIPPED),
        (line("progress", uuid="s", data={"type": "hook_progress"}), SKIPPED),
        (user("u", ""), SKIPPED),
        (line("user", uuid="u"), SKIPPED),
        (line("ai-title", aiTitle="Cart"), RECORDS),
        (line("tomorrow"), NOT_UNDERSTOOD),
        (line("system", uuid="s", subtype="tomorrow"), NOT_UNDERSTOOD),
        (line("attachment", uuid="s", attachment={"type": "tomorrow"}), NOT_UNDERSTOOD),
        (line("attachment", uuid="s"), NOT_UNDERSTOOD),
        (line("progress", uuid="s", data={"type": "tomorrow"}), NOT_UNDERSTOOD),
        (queue("tomorrow"), NOT_UNDERSTOOD),
        (assistant("a", "m", {"type": "tomorrow"}), NOT_UNDERSTOOD),
        (user("u", ["words"]), NOT_UNDERSTOOD),
        (user("u" * 300, "words"), NOT_UNDERSTOOD),
        (line("user", uuid="u", message=5), NOT_UNDERSTOOD),
        ({"silly": "this"}, NOT_UNDERSTOOD),
        ([1], NOT_UNDERSTOOD),
        ("words", NOT_UNDERSTOOD),
        (b"{", NOT_UNDERSTOOD),
        (b'{"type":' + b"[" * 5000, NOT_UNDERSTOOD),
    ],
)
def test_outcomes(record: Any, outcome: Outcome) -> None:
    assert read([record]).outcomes == [outcome]


def test_what_is_understood_of_an_odd_line_is_kept() -> None:
    merged = read([assistant("a", "m", "not a block", {"type": "tomorrow"}, text("kept"))])
    assert merged.outcomes == [NOT_UNDERSTOOD]
    assert [message.content for message in merged.of(Message)] == ["kept"]
    assert merged.of(Usage)[0].tokens.output == 20


def test_two_objects_on_one_line() -> None:
    both = raw(user("u1", "first")) + raw(assistant("a1", "m", text("second")))
    merged = read([both])
    assert merged.outcomes == [RECORDS]
    first, second = merged.of(Message)
    assert first.position is not None
    assert second.position is not None
    assert first.position < second.position


def test_a_torn_object_before_a_whole_one() -> None:
    torn = raw(assistant("a1", "m", text("lost")))
    merged = read([torn[: len(torn) // 2] + raw(user("u1", 'said "whole" {"x"}'))])
    assert merged.outcomes == [NOT_UNDERSTOOD]
    assert [message.content for message in merged.of(Message)] == ['said "whole" {"x"}']


def test_half_characters_and_stray_bytes_do_not_cost_the_line() -> None:
    half = raw(user("u1", "cut \\ud83d here, \\\\ud83d not")).replace(rb"\\", b"\\")
    stray = raw(user("u2", "stray !")).replace(b"!", b"\xff")
    pair = json.dumps(user("u3", "whole 😀")).encode()
    merged = read([half, stray, pair])
    assert merged.outcomes == [RECORDS] * 3
    assert [message.content for message in merged.of(Message)] == [
        "cut \ufffd here, \\ud83d not",
        "stray \ufffd",
        "whole 😀",
    ]


def test_objects_are_looked_for_in_a_bounded_number_of_places() -> None:
    def found(noise: int) -> list[bytes]:
        return list(objects_in(b'{"' * noise + b'{"a":1}', OBJECT))

    assert found(RECOVERY_ATTEMPTS - 1) == [b'{"a":1}']
    assert found(RECOVERY_ATTEMPTS) == []


@given(st.binary(max_size=60), st.binary(max_size=60))
def test_objects_between_anything_are_json(before: bytes, after: bytes) -> None:
    for found in objects_in(before + b'{"a":"}{"}' + after, OBJECT):
        assert isinstance(json.loads(found), dict)


def test_state_stays_small() -> None:
    parser = AGENT.parser(FILE)
    largest = 0
    for number in range(1, 3000):
        parser.feed(number, raw(user(f"u{number}", f"prompt {number}")))
        parser.feed(number, raw(assistant(f"a{number}", f"m{number}", text("reply"))))
        parser.feed(number, raw(queue("enqueue", f"more {number} " + "x" * 500)))
        parser.feed(number, raw(queued(f"q{number}", f"steered {number}")))
        parser.feed(number, raw(user(f"s{number}", "sub", agentId=f"agent{number}")))
        largest = max(largest, len(parser.state()))
        parser.take()
    assert largest < 48 * 1024


def test_a_waiting_prompt_survives_a_restart_cut_at_most() -> None:
    prompt = "x" * 50_000
    merged = read([user("u1", "work"), queue("enqueue", prompt), queue("remove")], splits=[3])
    said = merged.of(Message)[-1].content
    assert prompt.startswith(said)
    assert len(said) == 16_384
    assert [turn.origin for turn in merged.of(Turn)] == ["human", "queued"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["type", "id", "text", "content"]), inner, max_size=3)
    ),
    max_leaves=8,
)
TYPES = st.sampled_from(
    ["user", "assistant", "system", "attachment", "progress", "queue-operation", "ai-title"]
)
FIELDS = st.sampled_from(
    [
        *("uuid", "sessionId", "requestSessionId", "agentId", "timestamp", "cwd", "message"),
        *("data", "attachment", "content", "operation", "subtype", "isMeta", "planContent"),
        *("isSidechain", "isApiErrorMessage", "aiTitle", "version", "requestId"),
    ]
)
MESSAGE_FIELDS = st.sampled_from(["id", "model", "content", "stop_reason", "usage"])
BLOCK_FIELDS = st.sampled_from(
    ["type", "text", "thinking", "id", "name", "input", "tool_use_id", "content", "is_error"]
)
BLOCK_TYPES = st.sampled_from(["text", "thinking", "tool_use", "tool_result", "image"])


@st.composite
def odd_line(draw: st.DrawFn) -> dict[str, Any]:
    """A line that is right but for a few fields."""
    block: dict[str, Any] = {
        "type": draw(BLOCK_TYPES),
        "text": "x",
        "id": "t",
        "content": "r",
        "input": {},
    }
    block |= draw(st.dictionaries(BLOCK_FIELDS, JSON, max_size=2))
    message: dict[str, Any] = {"id": "m", "model": "x", "content": [block], "usage": {}}
    message |= draw(st.dictionaries(MESSAGE_FIELDS, JSON, max_size=2))
    fields: dict[str, Any] = {
        "uuid": "u",
        "message": message,
        "attachment": {"type": "queued_command", "prompt": draw(JSON), "commandMode": draw(JSON)},
        "data": {"type": "agent_progress", "message": {"type": draw(TYPES), "message": message}},
        "subtype": "local_command",
        "operation": draw(st.sampled_from(["enqueue", "remove", "dequeue", "popAll"])),
    }
    return line(draw(TYPES), **fields) | draw(st.dictionaries(FIELDS, JSON, max_size=3))


def check(records: list[AnyRecord]) -> None:
    """Every record is one that the other side takes."""
    wire = msgspec.msgpack.encode(records)
    assert msgspec.msgpack.decode(wire, type=list[AnyRecord]) == records


@given(st.lists(odd_line(), max_size=5))
def test_no_odd_line_breaks_the_parser(lines: list[dict[str, Any]]) -> None:
    parser = AGENT.parser(Path("p") / "\udcff.jsonl")
    for number, one in enumerate(lines, 1):
        parser.feed(number, json.dumps(one).encode())
        parser = AGENT.parser(Path("p") / "\udcff.jsonl", parser.state())
        check(parser.take())
    whole = AGENT.parser(Path("p") / "\udcff.jsonl")
    for number, one in enumerate(lines, 1):
        whole.feed(number, json.dumps(one).encode())
    check(whole.take())


@given(st.binary(max_size=200))
def test_no_bytes_break_the_parser(noise: bytes) -> None:
    parser = AGENT.parser(FILE)
    assert isinstance(parser.feed(1, noise), Outcome)
    cut = raw(LIFE[4])[: len(noise) * 2] + noise
    assert isinstance(parser.feed(2, cut), Outcome)
    check(parser.take())
