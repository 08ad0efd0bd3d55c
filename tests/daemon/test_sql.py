"""SQL that people have written already runs on the file, and through the daemon, as it stands."""

import sqlite3
import time
from collections.abc import Iterator
from typing import Any

import pytest

from steno_schema.records import Command, Conversation, ErrorEvent, Message, PatternUsage, Session
from steno_schema.requests import Admin, Append
from steno_schema.times import format_ms
from support.running import RunningDaemon
from support.samples import sample_id
from support.wire import Wire

COLUMNS = {
    "history": "id prompt output timestamp framework_used template_used model tokens cost tags"
    " metadata notes uid",
    "prompts": "id prompt_text session_id prompt_date prompt_category current_file project_phase"
    " response_summary prompt_complexity success_rating follow_up_needed prompt_technique"
    " development_stage response_time_estimate tokens_used_estimate keywords tags files_created"
    " files_modified commands_executed created_at updated_at uid",
    "conversation_threads": "id user_id thread_id title created_at updated_at message_count"
    " metadata uid",
    "conversation_messages": "id thread_id role content created_at metadata model_used"
    " processing_time token_count uid",
    "sessions": "id session_id user_id project_id created_at updated_at last_active_at started_at"
    " ended_at status duration_hours tasks_completed commands_run metadata_json uid",
    "conversations": "id session_id conversation_id title started_at ended_at message_count"
    " summary metadata_json uid",
    "messages": "id conversation_id role content token_count created_at importance_score"
    " is_summarized original_content uid",
    "agent_interactions": "id conversation_id agent_type task_description result_summary"
    " input_tokens output_tokens cost_usd started_at completed_at status uid",
    "routing_decisions": "id conversation_id intent complexity confidence selected_workflow"
    " routing_method decided_at reasoning uid",
    "cost_tracking": "id session_id model input_tokens output_tokens cost_usd recorded_at uid",
    "user_preferences": "user_id preference_key preference_value updated_at uid",
    "learned_patterns": "id pattern_type pattern_key pattern_value occurrence_count"
    " confidence_score first_seen last_seen uid",
    "session_handoffs": "id from_session_id to_session_id summary open_tasks context_json"
    " created_at uid",
    "memory_metrics": "id metric value unit labels_json recorded_at uid",
    "tasks": "id task_id session_id specialist type complexity started_at completed_at"
    " duration_hours estimation_hours created_at uid",
    "commands": "id command executed_at session_id model thinking_budget duration_ms success"
    " created_at uid",
    "errors": "id command severity message context timestamp session_id created_at uid",
    "workflow_state": "id current_task current_command session_id data_json updated_at uid",
    "metadata": "key value updated_at uid",
    "pattern_usage": "id pattern_name task_id session_id time_saved_hours confidence source"
    " created_at uid",
}

NOW_MS = time.time_ns() // 1_000_000
TODAY = format_ms(NOW_MS)
LONG_AGO = "2020-02-03T04:05:06.000Z"
COMMANDS = [
    (f"/do {n}", f"m-{n % 2}", n * 100, f"2026-01-{n + 1:02}T00:00:00.000Z") for n in range(12)
]
PROMPTS = [
    ("alpha", "database", "simple", ["a", "b"], "2026-01-01T23:59:59.999Z"),
    ("beta", "database", "complex", ["a", "b"], "2026-01-02T00:00:00.000Z"),
    ("gamma", "testing", "simple", ["c"], "2026-01-02T12:00:00.000Z"),
]

