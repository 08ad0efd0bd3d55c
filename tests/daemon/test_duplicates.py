"""The duplicate check: by an index over normalised prompts, each sighting counted once."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest

from steno_schema import migrations
from steno_schema.ids import uuid7, uuid8
from steno_schema.records import AnyRecord, Conversation, Exchange, Message, Turn
from steno_schema.replies import Appended, Outcome
from steno_schema.requests import Amend, Append
from stenod.store.connection import open_writer
from stenod.store.sameness import CANDIDATES, prompt_hash
from support.running import RunningDaemon
from support.store import Store

Check = Literal["off", "session", "all"]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path)
    yield opened
    opened.close()


def tracked(
    store: Store, prompt: str, check: Check = "session", *, session: str = "s", **fields: Any
) -> Outcome:
    """Send a prompt as a tracker does; return what became of it."""
    record = Exchange(id=uuid7(), prompt=prompt, session=session, **fields)
    return sent(store, record, check)


def sent(store: Store, record: Exchange, check: Check) -> Outcome:
    reply = store.ask(Append(records=[record], duplicate_check=check))
    assert isinstance(reply, Appended)
    return reply.outcomes[0]


@pytest.mark.parametrize(
    "again",
    ["Why is\nthe sky blue?", "  Why is\r\nthe sky blue?\n", "Why is  \nthe sky blue?"],
)
def test_the_same_prompt_is_one_after_normalising(store: Store, again: str) -> None:
    first = tracked(store, "Why is\nthe sky blue?")
    assert tracked(store, again) == Outcome(id=first.id, outcome="duplicate")
    assert tracked(store, again.upper()).outcome == "created"


def test_composed_characters_are_the_same(store: Store) -> None:
    first = tracked(store, "Où est le café ?")
    assert tracked(store, "Ou\u0300 est le cafe\u0301 ?").id == first.id


def test_a_sighting_is_counted_once_with_its_time(store: Store) -> None:
    first = tracked(store, "Why?")
    again = Exchange(id=uuid7(), prompt="Why?", session="s", created_at="2026-01-02T03:04:05Z")
    for _ in range(3):  # the reply was lost, it was sent again
        assert sent(store, again, "session") == Outcome(id=first.id, outcome="duplicate")
    rows = list(store.reader.execute("SELECT seen_at, uid, exchange_id FROM sightings"))
    number = store.reader.execute("SELECT id FROM history").get
    assert rows == [("2026-01-02T03:04:05.000Z", again.id, number)]


def test_text_that_changed_is_compared_as_it_is_now(store: Store) -> None:
    first = tracked(store, "Why?")
    store.ask(Amend(type="message", target=first.id, set={"content": "How?"}))
    assert tracked(store, "How?").outcome == "duplicate"
    assert tracked(store, "Why?").outcome == "created"


def test_everywhere_means_captured_prompts_too(store: Store) -> None:
    turn, prompt = uuid8("turn"), uuid8("prompt")
    records: list[AnyRecord] = [
        Conversation(id=uuid8("c"), key="c", session="captured"),
        Message(id=prompt, conversation="c", role="user", content="Why? "),
        Turn(id=turn, conversation="c", prompt_message=prompt, agent="codex"),
    ]
    store.ask(Append(records=records, mode="merge"))
    assert tracked(store, "Why?", "all") == Outcome(id=turn, outcome="duplicate")
    assert tracked(store, "Why?").outcome == "created"


def test_nothing_is_scanned(store: Store) -> None:
    """Whatever ``all`` compares with is found by the hash."""
    plan = store.reader.execute(f"EXPLAIN QUERY PLAN {CANDIDATES}", (1, None)).fetchall()
    steps = [str(row[3]) for row in plan]
    assert any("exchange_prompt_hash (prompt_hash=?)" in step for step in steps)
    assert not any("SCAN" in step for step in steps)


def test_a_database_from_before_learns_its_prompts(tmp_path: Path) -> None:
    connection = open_writer(tmp_path / "steno.db")
    for version, _name, sql in migrations.numbered()[:3]:
        connection.execute(sql).fetchall()
        connection.pragma("user_version", version)
    connection.pragma("application_id", migrations.APPLICATION_ID)
    connection.execute(
        "INSERT INTO session (id, uid, key, created_at, updated_at, last_active_at)"
        " VALUES (1, randomblob(16), 's', 0, 0, 0);"
        "INSERT INTO conversation (id, uid, key, session_id, created_at, updated_at)"
        " VALUES (1, randomblob(16), 's', 1, 0, 0)"
    ).fetchall()
    for number in range(1, 200):
        connection.execute(
            "INSERT INTO exchange (id, uid, conversation_id, prompt_id, created_at, updated_at,"
            " origin) VALUES (?1, randomblob(16), 1, ?1, 0, 0, 'script')",
            (number,),
        )
        connection.execute(
            "INSERT INTO message (id, uid, conversation_id, exchange_id, role, created_at,"
            " position, content) VALUES (?1, randomblob(16), 1, ?1, 'user', 0, 0, ?2)",
            (number, f"prompt {number} "),
        )
    connection.close()
    store = Store(tmp_path)
    store.settled()
    rows: list[Any] = store.reader.execute("SELECT id, prompt_hash FROM exchange").fetchall()
    assert dict(rows) == {number: prompt_hash(f"prompt {number}") for number in range(1, 200)}
    assert tracked(store, "prompt 7", "all").outcome == "duplicate"
    store.close()


def test_through_the_client(daemon: RunningDaemon) -> None:
    with daemon.client() as client:
        saved = client.history.save("Why is the sky blue?", session="a")
        again = Exchange(id=uuid7(), prompt=" Why is the sky blue?", session="b")
        (met,) = client.append([again], duplicate_check="all")
        assert (met.outcome, met.id) == ("duplicate", saved.id)
        elsewhere = Exchange(id=uuid7(), prompt="Why is the sky blue?", session="b")
        (kept,) = client.append([elsewhere], duplicate_check="session")
        assert (kept.outcome, kept.id) == ("created", elsewhere.id)
        assert client.sql("SELECT count(*) FROM sightings").rows == [[1]]
