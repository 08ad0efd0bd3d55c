"""Queued prompts, sub-agents and forks in Claude Code's lines."""

from pathlib import Path
from typing import Any

import pytest

from capture.claude_fixtures import (
    FILE,
    FORK,
    SESSION,
    Merged,
    assistant,
    line,
    queue,
    queued,
    read,
    text,
    tool_result,
    tool_use,
    user,
)
from steno.capture.agent import Outcome
from steno_schema.records import Conversation, Message, Session, Turn, Usage

WORK = [user("u1", "work"), assistant("a1", "m1", text("working"))]
SUBAGENT = FILE.with_suffix("") / "subagents" / "agent-a9c0.jsonl"


def queued_prompts(merged: Merged) -> list[str]:
    by_id = {message.id: message.content for message in merged.of(Message)}
    return [
        by_id[turn.prompt_message]
        for turn in merged.of(Turn)
        if turn.origin == "queued" and not turn.withdrawn
    ]


def test_a_removed_prompt_is_a_turn_of_its_own() -> None:
    lines = [
        *WORK,
        queue("enqueue", "tests too?"),
        queue("remove"),
        assistant("a2", "m2", text("go")),
    ]
    merged = read(lines)
    assert queued_prompts(merged) == ["tests too?"]
    running, steered = merged.of(Turn)
    said = {message.content: message.exchange for message in merged.of(Message)}
    assert said["tests too?"] == steered.id
    assert said["go"] == running.id
    assert merged.outcomes[2:4] == [Outcome.SKIPPED, Outcome.RECORDS]


@pytest.mark.parametrize(
    "lines",
    [
        [queue("enqueue", "x y"), queue("dequeue"), user("u2", "x y")],
        [queue("enqueue", "x y"), queue("popAll"), queue("remove")],
        [queue("enqueue", "work"), queue("remove")],
        [queue("enqueue", "/model"), queue("remove")],
        [queue("enqueue", "<task-notification>"), queue("remove")],
        [queue("enqueue", " "), queue("remove")],
        [queue("enqueue"), queue("remove")],
        [queue("remove")],
        [queued("q1", "<task-notification>")],
        [queued("q1", "done", commandMode="task-notification")],
        [queued("q1", "work")],
        [queued("q1", {"odd": 1})],
    ],
)
def test_what_is_no_prompt_of_the_queue(lines: list[dict[str, Any]]) -> None:
    assert queued_prompts(read([*WORK, *lines])) == []


def test_a_prompt_in_line_and_attachment_counts_once() -> None:
    lines = [
        *WORK,
        queue("enqueue", "tests too?"),
        queue("remove"),
        queued("q1", [text("tests too? ")]),
    ]
    assert len(queued_prompts(read(lines))) == 1
    assert queued_prompts(read([*WORK, queued("q1", "a"), queued("q2", "b")])) == ["a", "b"]


def test_the_same_words_queued_twice_are_two_prompts() -> None:
    twice = [queue("enqueue", "go on"), queue("remove")] * 2
    assert queued_prompts(read([*WORK, *twice])) == ["go on", "go on"]


def test_a_line_that_names_the_prompt_takes_that_one_out() -> None:
    lines = [queue("enqueue", "a"), queue("enqueue", "b"), queue("remove", "b"), queue("dequeue")]
    assert queued_prompts(read([*WORK, *lines])) == ["b"]


def test_a_queued_prompt_that_becomes_a_record_is_withdrawn() -> None:
    lines = [*WORK, queue("enqueue", "and tests"), queue("remove"), user("u2", " and tests")]
    merged = read(lines)
    assert queued_prompts(merged) == []
    assert [(turn.origin, turn.withdrawn) for turn in merged.of(Turn)] == [
        ("human", False),
        ("queued", True),
        ("human", False),
    ]


def test_a_subagents_file_is_a_child_conversation_without_turns() -> None:
    common: dict[str, Any] = {"isSidechain": True, "agentId": "a9c0"}
    merged = read(
        [
            user("u1", "count the files", **common),
            assistant("a1", "m1", tool_use("t1", command="ls"), **common),
            user("u2", [tool_result("t1", "a")], **common),
            user("u3", "[Request interrupted by user]", **common),
            queued("q1", "more"),
        ],
        SUBAGENT,
    )
    (conversation,) = merged.of(Conversation)
    assert (conversation.key, conversation.parent, conversation.kind) == (
        f"{SESSION}/a9c0",
        SESSION,
        "subagent",
    )
    assert merged.of(Turn) == []
    assert {message.conversation for message in merged.of(Message)} == {conversation.key}
    assert {message.exchange for message in merged.of(Message)} == {None}
    assert merged.of(Message)[0].kind == "injected"
    (usage,) = merged.of(Usage)
    assert (usage.conversation, usage.exchange, usage.nested) == (conversation.key, None, False)
    (session,) = merged.of(Session)
    assert (session.key, session.project) == (SESSION, None)


def test_a_sidechain_inside_the_sessions_file() -> None:
    merged = read([*WORK, user("u2", "sub task", isSidechain=True)])
    assert [turn.origin for turn in merged.of(Turn)] == ["human"]
    assert merged.of(Message)[-1].conversation == f"{SESSION}/sidechain"


def progress(uuid: str, inner: dict[str, Any]) -> dict[str, Any]:
    data = {"type": "agent_progress", "agentId": "a9c0", "message": inner}
    return line("progress", uuid=uuid, data=data)


