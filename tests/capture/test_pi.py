"""Pi's sessions: the lines of one, what becomes of them, and a real one that is counted."""

import json
import random
import shutil
from collections import Counter
from collections.abc import Iterable
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capture.content import Content, content_of_file, differences
from capture.inprocess import InProcess
from capture.instance import json_of, status_of
from capture.parsing import of, read_lines, sources_row
from steno.capture.agent import Outcome
from steno.capture.pi import AGENT
from steno_schema.records import AnyRecord, Message, Session, Turn, Usage
from support.running import RunningDaemon

SET = "pi/badlogic+pi-mono"
SESSION = "01a2b3c4-0000-7000-8000-000000000001"
FORK = "01a2b3c5-0000-7000-8000-000000000002"
FOLDER = "/home/ada/shop"


def name_of(session: str) -> str:
    return f"2026-09-21T13-00-00-000Z_{session}.jsonl"


def line(second: int, type_: str = "message", **fields: Any) -> bytes:
    """Return an entry of a moment; without ``message`` it is one of another type."""
    stamp = f"2026-09-21T13:{second // 60:02}:{second % 60:02}.000Z"
    entry = {"type": type_, "id": f"{second:08x}", "parentId": None, "timestamp": stamp}
    return json.dumps(entry | fields).encode() + b"\n"


def header(session: str = SESSION, second: int = 0, **fields: Any) -> bytes:
    return line(second, "session", id=session, version=3, cwd=FOLDER, **fields)


def said(second: int, role: str, text: str = "", **fields: Any) -> bytes:
    content = [{"type": "text", "text": text}] if text else []
    message = {"role": role, "content": content, "timestamp": 1790000000000 + second}
    return line(second, message=message | fields)


def answer(second: int, text: str, reason: str = "stop", **fields: Any) -> bytes:
    used = {"input": 10, "output": 5, "cacheRead": 100, "cacheWrite": 20, "totalTokens": 135}
    cost = {"input": 0.1, "output": 0.2, "cacheRead": 0.1, "cacheWrite": 0.1, "total": 0.5}
    more = {"model": "wren-1", "provider": "aviary", "usage": used | {"cost": cost}}
    return said(second, "assistant", text, stopReason=reason, **(more | fields))


CALL = {"type": "toolCall", "id": "call_1", "name": "bash", "arguments": {"command": "ls"}}
THOUGHT = {"type": "thinking", "thinking": "Hm"}
LINES = [
    header(),
    line(1, "model_change", provider="aviary", modelId="wren-1"),
    said(2, "user", "Name the wrens"),
    answer(3, "", "toolUse", content=[THOUGHT, CALL]),
    said(4, "toolResult", "a.py", toolCallId="call_1", toolName="bash", isError=True),
    answer(5, "Two."),
    said(6, "bashExecution", command="ls", output="a.py", exitCode=2),
    said(7, "user", "And owls?"),
    answer(8, "There are", "aborted"),
    line(
        9, "compaction", summary="So far: wrens", tokensBefore=10, usage={"input": 7, "output": 2}
    ),
    said(10, "user", "Go on"),
    answer(11, "", "error", errorMessage="No owls", usage={"input": 0, "output": 0}),
    line(12, "session_info", name="Birds"),
    line(13, "custom_message", customType="x", content="Mind the owls", display=True),
    line(14, "label", targetId="2", label="here"),
]


def read(
    lines: Iterable[bytes], restarts: Iterable[int] = ()
) -> tuple[list[Outcome], dict[str, AnyRecord]]:
    return read_lines(AGENT, Path(name_of(SESSION)), lines, restarts)


def test_a_session_with_everything_in_it() -> None:
    outcomes, records = read(LINES)
    messages, turns, usages = of(Message, records), of(Turn, records), of(Usage, records)
    assert [each.position for each in messages] == sorted(each.position for each in messages)
    assert Outcome.NOT_UNDERSTOOD not in outcomes
    assert [(each.role, each.kind, each.content) for each in messages] == [
        ("user", "text", "Name the wrens"),
        ("assistant", "thinking", "Hm"),
        ("assistant", "tool_call", '{"command": "ls"}'),
        ("tool", "tool_result", "a.py"),
        ("assistant", "text", "Two."),
        ("user", "text", "ls"),
        ("tool", "tool_result", "a.py"),
        ("user", "text", "And owls?"),
        ("assistant", "text", "There are"),
        ("user", "injected", "So far: wrens"),
        ("user", "text", "Go on"),
        ("assistant", "notice", "No owls"),
        ("user", "injected", "Mind the owls"),
    ]
    assert [(each.origin, each.status) for each in turns] == [
        ("human", "completed"), ("shell", "completed"), ("human", "aborted"), ("human", "failed"),
    ]  # fmt: skip
    assert [each.is_error for each in messages if each.role == "tool"] == [True, True]
    assert (messages[2].call_id, messages[3].call_id) == ("call_1", "call_1")
    tokens = usages[0].tokens
    assert (tokens.input, tokens.output, tokens.cache_read, tokens.cache_write) == (10, 5, 100, 20)
    assert usages[0].cost_usd == 0.5
    assert [each.tokens.complete for each in usages] == [True, True, False, True, False]
    assert usages[3].exchange is None
    assert {each.project for each in turns} == {FOLDER}
    (session,) = of(Session, records)
    assert (session.key, session.title, session.project) == (SESSION, "Birds", FOLDER)


def contents(files: dict[str, bytes], order: Iterable[str], folder: Path) -> Content:
    with InProcess(Path(":memory:")) as store:
        for name in order:
            path = folder / name_of(name)
            path.parent.mkdir(exist_ok=True, parents=True)
            path.write_bytes(files[name])
            store.read(path, AGENT)
        return store.content()


