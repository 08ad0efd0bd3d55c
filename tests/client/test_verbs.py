"""Every verb asks the daemon what its name says and reads the answer, in both colours."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from steno.errors import Misuse, Refused
from steno.results import Found, Page
from steno_schema.errors import ErrorCode
from steno_schema.ids import is_id, uuid7
from steno_schema.records import Conversation, Exchange, Message, Session, Tokens, Usage
from steno_schema.replies import (
    AnyReply,
    Done,
    Exchanges,
    Messages,
    Results,
    Rows,
    Statistics,
    StatusReport,
    Table,
)
from steno_schema.requests import (
    Amend,
    AnyRequest,
    Delete,
    Filters,
    Get,
    List,
    Search,
    Sql,
    Stats,
    Status,
)
from support.faces import Face
from support.fake_daemon import FakeDaemon, view_of

VIEW = view_of(Exchange(id=uuid7(), prompt="p"))
ROW = {"id": 1, "status": "active"}
EXCHANGES = Exchanges(items=[VIEW], next_cursor="c2")
ROWS = Rows(items=[ROW], next_cursor="c2")
MESSAGES = Messages(items=[], next_cursor=None)
TABLE = Table(columns=["id", "status"], rows=[[1, "active"]])
TODAY = datetime.now().astimezone().date()
MONDAY = (TODAY - timedelta(days=TODAY.weekday())).isoformat()

Call = Callable[[Any], Any]
QUESTIONS: list[tuple[str, Call, AnyRequest, AnyReply, Any]] = [
    ("get", lambda c: c.history.get(7), Get(target="7"), EXCHANGES, VIEW),
    ("recent", lambda c: c.history.recent(5), List(limit=5), EXCHANGES, [VIEW]),
    (
        "recent, chosen",
        lambda c: c.history.recent(cursor="c1", tag="a", agent=["x", "y"], min_rating=3),
        List(cursor="c1", filters=Filters(tag=["a"], agent=["x", "y"], min_rating=3)),
        EXCHANGES,
        [VIEW],
    ),
    (
        "today",
        lambda c: c.history.today(),
        List(limit=1000, filters=Filters(since="today")),
        EXCHANGES,
        [VIEW],
    ),
    (
        "this_week",
        lambda c: c.history.this_week(project="/p"),
        List(limit=1000, filters=Filters(since=MONDAY, project=["/p"])),
        EXCHANGES,
        [VIEW],
    ),
    (
        "by_tag",
        lambda c: c.history.by_tag(["a", "b"]),
        List(limit=100, filters=Filters(tag=["a", "b"])),
        EXCHANGES,
        [VIEW],
    ),
    (
        "by_framework",
        lambda c: c.history.by_framework("f", 3),
        List(limit=3, filters=Filters(framework=["f"])),
        EXCHANGES,
        [VIEW],
    ),
    (
        "by_model",
        lambda c: c.history.by_model("m"),
        List(limit=100, filters=Filters(model=["m"])),
        EXCHANGES,
        [VIEW],
    ),
    (
        "between",
        lambda c: c.history.between(date(2026, 1, 2), datetime(2026, 1, 3, 4, tzinfo=UTC)),
        List(limit=100, filters=Filters(since="2026-01-02", until="2026-01-03T04:00:00+00:00")),
        EXCHANGES,
        [VIEW],
    ),
    (
        "search",
        lambda c: c.history.search("a -b", rank="exact", session="s"),
        Search(query="a -b", rank="exact", filters=Filters(session=["s"])),
        Results(results=[]),
        [],
    ),
    (
        "update",
        lambda c: c.history.update("u", rating=4, notes=None, add_tags=["x"], keywords="a, b"),
        Amend(
            target="u",
            set={"rating": 4, "notes": None, "keywords": ["a", "b"]},
            add_tags=["x"],
        ),
        Done(changed=1),
        1,
    ),
    ("delete", lambda c: c.history.delete("u"), Delete(target="u"), Done(changed=1), 1),
    (
        "delete, chosen",
        lambda c: c.history.delete(dry_run=True, user="u"),
        Delete(filters=Filters(user=["u"]), dry_run=True),
        Done(changed=9),
        9,
    ),
    ("sessions.get", lambda c: c.sessions.get("k"), Get(target="k", type="session"), ROWS, ROW),
    (
        "sessions.update",
        lambda c: c.sessions.update("k", status="paused", title=None),
        Amend(target="k", type="session", set={"status": "paused", "title": None}),
        Done(changed=1),
        1,
    ),
    ("sessions.all", lambda c: c.sessions.all(5), List(type="session", limit=5), ROWS, [ROW]),
    (
        "conversations.get",
        lambda c: c.conversations.get("k"),
        Get(target="k", type="conversation"),
        ROWS,
        ROW,
    ),
    (
        "conversations.list",
        lambda c: c.conversations.list(session="s", user="u"),
        List(type="conversation", limit=100, filters=Filters(session=["s"], user=["u"])),
        ROWS,
        [ROW],
    ),
    (
        "conversations.messages",
        lambda c: c.conversations.messages("k", 7, cursor="c1"),
        List(type="message", limit=7, cursor="c1", filters=Filters(conversation=["k"])),
        MESSAGES,
        [],
    ),
    (
        "messages.recent",
        lambda c: c.messages.recent("s"),
        List(type="message", filters=Filters(session=["s"]), newest_first=True),
        MESSAGES,
        [],
    ),
    (
        "messages.search",
        lambda c: c.messages.search("x", role="tool"),
        Search(query="x", filters=Filters(role=["tool"])),
        Results(results=[]),
        [],
    ),
    ("status", lambda c: c.status(), Status(), StatusReport(report={"a": 1}), {"a": 1}),
    (
        "sql",
        lambda c: c.sql("SELECT ?", [1], limit=2),
        Sql(query="SELECT ?", parameters=[1], limit=2),
        TABLE,
        TABLE,
    ),
]


@pytest.mark.parametrize(
    ("call", "request_", "reply", "result"),
    [question[1:] for question in QUESTIONS],
    ids=[question[0] for question in QUESTIONS],
)
def test_a_question(
    call: Call, request_: AnyRequest, reply: AnyReply, result: Any, face: Face, daemon: FakeDaemon
) -> None:
    daemon.answer(type(request_), reply)
    answer = face.result(call(face.client))
    (asked,) = daemon.of(type(request_))
    asked.id = 0
    assert asked == request_
    if hasattr(answer, "id") and hasattr(result, "id"):
        answer.id = result.id
    assert answer == result


def test_pages_know_where_the_next_begins(face: Face, daemon: FakeDaemon) -> None:
    daemon.answer(List, EXCHANGES)
    page = face.result(face.client.history.recent())
    assert isinstance(page, Page)
    assert page.next_cursor == "c2"
    daemon.answer(Search, Results(results=[], complete=False, behind=3))
    found = face.result(face.client.history.search("x"))
    assert isinstance(found, Found)
    assert (found.complete, found.behind, found.next_cursor) == (False, 3, None)


def test_stats_come_with_their_groups(face: Face, daemon: FakeDaemon) -> None:
    daemon.answer(Stats, Statistics(totals={"entries": 2}, groups=[{"model": "m"}]))
    statistics = face.result(face.client.history.stats("model", since="7d"))
    assert statistics.totals == {"entries": 2}
    assert daemon.of(Stats)[0].filters == Filters(since="7d")


def test_active_sessions_are_rows_by_column(face: Face, daemon: FakeDaemon) -> None:
    daemon.answer(Sql, TABLE)
    assert face.result(face.client.sessions.active("ada")) == [ROW]
    assert daemon.of(Sql)[0].parameters == ["ada"]


def test_what_is_not_there_is_refused(face: Face, daemon: FakeDaemon) -> None:
    daemon.answer(Get, Exchanges(items=[]))
    with pytest.raises(Refused, match="no exchange 9") as refusal:
        face.result(face.client.history.get(9))
    assert refusal.value.code == ErrorCode.NOT_FOUND
    daemon.answer(Get, Rows(items=[]))
    with pytest.raises(Refused, match="no session 9"):
        face.result(face.client.sessions.get(9))


def test_a_session_ends_now(face: Face, daemon: FakeDaemon) -> None:
    daemon.answer(Amend, Done(changed=1))
    assert face.result(face.client.sessions.end("k")) == 1
    amend = daemon.of(Amend)[0]
    assert amend.set["status"] == "completed"
    assert amend.set["ended_at"].endswith("Z")


def test_a_session_and_a_conversation_are_made_under_a_key(face: Face, daemon: FakeDaemon) -> None:
    client = face.client
    session = face.result(client.sessions.create("work", user="ada", metadata={"a": 1}))
    unnamed = face.result(client.sessions.start())
    thread = face.result(client.conversations.create(session="work", title="T"))
    assert (session.key, unnamed.key, thread.key) == ("work", unnamed.id, thread.id)
    first, second, conversation = daemon.records.values()
    assert isinstance(first, Session)
    assert (first.key, first.user, first.metadata) == ("work", "ada", {"a": 1})
    assert isinstance(second, Session)
    assert second.key == second.id
    assert isinstance(conversation, Conversation)
    assert (conversation.session, conversation.title) == ("work", "T")


def test_a_pair_is_added_to_a_conversation(face: Face, daemon: FakeDaemon) -> None:
    face.result(face.client.conversations.add_exchange("k", "p", "o", "m", 1.5, tags="a,b"))
    (record,) = daemon.exchanges()
    assert (record.conversation, record.session) == ("k", None)
    assert (record.prompt, record.output, record.model) == ("p", "o", "m")
    assert (record.response_time_ms, record.tags) == (1500, ["a", "b"])


def test_messages_are_added_in_order(face: Face, daemon: FakeDaemon) -> None:
    client = face.client
    one = face.result(client.messages.add("k", "user", "first", importance=0.5))
    many = face.result(
        client.messages.add_many(
            "k",
            [{"role": "assistant", "content": "second"}, {"role": "tool", "content": "third"}],
        )
    )
    records = [record for record in daemon.records.values() if isinstance(record, Message)]
    assert [record.content for record in records] == ["first", "second", "third"]
    assert [record.id for record in records] == [one.id, *(saved.id for saved in many)]
    assert {record.conversation for record in records} == {"k"}


def test_a_cost_is_recorded(face: Face, daemon: FakeDaemon) -> None:
    face.result(face.client.costs.add("m", input_tokens=3, output_tokens=4, cost_usd=0.5))
    face.result(face.client.costs.add("m", tokens={"cache_read": 9}, session="s"))
    first, second = daemon.records.values()
    assert isinstance(first, Usage)
    assert isinstance(second, Usage)
    assert (first.tokens, first.cost_usd) == (Tokens(input=3, output=4), 0.5)
    assert (second.tokens, second.session) == (Tokens(cache_read=9), "s")
    assert is_id(second.id)


def test_wrong_calls_say_what_was_wrong(face: Face) -> None:
    client: Any = face.client
    wrong: list[tuple[Callable[[], Any], str]] = [
        (lambda: client.history.recent(colour="red"), "no such filter.*colour"),
        (lambda: client.history.recent(tag=7), "'tag' takes text"),
        (lambda: client.history.recent(since=7), "A time is"),
        (client.history.delete, "which exchanges"),
        (lambda: client.history.delete("x", user="u"), "which exchanges"),
        (lambda: client.history.update("x", prompt="new"), "no field 'prompt'"),
        (lambda: client.history.save(b"bytes"), "text, not bytes"),
        (lambda: client.messages.add("k", "user", "text", colour="red"), "cannot be added"),
        (lambda: client.messages.add("k", "nobody", "text"), "breaks a rule"),
        (lambda: client.history.search("x" * 2**20), r"request is 1\.1 MiB; at most 1 MiB"),
    ]
    with_daemon = wrong.pop()
    for call, sentence in wrong:
        with pytest.raises(Misuse, match=sentence):
            face.result(call())
    with pytest.raises(Exception, match="No daemon"):
        face.result(with_daemon[0]())


def test_a_request_too_large_is_not_sent(face: Face, daemon: FakeDaemon) -> None:
    with pytest.raises(Misuse, match=r"request is 1\.1 MiB; at most 1 MiB"):
        face.result(face.client.history.search("x" * 2**20))
    assert daemon.of(Search) == []


def test_tags_are_replaced(face: Face, daemon: FakeDaemon) -> None:
    daemon.answer(Get, Exchanges(items=[view_of(Exchange(id="x", prompt="p", tags=["a", "b"]))]))
    daemon.answer(Amend, Done(changed=1))
    face.result(face.client.history.update("x", tags=["b", "c"]))
    (amend,) = daemon.of(Amend)
    assert (amend.set, amend.add_tags, amend.remove_tags) == ({}, ["b", "c"], ["a"])
