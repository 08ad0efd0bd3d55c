"""What the opencode parser makes of rows: who said what, in which turn, at what price."""

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capture.opencode_rows import (
    BEGAN_MS,
    CHILD,
    FOLDER,
    SESSION,
    Stored,
    answer,
    identifier,
    lines,
    message,
    part,
    prompt,
    read,
    session,
    steps,
    tool,
)
from steno.capture.agent import Outcome, Tells
from steno.capture.opencode import AGENT
from steno.capture.opencode_ids import original_prefix, stamp_of
from steno.capture.opencode_records import unquoted
from steno_schema.records import Conversation

ASKED = [session(), *prompt(0, "Name the wrens")]


def turn_of(text: str = "Two.", finish: str | None = "stop", **data: object) -> list[Stored]:
    call = answer(10, 0, finish, **data)
    return [*ASKED, call, part(11, call, text=text)]


def test_a_turn_with_its_answer() -> None:
    kept = read(lines(turn_of()))
    (turn,), (usage,), (known,) = kept.turns, kept.usages, kept.sessions
    assert kept.said == [("user", "text", "Name the wrens"), ("assistant", "text", "Two.")]
    assert (turn.status, turn.origin, turn.project) == ("completed", "human", FOLDER)
    assert {each.exchange for each in kept.messages} == {turn.id} == {usage.exchange}
    assert turn.prompt_message == kept.messages[0].id
    assert (known.key, known.title, known.project) == (SESSION, "Wrens", FOLDER)
    assert known.metadata == {"version": "1.18.33"}
    assert (usage.model, usage.cost_usd) == ("wren-1", 0.5)
    tokens = usage.tokens
    assert (tokens.input, tokens.output, tokens.reasoning) == (10, 7, 2)
    assert (tokens.cache_read, tokens.cache_write, tokens.complete) == (100, 20, True)
    assert set(kept.outcomes) <= {Outcome.RECORDS, Outcome.SKIPPED}


@pytest.mark.parametrize(
    ("stored", "typed"),
    [
        ('"List the files here."', "List the files here."),
        ('"Say \\"hello\\" twice"', 'Say "hello" twice'),
        ('"one\ntwo three"', "one\ntwo three"),
        ('"word"', '"word"'),
        ('"a b" and "c d"', '"a b" and "c d"'),
        ('fix "the bug"', 'fix "the bug"'),
        ('"', '"'),
        ('" "', '" "'),
        ('"ends with a backslash \\"', "ends with a backslash \\"),
        ("plain text", "plain text"),
    ],
)
def test_quotes_that_run_puts_around_a_prompt_are_taken_off(stored: str, typed: str) -> None:
    assert unquoted(stored) == typed
    assert read(lines([session(), *prompt(0, stored)])).messages[0].content == typed


def test_a_row_that_is_updated_in_place_is_said_again() -> None:
    running = turn_of("Tw", None)
    states = [*running, tool(12, running[3], "pending"), tool(12, running[3], "running")]
    kept = read(lines(states))
    assert kept.turns[0].status == "running"
    assert not kept.usages[0].tokens.complete
    assert [each[1] for each in kept.said] == ["text", "text", "tool_call"]
    done = turn_of("Two.", "tool-calls")
    ended = tool(12, done[3], output="a\nb", metadata={"exit": 1})
    last = answer(20, 0)
    whole = read(lines([*states, *done[3:], ended, last, part(21, last, text="Two wrens.")]))
    assert whole.turns[0].status == "completed"
    assert whole.said[1:] == [
        ("assistant", "text", "Two."),
        ("assistant", "tool_call", '{"command": "ls"}'),
        ("tool", "tool_result", "a\nb"),
        ("assistant", "text", "Two wrens."),
    ]
    assert [each.is_error for each in whole.messages] == [False, False, False, True, False]
    positions = [each.position for each in whole.messages]
    assert positions == sorted({each or 0 for each in positions})
    again = read(lines([*ASKED, *done[3:], ended, last, part(21, last, text="Two wrens.")]))
    assert {r.id: r for r in again.messages} == {r.id: r for r in whole.messages}


def test_how_a_turn_ends() -> None:
    def status(*rows: Stored) -> str:
        return read(lines([*ASKED, *rows])).turns[0].status

    aborted = {"error": {"name": "MessageAbortedError", "data": {"message": "Aborted"}}}
    failed = {"error": {"name": "APIError", "data": {"message": "No wrens", "statusCode": 400}}}
    assert status() == "running"
    assert status(answer(10, 0, "tool-calls")) == "running"
    assert status(answer(10, 0, "tool-calls"), answer(20, 0, "length")) == "completed"
    assert status(answer(10, 0, None, **aborted)) == "aborted"
    assert status(answer(10, 0, None, **failed)) == "failed"
    assert status(answer(20, 0), answer(10, 0, "tool-calls")) == "completed"
    notice = read(lines([*ASKED, answer(10, 0, None, **failed)]))
    assert notice.said[1:] == [("assistant", "notice", "APIError: No wrens")]
    assert not notice.usages
    partial = answer(10, 0, None, **aborted)
    cut = read(lines([*ASKED, partial, part(11, partial, text="There are")]))
    assert cut.said[1:] == [("assistant", "text", "There are")]
    assert not cut.usages[0].tokens.complete


