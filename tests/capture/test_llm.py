"""llm's log: both generations of its tables, read whole or as they grow, come to the same."""

import json
import os
import random
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capture.content import Content, content_of_file, differences
from capture.inprocess import InProcess
from capture.instance import json_of, status_of
from capture.llm_rows import BEGAN_MS, NEWER, Logged, text, ulid, when
from steno.capture.agent import Outcome, Tells
from steno.capture.llm import AGENT
from steno.capture.llm_calls import tokens_of
from steno.capture.llm_times import microseconds_of
from steno.capture.llm_wire import CALL
from steno.errors import Unreachable
from steno_schema.records import AnyRecord
from support.running import RunningDaemon

SETS = ("llm/generated-with-llm-0.36", "llm/generated-upgraded-0.27-to-0.36")
ONE, TWO = "conversation-one", "conversation-two"

Rows = list[tuple[Any, ...]]


def calls(log: Logged) -> list[Callable[[], object]]:
    """Everything that happens in a log, in order; each step is what one command would write."""

    def asks_a_tool() -> None:
        key = log.response(40, "Add them", "", TWO)
        log.insert(
            "tool_calls", id=1, response_id=key, name="add", arguments={"a": 1}, tool_call_id="t1"
        )
        key = log.response(50, "", "It is 1.", TWO)
        log.insert(
            "tool_results", id=1, response_id=key, name="add", output="1", tool_call_id="t1"
        )

    def uses_a_fragment() -> None:
        log.insert(
            "fragments", id=7, hash="f7", content="All wrens.", datetime_utc="2026-09-21 13:00:00"
        )
        key = log.response(20, "Which of these?", "Two.", ONE, system="Be brief", reasoning="Hm")
        log.insert("prompt_fragments", response_id=key, fragment_id=7, order=0)

    def goes_on() -> None:
        log.connection.executescript(NEWER)
        log.message("h1", None, "user", text("Name the wrens"))
        log.message("h2", "h1", "assistant", text("There are many."))
        pieces = {"text_ref": [{"fragment": 7}, {"literal": "\nAnd owls?"}]}
        log.message("h3", "h2", "user", {"type": "text", "payload": pieces})
        called = {"name": "count", "arguments": {"of": "owls"}, "tool_call_id": "t2"}
        log.message("h4", "h3", "assistant", {"type": "reasoning", "text": "Hm"},
                    {"type": "tool_call", "tool_name": "count", "payload": called})  # fmt: skip
        log.turn(70, ONE, "h3", "h4")
        result = {"name": "count", "output": "3", "tool_call_id": "t2", "exception": "Boom"}
        log.message("h5", "h4", "tool", {"type": "tool_result", "payload": result})
        log.message("h6", "h5", "assistant", text("Three."))
        log.turn(80, ONE, "h5", "h6", resolved_model="wren-1")

    def begins_anew() -> None:
        log.message("s1", None, "system", text("Be brief"))
        log.message("s2", "s1", "user", text("Hello"))
        log.message("s3", "s2", "assistant", text("Hi."))
        log.turn(90, "thread-three", "s2", "s3")

    return [
        lambda: log.response(10, "Name the wrens", "There are many.", ONE),
        uses_a_fragment, asks_a_tool, goes_on, begins_anew,
    ]  # fmt: skip


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Logged]:
    made = Logged(tmp_path / "llm" / "logs.db")
    yield made
    made.close()


def settle(log: Logged) -> None:
    past = log.path.stat().st_mtime_ns - 10**9
    os.utime(log.path, ns=(past, past))


def content(log: Logged) -> Content:
    settle(log)
    with InProcess(Path(":memory:")) as known:
        known.rescan(log.path.parent, AGENT)
        return known.content()


SHOWN = """
SELECT p.content, coalesce(o.content, ''), e.model, e.input_tokens, e.output_tokens
FROM exchange AS e JOIN message AS p ON p.id = e.prompt_id LEFT JOIN message AS o ON o.id = e.output_id
ORDER BY e.created_at
"""
SAID = """
SELECT role, m.kind, content, tool_name, call_id, is_error FROM message AS m
JOIN conversation AS c ON c.id = m.conversation_id WHERE c.key = ? ORDER BY position
"""


