"""What the Qwen Code parser makes of lines: who said what, in which turn, at what price."""

import json
from collections.abc import Container
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capture.build import append
from capture.codex_lines import Kept
from capture.content import differences
from capture.inprocess import QWEN, InProcess
from steno.capture.agent import Outcome, Tells
from steno.capture.qwen import AGENT
from steno_schema.ids import uuid8
from steno_schema.times import format_ms, parse_ms

SESSION = "ae551011-0000-4000-8000-0000000000aa"
FORK = "be551011-0000-4000-8000-0000000000aa"
FOLDER = "/home/ada/shop"
MODEL = "qwen3-coder"
HELPER = "general-purpose-call_9"
START_MS = parse_ms("2026-03-01T10:00:00.000Z")

Json = dict[str, Any]


def line(kind: str, key: str, second: float = 0, **fields: Any) -> Json:
    return {
        "uuid": uuid8("qwen", key), "sessionId": SESSION, "type": kind, "cwd": FOLDER,
        "timestamp": format_ms(START_MS + int(second * 1000)), "version": "0.24.4",
    } | fields  # fmt: skip


def prompt(text: str, second: float, *before: str, **fields: Any) -> Json:
    parts = [{"text": each} for each in (*before, text)]
    message = {"role": "user", "parts": parts}
    return line("user", f"prompt {text}", second, message=message, **fields)


def reply(text: str, second: float, *calls: str, counted: bool = True, **fields: Any) -> Json:
    parts: list[Json] = [{"text": "Hm.", "thought": True}, {"text": text}]
    parts += [{"functionCall": {"id": each, "name": "read_file", "args": {}}} for each in calls]
    usage = {"promptTokenCount": 100, "candidatesTokenCount": 15, "thoughtsTokenCount": 5,
             "cachedContentTokenCount": 60}  # fmt: skip
    told = {"usageMetadata": usage} if counted else {}
    message = {"role": "model", "parts": parts}
    key = f"reply {text}"
    return line("assistant", key, second, message=message, model=MODEL, **(told | fields))


def result(call: str, output: str, second: float, status: str = "success") -> Json:
    response = {"id": call, "name": "read_file", "response": {"output": output}}
    message = {"role": "user", "parts": [{"functionResponse": response}]}
    told = {"callId": call, "status": status}
    return line("tool_result", f"result {call}", second, message=message, toolCallResult=told)


def told(number: int, second: float, *, counted: bool = True, **event: Any) -> Json:
    counts = {"input_token_count": 100, "output_token_count": 15, "thoughts_token_count": 5,
              "cached_content_token_count": 60} if counted else {"input_token_count": 0}  # fmt: skip
    said = {"event.name": "qwen-code.api_response", "response_id": f"r{number}", "model": MODEL}
    payload = {"uiEvent": said | counts | event}
    return line("system", f"told {number}", second, subtype="ui_telemetry", systemPayload=payload)


def system(subtype: str, second: float, **payload: Any) -> Json:
    key = f"{subtype} {payload}"
    return line("system", key, second, subtype=subtype, systemPayload=payload)


def copied(original: Json) -> Json:
    source = {"sessionId": SESSION, "messageUuid": original["uuid"]}
    return original | {"uuid": uuid8("copy", original["uuid"]), "sessionId": FORK} | {
        "forkedFrom": source,
    }  # fmt: skip


def lines(*objects: Json) -> bytes:
    return b"".join(json.dumps(each).encode() + b"\n" for each in objects)


def read(*objects: Json, restarts: Container[int] = ()) -> Kept:
    kept, path = Kept(), Path(f"/none/projects/-shop/chats/{SESSION}.jsonl")
    parser = AGENT.parser(path)
    for number, data in enumerate(lines(*objects).splitlines(), 1):
        kept.outcomes.append(parser.feed(number, data))
        if number in restarts:
            kept.add(parser.take())
            parser = AGENT.parser(path, parser.state())
    kept.add(parser.take())
    return kept


def said(kept: Kept) -> list[tuple[str, str, str]]:
    return [(each.role, each.kind, each.content) for each in kept.messages]


def statuses(kept: Kept) -> list[str]:
    return [turn.status for turn in kept.turns]


STORY = [
    prompt("Name the wrens", 1),
    told(1, 2),
    reply("I look.", 2, "call_1"),
    result("call_1", "def total(): ...", 3),
    told(2, 4),
    reply("Two.", 4),
]


def test_a_turn_with_a_tool_and_its_answer() -> None:
    kept = read(*STORY)
    assert said(kept) == [
        ("user", "text", "Name the wrens"),
        ("assistant", "thinking", "Hm."),
        ("assistant", "text", "I look."),
        ("assistant", "tool_call", "{}"),
        ("tool", "tool_result", "def total(): ..."),
        ("assistant", "thinking", "Hm."),
        ("assistant", "text", "Two."),
    ]
    (turn,), (session,) = kept.turns, kept.sessions
    assert (turn.origin, turn.status, turn.project) == ("human", "completed", FOLDER)
    assert {each.exchange for each in kept.usages} == {turn.id}
    assert (session.key, session.project, session.metadata) == (
        SESSION, FOLDER, {"version": "0.24.4"},
    )  # fmt: skip
    used = kept.usages[0]
    assert (used.model, used.request_id, used.tokens.input) == (MODEL, "r1", 40)
    assert (used.tokens.output, used.tokens.cache_read, used.tokens.reasoning) == (15, 60, 5)
    assert len(kept.usages) == 2


