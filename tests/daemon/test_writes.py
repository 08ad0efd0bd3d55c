"""What becomes of a write: each outcome, each refusal, all or nothing."""

import sqlite3
from pathlib import Path
from typing import Any

import msgspec
import pytest

from steno_schema.ids import output_id, parse_id, uuid7
from steno_schema.limits import KEY_MAX_CHARS, NESTING_MAX, TAG_MAX_CHARS
from steno_schema.records import AnyRecord
from support.running import RunningDaemon
from support.samples import SAMPLES, SHOWN, TURN, sample_id
from support.wire import Wire


def exchange(prompt: str, **fields: Any) -> dict[str, Any]:
    return {"type": "exchange", "id": uuid7(), "prompt": prompt, **fields}


def outcomes(reply: dict[str, Any]) -> list[str]:
    """Return the outcomes of an append that was done."""
    assert reply["reply"] == "appended", reply
    return [each["outcome"] for each in reply["outcomes"]]


def append(wire: Wire, *records: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return wire.ask(verb="append", id=1, records=list(records), **fields)


def count(wire: Wire, view: str, column: str, value: str) -> int:
    table = wire.ask(
        verb="sql", query=f"SELECT count(*) FROM {view} WHERE {column} = ?", parameters=[value]
    )
    return int(table["rows"][0][0])


def test_the_same_again_existed_and_other_content_is_a_conflict(wire: Wire) -> None:
    record = exchange("once", output="o", metadata={"b": 1, "a": [2]}, tags=["t"])
    assert outcomes(append(wire, record)) == ["created"]
    assert outcomes(append(wire, record)) == ["existed"]
    other_order = record | {"metadata": {"a": [2], "b": 1}}
    assert outcomes(append(wire, other_order)) == ["existed"]
    refused = append(wire, record | {"output": "other"})
    assert (refused["code"], refused.get("retryable", False)) == ("conflict", False)
    assert count(wire, "history", "prompt", "once") == 1


def test_forgotten_is_gone_for_good(wire: Wire) -> None:
    record = exchange("to be forgotten")
    append(wire, record)
    assert wire.ask(verb="delete", target=record["id"])["changed"] == 1
    assert outcomes(append(wire, record)) == ["gone"]
    assert wire.ask(verb="get", target=record["id"])["code"] == "not_found"
    assert count(wire, "history", "prompt", "to be forgotten") == 0


def test_the_duplicate_check(wire: Wire) -> None:
    first = exchange("twin", session="d1")
    append(wire, first)
    again = append(wire, exchange("twin", session="d1"), duplicate_check="session")
    assert again["outcomes"] == [{"id": first["id"], "outcome": "duplicate"}]
    elsewhere = exchange("twin", session="d2")
    assert outcomes(append(wire, elsewhere, duplicate_check="session")) == ["created"]
    anywhere = append(wire, exchange("twin", session="d3"), duplicate_check="all")
    assert anywhere["outcomes"][0]["outcome"] == "duplicate"
    answered = exchange("twin", session="d1", output="answered")
    assert outcomes(append(wire, answered, duplicate_check="all")) == ["created"]
    assert outcomes(append(wire, exchange("twin", session="d1"))) == ["created"]
    assert count(wire, "history", "prompt", "twin") == 4


BAD_RECORDS: list[tuple[dict[str, Any], str]] = [
    ({"id": "not an id"}, "no id"),
    ({"id": uuid7().replace("-", "")}, "no id"),
    ({"created_at": "yesterday-ish"}, "no time"),
    ({"created_at": "2026-13-01T00:00:00Z"}, "no time"),
    ({"created_at": "2026-02-30T00:00:00Z"}, "no time"),
    ({"rating": 11}, "$.records[0].rating"),
    ({"status": "maybe"}, "maybe"),
    ({"session": ""}, "session"),
    ({"session": "k" * (KEY_MAX_CHARS + 1)}, "session"),
    ({"tags": ["t" * (TAG_MAX_CHARS + 1)]}, "tags"),
    ({"tokens": {"input": -1}}, "input"),
    ({"cost_usd": "much"}, "cost_usd"),
    ({"metadata": [1]}, "metadata"),
    ({"prompt": None}, "prompt"),
]


@pytest.mark.parametrize(("change", "word"), BAD_RECORDS)
def test_a_bad_record_fails_with_a_sentence(wire: Wire, change: dict[str, Any], word: str) -> None:
    refused = append(wire, exchange("bad") | change)
    assert refused["code"] in {"bad_request", "too_large"}, refused
    assert word in refused["message"]
    assert count(wire, "history", "prompt", "bad") == 0


@pytest.mark.parametrize("depth", [NESTING_MAX, NESTING_MAX + 1, 500, 100_000])
def test_nesting_is_limited(wire: Wire, depth: int) -> None:
    record = msgspec.json.encode(exchange(f"nested {depth}") | {"metadata": {"n": "HERE"}})
    inner = b"[" * (depth - 1) + b"]" * (depth - 1)
    wire.send(b'{"verb":"append","id":1,"records":[%s]}\n' % record.replace(b'"HERE"', inner))
    reply = wire.reply()
    if depth <= NESTING_MAX:
        assert outcomes(reply) == ["created"]
    else:
        assert reply["code"] == "bad_request"
    assert wire.ask(verb="ping", id=2)["reply"] == "pong"


def test_a_bad_request_among_pipelined_ones_fails_alone(wire: Wire) -> None:
    """One connection, one batch of the writer: the neighbours are committed."""
    good = [exchange(f"neighbour {n}") for n in range(40)]
    twin = good[7] | {"prompt": "another under the same id"}
    requests = [{"verb": "append", "id": n, "records": [each]} for n, each in enumerate(good)]
    requests[20]["records"] = [twin]
    requests[30]["records"] = [good[30], exchange("bad time", created_at="never")]
    wire.send(b"".join(msgspec.json.encode(each) + b"\n" for each in requests))
    replies = {reply.get("id", 0): reply for reply in wire.replies(len(requests))}
    assert {n: reply["code"] for n, reply in replies.items() if reply["reply"] == "error"} == {
        20: "conflict",
        30: "bad_request",
    }
    table = wire.ask(verb="sql", query="SELECT prompt FROM history WHERE prompt LIKE 'neighbour%'")
    assert {row[0] for row in table["rows"]} == {
        f"neighbour {n}" for n in range(40) if n not in {20, 30}
    }


def test_an_append_is_all_or_nothing(wire: Wire) -> None:
    first = exchange("all", session="all-or-nothing")
    last = {"type": "metric", "id": uuid7(), "metric": "m", "value": 1, "recorded_at": "never"}
    assert append(wire, first, last)["code"] == "bad_request"
    assert count(wire, "history", "prompt", "all") == 0
    assert count(wire, "sessions", "session_id", "all-or-nothing") == 0
    assert wire.ask(verb="get", target=first["id"])["code"] == "not_found"
    assert outcomes(append(wire, first)) == ["created"]


def test_an_empty_append_is_done_at_once(wire: Wire) -> None:
    assert outcomes(append(wire)) == []


def test_an_unknown_session_is_completed_later(wire: Wire) -> None:
    append(wire, exchange("early", session="late", user="eve"))
    query = (
        "SELECT user_id, project_id, status, metadata_json FROM sessions WHERE session_id = 'late'"
    )
    stub = wire.ask(verb="sql", query=query)["rows"]
    told = {
        "type": "session", "id": uuid7(), "key": "late", "project": "/p", "status": "paused",
        "metadata": {"x": 1},
    }  # fmt: skip
    assert outcomes(append(wire, told)) == ["updated"]
    whole = wire.ask(verb="sql", query=query)["rows"]
    assert (stub[0][0], stub[0][2]) == ("eve", "active")
    assert whole == [["eve", "/p", "paused", '{"x":1}']]
    assert (
        wire.ask(verb="get", type="session", target=told["id"])["items"][0]["session_id"] == "late"
    )


def test_records_of_one_append_refer_to_each_other(wire: Wire) -> None:
    asked = exchange("refer", conversation="refs")
    said = {"type": "message", "id": uuid7(), "conversation": "refs", "role": "tool",
            "content": "result", "exchange": asked["id"]}  # fmt: skip
    assert outcomes(append(wire, asked, said)) == ["created", "created"]
    got = wire.ask(verb="get", type="message", target=said["id"])["items"][0]
    assert got["exchange_id"] == asked["id"]


@pytest.fixture(scope="module")
def filled(shared_daemon: RunningDaemon) -> RunningDaemon:
    """One record of every type."""
    with Wire(shared_daemon.socket) as wire:
        for record in SAMPLES:
            mode = "merge" if record is TURN else "create"
            reply = wire.ask(verb="append", id=1, mode=mode, records=[as_json(record)])
            assert reply["reply"] == "appended", reply
    return shared_daemon


def as_json(record: AnyRecord) -> dict[str, Any]:
    return dict(msgspec.json.decode(msgspec.json.encode(record)))


@pytest.mark.parametrize(
    ("view", "record", "shown"), SHOWN, ids=[f"{view}-{type(r).__name__}" for view, r, _ in SHOWN]
)
def test_every_record_is_read_back_through_its_view(
    filled: RunningDaemon, wire: Wire, view: str, record: AnyRecord, shown: dict[str, Any]
) -> None:
    table = wire.ask(
        verb="sql", query=f"SELECT * FROM {view} WHERE uid = ?", parameters=[record.id]
    )
    assert len(table["rows"]) == 1
    row = dict(zip(table["columns"], table["rows"][0], strict=True))
    assert {name: row[name] for name in shown} == shown


def test_records_said_again_change_nothing(filled: RunningDaemon, wire: Wire) -> None:
    tables = "SELECT group_concat(n) FROM (SELECT count(*) AS n FROM {} UNION ALL {})"
    names = ["session", "exchange", "message", "usage", "pattern", "metric", "task"]
    query = tables.format(names[0], " UNION ALL ".join(f"SELECT count(*) FROM {n}" for n in names))
    before = wire.ask(verb="sql", query=query)
    for record in SAMPLES:
        mode = "merge" if record is TURN else "create"
        again = wire.ask(verb="append", id=1, mode=mode, records=[as_json(record)])
        assert again["reply"] == "appended", record
        assert {each["outcome"] for each in again["outcomes"]} <= {"existed", "updated"}, record
    assert wire.ask(verb="sql", query=query) == before


def test_the_parts_of_tokens_are_kept(filled: RunningDaemon, wire: Wire) -> None:
    item = wire.ask(verb="get", target=sample_id("exchange"))["items"][0]
    assert item["tokens"] == {
        "input": 10, "output": 20, "cache_read": 30, "cache_write": 40, "cache_write_5m": 15,
        "cache_write_1h": 25, "reasoning": 5,
    }  # fmt: skip


def test_the_prompt_s_message_shares_the_exchange_s_id(filled: RunningDaemon, wire: Wire) -> None:
    item = wire.ask(verb="get", target=sample_id("exchange"))["items"][0]
    assert item["prompt_message_id"] == item["id"]
    assert parse_id(item["output_message_id"]) == output_id(parse_id(item["id"]))


SECRET = "ghp_" + "aB3dE5fG7hJ9kL1mN2pQ4rS6tU8vW0xY1zA2"
"""Made up, in the shape of a token that the rules know."""


def bytes_of(database: Path) -> bytes:
    return b"".join(path.read_bytes() for path in database.parent.glob("steno.db*"))


def test_a_secret_never_reaches_the_file(daemon: RunningDaemon) -> None:
    record = exchange(f"my token is {SECRET}", output=SECRET, tags=[SECRET],
                      metadata={"k": [SECRET]}, notes=SECRET)  # fmt: skip
    with Wire(daemon.socket) as wire:
        assert outcomes(append(wire, record)) == ["created"]
        assert outcomes(append(wire, record)) == ["existed"], "compared without its secrets"
        amended = wire.ask(verb="amend", target=record["id"], set={"notes": f"see {SECRET}"},
                           add_tags=[SECRET])  # fmt: skip
        assert amended["reply"] == "done"
        wire.ask(verb="admin", action="flush")
        shown = wire.ask(verb="get", target=record["id"])["items"][0]
    assert "[redacted:" in shown["prompt"]
    assert "[redacted:" in shown["notes"]
    daemon.stop()
    assert SECRET.encode() not in bytes_of(daemon.database)


def test_a_secret_in_a_spool_file_never_reaches_the_database(daemon: RunningDaemon) -> None:
    """Not every writer of the spool redacts."""
    from steno_schema.spool import new_name, pack

    request = {"verb": "append", "records": [exchange(f"token {SECRET}")]}
    waiting = daemon.home / "spool" / new_name()
    waiting.with_suffix(".tmp").write_bytes(pack(msgspec.msgpack.encode(request)))
    waiting.with_suffix(".tmp").rename(waiting)
    with Wire(daemon.socket) as wire:
        drained = wire.ask(verb="admin", action="drain_spool", arguments={"wait": True})
        assert drained["result"]["quarantined"] == 0
        prompts = wire.ask(verb="sql", query="SELECT prompt FROM history")["rows"]
    assert [SECRET in prompt for (prompt,) in prompts] == [False]
    daemon.stop()
    assert SECRET.encode() not in bytes_of(daemon.database)


def test_redaction_can_be_switched_off(daemon_at_rest: RunningDaemon) -> None:
    """So that the tests above show redaction and not some other reason."""
    daemon_at_rest.start("--no-capture", environ={"STENO_REDACTION": "false"})
    with Wire(daemon_at_rest.socket) as wire:
        append(wire, exchange(f"my token is {SECRET}"))
    daemon_at_rest.stop()
    connection = sqlite3.connect(f"file:{daemon_at_rest.database}?mode=ro", uri=True)
    assert SECRET in connection.execute("SELECT prompt FROM history").fetchone()[0]
    connection.close()
    assert SECRET.encode() in bytes_of(daemon_at_rest.database)