STATEMENTS: list[tuple[str, tuple[Any, ...], list[tuple[Any, ...]]]] = [
    ("SELECT COUNT(*) FROM sessions;", (), [(2,)]),
    (
        (
            "SELECT command, model, thinking_budget, executed_at FROM commands"
            " ORDER BY executed_at DESC LIMIT 10;"
        ),
        (),
        COMMANDS[:1:-1],
    ),
    (
        (
            "SELECT pattern_name, COUNT(*) AS uses, SUM(time_saved_hours) AS hours_saved"
            " FROM pattern_usage GROUP BY pattern_name ORDER BY hours_saved DESC;"
        ),
        (),
        [("large", 1, 3.0), ("small", 2, 1.0)],
    ),
    (
        (
            "SELECT COUNT(*) AS total, SUM(CASE WHEN severity >= 8 THEN 1 ELSE 0 END) AS critical"
            " FROM errors WHERE datetime(timestamp) >= datetime('now','-24 hours');"
        ),
        (),
        [(3, 2)],
    ),
    (
        (
            "SELECT prompt_category, COUNT(*) AS count FROM prompts GROUP BY prompt_category"
            " ORDER BY count DESC;"
        ),
        (),
        [("database", 2), ("testing", 1)],
    ),
    (
        "SELECT prompt_complexity, COUNT(*) AS count FROM prompts GROUP BY prompt_complexity;",
        (),
        [("complex", 1), ("simple", 2)],
    ),
    (
        (
            "SELECT DATE(created_at) AS date, COUNT(*) AS prompts FROM prompts"
            " GROUP BY DATE(created_at) ORDER BY date DESC;"
        ),
        (),
        [("2026-01-02", 2), ("2026-01-01", 1)],
    ),
    (
        (
            "SELECT keywords, COUNT(*) AS frequency FROM prompts WHERE keywords IS NOT NULL"
            " GROUP BY keywords ORDER BY frequency DESC LIMIT 20;"
        ),
        (),
        [('["a","b"]', 2), ('["c"]', 1)],
    ),
    ("SELECT COUNT(*) FROM conversation_messages;", (), [(8,)]),
    ("PRAGMA journal_mode;   -- wal", (), [("wal",)]),
]
MESSAGES = "SELECT * FROM messages WHERE conversation_id = ? ORDER BY created_at DESC LIMIT ?;"


@pytest.fixture(scope="module")
def known(shared_daemon: RunningDaemon) -> RunningDaemon:
    """The small data set that the expected numbers belong to."""
    records: list[Any] = [
        Session(id=sample_id("s"), key="one", created_at=LONG_AGO),
        Conversation(id=sample_id("c"), key="talk", session="one"),
        *(
            Message(id=sample_id(f"m{n}"), conversation="talk", role="user", content=f"word {n}",
                    created_at=f"2026-01-0{n}T00:00:00Z")
            for n in range(1, 6)
        ),
        *(
            Command(id=sample_id(command), command=command, model=model, thinking_budget=budget,
                    executed_at=at)
            for command, model, budget, at in COMMANDS
        ),
        PatternUsage(id=sample_id("u1"), pattern_name="small", time_saved_hours=0.5),
        PatternUsage(id=sample_id("u2"), pattern_name="small", time_saved_hours=0.5),
        PatternUsage(id=sample_id("u3"), pattern_name="large", time_saved_hours=3),
        *(
            ErrorEvent(id=sample_id(f"e{severity}"), message="no", severity=severity,
                       occurred_at=TODAY)
            for severity in (3, 8, 10)
        ),
        ErrorEvent(id=sample_id("old"), message="no", severity=9, occurred_at=LONG_AGO),
    ]  # fmt: skip
    with shared_daemon.client(spool=False) as client:
        client.request(Append(records=records))
        for prompt, category, complexity, keywords, at in PROMPTS:
            client.history.save(
                prompt, category=category, complexity=complexity, keywords=keywords,
                created_at=at, session="two",
            )  # fmt: skip
        client.request(Admin(action="flush"))
    return shared_daemon


@pytest.fixture
def file(known: RunningDaemon) -> Iterator[sqlite3.Connection]:
    """The database file as any program opens it, read-only, while the daemon runs."""
    connection = sqlite3.connect(f"file:{known.database}?mode=ro", uri=True)
    yield connection
    connection.close()


