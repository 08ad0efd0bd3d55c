"""Any rollout read in any number of lives gives the same records, and counts as the rules say."""

from collections.abc import Sequence
from dataclasses import dataclass

from hypothesis import example, given
from hypothesis import strategies as st

from capture.codex_lines import (
    FILE,
    OTHER,
    Kept,
    event,
    item,
    line,
    marked,
    message,
    meta,
    read,
    token_count,
    usage_record,
    user_completed,
    user_event,
)
from steno.capture.agent import Outcome
from steno.capture.codex import AGENT
from steno_schema.records import Message, Turn

TEXTS = st.sampled_from(["One", "Two", "y", "Warning: long", "<environment_context>", ""])
VECTORS = st.tuples(*[st.integers(0, 9)] * 4)

QUIET = st.sampled_from(
    [
        item(type="reasoning", summary=[{"type": "summary_text", "text": "Hm"}]),
        message("assistant", "Yes"),
        message("developer", "Rules"),
        item(type="function_call", name="shell", arguments="{}", call_id="c"),
        item(type="function_call_output", call_id="c", output="Exit code: 1\nOutput:\n"),
        line("turn_context", {"model": "m", "cwd": "/home/dev"}, 1),
        event("task_started", 2),
        event("task_complete", 3),
        event("task_complete", error={}),
        event("turn_aborted"),
        event("token_count", info=None),
        event("hologram"),
        b'{"timestamp":"2026-01-02T03:04',
        b"\xff",
    ]
)
PROMPTS = st.one_of(
    TEXTS.map(lambda text: [message("user", text)]),
    TEXTS.map(lambda text: [user_event(text)]),
    TEXTS.map(lambda text: [message("user", text), user_event(text)]),
    TEXTS.map(lambda text: [user_event(text), message("user", text)]),
    TEXTS.map(lambda text: [marked(text), user_completed(text)]),
    TEXTS.map(lambda text: [marked(text)]),
)
USAGES = st.one_of(
    VECTORS.map(token_count),
    st.tuples(VECTORS, VECTORS).map(lambda pair: token_count(pair[0], last=pair[1])),
    VECTORS.map(lambda total: usage_record(f"r{total}", total)),
)
HEADS = st.one_of(
    st.just([meta()]),
    st.just(list[bytes]()),
    st.just([meta(), meta(OTHER, 6), user_event("Old", 6), token_count((9, 3, 2, 1), 6)]),
    st.just([meta(session_id="root", parent_thread_id="root")]),
)
# After the pause that ends copied history.
LATER = st.integers(0, 3).map(lambda second: event("warning", 20 + second))
BODIES = st.lists(
    st.one_of(PROMPTS, USAGES.map(lambda data: [data]), QUIET.map(lambda data: [data])),
    max_size=14,
)


@st.composite
def rollouts(draw: st.DrawFn) -> list[bytes]:
    parts = draw(BODIES)
    return [*draw(HEADS), draw(LATER), *(data for part in parts for data in part)]


def same(one: Kept, other: Kept) -> None:
    assert one.outcomes == other.outcomes
    assert one.by_id == other.by_id


@given(rollouts(), st.sets(st.integers(1, 40)))
@example([meta(), message("user", "One"), user_event("One")], {2})
@example([meta(), message("user", "One"), message("assistant", "Yes"), user_event("Two")], {2, 3})
@example([meta(), event("task_started"), marked("One"), event("task_started")], {1, 2, 3})
def test_a_parser_may_be_replaced_between_any_two_lines(
    lines: list[bytes], restarts: set[int]
) -> None:
    whole = read(lines)
    same(whole, read(lines, restarts=restarts))
    same(whole, read(lines, restarts=range(100)))


@given(rollouts())
def test_reading_again_changes_nothing(lines: list[bytes]) -> None:
    once = read(lines)
    before = dict(once.by_id)
    assert read(lines, kept=once).by_id == before


