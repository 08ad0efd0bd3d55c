"""Everything about a person goes, from the tables and from the file; nobody else's does."""

import sqlite3
from collections.abc import Iterator

import pytest

from steno import Client
from steno.errors import Refused
from steno_schema.replies import Done
from steno_schema.requests import Admin, Delete
from support.running import RunningDaemon

SECRET = "mulberry"
"""A word that only Ada's records have."""


def fill(client: Client, user: str, word: str) -> None:
    """Store something of every kind that says whose it is."""
    session = f"{user}-session"
    client.sessions.create(session, user=user)
    client.history.save(f"ask {word}", f"told {word}", session=session, user=user, tags=[word])
    client.history.save(f"alone {word}", user=user, session="shared", notes=word)
    client.messages.add(f"{user}-thread", "user", f"bare {word}", session=session)
    client.conversations.create(f"{user}-empty", session="shared", user=user, title=word)
    client.costs.add("m", session=session, cost_usd=1.0)
    client.preferences.set("theme", word, user=user)
    client.tasks.create(f"{user}-task", session=session)
    client.commands.log(word, session=session)
    client.errors.log(word, session=session)
    client.handoffs.create(word, from_session=session)
    client.patterns.log_usage("p", session=session)
    client.agents.start("a", word, conversation=f"{user}-thread")


@pytest.fixture
def client(daemon: RunningDaemon) -> Iterator[Client]:
    with daemon.client() as client:
        client.sessions.create("shared", user="root")
        fill(client, "ada", SECRET)
        fill(client, "bob", "raspberry")
        client.history.save("bob in ada's", session="ada-session", conversation="c", user="bob")
        yield client


def counts(client: Client) -> dict[str, int]:
    views = ("history", "sessions", "conversations", "messages", "cost_tracking", "tasks",
             "user_preferences", "commands", "errors", "session_handoffs", "pattern_usage",
             "agent_interactions")  # fmt: skip
    return {view: client.sql(f"SELECT count(*) FROM {view}").rows[0][0] for view in views}


def test_everything_about_a_user_goes(client: Client, daemon: RunningDaemon) -> None:
    before = counts(client)
    counted = client.request(Delete(type="user", target="ada", dry_run=True))
    assert isinstance(counted, Done)
    assert (counted.changed, counted.result["sessions"]) == (2, 1)
    assert counts(client) == before
    told = daemon.steno("forget", "ada", "--type", "user", "--yes")
    assert (told.returncode, told.stdout) == (
        0, "The user with 2 exchanges forgotten, index and kept bytes included.\n"
    )  # fmt: skip
    client.request(Admin(action="flush"))
    after = counts(client)
    assert after == {
        "history": 3, "sessions": 3, "conversations": 5, "messages": 5, "cost_tracking": 1,
        "tasks": 1, "user_preferences": 1, "commands": 1, "errors": 1, "session_handoffs": 1,
        "pattern_usage": 1, "agent_interactions": 1,
    }  # fmt: skip
    assert client.history.search(SECRET) == []
    assert client.history.recent(user="ada") == []
    assert client.preferences.all(user="ada") == {}
    names = "SELECT user_id FROM sessions UNION SELECT user_id FROM conversation_threads"
    assert "ada" not in {name for (name,) in client.sql(names).rows}
    assert client.history.search("raspberry")
    assert client.admin.integrity_check().ok


def test_words_are_gone_from_the_file_when_nothing_is_shared(daemon: RunningDaemon) -> None:
    with daemon.client() as client:
        fill(client, "ada", SECRET)
        fill(client, "bob", "raspberry")
        client.request(Delete(type="user", target="ada"))
        assert client.history.search("raspberry")
    daemon.stop()
    data = daemon.database.read_bytes()
    assert SECRET.encode() not in data
    assert b"raspberry" in data
    connection = sqlite3.connect(f"file:{daemon.database}?mode=ro", uri=True)
    assert connection.execute("SELECT count(*) FROM tombstone").fetchone()[0] > 8
    connection.close()


def test_whom_to_forget_must_be_said(client: Client) -> None:
    with pytest.raises(Refused, match="Say what to forget"):
        client.request(Delete(type="user"))
