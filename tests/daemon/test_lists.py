"""Lists of records that are rows of a view: their order, their pages, and ``where``."""

from collections.abc import Iterator
from typing import Any

import pytest

from steno_schema.ids import uuid7
from steno_schema.records import Conversation, Session, Task
from steno_schema.requests import Append
from support.running import RunningDaemon
from support.wire import Wire

DAYS = (3, 1, 5, 2, 4)
"""The order in which a backfill meets them."""


@pytest.fixture(scope="module")
def filled(shared_daemon: RunningDaemon) -> RunningDaemon:
    with shared_daemon.client() as client:
        for day in DAYS:
            at = f"2026-01-0{day}T10:00:00Z"
            session = Session(
                id=uuid7(), key=f"s{day}", agent="codex", started_at=at, last_active_at=at
            )
            thread = Conversation(id=uuid7(), key=f"c{day}", session=f"s{day}", created_at=at)
            client.request(Append(records=[session, thread], mode="merge"))
        client.append(
            [
                Task(id=uuid7(), key=f"t{number}", specialist=specialist, complexity="2")
                for number, specialist in enumerate(["backend", "frontend", "backend", "x'--"])
            ]
        )
        client.preferences.set("tone", "terse", user="ada")
        client.preferences.set("tone", "long", user="ben")
    return shared_daemon


def paged(wire: Wire, kind: str, **words: Any) -> Iterator[dict[str, Any]]:
    """Yield all items, a page of one at a time."""
    cursor = None
    while True:
        page = wire.ask(verb="list", id="l", type=kind, limit=1, cursor=cursor, **words)
        assert page["reply"] == "rows", page
        yield from page["items"]
        cursor = page.get("next_cursor")
        if cursor is None:
            return


@pytest.mark.parametrize(
    ("kind", "column", "letter"),
    [("session", "session_id", "s"), ("conversation", "conversation_id", "c")],
)
def test_newest_first_is_by_time_whatever_the_order_of_arrival(
    filled: RunningDaemon, wire: Wire, kind: str, column: str, letter: str
) -> None:
    newest = [f"{letter}{day}" for day in sorted(DAYS, reverse=True)]
    seen = [row[column] for row in paged(wire, kind) if row[column] in newest]
    assert seen == newest
    oldest = paged(wire, kind, oldest_first=True)
    assert [row[column] for row in oldest if row[column] in newest] == newest[::-1]
    one = paged(wire, kind, where={column: newest[:2]}, filters={"session": ["s5"]})
    assert [row[column] for row in one] == newest[:1]


def test_where_names_columns_and_the_values_they_may_have(
    filled: RunningDaemon, wire: Wire
) -> None:
    def keys(**where: list[str]) -> list[str]:
        return [row["task_id"] for row in paged(wire, "task", where=where)]

    assert keys(specialist=["backend"]) == ["t2", "t0"]
    assert keys(specialist=["frontend", "x'--"]) == ["t3", "t1"]
    assert keys(specialist=["backend"], task_id=["t0"], complexity=["2"]) == ["t0"]
    assert keys(specialist=["nobody"]) == []
    users = [
        row["user_id"] for row in paged(wire, "preference", where={"preference_key": ["tone"]})
    ]
    assert users == ["ben", "ada"]


@pytest.mark.parametrize(
    ("kind", "column"),
    [
        ("task", "nothing"),
        ("task", "1=1; --"),
        ("exchange", "id"),
        ("message", "id"),
        ("cost", "id"),
    ],
)
def test_where_of_what_is_no_column_is_refused(wire: Wire, kind: str, column: str) -> None:
    refused = wire.ask(verb="list", id="l", type=kind, where={column: ["1"]})
    assert (refused["reply"], refused["code"]) == ("error", "bad_request")
