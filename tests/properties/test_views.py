"""Every view equals a full scan of its tables after any mix of saves, sightings, amends, deletes."""

import os
import random
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from steno_schema.ids import format_id, uuid7
from steno_schema.records import AnyRecord, Message
from steno_schema.replies import Error
from steno_schema.requests import Amend, Append, Delete, Stats
from steno_schema.times import format_ms
from stenod.query.stats import statistics
from support.samples import SAMPLES
from support.store import Store, call, exchange, sighting

SEEDS = int(os.environ.get("STENO_TEST_VIEW_SEEDS", "3"))
STEPS = 25
SIMPLE = {
    "agent_interactions": "agent_interaction", "routing_decisions": "routing_decision",
    "user_preferences": "preference", "learned_patterns": "pattern",
    "session_handoffs": "handoff", "memory_metrics": "metric", "tasks": "task",
    "commands": "command", "errors": "error_event", "workflow_state": "workflow",
    "metadata": "metadata_entry", "pattern_usage": "pattern_use", "sessions": "session",
    "conversations": "conversation", "conversation_threads": "conversation",
    "messages": "message", "conversation_messages": "message", "outcomes": "exchange",
}  # fmt: skip
"""Views with a row for each row of a table."""

Row = dict[str, Any]
Tables = dict[str, list[Row]]


def all_rows(connection: sqlite3.Connection, name: str) -> list[Row]:
    cursor = connection.execute(f"SELECT * FROM {name}")
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor]


def by_id(rows: list[Row]) -> dict[int, Row]:
    return {row["id"]: row for row in rows}


def total(*parts: int | None) -> int | None:
    known = [part for part in parts if part is not None]
    return sum(known) if len(known) == len(parts) else None


def first(*values: Any) -> Any:
    return next((value for value in values if value is not None), None)


def history(tables: Tables) -> list[Row]:
    """Compute the view in Python, row by row."""
    messages = by_id(tables["message"])
    return [
        {
            "id": each["id"],
            "prompt": messages[each["prompt_id"]]["content"],
            "output": messages[each["output_id"]]["content"] if each["output_id"] else "",
            "timestamp": format_ms(each["created_at"]),
            "framework_used": first(each["framework"], each["agent"]),
            "template_used": each["template"],
            "model": each["model"],
            "tokens": first(
                each["total_tokens"],
                total(each["input_tokens"], each["cache_read_tokens"],
                      each["cache_write_tokens"], each["output_tokens"]),
            ),
            "cost": first(each["cost_usd"], each["computed_cost_usd"]),
            "tags": ",".join(
                sorted(tag["tag"] for tag in tables["exchange_tag"]
                       if tag["exchange_id"] == each["id"])
            ) or None,
            "metadata": each["metadata"],
            "notes": each["notes"],
            "uid": format_id(each["uid"]),
        }
        for each in tables["exchange"]
    ]  # fmt: skip


def prompts(tables: Tables) -> list[Row]:
    sessions, conversations = by_id(tables["session"]), by_id(tables["conversation"])
    guesses = {row["exchange_id"]: row for row in tables["analysis"]}
    shown = []
    for each, of_history in zip(tables["exchange"], history(tables), strict=True):
        guess = guesses.get(each["id"], {})
        place = conversations[each["conversation_id"]]
        shown.append(
            {
                "id": each["id"],
                "prompt_text": of_history["prompt"],
                "session_id": sessions[place["session_id"]]["key"],
                "prompt_date": of_history["timestamp"],
                "prompt_category": first(each["category"], guess.get("category")),
                "prompt_complexity": first(each["complexity"], guess.get("complexity")),
                "development_stage": first(each["stage"], guess.get("stage")),
                "prompt_technique": first(each["technique"], guess.get("technique")),
                "keywords": first(each["keywords"], guess.get("keywords")),
                "success_rating": each["rating"],
                "response_time_estimate": each["response_time_ms"],
                "tokens_used_estimate": of_history["tokens"],
                "tags": of_history["tags"],
                "created_at": of_history["timestamp"],
                "updated_at": format_ms(each["updated_at"]),
                "uid": of_history["uid"],
            }
        )
    return shown


def threads(tables: Tables) -> list[Row]:
    sessions = by_id(tables["session"])
    counts = Counter(row["conversation_id"] for row in tables["message"])
    return [
        {
            "id": each["id"],
            "user_id": first(each["user"], sessions[each["session_id"]]["user"]),
            "thread_id": each["key"],
            "title": each["title"],
            "message_count": counts[each["id"]],
        }
        for each in tables["conversation"]
    ]


