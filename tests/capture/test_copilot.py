"""Copilot CLI's sessions: the events of one, what becomes of them, and real ones that are counted."""

import json
import shutil
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capture.content import content_of_file, differences
from capture.inprocess import InProcess
from capture.instance import json_of, status_of
from capture.parsing import of, read_lines, sources_row
from steno.capture.agent import Outcome
from steno.capture.copilot import AGENT
from steno_schema.records import AnyRecord, Conversation, Message, Session, Turn, Usage
from support.running import RunningDaemon

SET = "copilot/EntityProcess+agentv"
SESSION = "01a2b3c4-0000-4000-8000-000000000001"
PATH = Path("session-state") / SESSION / "events.jsonl"
FOLDER = "/home/ada/shop"


def event(second: int, type_: str, agent: str | None = None, **data: Any) -> bytes:
    stamp = f"2026-09-21T13:{second // 60:02}:{second % 60:02}.000Z"
    entry: dict[str, Any] = {"type": type_, "data": data, "id": f"event-{second}"}
    entry |= {"timestamp": stamp, "parentId": f"event-{second - 1}"}
    return json.dumps(entry | ({"agentId": agent} if agent else {})).encode() + b"\n"


def answer(second: int, text: str, *tools: str, agent: str | None = None, **data: Any) -> bytes:
    asked = [
        {"toolCallId": tool, "name": "bash", "arguments": {"command": "ls"}} for tool in tools
    ]
    known = {"messageId": f"m{second}", "model": "wren-1", "content": text, "outputTokens": 10}
    return event(second, "assistant.message", agent, **(known | {"toolRequests": asked} | data))


def shutdown(second: int, **used: int) -> bytes:
    metrics = {"wren-1": {"requests": {"count": 3, "cost": 1}, "usage": used}}
    return event(second, "session.shutdown", shutdownType="routine", modelMetrics=metrics)


LINES = [
    event(0, "session.start", sessionId=SESSION, copilotVersion="1.0.64", selectedModel="wren-0",
          context={"cwd": FOLDER, "branch": "main"}),
    event(1, "system.message", role="system", content="You are a helper"),
    event(2, "user.message", content="Name the wrens", transformedContent="<now> Name the wrens",
          parentAgentTaskId="t1"),
    event(3, "hook.start", hookType="userPromptSubmitted", input={"prompt": "Name the wrens"}),
    answer(4, "I count.", "call-1", "call-2", reasoningText="Hm"),
    event(5, "tool.execution_start", toolCallId="call-1", toolName="bash", arguments={}),
    event(6, "tool.execution_complete", toolCallId="call-1", success=True, result={"content": "a.py"}),
    event(7, "tool.execution_complete", toolCallId="call-2", success=False, error={"message": "No"}),
    event(8, "user.message", agent="sub", content="Count them"),
    answer(9, "Two", agent="sub"),
    answer(10, "Two wrens."),
    event(11, "user.message", content="A skill speaks", source="skill-birds"),
    event(12, "session.model_change", newModel="wren-2"),
    event(13, "user.message", content="And owls?"),
    answer(14, "Let me see.", "call-3", model=None),
    event(15, "abort", reason="user_initiated"),
    shutdown(16, inputTokens=500, outputTokens=37, cacheReadTokens=300, cacheWriteTokens=50,
             reasoningTokens=20),
    event(17, "session.resume", context={"cwd": "/elsewhere"}),
    event(18, "user.message", content="Go on"),
    event(19, "session.error", errorType="query", message="No owls"),
    event(20, "session.compaction_complete", summaryContent="So far: wrens",
          compactionTokensUsed={"input": 30, "output": 5, "cachedInput": 10}),
    shutdown(21, inputTokens=90, outputTokens=4, cacheReadTokens=0),
]  # fmt: skip


def read(
    lines: Iterable[bytes], restarts: Iterable[int] = ()
) -> tuple[list[Outcome], dict[str, AnyRecord]]:
    return read_lines(AGENT, PATH, lines, restarts)


def test_a_session_with_everything_in_it() -> None:
    outcomes, records = read(LINES)
    messages, turns = of(Message, records), of(Turn, records)
    assert Outcome.NOT_UNDERSTOOD not in outcomes
    main = [each for each in messages if each.conversation == SESSION]
    assert [(each.role, each.kind, each.content) for each in main] == [
        ("system", "injected", "You are a helper"),
        ("user", "text", "Name the wrens"),
        ("assistant", "thinking", "Hm"),
        ("assistant", "text", "I count."),
        ("assistant", "tool_call", '{"command":"ls"}'),
        ("assistant", "tool_call", '{"command":"ls"}'),
        ("tool", "tool_result", "a.py"),
        ("tool", "tool_result", "No"),
        ("assistant", "text", "Two wrens."),
        ("user", "injected", "A skill speaks"),
        ("user", "text", "And owls?"),
        ("assistant", "text", "Let me see."),
        ("assistant", "tool_call", '{"command":"ls"}'),
        ("user", "text", "Go on"),
        ("assistant", "notice", "No owls"),
        ("user", "injected", "So far: wrens"),
    ]
    assert [each.is_error for each in main if each.role == "tool"] == [False, True]
    assert [each.status for each in turns] == ["completed", "aborted", "failed"]
    assert {each.project for each in turns} == {FOLDER}
    assert main[11].model == "wren-2"
    session, conversations = of(Session, records)[0], of(Conversation, records)
    assert session.metadata == {"version": "1.0.64", "git_branch": "main"}
    assert {(each.kind, each.parent) for each in conversations} == {
        ("main", None), ("subagent", SESSION),
    }  # fmt: skip
    assert [each.content for each in messages if each.conversation != SESSION] == [
        "Count them",
        "Two",
    ]