@pytest.mark.parametrize(("statement", "values", "rows"), STATEMENTS)
def test_statements_run_on_the_file(
    file: sqlite3.Connection, statement: str, values: tuple[Any, ...], rows: list[Any]
) -> None:
    assert file.execute(statement, values).fetchall() == rows


@pytest.mark.parametrize(("statement", "values", "rows"), STATEMENTS)
def test_statements_run_through_the_daemon(
    known: RunningDaemon, statement: str, values: tuple[Any, ...], rows: list[Any]
) -> None:
    with known.client(spool=False) as client:
        assert [tuple(row) for row in client.sql(statement, values).rows] == rows


def test_the_newest_messages_of_a_conversation(
    known: RunningDaemon, file: sqlite3.Connection
) -> None:
    from_file = file.execute(MESSAGES, ("talk", 2)).fetchall()
    with known.client(spool=False) as client:
        table = client.sql(MESSAGES, ["talk", 2])
    assert [tuple(row) for row in table.rows] == from_file
    assert table.columns == COLUMNS["messages"].split()
    assert [row[3] for row in from_file] == ["word 5", "word 4"]


@pytest.mark.parametrize("view", sorted(COLUMNS))
def test_every_view_has_the_columns_people_know(file: sqlite3.Connection, view: str) -> None:
    cursor = file.execute(f"SELECT * FROM {view} LIMIT 0")
    assert [column[0] for column in cursor.description] == COLUMNS[view].split()
    kind = file.execute("SELECT type FROM sqlite_schema WHERE name = ?", (view,)).fetchone()
    assert kind in {("view",), ("table",)}


def test_times_are_text_that_sorts_and_that_date_functions_read(file: sqlite3.Connection) -> None:
    rows = file.execute(
        "SELECT timestamp, julianday(timestamp) FROM history ORDER BY 1"
    ).fetchall()
    assert [row[0] for row in rows] == [at for *_, at in PROMPTS]
    assert [row[1] for row in rows] == sorted(row[1] for row in rows)


REFUSED = [
    "INSERT INTO session (uid, key) VALUES (x'00', 'k')",
    "UPDATE message SET content = 'x'",
    "DELETE FROM exchange",
    "DROP VIEW history",
    "CREATE TABLE t (x)",
    "CREATE TEMP TABLE t (x)",
    "ATTACH DATABASE ':memory:' AS other",
    "DETACH DATABASE main",
    "VACUUM",
    "VACUUM INTO '/tmp/steno-stolen.db'",
    "BEGIN",
    "COMMIT",
    "SAVEPOINT s",
    "REINDEX",
    "ANALYZE",
    "PRAGMA journal_mode = DELETE",
    "PRAGMA journal_mode('delete')",
    "PRAGMA writable_schema = ON",
    "PRAGMA query_only = OFF",
    "PRAGMA user_version = 99",
    "PRAGMA wal_checkpoint(TRUNCATE)",
    "PRAGMA temp_store_directory = '/tmp'",
    "PRAGMA mmap_size = 1000000000",
    "SELECT load_extension('/tmp/evil.so')",
    "SELECT writefile('/tmp/evil', 'x')",
    "SELECT readfile('/etc/passwd')",
    "SELECT 1; SELECT 2",
    "SELECT 1; DELETE FROM exchange",
    "INSERT INTO message_index (message_index) VALUES ('delete-all')",
    "SELECT * FROM pragma_wal_checkpoint('TRUNCATE')",
    "SELECT fts3_tokenizer('unicode61')",
    "EXPLAIN DELETE FROM exchange",
]


@pytest.mark.parametrize("statement", REFUSED)
def test_whatever_is_not_reading_is_refused(
    known: RunningDaemon, wire: Wire, statement: str
) -> None:
    before = wire.ask(verb="sql", query="SELECT count(*), total(length(prompt)) FROM history")
    refused = wire.ask(verb="sql", query=statement)
    assert (refused["reply"], refused["code"]) == ("error", "bad_request")
    assert (
        wire.ask(verb="sql", query="SELECT count(*), total(length(prompt)) FROM history") == before
    )
    assert wire.ask(verb="sql", query="PRAGMA journal_mode")["rows"] == [["wal"]]