def test_calls_of_both_generations(log: Logged) -> None:
    for step in calls(log):
        step()
    settle(log)
    with InProcess(Path(":memory:")) as known:
        known.rescan(log.path.parent, AGENT)
        shown: Rows = known.rows(SHOWN)
        assert shown == [
            ("Name the wrens", "There are many.", "wren", 10, 4),
            ("Which of these?", "Two.", "wren", 10, 4),
            ("Add them", "It is 1.", "wren", 20, 8),
            ("And owls?", "Three.", "wren-1", 20, 8),
            ("Hello", "Hi.", "wren", 10, 4),
        ]
        assert known.rows(SAID, (ONE,)) == [
            ("user", "injected", "All wrens.", None, None, 0),
            ("user", "text", "Name the wrens", None, None, 0),
            ("assistant", "text", "There are many.", None, None, 0),
            ("system", "injected", "Be brief", None, None, 0),
            ("user", "text", "Which of these?", None, None, 0),
            ("assistant", "thinking", "Hm", None, None, 0),
            ("assistant", "text", "Two.", None, None, 0),
            ("user", "text", "And owls?", None, None, 0),
            ("assistant", "thinking", "Hm", None, None, 0),
            ("assistant", "tool_call", '{"of":"owls"}', "count", "t2", 0),
            ("tool", "tool_result", "3", "count", "t2", 1),
            ("assistant", "text", "Three.", None, None, 0),
        ]
        assert known.rows(SAID, (TWO,))[1:3] == [
            ("assistant", "tool_call", '{"a": 1}', "add", "t1", 0),
            ("tool", "tool_result", "1", "add", "t1", 0),
        ]
        sessions = known.rows("SELECT key, title, started_at - ?, last_active_at - ? FROM session"
                              " ORDER BY key", (BEGAN_MS, BEGAN_MS))  # fmt: skip
        assert sessions == [
            (ONE, "Name the wrens", 10, 85), (TWO, "Add them", 40, 55), ("thread-three", "Thread", 90, 95),
        ]  # fmt: skip
        times = known.rows("SELECT response_time_ms FROM exchange ORDER BY created_at")
        assert times == [(5,), (5,), (15,), (15,), (5,)]
        # A system text belongs to the prompt it came with, though it stands before it.
        assert known.rows("SELECT e.prompt_id = p.id FROM message AS s JOIN exchange AS e ON"
                          " e.id = s.exchange_id JOIN message AS p ON p.content = 'Which of these?'"
                          " WHERE s.role = 'system' AND s.conversation_id = p.conversation_id"
                          ) == [(1,)]  # fmt: skip
        assert known.status()["llm"]["lines_not_understood"] == 0


@pytest.mark.parametrize("seed", range(int(os.environ.get("STENO_TEST_SEEDS", "4"))))
def test_whenever_it_is_read_as_it_grows(seed: int, log: Logged, tmp_path: Path) -> None:
    chance = random.Random(seed)
    with InProcess(Path(":memory:")) as known:
        for step in calls(log):
            step()
            settle(log)
            known.fault = lambda _: chance.choice([None, None, "drop", "lose"])
            try:
                known.rescan(log.path.parent, AGENT)
            except Unreachable:
                known.restart()
        known.fault = lambda _: None
        known.rescan(log.path.parent, AGENT)
        assert not differences(content(log), known.content())


def test_a_call_under_both_generations_is_one(log: Logged) -> None:
    log.connection.executescript(NEWER)
    log.response(10, "Hello", "Hi.", ONE)
    before = content(log)
    log.message("h1", None, "user", text("Hello"))
    log.message("h2", "h1", "assistant", text("Hi."))
    log.turn(10, ONE, "h1", "h2")
    assert len(before["usage"]) == 1
    assert not differences(before, content(log))