def test_counts_beside_a_reply_count_where_no_request_is_told_of() -> None:
    kept = read(prompt("Ask", 1), reply("Two.", 2))
    (used,) = kept.usages
    assert (used.tokens.input, used.tokens.output, used.tokens.complete) == (40, 15, True)


def test_requests_for_other_ends_belong_to_no_turn() -> None:
    background: Json = {"subagent_name": "managed-x", "subagent_id": "managed-x-1"}
    helper: Json = {"subagent_name": "general-purpose", "subagent_id": HELPER}
    kept = read(
        *STORY, told(3, 5, **background), told(4, 6, prompt_id="compress-1"), told(5, 7, **helper)
    )
    assert [used.exchange is not None for used in kept.usages] == [True, True, False, False, False]
    assert {used.conversation for used in kept.usages} == {SESSION, f"{SESSION}/{HELPER}"}
    kinds = {thread.key: (thread.kind, thread.parent) for thread in kept.conversations}
    assert kinds == {SESSION: ("main", None), f"{SESSION}/{HELPER}": ("subagent", SESSION)}


def test_a_sub_agents_file_is_a_conversation_and_not_counted() -> None:
    inside: Json = {"agentId": HELPER, "agentName": "general-purpose", "isSidechain": True}
    kept = read(prompt("Count the files", 1, **inside), reply("Three.", 2, **inside))
    (thread,) = kept.conversations
    assert (thread.key, thread.session) == (f"{SESSION}/{HELPER}", SESSION)
    assert (kept.turns, kept.usages) == ([], [])
    assert said(kept)[0] == ("user", "injected", "Count the files")


def test_what_the_agent_says_in_a_persons_name_is_no_prompt() -> None:
    kept = read(
        prompt("Go on", 1, "<system-reminder>restored</system-reminder>"),
        prompt("<task-notification>", 2, subtype="notification"),
        prompt("Also the finches", 3, subtype="mid_turn_user_message"),
        prompt("Look\n--- Content from referenced files ---\nx", 4),
        system("slash_command", 5, phase="invocation", rawCommand="/compress"),
        system("slash_command", 6, phase="result", rawCommand="/compress"),
    )
    assert kept.prompts == ["Go on", "Also the finches", "Look", "/compress"]
    assert [turn.origin for turn in kept.turns] == ["human", "queued", "human", "command"]
    assert len(kept.contents("injected")) == 3


def test_a_command_that_is_sent_is_one_turn() -> None:
    command = system("slash_command", 1, phase="invocation", rawCommand="/init", sentToModel=True)
    kept = read(
        command, prompt("Analyse the folder and write …", 2), told(1, 3), reply("Done.", 3)
    )
    (turn,) = kept.turns
    assert (kept.prompts, turn.origin) == (["/init"], "command")
    assert {used.exchange for used in kept.usages} == {turn.id}


def test_how_a_turn_ends() -> None:
    event: Json = {"event.name": "qwen-code.api_error"}
    refused = told(9, 2, **event)
    assert statuses(read(prompt("Ask", 1))) == ["completed"]
    assert statuses(read(prompt("Ask", 1), refused)) == ["failed"]
    assert statuses(read(prompt("Ask", 1), refused, told(1, 3), reply("Two.", 3))) == ["completed"]
    assert statuses(read(prompt("Ask", 1), prompt("More", 2))) == ["aborted", "completed"]
    half = reply("Tw", 9, counted=False)
    assert statuses(read(*STORY, prompt("More", 8), half)) == ["completed", "aborted"]


def test_a_call_that_was_cut_is_not_counted_as_complete() -> None:
    half = reply("Tw", 9, counted=False)
    newer = read(*STORY, prompt("More", 8), half)
    assert [used.tokens.complete for used in newer.usages] == [True, True, False]
    older = read(*STORY, prompt("More", 8), told(3, 9, counted=False), half)
    assert [used.tokens.complete for used in older.usages] == [True, True, False]
    killed = read(*STORY, prompt("More", 8), prompt("Again", 9))
    assert [used.tokens.complete for used in killed.usages] == [True, True, False]
    stopped = result("call_1", "stopped", 3, status="cancelled")
    by_hand = read(*STORY[:3], stopped, prompt("More", 8))
    assert [used.tokens.complete for used in by_hand.usages] == [True]


def test_titles_and_summaries_are_kept() -> None:
    summary = [{"role": "user", "parts": [{"text": "What was said"}]}]
    kept = read(
        *STORY,
        system("chat_compression", 6, compressedHistory=summary),
        system("custom_title", 7, customTitle="Wrens"),
    )
    assert kept.contents("injected") == ["What was said"]
    assert kept.sessions[0].title == "Wrens"