def test_a_fork_copies_and_the_first_session_owns(tmp_path: Path) -> None:
    history = b"".join(LINES[1:6])
    forked = header(FORK, 60, parentSession=f"/home/ada/.pi/{name_of(SESSION)}")
    files = {SESSION: header() + history, FORK: forked + history + said(70, "user", "Else?")}
    one, other = (contents(files, order, tmp_path / order[0]) for order in permutations(files))
    assert not differences(one, other)
    assert len(one["exchange"]) == 2
    assert len(one["usage"]) == 2


def test_a_file_brought_to_another_version_tells_nothing_new(tmp_path: Path) -> None:
    """Entries had no ids before, and are written anew with them."""

    def older(data: bytes) -> bytes:
        entry = json.loads(data)
        return (
            json.dumps(
                {name: entry[name] for name in entry if name not in {"id", "parentId"}}
            ).encode()
            + b"\n"
        )

    first = header().replace(b'"version": 3, ', b"") + b"".join(older(each) for each in LINES[1:])
    path = tmp_path / name_of(SESSION)
    with InProcess(Path(":memory:")) as store:
        path.write_bytes(first)
        store.read(path, AGENT)
        before = store.content()
        path.write_bytes(b"".join(LINES))
        store.read(path, AGENT)
        assert store.status()["pi"]["files_replaced"] == 1
        assert not differences(before, store.content())


@given(st.lists(st.sampled_from(LINES), max_size=12), st.sets(st.integers(1, 13)))
def test_a_parser_may_be_replaced_between_any_two_lines(
    lines: list[bytes], restarts: set[int]
) -> None:
    assert read(lines) == read(lines, restarts)


HOSTILE = [
    b"{", b"[]", b"\xff\xfe", b'{"type":"session"}', b'{"type":"hologram"}', b'{"type":"message"}',
    b'{"type":"message","message":{"role":"narrator"}}',
    b'{"type":"message","message":{"role":"user","content":7}}',
    b'{"type":"message","timestamp":7,"message":{"role":"user"}}',
]  # fmt: skip


@pytest.mark.parametrize("hostile", HOSTILE)
def test_what_is_not_understood_harms_nothing(hostile: bytes) -> None:
    outcomes, records = read([*LINES[:3], hostile, *LINES[3:]])
    assert outcomes[3] is Outcome.NOT_UNDERSTOOD
    assert len(of(Message, records)) == len(of(Message, read(LINES)[1]))
    assert read([hostile])[0] == [Outcome.NOT_UNDERSTOOD]


def test_numbers_that_cannot_be_are_cut() -> None:
    used = {"input": -5, "output": 2**60, "cost": {"total": -1e300}}
    (usage,) = of(Usage, read([header(), said(1, "user", "Hi"), answer(2, "x", usage=used)])[1])
    assert (usage.tokens.input, usage.tokens.output, usage.cost_usd) == (0, 2**53, None)


# A real session, through a real daemon


def counted(path: Path) -> Counter[str]:
    """Count what is there, by the rules of the format alone."""
    found = Counter[str]()
    for data in path.read_bytes().splitlines():
        message = json.loads(data).get("message") or {}
        found[message.get("role", "")] += 1
        for block in message.get("content") or ():
            found["tool_calls"] += block["type"] == "toolCall"
        for name, field in (("input", "input"), ("output", "output"),
                            ("cache_read", "cacheRead"), ("cache_write", "cacheWrite")):  # fmt: skip
            found[name] += message.get("usage", {}).get(field, 0)
        found["microdollars"] += round(
            message.get("usage", {}).get("cost", {}).get("total", 0) * 10**6
        )
    return found


def test_a_real_session_is_counted_as_it_is_known(
    shared_transcripts: Path, tmp_path: Path
) -> None:
    source = shared_transcripts / SET / "large-session.jsonl"
    truth = counted(source)
    known = sources_row(shared_transcripts, SET)
    assert known == (truth["user"], truth["assistant"], truth["tool_calls"])
    folder = tmp_path / "sessions" / "--home-ada-shop--"
    folder.mkdir(parents=True)
    path = folder / "2025-11-20T23-33-50-805Z_d703a1a9-1b7b-4fb1-b512-c9738b1fe617.jsonl"
    shutil.copyfile(source, path)
    daemon = RunningDaemon(tmp_path / "home", environ={"PI_CODING_AGENT_DIR": str(tmp_path)})
    daemon.start()
    try:
        daemon.captured()
        status = status_of(daemon)
        costs = json_of(daemon, "sql", "SELECT sum(cost_usd) AS usd FROM cost_tracking")
        path.unlink()
        daemon.captured()
        assert daemon.steno("rederive", "capture").returncode == 0
    finally:
        daemon.stop()
    ours = {name: status[name] for name in ("human_prompts", "model_calls", "tool_calls")}
    assert tuple(ours.values()) == known
    for field in ("input", "output", "cache_read", "cache_write"):
        assert status["tokens"][field] == truth[field]
    assert abs(costs[0]["usd"] * 10**6 - truth["microdollars"]) < known[1]
    assert status["lines_not_understood"] == 0
    with InProcess(Path(":memory:")) as store:
        chance = random.Random(1)
        data, path = source.read_bytes(), tmp_path / path.name
        while data:
            size = chance.randrange(1, 200_000)
            with path.open("ab") as file:
                file.write(data[:size])
            data = data[size:]
            store.read(path, AGENT)
            if chance.random() < 0.3:
                store.restart()
        assert not differences(store.content(), content_of_file(daemon.database))