def test_messages_nested_in_progress_are_told_apart() -> None:
    inner = assistant("n1", "m9", tool_use("t9", "Read", file_path="x"))
    lines = [
        *WORK,
        progress("p0", user("n0", "sub task")),
        progress("p1", inner),
        progress("p2", user("n2", [tool_result("t9", "content")])),
    ]
    merged = read(lines)
    task, call, result = merged.of(Message)[2:]
    assert [task.kind, call.kind, result.kind] == ["injected", "tool_call", "tool_result"]
    for message in (task, call, result):
        assert message.conversation == f"{SESSION}/a9c0"
        assert message.metadata == {"nested": True}
        assert message.exchange is None
    main, nested = merged.of(Usage)
    assert (main.nested, nested.nested) == (False, True)

    own = {"isSidechain": True, "agentId": "a9c0"}
    read([assistant("n1", "m9", tool_use("t9", "Read"), **own)], SUBAGENT, into=merged)
    assert [usage.nested for usage in merged.of(Usage)] == [False, False]
    assert {m.id: m.metadata for m in merged.of(Message)}[call.id] is None


def fork_lines(*, names_origin: bool) -> list[dict[str, Any]]:
    """Two sessions' files as a fork asked for with its first prompt leaves the second one."""
    there: dict[str, Any] = {"sessionId": FORK}
    copy = {**there, "requestSessionId": SESSION} if names_origin else there
    return [
        line("mode", mode="normal", timestamp=None, **there),
        queue("enqueue", "in the fork", timestamp="2026-03-01T11:00:00.000Z", **there),
        queue("dequeue", timestamp="2026-03-01T11:00:00.001Z", **there),
        user("u1", "work", **there),
        assistant("a1", "m1", tool_use("t1", command="ls"), **copy),
        user("u2", [tool_result("t1", "a")], **there),
        queued("q1", "steered") | there,
        assistant("a2", "m2", text("worked"), **copy),
        user("u3", "in the fork", timestamp="2026-03-01T11:00:00.300Z", **there),
        assistant("a3", "m3", text("forked"), timestamp="2026-03-01T11:00:02.000Z", **there),
    ]


@pytest.mark.parametrize("names_origin", [True, False])
def test_a_fork_marks_what_it_copied(names_origin: bool) -> None:
    merged = read(fork_lines(names_origin=names_origin), Path("p") / f"{FORK}.jsonl")
    copied = [message.copied for message in merged.of(Message)]
    assert copied == [True, True, True, True, True, False, False]
    assert [turn.copied for turn in merged.of(Turn)] == [True, True, False]
    assert [usage.copied for usage in merged.of(Usage)] == [True, True, False]
    (session,) = merged.of(Session)
    assert session.started_at == "2026-03-01T11:00:00.000Z"
    assert (session.metadata or {}).get("forked_from") == (SESSION if names_origin else None)


def test_a_fork_without_a_queue_line_is_known_by_its_replies() -> None:
    lines = [one for one in fork_lines(names_origin=True) if one["type"] != "queue-operation"]
    merged = read(lines, Path("p") / f"{FORK}.jsonl")
    assert [turn.copied for turn in merged.of(Turn) if turn.origin == "human"] == [True, False]
    replies = [message for message in merged.of(Message) if message.role != "user"]
    assert [message.copied for message in replies] == [True, True, True, False]


def test_a_fork_and_its_origin_count_once() -> None:
    origin = [
        user("u1", "work"),
        assistant("a1", "m1", tool_use("t1", command="ls")),
        user("u2", [tool_result("t1", "a")]),
        queued("q1", "steered"),
        assistant("a2", "m2", text("worked")),
    ]
    merged = read(origin)
    read(fork_lines(names_origin=True), Path("p") / f"{FORK}.jsonl", into=merged)
    assert [turn.origin for turn in merged.of(Turn)] == ["human", "queued", "human"]
    assert len(merged.of(Usage)) == 3
    owners = {message.content: message.conversation for message in merged.of(Message)}
    assert (owners["work"], owners["worked"]) == (SESSION, SESSION)
    assert owners["in the fork"] == FORK


def test_an_ordinary_first_prompt_is_no_copy() -> None:
    lines = [
        queue("enqueue", "work", timestamp="2026-03-01T10:00:00.000Z"),
        queue("dequeue", timestamp="2026-03-01T10:00:00.001Z"),
        user("u1", "work", timestamp="2026-03-01T10:00:00.040Z"),
        assistant("a1", "m1", text("done"), timestamp="2026-03-01T09:59:59.000Z"),
    ]
    merged = read(lines)
    assert [turn.copied for turn in merged.of(Turn)] == [False]
    assert [message.copied for message in merged.of(Message)] == [False, False]


def test_the_copy_made_before_compaction() -> None:
    side: dict[str, Any] = {"isSidechain": True, "agentId": "acompact-1"}
    lines = [
        user("u1", "work", **side),
        assistant("a1", "m1", text("working"), output=99, **side),
        assistant("a9", "m9", text("<summary>"), **side),
    ]
    merged = read(WORK)
    read(lines, FILE.with_suffix("") / "subagents" / "agent-acompact-1.jsonl", into=merged)
    assert [turn.copied for turn in merged.of(Turn)] == [False]
    first, reply, summary = merged.of(Message)
    assert (first.conversation, reply.conversation) == (SESSION, SESSION)
    assert (summary.copied, summary.conversation) == (True, f"{SESSION}/acompact-1")
    spent = {usage.tokens.output: usage.conversation for usage in merged.of(Usage)}
    assert spent == {99: SESSION, 20: f"{SESSION}/acompact-1"}