def test_a_fork_copies_and_the_original_owns(tmp_path: Path) -> None:
    chats = tmp_path / "-shop" / "chats"
    original, fork = chats / f"{SESSION}.jsonl", chats / f"{FORK}.jsonl"
    append(original, lines(*STORY))
    more = [prompt("More", 9), told(3, 9), reply("Three.", 9)]
    append(fork, lines(*map(copied, STORY), *(each | {"sessionId": FORK} for each in more)))
    contents = []
    for order in ([original, fork], [fork, original]):
        with InProcess(Path(":memory:")) as store:
            for path in order:
                store.read(path, QWEN)
            contents.append(store.content())
    assert not differences(contents[0], contents[1])
    assert len(contents[0]["exchange"]) == 2
    assert len(contents[0]["usage"]) == 3
    assert {row[1] for row in contents[0]["usage"]} == {SESSION, FORK}
    forked = {row[1]: json.loads(row[-1]).get("forked_from") for row in contents[0]["session"]}
    assert forked == {SESSION: None, FORK: SESSION}


def test_a_type_that_is_new_is_not_understood() -> None:
    kept = read(system("session_notes", 1), system("never_heard_of", 2), line("video", "v"))
    assert kept.outcomes == [Outcome.SKIPPED, Outcome.NOT_UNDERSTOOD, Outcome.NOT_UNDERSTOOD]


HOSTILE: list[Any] = [
    None, 1, [], {}, "x", {"uuid": 1}, {"uuid": "a"}, {"uuid": "a", "type": "user"},
    {"uuid": "a", "type": "user", "message": 1}, {"uuid": "", "type": "user"},
    {"uuid": "a", "type": "assistant", "message": {"parts": [1]}, "timestamp": "never"},
    {"uuid": "a", "type": "system", "subtype": "ui_telemetry", "systemPayload": {"uiEvent": 1}},
    {"uuid": "a", "type": "assistant", "usageMetadata": {"promptTokenCount": 10**30}},
    {"uuid": "a", "type": "tool_result", "message": {"parts": {"functionResponse": {}}}},
]  # fmt: skip


@given(st.lists(st.sampled_from(range(len(HOSTILE))), max_size=6), st.binary(max_size=40))
def test_no_line_makes_the_parser_fail(chosen: list[int], noise: bytes) -> None:
    parser = AGENT.parser(Path("x.jsonl"))
    data = [json.dumps(HOSTILE[index]).encode() for index in chosen]
    for number, each in enumerate([*data, noise, *lines(*STORY).splitlines()], 1):
        parser.feed(number, each)
    assert any(getattr(each, "content", "") == "Name the wrens" for each in parser.take())


def test_the_parser_tells_what_it_read() -> None:
    parser = AGENT.parser(Path("x.jsonl"))
    assert isinstance(parser, Tells)
    kinds: list[tuple[str, str | None]] = []
    for number, each in enumerate(lines(*STORY[:3]).splitlines(), 1):
        parser.feed(number, each)
        kinds.append((parser.kind, parser.version))
    assert [kind for kind, _ in kinds] == ["user", "system/ui_telemetry", "assistant"]
    assert {version for _, version in kinds} == {"0.24.4"}


@given(st.sets(st.integers(1, 12)))
def test_a_parser_may_be_replaced_between_any_two_lines(restarts: set[int]) -> None:
    command = system("slash_command", 6, phase="invocation", rawCommand="/init", sentToModel=True)
    story = [*STORY, prompt("More", 5), reply("Tw", 5, counted=False), command, prompt("Long", 7),
             told(3, 8), reply("Done.", 8), prompt("Last", 9)]  # fmt: skip
    assert read(*story, restarts=restarts).by_id == read(*story).by_id


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        (f"-shop/chats/{SESSION}.jsonl", True),
        (f"-shop/chats/{SESSION}.runtime.json", False),
        (f"-shop/subagents/{SESSION}/agent-{HELPER}.jsonl", True),
        (f"-shop/subagents/{SESSION}/agent-{HELPER}.jsonl.stream", False),
        (f"-shop/subagents/{SESSION}/agent-{HELPER}.meta.json", False),
        ("-shop/meta.json", False),
    ],
)
def test_sessions_are_told_by_their_names(path: str, wanted: bool) -> None:
    assert AGENT.is_transcript(Path("/home/ada/.qwen/projects") / path) is wanted


def test_the_folder_is_where_its_variables_say() -> None:
    home = {"HOME": "/home/ada"}
    assert AGENT.roots(home) == [Path("/home/ada/.qwen/projects")]
    assert AGENT.roots(home | {"QWEN_HOME": "/q"}) == [Path("/q/projects")]
    both = home | {"QWEN_HOME": "/q", "QWEN_RUNTIME_DIR": "/r"}
    assert AGENT.roots(both) == [Path("/r/projects")]