@given(rollouts())
def test_everything_named_is_there(lines: list[bytes]) -> None:
    kept = read(lines)
    conversations = {conversation.key for conversation in kept.conversations}
    assert all(message.conversation in conversations for message in kept.messages)
    seen = set[str]()
    for record in kept.order:
        assert not isinstance(record, Turn) or record.prompt_message in seen
        seen.add(record.id)
    turns = {turn.id for turn in kept.turns}
    taken_back = {r.id for r in kept.by_id.values() if isinstance(r, Turn)} - turns
    named = {m.exchange for m in kept.messages} | {usage.exchange for usage in kept.usages}
    assert named <= turns | taken_back | {None}


@dataclass
class Seen:
    """A file as the rules for counting prompts see it."""

    items: list[str]
    events: list[str]


TOLD = st.lists(st.tuples(st.sampled_from(["item", "event", "both"]), TEXTS), max_size=12)


@given(TOLD)
@example([("item", "One"), ("item", "Two"), ("event", "y")])
def test_prompts_are_the_events_or_without_any_the_items(told: list[tuple[str, str]]) -> None:
    lines, seen = [meta()], Seen([], [])
    for kind, text in told:
        if kind != "event":
            seen.items.append(text)
            lines.append(message("user", text))
        if kind != "item":
            seen.events.append(text)
            lines.append(user_event(text))
        lines.append(message("assistant", "Yes"))
    source = seen.events or seen.items
    injected = ("Warning: ", "<environment_context>")
    expected = [text for text in source if not text.startswith(injected)]
    assert read(lines).prompts == expected


@given(st.lists(VECTORS, max_size=8))
def test_steps_sum_up_to_the_highest_totals(totals: Sequence[tuple[int, int, int, int]]) -> None:
    """Between two restarts of the counter the steps are its last total."""
    ends, before = [0, 0], (0, 0, 0, 0)
    for total in totals:
        if any(now < then for now, then in zip(total, before, strict=True)):
            ends = [ends[0] + before[2], ends[1] + before[3]]
        before = total
    kept = read([meta(), *map(token_count, totals)])
    assert kept.tokens.output == ends[0] + before[2]
    assert kept.tokens.reasoning == ends[1] + before[3]


@st.composite
def mutated(draw: st.DrawFn) -> list[bytes]:
    lines = draw(rollouts())
    at = draw(st.integers(0, len(lines) - 1))
    data = bytearray(lines[at])
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(data)))
        data[start : start + draw(st.integers(0, 8))] = draw(st.binary(max_size=8))
    return [*lines[:at], bytes(data).replace(b"\n", b" "), *lines[at + 1 :]]


@given(st.one_of(mutated(), st.lists(st.binary(max_size=60), max_size=4)))
@example([b'{"type":"session_meta","payload":{"id":"x","source":{"subagent":7}}}'])
@example([b'{"type":"session_meta","payload":{"id":"x","timestamp":"9999-99-99"}}'])
@example(
    [
        b'{"type":"event_msg","payload":{"type":"token_count","info":{"total_token_usage":'
        b'{"input_tokens":-5,"output_tokens":' + b"9" * 4000 + b"}}}}"
    ]
)
@example([b'{"type":"response_item","payload":{"type":"message","role":"user","content":7}}'])
@example([b'{"timestamp":"0001-01-01T00:00:00+23:59","type":"event_msg","payload":null}'])
@example([b'{"id":"x","timestamp":"2026-01-02"}', b'{"type":"message","role":"user"}'])
def test_no_bytes_make_it_raise(lines: list[bytes]) -> None:  # fmt: skip
    parser = AGENT.parser(FILE)
    for number, data in enumerate(lines, 1):
        assert isinstance(parser.feed(number, data), Outcome)
    records = parser.take()
    assert all(not isinstance(record, Message) or record.conversation for record in records)
    AGENT.parser(FILE, parser.state())
