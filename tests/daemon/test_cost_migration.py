"""A database from before costs were computed gets them, and its change log goes on."""

from pathlib import Path
from typing import Any

import apsw
import pytest

from steno_schema import migrations
from steno_schema.ids import parse_id, uuid7
from steno_schema.records import Exchange, Tokens
from steno_schema.requests import Append, Stats
from stenod.query.stats import statistics
from stenod.store.connection import open_writer
from support.store import Store

_SESSION = (
    "INSERT INTO session (id, uid, key, created_at, updated_at, last_active_at)"
    " VALUES (1, randomblob(16), 's', 0, 0, 0)"
)
_CONVERSATION = (
    "INSERT INTO conversation (id, uid, key, session_id, created_at, updated_at)"
    " VALUES (1, randomblob(16), 's', 1, 0, 0)"
)
_EXCHANGE = (
    "INSERT INTO exchange (id, uid, conversation_id, created_at, updated_at, origin, model,"
    " input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, tokens_complete)"
    " VALUES (1, ?, 1, 1764547200000, 0, 'script', 'gpt-5', 1000000, 0, 0, 0, 1)"
)
_USAGE = (
    "INSERT INTO usage (uid, conversation_id, agent, model, input_tokens, recorded_at)"
    " VALUES (randomblob(16), 1, 'codex', 'gpt-5', 1000000, 1764547200000)"
)


@pytest.fixture
def older(tmp_path: Path) -> Path:
    """The folder of a database as the second migration left it."""
    connection = open_writer(tmp_path / "steno.db")
    for version, _name, sql in migrations.numbered()[:2]:
        connection.execute(sql).fetchall()
        connection.pragma("user_version", version)
    connection.pragma("application_id", migrations.APPLICATION_ID)
    connection.execute(_SESSION)
    connection.execute(_CONVERSATION)
    connection.execute(_EXCHANGE, (parse_id(uuid7()),))
    connection.execute(_USAGE)
    connection.execute("INSERT INTO change (kind, first_id, last_id) VALUES ('exchange', 1, 1)")
    connection.execute("UPDATE change SET sequence = 41")
    connection.close()
    return tmp_path


def test_what_is_there_gets_its_cost(older: Path) -> None:
    store = Store(older)
    store.settled()
    assert _values(store.reader, "SELECT cost FROM history") == []  # it has no prompt
    assert _values(store.reader, "SELECT computed_cost_usd FROM exchange") == [1.25]
    assert _values(store.reader, "SELECT cost_usd FROM cost_tracking") == [1.25, 1.25]
    with store.reader:
        totals = statistics(store.reader, Stats()).totals
    assert (totals["cost_usd"], totals["outside"][0]["cost_usd"]) == (1.25, 1.25)
    saved = Exchange(id=uuid7(), prompt="more", model="gpt-5", tokens=Tokens(output=10**6))
    store.ask(Append(records=[saved]))
    store.settled()
    assert _values(store.reader, "SELECT cost FROM history") == [10]
    assert min(_values(store.reader, "SELECT sequence FROM change WHERE sequence > 41")) == 42
    store.close()


def _values(connection: apsw.Connection, query: str) -> list[Any]:
    return [row[0] for row in connection.execute(query).fetchall()]
