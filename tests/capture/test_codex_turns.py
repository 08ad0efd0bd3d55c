"""Which prompts, turns and tokens the Codex parser finds, each of them once."""

import pytest

from capture.codex_lines import (
    OTHER,
    SESSION,
    Kept,
    at,
    bare,
    counts,
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
from steno.capture.agent import Outcome, position
from steno_schema.records import Tokens, Turn

RECORDS, SKIPPED = Outcome.RECORDS, Outcome.SKIPPED


# Prompts


@pytest.mark.parametrize(
    ("lines", "prompts"),
    [
        ([message("user", "One"), user_event("One")], ["One"]),
        ([user_event("One"), message("user", "One")], ["One"]),
        ([user_event("One")], ["One"]),
        ([marked("One"), user_completed("One")], ["One"]),
        ([marked("One"), user_event("One"), user_completed("One")], ["One"]),
        ([message("user", "One"), user_event("One"), user_completed("One")], ["One"]),
        ([message("user", "y"), user_event("y")] * 2, ["y", "y"]),
        ([message("user", "<image>\nLook\n</image>"), user_event("Look")], ["Look"]),
        ([marked("<image>\nLook"), user_completed("Look")], ["<image>\nLook"]),
        ([message("user", "Goal"), message("user", "One"), user_event("One")], ["One"]),
        ([message("user", "One"), user_event("One"), message("user", "Goal"),
          message("assistant", "Yes")], ["One"]),
        ([user_event("Warning: long thread"), message("user", "Goal"),
          message("assistant", "Yes")], []),
        ([marked("Goal", kind="goal.context")], []),
        ([message("user", "<environment_context>"), message("user", " # AGENTS.md instructions")],
         []),
    ],
)  # fmt: skip
def test_what_a_person_wrote(lines: list[bytes], prompts: list[str]) -> None:
    assert read([meta(), *lines]).prompts == prompts


def test_an_item_that_no_event_speaks_of_is_injected() -> None:
    lines = [
        message("user", "One"), user_event("One"), message("user", "Goal"), token_count((9, 0, 1, 0)),
        message("assistant", "Yes"),
    ]  # fmt: skip
    kept = read([meta(), *lines])
    goal = next(m for m in kept.messages if m.content == "Goal")
    assert (goal.role, goal.kind) == ("user", "injected")
    assert goal.position == position(4)


def test_an_event_tells_a_prompt_without_what_its_item_puts_around_an_image() -> None:
    content = [{"type": "input_text", "text": text} for text in ("<image>", "Look ", "here")]
    lines = [item(type="message", role="user", content=content), user_event("Look here")]
    assert read([meta(), *lines]).contents("text") == ["Look here"]
    assert len(read([meta(), *lines]).messages) == 1


def test_a_file_without_events_is_taken_at_its_items_word() -> None:
    lines = [meta(), message("user", "One", 1), message("assistant", "Yes", 2)]
    kept = read(lines)
    assert kept.prompts == ["One"]
    later = read([*lines, message("user", "Two", 3), user_event("Two", 3)])
    assert later.prompts == ["Two"]
    assert [r.withdrawn for r in later.by_id.values() if isinstance(r, Turn)] == [True, False]


def test_a_file_from_before_0_32() -> None:
    lines = [
        bare(id=SESSION, timestamp=at(0), instructions=None, git={"branch": "main"}),
        bare(record_type="state"),
        bare(type="message", role="user", content=[{"type": "input_text", "text": "One"}]),
        bare(record_type="state"),
        bare(type="function_call", name="shell", arguments="{}", call_id="c", id=None),
        bare(type="message", role="assistant", content=[{"type": "output_text", "text": "Yes"}]),
    ]
    kept = read(lines)
    assert kept.prompts == ["One"]
    assert kept.contents("text") == ["One", "Yes"]
    assert [turn.created_at for turn in kept.turns] == [at(0)]
    assert kept.outcomes == [RECORDS, SKIPPED, RECORDS, SKIPPED, RECORDS, RECORDS]


# Turns


def statuses(kept: Kept) -> list[tuple[str | None, str]]:
    return [(kept.prompt_of(turn.id), turn.status) for turn in kept.turns]


def prompt(text: str) -> list[bytes]:
    return [message("user", text), user_event(text)]


START, END = event("task_started"), event("task_complete")


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([*prompt("a")], ["completed"]),
        ([*prompt("a"), event("turn_aborted", reason="interrupted")], ["aborted"]),
        ([*prompt("a"), event("turn_aborted"), *prompt("a")], ["aborted", "completed"]),
        ([START, *prompt("a")], ["running"]),
        ([START, *prompt("a"), END], ["completed"]),
        ([START, *prompt("a"), event("task_complete", error=None)], ["completed"]),
        ([START, *prompt("a"), event("task_complete", error={"message": "no"})], ["failed"]),
        ([START, *prompt("a"), event("turn_aborted")], ["aborted"]),
        ([START, *prompt("a"), event("turn_aborted"), END], ["aborted"]),
        ([START, *prompt("a"), START, *prompt("b"), END], ["aborted", "completed"]),
        ([START, *prompt("a"), *prompt("b")], ["completed", "running"]),
    ],
)
def test_how_a_turn_ended(lines: list[bytes], expected: list[str]) -> None:
    assert [status for _, status in statuses(read([meta(), *lines]))] == expected