def test_a_turn_that_was_left_running_is_over_when_the_next_begins() -> None:
    left = [*ASKED, answer(10, 0, None)]
    kept = read(lines([*left, *prompt(20, "And owls?")]))
    assert [each.status for each in kept.turns] == ["completed", "running"]
    late = read(lines([*left, *prompt(20, "And owls?"), answer(10, 0, "tool-calls")]))
    assert [each.status for each in late.turns] == ["completed", "running"]
    assert len(late.usages) == 1


def test_what_is_put_into_the_users_mouth_is_no_prompt() -> None:
    asked = ASKED[1]
    rows = [
        *ASKED,
        part(2, asked, "file", filename="a.ts", mime="text/plain", url="file:///a.ts"),
        part(3, asked, text="Called the Read tool", synthetic=True),
        part(4, asked, text="Not meant", ignored=True),
    ]
    kept = read(lines(rows))
    assert len(kept.turns) == 1
    assert [each[1] for each in kept.said] == ["text", "injected", "injected"]
    assert {each.exchange for each in kept.messages} == {kept.turns[0].id}


def test_a_compaction_asks_nothing_and_its_continuation_belongs_to_the_turn() -> None:
    compaction, more = message(30, "user"), message(50, "user")
    summary = answer(40, 30, summary=True, mode="compaction")
    goes_on = answer(60, 50)
    rows = [
        *turn_of("Two.", "tool-calls"),
        compaction,
        part(31, compaction, "compaction", auto=True),
        summary,
        part(41, summary, text="What happened so far"),
        more,
        part(51, more, text="Continue if you have next steps", synthetic=True),
        goes_on,
        part(61, goes_on, text="Done."),
    ]
    kept = read(lines(rows))
    (turn,) = kept.turns
    assert turn.status == "completed"
    by_turn = [(each.content, each.exchange == turn.id) for each in kept.messages]
    assert by_turn[-3:] == [
        ("What happened so far", False),
        ("Continue if you have next steps", True),
        ("Done.", True),
    ]
    assert [each.exchange == turn.id for each in kept.usages] == [True, False, True]


def test_a_command_a_person_ran_is_a_turn_of_its_own() -> None:
    asked = message(30, "user")
    shell = answer(40, 30, used=(0, 0, 0, 0, 0), finish=None, time={"completed": BEGAN_MS + 41})
    said = part(31, asked, text="The following tool was executed by the user", synthetic=True)
    kept = read(lines([*ASKED, asked, said, shell, tool(41, shell, output="a.py")]))
    human, typed = kept.turns
    assert (human.origin, typed.origin, typed.status) == ("human", "shell", "completed")
    prompts = {each.id: each.content for each in kept.messages}
    assert prompts[typed.prompt_message] == "ls"
    assert [each.exchange for each in kept.messages][-2:] == [typed.id, typed.id]
    assert not kept.usages


def test_a_sub_agents_work_is_a_conversation_of_its_root() -> None:
    child = session(CHILD, parent_id="ses_between", title="Count files")
    asked = [each._replace(row=each.row | {"session_id": CHILD}) for each in prompt(0, "Count")]
    told = [*lines([child], root=SESSION), *lines([*asked, answer(10, 0)])]
    kept = read(told)
    (conversation,) = kept.all(Conversation)
    assert (conversation.key, conversation.session) == (CHILD, SESSION)
    assert (conversation.parent, conversation.kind) == ("ses_between", "subagent")
    assert not kept.turns
    assert kept.said == [("user", "injected", "Count")]
    assert kept.usages[0].exchange is None
    assert kept.usages[0].session == SESSION


def test_what_a_fork_copied_is_left_to_its_owner() -> None:
    copied = message(0, "user", made=90_000)
    its_part = part(1, copied, text="Name the wrens", made=90_001)
    (told,) = lines([copied], copy_of=identifier("msg", 0))
    own = prompt(100_000, "In the fork")
    kept = read([*lines([session()]), told, *lines([its_part, *own])])
    assert [each.content for each in kept.messages] == ["In the fork"]
    # A copy whose original is gone is all there is of it.
    alone = read(lines([session(), copied, its_part, *own]))
    assert [each.content for each in alone.messages] == ["Name the wrens", "In the fork"]


