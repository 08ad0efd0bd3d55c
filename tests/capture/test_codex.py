"""What the Codex parser makes of each kind of line."""

from pathlib import Path
from typing import Any

import pytest

from capture.codex_lines import (
    FILE,
    OTHER,
    SESSION,
    at,
    bare,
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
from steno.capture.codex import AGENT
from steno_schema.limits import CAPTURED_TEXT_MAX_CHARS
from steno_schema.records import Message, Tokens

RECORDS, SKIPPED, LOST = Outcome.RECORDS, Outcome.SKIPPED, Outcome.NOT_UNDERSTOOD


def test_a_session_of_today() -> None:
    kept = read(
        [
            meta(
                cli_version="0.169.0", originator="codex_exec", session_id=SESSION,
                git={"branch": "main"}, source="exec",
            ),
            event("task_started", 1, turn_id="t1"),
            message("developer", "You are Codex.", 1),
            marked("<environment_context>", 1, "environments.environment_context"),
            line("turn_context", {"model": "gpt-6.1-sol", "cwd": "/home/dev/shop/sub"}, 1),
            marked("List the files.", 2),
            user_completed("List the files.", 2),
            item(3, type="reasoning", id="rs_1", summary=[{"type": "summary_text", "text": "Hm"}]),
            event("item_completed", 3, item={"type": "AgentMessage", "content": []}),
            message("assistant", "I will.", 3, id="msg_1"),
            item(4, type="custom_tool_call", call_id="call_1", name="exec", input="ls"),
            usage_record("resp_1", (3018, 2011, 103, 7), 4),
            item(5, type="custom_tool_call_output", call_id="call_1",
                 output=[{"type": "input_text", "text": "a"}, {"type": "input_text", "text": "b"}]),
            token_count((3018, 2011, 103, 7), 5),
            event("task_complete", 6, turn_id="t1", last_agent_message="I will."),
        ]
    )  # fmt: skip
    (session,), (conversation,), (turn,) = kept.sessions, kept.conversations, kept.turns
    assert (session.key, session.agent, session.project) == (SESSION, "codex", "/home/dev/shop")
    assert (session.started_at, session.last_active_at) == (at(0), at(6))
    assert session.metadata == {
        "version": "0.169.0",
        "originator": "codex_exec",
        "source": "exec",
        "git_branch": "main",
    }
    assert (conversation.key, conversation.session) == (SESSION, SESSION)
    assert (turn.status, turn.project, turn.origin) == ("completed", "/home/dev/shop/sub", "human")
    assert [(m.role, m.kind, m.content) for m in kept.messages] == [
        ("system", "injected", "You are Codex."),
        ("user", "injected", "<environment_context>"),
        ("user", "text", "List the files."),
        ("assistant", "thinking", "Hm"),
        ("assistant", "text", "I will."),
        ("assistant", "tool_call", "ls"),
        ("tool", "tool_result", "a\nb"),
    ]
    assert [m.exchange for m in kept.messages] == [None, None] + [turn.id] * 5
    call, result = kept.messages[-2:]
    assert (call.tool_name, call.call_id, result.call_id) == ("exec", "call_1", "call_1")
    assert (call.model, call.created_at, call.position) == ("gpt-6.1-sol", at(4), position(11))
    (usage,) = kept.usages
    assert usage.tokens == Tokens(input=1007, cache_read=2011, output=103, reasoning=7)
    assert (usage.exchange, usage.model) == (turn.id, "gpt-6.1-sol")
    assert (usage.request_id, usage.recorded_at) == ("resp_1", at(4))
    assert kept.outcomes.count(LOST) == 0


def test_what_a_record_names_comes_before_it() -> None:
    order = read([meta(), message("user", "One"), user_event("One")]).order
    assert [type(record).__name__ for record in order] == [
        "Session",
        "Conversation",
        "Message",
        "Turn",
    ]


def test_a_subagents_thread_is_a_conversation_of_its_root() -> None:
    spawned = {"subagent": {"thread_spawn": {"parent_thread_id": "parent", "depth": 2}}}
    head = meta(session_id="root", source=spawned, agent_nickname="Peirce")
    task = item(1, type="agent_message", content=[{"type": "input_text", "text": "Count."}])
    kept = read([head, task, message("assistant", "3", 1), usage_record("r", (5, 0, 1, 0), 2)])
    (session,), (conversation,) = kept.sessions, kept.conversations
    assert (session.key, session.last_active_at, session.metadata) == ("root", None, None)
    assert (conversation.key, conversation.session) == (SESSION, "root")
    assert (conversation.parent, conversation.kind) == ("parent", "subagent")
    assert conversation.metadata is not None
    assert conversation.metadata["agent_nickname"] == "Peirce"
    assert {(m.session, m.conversation) for m in kept.messages} == {("root", SESSION)}
    assert [m.kind for m in kept.messages] == ["injected", "text"]
    assert kept.usages[0].session == "root"
    assert AGENT.parser(FILE).session is None


# Items


@pytest.mark.parametrize(
    ("output", "text", "failed"),
    [
        ("Plan updated", "Plan updated", False),
        ("Exit code: 0\nWall time: 0 s\nOutput:\nfine", None, False),
        ("Exit code: 2\nWall time: 0 s\nOutput:\n", None, True),
        ("Chunk ID: 1\nProcess exited with code 1\nOutput:\n", None, True),
        ("Chunk ID: 1\nProcess exited with code 0\nOutput:\nExit code: 3", None, False),
        ("failed in sandbox X with execution error: denied, exit code: 1, stdout: ", None, True),
        ("The log says exit code: 1", None, False),
        ('{"output":"no","metadata":{"exit_code":128,"duration_seconds":0.1}}', "no", True),
        ('{"output":"ok","metadata":{"exit_code":0}}', "ok", False),
        ('{"output":5}', '{"output":5}', False),
        ({"content": "no", "success": False}, "no", True),
        ({"content": "ok", "success": True}, "ok", False),
        ([{"type": "input_text", "text": "a"}, {"type": "input_image", "image_url": "x"}], "a",
         False),
        (None, "", False),
    ],
)  # fmt: skip
def test_outputs_of_tools(output: Any, text: str | None, failed: bool) -> None:
    lines = [meta(), item(type="function_call_output", call_id="c", output=output)]
    (result,) = read(lines).messages
    assert (result.role, result.kind, result.call_id) == ("tool", "tool_result", "c")
    assert (result.content, result.is_error) == (output if text is None else text, failed)


@pytest.mark.parametrize(
    ("call", "name", "content"),
    [
        ({"type": "function_call", "name": "shell", "arguments": '{"a":1}'}, "shell", '{"a":1}'),
        ({"type": "custom_tool_call", "name": "exec", "input": "x"}, "exec", "x"),
        ({"type": "local_shell_call", "action": {"type": "exec"}}, "local_shell",
         '{"type": "exec"}'),
        ({"type": "web_search_call", "status": "completed"}, "web_search", ""),
        ({"type": "tool_search_call", "arguments": {"q": 1}}, "tool_search", '{"q": 1}'),
        ({"type": "image_generation_call", "revised_prompt": "A cat"}, "image_generation",
         "A cat"),
    ],
)  # fmt: skip
def test_calls_of_tools(call: dict[str, Any], name: str, content: str) -> None:
    kept = read([meta(), item(**call), item(**call)])
    assert [(m.kind, m.tool_name, m.content) for m in kept.messages] == [
        ("tool_call", name, content)
    ] * 2


def test_a_call_and_its_output_are_found_again_by_their_id() -> None:
    call = item(type="function_call", name="shell", arguments="{}", call_id="c")
    output = item(type="function_call_output", call_id="c", output="x")
    assert len(read([meta(), call, output, call, output]).messages) == 2


@pytest.mark.parametrize(
    "data",
    [
        item(type="reasoning", summary=[], encrypted_content="c2VjcmV0"),
        item(type="ghost_snapshot", ghost_commit={}),
        message("assistant", ""),
        event("agent_message", message="again"),
        event("agent_reasoning", text="again"),
        event("exec_command_end", exit_code=0, stdout="x"),
        event("item_completed", item={"type": "CommandExecution", "command": ["ls"]}),
        line("compacted", {"message": "", "replacement_history": [{"type": "message"}]}),
        line("world_state", {"full": True}),
        line("turn_context", {"model": "m"}),
        meta(),
    ],
)
def test_known_lines_that_carry_nothing(data: bytes) -> None:
    kept = read([meta(), data])
    assert kept.outcomes == [RECORDS, SKIPPED]
    assert kept.messages == []


WHOLE = message("assistant", "Yes")


@pytest.mark.parametrize(
    ("data", "outcome", "texts"),
    [
        (line("hologram", {}), LOST, []),
        (item(type="hologram"), LOST, []),
        (event("hologram"), LOST, []),
        (event("item_completed", item={"type": "Hologram"}), LOST, []),
        (message("oracle", "x"), LOST, []),
        (message("assistant", "half \ud83d"), RECORDS, ["half \ufffd"]),
        (WHOLE.replace(b"Yes", b"\xff"), RECORDS, ["\ufffd"]),
        (b'{"timestamp":"2026', LOST, []),
        (b"[1]", LOST, []),
        (b"\xff\xfe", LOST, []),
        (b'{"type":"response_item","payload":' + b"[" * 5000 + b"]" * 5000 + b"}", LOST, []),
        (WHOLE[:60] + WHOLE, LOST, ["Yes"]),
        (WHOLE + b" " + WHOLE, RECORDS, ["Yes", "Yes"]),
        (event("agent_message") * 2, SKIPPED, []),
        (WHOLE.replace(b"2026", b"x", 1), RECORDS, ["Yes"]),
        # What a torn line holds of an item is not an item of the form before 0.32.
        (b'{"payload":' + bare(type="message", role="assistant", content="No"), LOST, []),
    ],
)
def test_lines_that_are_broken_or_unknown(data: bytes, outcome: Outcome, texts: list[str]) -> None:
    kept = read([meta(), data, WHOLE])
    assert kept.outcomes[1:] == [outcome, RECORDS]
    assert kept.contents("text") == [*texts, "Yes"]


def test_a_thread_is_named_by_its_file_where_its_head_is_gone() -> None:
    kept = read([WHOLE, user_event("One")])
    assert [session.key for session in kept.sessions] == [SESSION]
    assert read([WHOLE], path=Path("/x/rollout-odd.jsonl")).sessions[0].key == "rollout-odd"
    assert read([WHOLE], path=Path("/x/rollout-\udcff.jsonl")).sessions[0].key == "rollout-?"


def test_a_session_without_a_usable_id_is_not_understood() -> None:
    assert read([meta(""), meta("x" * 501), meta()]).outcomes == [LOST, LOST, RECORDS]


def test_a_long_text_is_cut() -> None:
    lines = [meta(), message("assistant", "x" * (CAPTURED_TEXT_MAX_CHARS + 5))]
    assert [len(text) for text in read(lines).contents("text")] == [CAPTURED_TEXT_MAX_CHARS]


def test_the_latest_time_is_known_as_the_file_writes_it() -> None:
    parser = AGENT.parser(FILE)
    for number, data in enumerate([meta(second=1), WHOLE, event("warning", 9), WHOLE], 1):
        parser.feed(number, data)
    assert (parser.session, parser.last_event_at) == (SESSION, at(9))
    assert parser.take()
    again = AGENT.parser(FILE, parser.state())
    assert again.take() == []
    assert (again.session, again.last_event_at) == (SESSION, at(9))


def test_a_state_of_something_else_is_refused() -> None:
    with pytest.raises(ValueError):
        AGENT.parser(FILE, b"\xc1")


def test_an_id_that_repeats_in_another_session_is_another_message() -> None:
    def only(session: str) -> Message:
        return read([meta(session), message("assistant", "Yes", id="msg_1")]).messages[0]

    assert only(SESSION).id != only(OTHER).id


def test_an_item_with_an_id_is_the_same_wherever_it_stands() -> None:
    prompt, reply = message("user", "One", id="m1"), message("assistant", "Yes", id="m2")
    here = read([meta(), prompt, user_event("One"), reply])
    there = read([meta(), WHOLE, prompt, user_event("One"), reply])
    assert set(here.by_id) <= set(there.by_id)


# The agent


def test_roots_are_the_two_folders_or_the_whole_home(tmp_path: Path) -> None:
    codex_home = tmp_path / ".codex"
    assert list(AGENT.roots({"HOME": str(tmp_path)})) == [codex_home]
    (codex_home / "sessions").mkdir(parents=True)
    both = [codex_home / "sessions", codex_home / "archived_sessions"]
    assert list(AGENT.roots({"HOME": str(tmp_path)})) == both
    assert AGENT.variables == ("CODEX_HOME",)
    assert list(AGENT.roots({"HOME": "/none", "CODEX_HOME": str(codex_home)})) == both


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (FILE.name, True),
        (f"{SESSION}.jsonl", True),
        (f"{FILE.name}.zst", True),
        ("history.jsonl", False),
        ("session_index.jsonl", False),
        ("rollout-2025-01-01.json", False),
        ("state_5.sqlite", False),
    ],
)
def test_rollouts_are_known_by_name(name: str, expected: bool) -> None:
    assert AGENT.is_transcript(Path("/any") / name) is expected