def sessions(tables: Tables) -> list[Row]:
    done = Counter(row["session"] for row in tables["task"] if row["completed_at"] is not None)
    run = Counter(row["session"] for row in tables["command"])
    return [
        {
            "id": each["id"],
            "session_id": each["key"],
            "status": each["status"],
            "tasks_completed": done[each["key"]],
            "commands_run": run[each["key"]],
            "duration_hours": (
                first(each["ended_at"], each["last_active_at"])
                - first(each["started_at"], each["created_at"])
            ) / 3_600_000,
        }
        for each in tables["session"]
    ]  # fmt: skip


def costs(tables: Tables) -> list[Row]:
    sessions, conversations = by_id(tables["session"]), by_id(tables["conversation"])
    exchanges = by_id(tables["exchange"])
    says = {
        row["id"]: row["origin"] == "script"
        and (row["cost_usd"] is not None or row["input_tokens"] is not None)
        for row in exchanges.values()
    }
    rows = []
    for row in tables["usage"]:
        place = conversations.get(row["conversation_id"], {})
        session = sessions.get(first(place.get("session_id"), row["session_id"]), {})
        if not row["nested"] and not says.get(row["exchange_id"], False):
            rows.append((row, row["id"], session.get("key"), row["recorded_at"]))
    for row in exchanges.values():
        if says[row["id"]]:
            place = conversations[row["conversation_id"]]
            session = sessions[place["session_id"]]
            rows.append((row, -row["id"], session["key"], row["created_at"]))
    return [
        {
            "id": number,
            "session_id": key,
            "model": row["model"],
            "input_tokens": row["input_tokens"] or 0,
            "cost_usd": first(row["cost_usd"], row["computed_cost_usd"]),
            "recorded_at": format_ms(at),
            "uid": format_id(row["uid"]),
        }
        for row, number, key, at in rows
    ]


COMPUTED: dict[str, Callable[[Tables], list[Row]]] = {
    "history": history,
    "prompts": prompts,
    "conversation_threads": threads,
    "sessions": sessions,
    "cost_tracking": costs,
}


def check(path: Path) -> None:
    """Compare every view with what its tables say, as any program reads them."""
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    connection.execute("BEGIN")
    names = [*SIMPLE.values(), "exchange", "usage", "exchange_tag", "analysis"]
    tables = {name: all_rows(connection, name) for name in names}
    for view, compute in COMPUTED.items():
        shown = {row["id"]: row for row in all_rows(connection, view)}
        computed = {row["id"]: row for row in compute(tables)}
        assert shown.keys() == computed.keys(), view
        for number, row in computed.items():
            assert {name: shown[number][name] for name in row} == row, view
    for view, table in SIMPLE.items():
        uids = Counter(row["uid"] for row in all_rows(connection, view))
        assert uids == Counter(format_id(row["uid"]) for row in tables[table]), view
    connection.close()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path)
    yield opened
    opened.close()


def step(store: Store, rng: random.Random, known: list[str]) -> None:
    """Do one thing of many."""
    made = [exchange(rng) for _ in range(rng.randrange(4))]
    known += [each.id for each in made]
    calls: list[AnyRecord] = [call(rng, rng.choice([None, *known[-3:]])) for _ in range(3)]
    sample = msgspec.structs.replace(rng.choice(SAMPLES), id=uuid7())
    said = Message(id=uuid7(), conversation=rng.choice(("main-1", "s1")), role="user", content="m")
    for records in ([*made, *calls], [sample], [said]):
        store.ask(Append(records=list(records)))
    store.ask(Append(records=sighting(rng), mode="merge"))
    target = rng.choice(known) if known else None
    if target is not None and rng.random() < 0.5:
        changes = {"category": rng.choice(("api", None)), "notes": rng.choice(("n", None))}
        store.ask(Amend(target=target, set=changes, add_tags=["w"], remove_tags=["x"]))
    if target is not None and rng.random() < 0.3:
        known.remove(target)
        store.ask(Delete(target=target))
    if rng.random() < 0.1:
        forgotten = Delete(type="session", target=rng.choice(("s1", "main-1", "morning")))
        if not isinstance(store.answer(forgotten), Error):
            known.clear()


@pytest.mark.parametrize("seed", range(SEEDS))
def test_views_equal_a_scan(store: Store, tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    known: list[str] = []
    for number in range(STEPS):
        step(store, rng, known)
        if number % 5 == 4:
            check(tmp_path / "steno.db")
    store.settled()
    check(tmp_path / "steno.db")
    with store.reader:
        totals = statistics(store.reader, Stats()).totals
        shown = store.reader.execute("SELECT sum(cost_usd) FROM cost_tracking").get
    parts = [totals["cost_usd"], *(group["cost_usd"] for group in totals["outside"])]
    assert shown == pytest.approx(sum(part for part in parts if part is not None), abs=1e-6)


def test_every_view_is_compared(store: Store) -> None:
    views = {row[0] for row in store.reader.execute(
        "SELECT name FROM sqlite_schema WHERE type = 'view'"
    )}  # fmt: skip
    assert views - {"sources", "sightings"} == {*COMPUTED, *SIMPLE}