WRONG = [
    {"query": ""},
    {"query": "-- nothing"},
    {"query": "SELEC 1"},
    {"query": "SELECT nothing FROM nowhere"},
    {"query": "SELECT ?", "parameters": []},
    {"query": "SELECT ?", "parameters": [1, 2]},
    {"query": "SELECT :a", "parameters": {"b": 1}},
    {"query": "SELECT ?", "parameters": [{"a": [1]}]},
    {"query": "SELECT ?", "parameters": [2**64]},
    {"query": "SELECT CAST(x'ff' AS TEXT)"},
    {"query": "SELECT zeroblob(1000000000)"},
    {"query": "SELECT 1; SELECT 1"},
    {"query": "SELECT 1 WHERE 1 = " + "(" * 5000 + "1" + ")" * 5000},
    {"query": "SELECT '" + "x" * 200_000 + "'"},
    {"query": "SELECT abs(-9223372036854775808)"},
    {"query": "SELECT json('{')"},
]


@pytest.mark.parametrize("request_fields", WRONG)
def test_a_statement_that_cannot_run_gets_a_sentence(
    wire: Wire, request_fields: dict[str, Any]
) -> None:
    refused = wire.ask(verb="sql", id=1, **request_fields)
    assert (refused["reply"], refused["code"]) == ("error", "bad_request"), refused
    assert wire.ask(verb="ping", id=2)["reply"] == "pong"


def test_harmless_pragmas_and_parameters_by_name(wire: Wire) -> None:
    assert wire.ask(verb="sql", query="PRAGMA user_version")["rows"] != [[0]]
    assert len(wire.ask(verb="sql", query="PRAGMA table_info(history)")["rows"]) == 13
    named = wire.ask(verb="sql", query="SELECT :a + :b", parameters={"a": 1, "b": 2})
    assert named["rows"] == [[3]]


ENDLESS = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT"


def test_a_statement_without_end_is_stopped(wire: Wire) -> None:
    stopped = wire.ask(verb="sql", query=f"{ENDLESS} count(*) FROM c")
    assert (stopped["code"], "longer than" in stopped["message"]) == ("timeout", True)
    assert wire.ask(verb="sql", query="SELECT 1")["rows"] == [[1]]


def test_rows_are_limited_and_the_reply_says_so(wire: Wire) -> None:
    table = wire.ask(verb="sql", query=f"{ENDLESS} x FROM c", limit=5)
    assert (table["rows"], table["truncated"]) == ([[1], [2], [3], [4], [5]], True)
    exact = wire.ask(verb="sql", query=f"{ENDLESS} x FROM c LIMIT 5", limit=5)
    assert (len(exact["rows"]), exact.get("truncated", False)) == (5, False)
    assert wire.ask(verb="sql", query="SELECT 1", limit=10_001)["code"] == "bad_request"


def test_what_was_asked_is_not_in_the_log(wire: Wire, shared_daemon: RunningDaemon) -> None:
    for query in ("SELEC 'unspoken'", "SELECT unspoken FROM history", "SELECT json('unspoken')"):
        assert wire.ask(verb="sql", query=query)["code"] == "bad_request"
    assert "unspoken" not in shared_daemon.log.read_text()


def test_rows_are_limited_by_their_size_too(wire: Wire) -> None:
    table = wire.ask(verb="sql", query=f"{ENDLESS} printf('%.*c', 1000000, 'x') FROM c")
    assert (len(table["rows"]), table["truncated"]) == (4, True)
    one = wire.ask(verb="sql", query="SELECT printf('%.*c', 5000000, 'x')")
    assert (one["code"], "substr" in one["hint"]) == ("too_large", True)