def test_prompts_without_a_text_of_their_own(log: Logged) -> None:
    log.insert("fragments", id=3, hash="f3", content="A novel", datetime_utc="2026-09-21 13:00:00")
    key = log.response(10, "", "Long.", ONE)
    log.insert("prompt_fragments", response_id=key, fragment_id=3, order=0)
    key = log.response(20, "", "A bird.", TWO)
    log.insert("attachments", id="a1", type="image/png", content=b"\x89PNG")
    log.insert("prompt_attachments", response_id=key, attachment_id="a1", order=0)
    settle(log)
    with InProcess(Path(":memory:")) as known:
        known.rescan(log.path.parent, AGENT)
        assert [row[0] for row in known.rows(SHOWN)] == ["[fragment 3]", "[image/png]"]


def test_chains_that_run_in_a_ring_end(log: Logged) -> None:
    log.connection.executescript(NEWER)
    log.message("h1", "h2", "user", text("Round"))
    log.message("h2", "h1", "user", text("and round"))
    log.turn(10, ONE, "h1", "nowhere")
    assert len(content(log)["exchange"]) == 1


def test_another_programs_database_is_told_of(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "logs.db")) as other:
        other.execute("CREATE TABLE others (id)")
    past = (tmp_path / "logs.db").stat().st_mtime_ns - 10**9
    os.utime(tmp_path / "logs.db", ns=(past, past))
    with InProcess(Path(":memory:")) as known:
        known.rescan(tmp_path, AGENT)
        assert [file["state"] for file in known.files()] == ["unreadable"]


@pytest.mark.parametrize(
    ("details", "counts"),
    [
        ({}, (100, 50, 0, 0, 0)),
        ({"prompt_tokens_details": {"cached_tokens": 60}}, (40, 50, 60, 0, 0)),
        ({"input_tokens_details": {"cached_tokens": 60}}, (40, 50, 60, 0, 0)),
        ({"completion_tokens_details": {"reasoning_tokens": 30}}, (100, 50, 0, 0, 30)),
        ({"output_tokens_details": {"reasoning_tokens": 30}}, (100, 50, 0, 0, 30)),
        ({"cache_read_input_tokens": 7, "cache_creation_input_tokens": 9}, (100, 50, 7, 9, 0)),
        ({"cachedContentTokenCount": 60, "thoughtsTokenCount": 30}, (40, 50, 60, 0, 30)),
        ({"prompt_tokens_details": {"cached_tokens": 999}}, (0, 50, 100, 0, 0)),
        ({"prompt_tokens_details": {"cached_tokens": -5}}, (100, 50, 0, 0, 0)),
    ],
)
def test_what_providers_tell_of_tokens(details: dict[str, Any], counts: tuple[int, ...]) -> None:
    row = {"id": "a", "input_tokens": 100, "output_tokens": 50, "token_details": details}
    found = tokens_of(CALL.decode(json.dumps(row)))
    assert found.complete
    assert (
        found.input,
        found.output,
        found.cache_read,
        found.cache_write,
        found.reasoning,
    ) == counts
    assert not tokens_of(CALL.decode(b'{"id":"a"}')).complete