def test_what_a_process_used_is_told_once() -> None:
    _, records = read(LINES)
    usages, turns = of(Usage, records), of(Turn, records)
    first, *_, compaction, last = usages
    assert (first.tokens.output, first.tokens.complete) == (10, False)
    # Two answers of this model told 10 each, the sub-agent's told 10: of 37 it is 7 more.
    rest = next(each for each in usages if each.tokens.cache_write)
    assert (rest.tokens.input, rest.tokens.output, rest.tokens.reasoning) == (150, 7, 20)
    assert (rest.tokens.cache_read, rest.tokens.cache_write, rest.exchange) == (300, 50, None)
    assert (compaction.tokens.input, compaction.tokens.cache_read) == (20, 10)
    # A process with one turn: what it used belongs to that.
    assert (last.tokens.input, last.tokens.output, last.exchange) == (90, 4, turns[2].id)
    assert all(each.cost_usd is None for each in usages)


@given(st.lists(st.sampled_from(LINES), max_size=14), st.sets(st.integers(1, 15)))
def test_a_parser_may_be_replaced_between_any_two_lines(
    lines: list[bytes], restarts: set[int]
) -> None:
    assert read(lines) == read(lines, restarts)


HOSTILE = [
    b"{", b"[]", b"\xff\xfe", b'{"type":"hologram"}', b'{"type":"session.hologram"}',
    b'{"type":"user.message","data":7}', b'{"type":"user.message","data":{"content":7}}',
    b'{"type":"assistant.message","data":{"toolRequests":7}}',
    b'{"type":"session.shutdown","data":{"modelMetrics":{"m":{"usage":{"inputTokens":"x"}}}}}',
]  # fmt: skip


@pytest.mark.parametrize("hostile", HOSTILE)
def test_what_is_not_understood_harms_nothing(hostile: bytes) -> None:
    outcomes, records = read([*LINES[:4], hostile, *LINES[4:]])
    assert outcomes[4] is Outcome.NOT_UNDERSTOOD
    assert len(of(Message, records)) == len(of(Message, read(LINES)[1]))
    assert read([hostile])[0] == [Outcome.NOT_UNDERSTOOD]


def test_a_session_without_its_first_line_is_named_by_its_path() -> None:
    for path in (PATH, Path("session-state") / f"{SESSION}.jsonl"):
        assert AGENT.is_transcript(path)
        parser = AGENT.parser(path)
        parser.feed(1, LINES[2].strip())
        assert parser.session == SESSION
    for other in ("events.jsonl", "session-state/x/workspace.yaml", "logs/x.jsonl"):
        assert not AGENT.is_transcript(Path("/home/ada/.copilot") / other)


# Real sessions, through a real daemon


def counted(paths: Iterable[Path]) -> Counter[str]:
    """Count what is there, by the rules of the format alone."""
    found = Counter[str]()
    for path in paths:
        output = Counter[str]()
        for line in path.read_bytes().splitlines():
            known = json.loads(line)
            type_, data = known["type"], known["data"]
            found[type_] += 1
            found["tool_calls"] += len(data.get("toolRequests", ()))
            if type_ == "assistant.message":
                output[data["model"]] += data["outputTokens"]
            for model, metric in data.get("modelMetrics", {}).items():
                found["input"] += metric["usage"]["inputTokens"]
                output[model] = max(output[model], metric["usage"]["outputTokens"])
        found["output"] += output.total()
    return found


def test_a_real_set_is_counted_as_it_is_known_and_can_be_derived_again(
    shared_transcripts: Path, tmp_path: Path
) -> None:
    sources = sorted((shared_transcripts / SET).glob("*.jsonl"))
    truth = counted(sources)
    known = (truth["user.message"], truth["assistant.message"], truth["tool_calls"])
    assert sources_row(shared_transcripts, SET) == known
    folder = tmp_path / "session-state"
    for source in sources:
        (folder / source.stem).mkdir(parents=True)
        shutil.copyfile(source, folder / source.stem / "events.jsonl")
    daemon = RunningDaemon(tmp_path / "home", environ={"COPILOT_HOME": str(tmp_path)})
    daemon.start()
    try:
        daemon.captured()
        status = status_of(daemon)
        shown = json_of(daemon, "list", "--limit", "50")["items"]
        with InProcess(Path(":memory:")) as store:
            store.rescan(folder, AGENT)
            expected = store.content()
        shutil.rmtree(folder)
        daemon.captured()
        assert daemon.steno("rederive", "capture").returncode == 0
    finally:
        daemon.stop()
    assert (status["human_prompts"], status["tool_calls"]) == (known[0], known[2])
    assert status["model_calls"] == known[1] + truth["session.shutdown"]
    assert status["tokens"]["input"] == truth["input"]
    assert status["tokens"]["output"] == truth["output"]
    assert status["lines_not_understood"] == 0
    assert {item["status"] for item in shown} == {"completed", "aborted"}
    assert not differences(expected, content_of_file(daemon.database))