def test_what_comes_between_a_task_and_its_prompt_belongs_to_no_turn() -> None:
    kept = read(
        [
            meta(), START, *prompt("a"), usage_record("r1", (5, 0, 1, 0)), END,
            START, usage_record("compaction", (6, 0, 1, 0)), *prompt("b"),
            usage_record("r2", (7, 0, 1, 0)), END,
        ]
    )  # fmt: skip
    assert [kept.prompt_of(usage.exchange) for usage in kept.usages] == ["a", None, "b"]


# Tokens


def test_input_is_split_into_what_was_cached_written_and_neither() -> None:
    usage = counts((3018, 2011, 103, 0)) | {"cache_write_input_tokens": 305}
    payload = {"response_id": "resp_1", "usage": usage}
    (made,) = read([meta(), line("token_usage_record", payload)]).usages
    assert made.tokens == Tokens(input=702, cache_read=2011, cache_write=305, output=103)


@pytest.mark.parametrize(
    ("lines", "steps"),
    [
        ([token_count((10, 4, 2, 1)), token_count((30, 9, 5, 1))], [10, 20]),
        ([token_count((10, 4, 2, 1))] * 2, [10]),
        ([event("token_count", info=None), token_count((10, 4, 2, 1))], [10]),
        ([event("token_count"), token_count((0, 0, 0, 0))], []),
        # A resume in the same file: the total begins again.
        ([token_count((10, 4, 2, 1)), token_count((7, 0, 1, 0))], [10, 7]),
        # An event was lost: the total knows more than the last request.
        ([token_count((10, 4, 2, 1)), token_count((30, 9, 5, 1), last=(5, 0, 1, 0))], [10, 20]),
        # The exact record stands before the total that includes it.
        ([usage_record("r", (10, 4, 2, 1)), token_count((10, 4, 2, 1))], [10]),
        ([token_count((9, 0, 1, 0)), usage_record("r", (10, 4, 2, 1)),
          token_count((19, 4, 3, 1))], [9, 10]),
        ([usage_record("r", (10, 4, 2, 1), thread_id=OTHER)], []),
        ([usage_record("r", (10, 4, 2, 1), thread_id=SESSION)] * 2, [10]),
    ],
)  # fmt: skip
def test_every_request_is_counted_once(lines: list[bytes], steps: list[int]) -> None:
    kept = read([meta(), *lines])
    assert [usage.tokens.input + usage.tokens.cache_read for usage in kept.usages] == steps


def fork(*own: bytes) -> Kept:
    """A fork whose first lines are the other thread's, stamped within a second."""
    copied = [
        meta(OTHER, 6),
        line("turn_context", {"model": "gpt-5-codex"}, 6.1),
        message("user", "Old", 6.1),
        user_event("Old", 6.1),
        token_count((100, 80, 9, 0), 6.9),
        meta("019c0000-eeee-7eee-8eee-eeeeeeeeeeee", 7),
        event("something_new", 7.2),
    ]
    return read([meta(second=0), *copied, *own])


def test_copied_history_is_not_kept_again() -> None:
    kept = fork(message("user", "New", 20), user_event("New", 20), message("assistant", "Yes", 20))
    assert kept.prompts == ["New"]
    assert kept.contents("text") == ["New", "Yes"]
    assert kept.messages[-1].model == "gpt-5-codex"
    (session,) = kept.sessions
    assert session.key == SESSION
    assert session.metadata is not None
    assert session.metadata["forked_from"] == OTHER
    assert kept.outcomes[2:8] == [SKIPPED] * 6


@pytest.mark.parametrize(
    ("total", "last", "step"),
    [
        ((30, 10, 2, 0), (30, 10, 2, 0), 30),  # the counter started again
        ((130, 90, 11, 0), (30, 10, 2, 0), 30),  # it went on
        ((130, 90, 11, 0), (130, 90, 11, 0), 130),  # started again and already beyond
        ((30, 10, 2, 0), (5, 1, 1, 0), 30),  # started again, and an event was lost
    ],
)
def test_a_fork_counts_only_its_own(
    total: tuple[int, ...], last: tuple[int, ...], step: int
) -> None:
    (usage,) = fork(token_count(total, 20, last=last)).usages
    assert usage.tokens.input + usage.tokens.cache_read == step


def test_a_copy_that_kept_its_times_is_a_copy_all_along() -> None:
    lines = [meta(second=500), meta(OTHER, 10), user_event("Old", 90), user_event("New", 600)]
    assert read(lines).prompts == ["New"]