def test_ids_tell_when_they_were_made() -> None:
    identity = identifier("prt", 1234)
    assert stamp_of(identity, BEGAN_MS) == (BEGAN_MS + 1234) * 4096 + 1234
    # 48 bits begin again every 795 days; the nearest time counts.
    assert stamp_of("msg_000000000001x", 2**36 * 26 - 5) == 2**48 * 26 + 1
    assert stamp_of("msg_fffffffffffdx", 2**36 * 26 + 5) == 2**48 * 26 - 3
    assert stamp_of("made by hand", 7) == 7 * 4096
    assert original_prefix(identifier("msg", 5), BEGAN_MS + 5) is None
    prefix = original_prefix(identifier("msg", 5, made=9000), BEGAN_MS + 5)
    assert prefix is not None
    assert identifier("msg", 5).startswith(prefix)


@pytest.mark.parametrize(
    ("tokens", "output"),
    [
        ({"output": 10, "reasoning": 4, "total": 15, "input": 1}, 14),
        ({"output": 10, "reasoning": 4, "total": 11, "input": 1}, 10),
        ({"output": 10, "reasoning": 4}, 10),
        ({"output": 4, "reasoning": 10}, 14),
        ({"output": -5, "reasoning": 0, "input": 3}, 0),
        ({"output": 1e300, "reasoning": 1}, 2**53),
    ],
)
def test_output_includes_reasoning_once(tokens: dict[str, float], output: int) -> None:
    call = answer(10, 0, tokens=tokens | {"input": tokens.get("input", 2)})
    assert read(lines([*ASKED, call])).usages[0].tokens.output == output


HOSTILE = [
    b"",
    b"{",
    b"[]",
    b'{"table":"session"}',
    b'{"table":"session","row":{"id":"../../etc"}}',
    b'{"table":"session","row":{"id":"' + b"x" * 600 + b'"}}',
    b'{"table":"session","row":{"id":"ses_1","parent_id":"a/b"}}',
    b'{"table":"nothing","row":{"id":"ses_1"}}',
    b'{"table":"message","row":{"id":"m","data":{"role":"narrator"}}}',
    b'{"table":"message","row":{"id":"m","data":"torn"}}',
    b'{"table":"message","row":{"id":"m","data":{"role":"user","time":{"created":1e400}}}}',
    b'{"table":"message","row":{"id":"m","data":{"role":"user","time":{"created":"now"}}}}',
    b'{"table":"part","row":{"id":"p","message_id":"m","data":{"type":"hologram"}}}',
    b'{"table":"part","row":{"id":"p","message_id":"m","data":{"type":"text","text":7}}}',
    b"\xff\xfe",
]


@pytest.mark.parametrize("line", HOSTILE)
def test_what_is_not_understood_harms_nothing(line: bytes) -> None:
    kept = read([*lines([session()]), line, *lines(turn_of()[1:])])
    assert kept.outcomes[1] is Outcome.NOT_UNDERSTOOD
    assert [each.content for each in kept.messages] == ["Name the wrens", "Two."]
    alone = read([line])
    assert not [each for each in alone.order if not isinstance(each, Conversation)]


def test_times_that_cannot_be_are_left_out() -> None:
    early = message(0, "user", time={"created": -5})
    late = message(1, "user", time={"created": 1e300})
    rows = [early, part(1, early, text="Early one"), late, part(2, late, text="Late one")]
    kept = read(lines([session(time_created=2**62, time_updated=-1), *rows]))
    assert len(kept.turns) == 2
    assert kept.sessions[0].started_at is None


def test_half_a_character_is_replaced() -> None:
    (line,) = lines([part(1, ASKED[1], text="cut @")])
    kept = read([*lines(ASKED[:2]), line.replace(b"@", b"\\ud83d")])
    assert kept.messages[0].content == "cut \ufffd"


def test_rows_that_are_gone_are_noted_and_stay() -> None:
    kept = read([*lines(turn_of()), b'{"$gone":["mmsg_1"]}'])
    assert kept.outcomes[-1] is Outcome.SKIPPED
    assert len(kept.messages) == 2


def test_the_parser_tells_what_it_read() -> None:
    parser = AGENT.parser(Path("x"))
    assert isinstance(parser, Tells)
    kinds: list[str] = []
    for line in [*lines(turn_of()), b"torn"]:
        parser.feed(1, line)
        kinds.append(parser.kind)
    assert kinds == [
        "session", "message/user", "part/text", "message/assistant", "part/text", "(broken)",
    ]  # fmt: skip
    assert parser.version == "1.18.33"
    # The session and its conversation are not counted.
    assert parser.made == len(parser.take()) - 2 == parser.made


@given(st.sets(st.integers(1, 40)), st.integers(0, 2**32))
def test_a_parser_may_be_replaced_between_any_two_lines(restarts: set[int], seed: int) -> None:
    rows = lines(row for row in steps() if SESSION in (row.row["id"], row.row.get("session_id")))
    chance = random.Random(seed)
    said = [*rows, *chance.choices(rows, k=5)]
    whole, again = read(said), read(said, restarts)
    assert (whole.outcomes, whole.by_id) == (again.outcomes, again.by_id)