def test_times_come_from_the_column_or_the_id() -> None:
    assert microseconds_of(when(7), "") == (BEGAN_MS + 7) * 1000 + 250
    assert microseconds_of(None, ulid(7)) == (BEGAN_MS + 7) * 1000
    assert microseconds_of("2026-11-20 15:25:14.864075+00:00", "") % 10**6 == 864075
    for bad in ("", "yesterday", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59"):
        assert microseconds_of(bad, "no ulid") == 0


LINES = [
    b'{"table":"conversations","row":{"id":"c","name":"Wrens"}}',
    b'{"table":"responses","row":{"id":"r1","prompt":"Hello","response":"Hi.","datetime_utc":"2026-01-02"}}',
    b'{"table":"responses","row":{"id":"r2","prompt":"","response":"More"},"tool_results":[{"output":[1]}]}',
    b'{"table":"fragments","row":{"id":1,"content":"Text"}}',
    b'{"$gone":["turns/r1"]}',
]
HOSTILE = [
    b"{", b"[]", b"\xff", b'{"table":"embeddings","row":{}}', b'{"table":"responses","row":{"id":""}}',
    b'{"table":"responses","row":{"id":"r","prompt":7}}', b'{"table":"turns","row":{"id":"r"},"input":7}',
    b'{"table":"conversations","row":{"id":"' + b"x" * 600 + b'"}}',
]  # fmt: skip


def read(lines: list[bytes], restarts: set[int]) -> tuple[list[Outcome], dict[str, AnyRecord]]:
    parser = AGENT.parser(Path("logs.db/c"))
    assert isinstance(parser, Tells)
    outcomes: list[Outcome] = []
    made: list[AnyRecord] = []
    for number, line in enumerate(lines):
        if number in restarts:
            made += parser.take()
            parser = AGENT.parser(Path("logs.db/c"), parser.state())
        outcomes.append(parser.feed(number + 1, line))
    return outcomes, {record.id: record for record in [*made, *parser.take()]}


@given(st.lists(st.sampled_from([*LINES, *HOSTILE]), max_size=12), st.sets(st.integers(0, 12)))
def test_a_parser_may_be_replaced_between_any_two_lines(
    lines: list[bytes], restarts: set[int]
) -> None:
    whole, again = read([LINES[0], *lines], set()), read([LINES[0], *lines], restarts)
    assert whole == again


@pytest.mark.parametrize("line", HOSTILE)
def test_what_is_not_understood_harms_nothing(line: bytes) -> None:
    outcomes, records = read([*LINES[:2], line, *LINES[2:]], set())
    assert outcomes[2] is Outcome.NOT_UNDERSTOOD
    assert records == read(LINES, set())[1]
    assert read([line], set())[0] == [Outcome.NOT_UNDERSTOOD]


# Real logs, through a real daemon


def counted(path: Path) -> dict[str, int]:
    """Count by the tables alone what a log says it holds."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)) as connection:
        columns = "count(*), coalesce(sum(input_tokens), 0), coalesce(sum(output_tokens), 0)"
        rows = [connection.execute(f"SELECT {columns} FROM {table}").fetchone()
                for table in ("responses", "turns")]  # fmt: skip
    return dict(
        zip(("human_prompts", "input", "output"), map(sum, zip(*rows, strict=True)), strict=True)
    )


@pytest.mark.parametrize("name", SETS)
def test_a_set_is_counted_as_it_is_known_and_can_be_derived_again(
    name: str, shared_transcripts: Path, tmp_path: Path
) -> None:
    source, folder = shared_transcripts / name / "logs.db", tmp_path / "llm"
    folder.mkdir()
    shutil.copyfile(source, folder / "logs.db")
    daemon = RunningDaemon(tmp_path / "home", environ={"LLM_USER_PATH": str(folder)})
    daemon.start()
    try:
        daemon.captured()
        status = status_of(daemon)
        ours = {"human_prompts": status["human_prompts"]}
        ours |= {field: status["tokens"][field] for field in ("input", "output")}
        assert ours == counted(source)
        assert status["human_prompts"] == status["model_calls"] == status["assistant_messages"]
        assert status["lines_not_understood"] == 0
        prompts = {item["prompt"] for item in json_of(daemon, "list", "--limit", "50")["items"]}
        assert {"hello there", "follow up", "with system"} <= prompts
        assert os.listdir(folder) == ["logs.db"]
        (folder / "logs.db").unlink()
        daemon.captured()
        assert daemon.steno("rederive", "capture").returncode == 0
    finally:
        daemon.stop()
    shutil.copyfile(source, folder / "logs.db")
    with InProcess(Path(":memory:")) as known:
        known.rescan(folder, AGENT)
        assert not differences(known.content(), content_of_file(daemon.database))
