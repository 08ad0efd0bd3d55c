"""Every verb is there in both colours and says what it promises; the client's own and ``admin``."""

import inspect
import re
import sqlite3
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from steno.aclient import AsyncClient
from steno.batch import AsyncBatch
from steno.client import Client
from steno.errors import Misuse, Refused
from steno.verbs import Verb
from steno_schema.errors import ErrorCode
from steno_schema.requests import Admin, List
from support.faces import Face
from support.live import Live
from support.running import RunningDaemon

VERBS = {
    "history": "save get update delete search recent today this_week by_tag by_framework by_model"
    " between stats similar",
    "sessions": "start create get update end active all streak",
    "conversations": "create add_exchange get end summarise list messages context",
    "messages": "add add_many search recent set_importance mark_summarised",
    "agents": "start complete fail cancel list",
    "routing": "log list summary",
    "costs": "add by_session by_model by_day total",
    "preferences": "set get all delete",
    "patterns": "observe list log_usage roi",
    "handoffs": "create latest list",
    "metrics": "record summary",
    "tasks": "create complete get stats",
    "commands": "log recent stats",
    "errors": "log recent summary",
    "workflow": "get set",
    "metadata": "get set delete",
    "admin": "vacuum optimize checkpoint integrity_check",
}
ALL = [(namespace, verb) for namespace, verbs in VERBS.items() for verb in verbs.split()]
ALL += [("", verb) for verb in ["request", "append", "ping", "status", "storage_stats", "sql"]]


@pytest.mark.parametrize("client", [Client, AsyncClient])
@pytest.mark.parametrize("namespace", VERBS)
def test_every_verb_is_there(client: type[Client | AsyncClient], namespace: str) -> None:
    group = type(getattr(client(), namespace))
    verbs = {name for name, value in vars(group).items() if isinstance(value, Verb)}
    assert verbs >= set(VERBS[namespace].split())


@pytest.mark.parametrize(("namespace", "verb"), ALL)
def test_every_verb_says_what_it_does(namespace: str, verb: str) -> None:
    client = Client()
    group = getattr(client, namespace) if namespace else client
    doc = inspect.getdoc(getattr(group, verb)) or ""
    promise, _, example = doc.partition("\nExample::\n\n")
    assert re.search(r"[Rr]aises?\b|``Misuse``", promise), "it says nothing about errors"
    compile(textwrap.dedent(example), verb, "exec")
    assert verb in example


def test_a_namespace_is_made_once(tmp_path: Path) -> None:
    client = Client(tmp_path)
    assert client.agents is client.agents
    assert client.batch().agents is not client.agents


def test_storage_stats_are_those_of_the_views(live: Live) -> None:
    live.call(live.client.history.save("p", "o", user=live.key("user")))
    live.call(live.client.messages.add(live.key("thread"), "user", "text"))
    stats = live.call(live.client.storage_stats())
    query = (
        "SELECT (SELECT COUNT(DISTINCT user_id) FROM conversation_threads),"
        " (SELECT COUNT(*) FROM conversation_threads),"
        " (SELECT COUNT(*) FROM conversation_messages)"
    )
    assert (stats.users, stats.threads, stats.messages) == live.row(query)
    assert stats.messages > 0
    assert (stats.backend, stats.mode) == ("sqlite", "private")


def test_the_database_is_made_smaller_and_is_sound(live: Live) -> None:
    admin = live.client.admin
    saved = [live.call(live.client.history.save("x" * 50_000)) for _ in range(20)]
    for each in saved:
        live.call(live.client.history.delete(each.id))
    vacuumed = live.call(admin.vacuum())
    assert vacuumed.pages_after < vacuumed.pages_before
    assert live.row("PRAGMA page_count") == (vacuumed.pages_after,)
    assert live.call(admin.optimize()).duration_ms >= 0
    live.call(live.client.metadata.set("k", "v"))
    checkpointed = live.call(admin.checkpoint())
    assert checkpointed.copied == checkpointed.pages
    log = live.daemon.database.with_name("steno.db-wal")
    assert not log.exists() or log.stat().st_size == 0
    integrity = live.call(admin.integrity_check())
    assert (integrity.ok, integrity.problems, integrity.broken_references) == (True, [], 0)


def test_one_batch_takes_writes_of_every_namespace(live: Live) -> None:
    session = live.key("session")
    batch = live.client.batch()
    batch.agents.start("a", "t", conversation=session)
    batch.routing.log("i", conversation=session)
    batch.preferences.set("k", "v", user=session)
    batch.patterns.observe(session, "k")
    batch.patterns.log_usage("p", session=session)
    batch.handoffs.create("s", from_session=session)
    batch.metrics.record(session, 1)
    batch.tasks.create(session, session=session)
    batch.commands.log("c", session=session)
    batch.errors.log("e", session=session)
    batch.workflow.set(current_task=session)
    batch.metadata.set(session, "v")
    with pytest.raises(Misuse, match="plain writes"):
        batch.agents.complete("x")
    with pytest.raises(Misuse, match="plain writes"):
        batch.costs.total()
    counts = {
        "agent_interactions": "conversation_id", "routing_decisions": "conversation_id",
        "user_preferences": "user_id", "learned_patterns": "pattern_type",
        "pattern_usage": "session_id", "session_handoffs": "from_session_id",
        "memory_metrics": "metric", "tasks": "task_id", "commands": "session_id",
        "errors": "session_id", "workflow_state": "current_task", "metadata": "key",
    }  # fmt: skip
    query = " UNION ALL ".join(
        f"SELECT count(*) FROM {view} WHERE {column} = ?1" for view, column in counts.items()
    )
    assert live.rows(query, session) == [(0,)] * 12
    live.call(_sent(batch) if live.is_async else batch.__exit__(None, None, None))
    assert live.rows(query, session) == [(1,)] * 12
    assert len(batch.saved) == 12


async def _sent(batch: AsyncBatch) -> None:
    async with batch:
        pass


def test_the_client_itself_answers_for_the_daemon(live: Live) -> None:
    client = live.client
    assert 0 < live.call(client.ping()) < 60
    report = live.call(client.status())
    assert report["database"]["size_bytes"] > 0
    key = live.key("key")
    live.call(client.metadata.set(key, "v"))
    table = live.call(client.sql("SELECT key, value FROM metadata WHERE key = ?", [key]))
    assert (table.columns, table.rows) == (["key", "value"], [[key, "v"]])
    assert live.rows("SELECT key, value FROM metadata WHERE key = ?", key) == [(key, "v")]
    with pytest.raises(Refused, match="read"):
        live.call(client.sql("DELETE FROM metadata_entry"))
    reply = live.call(client.request(List(type="metadata_entry", limit=1)))
    assert len(reply.items) == 1


def test_a_batch_lands_whole_or_not_at_all(live: Live) -> None:
    key = live.key("session")
    query = "SELECT count(*) FROM prompts WHERE session_id = ?"
    batch = live.client.batch()
    for number in range(5):
        batch.history.save(f"p {number}", session=key)
    assert live.row(query, key) == (0,)
    live.call(live.ended(batch))
    assert live.row(query, key) == (5,)
    broken = live.client.batch()
    broken.history.save("one more", session=key)
    broken.history.save("other content", session=key, id=batch.saved[0].id)
    with pytest.raises(Refused) as refusal:
        live.call(live.ended(broken))
    assert refusal.value.code == ErrorCode.CONFLICT
    assert live.row(query, key) == (5,)


def test_a_subscriber_hears_of_what_is_saved_until_it_closes(live: Live) -> None:
    tag = live.key("tag")
    client: Any = Face("async" if live.is_async else "sync", live.daemon.home).client
    saved = live.call(live.client.history.save("before", tags=[tag]))
    (sequence,) = live.row("SELECT max(sequence) FROM change")
    if live.is_async:
        event, ended = live.call(_heard(client.subscribe(after=sequence, tag=tag), live, tag))
    else:
        with client.subscribe(after=sequence, tag=tag) as subscription:
            live.call(live.client.history.save("heard", tags=[tag]))
            event = next(subscription)
            subscription.close()
            ended = next(subscription, None)
    assert (event.exchange.prompt, ended) == ("heard", None)
    query = "SELECT uid FROM history WHERE tags = ? ORDER BY id"
    assert live.rows(query, tag) == [(saved.id,), (event.exchange.id,)]
    live.call(client.close())
    with pytest.raises(Misuse, match="closed"):
        live.call(client.ping())


async def _heard(subscription: Any, live: Live, tag: str) -> tuple[Any, Any]:
    async with subscription:
        await live.client.history.save("heard", tags=[tag])
        event = await anext(subscription)
        await subscription.close()
        return event, await anext(subscription, None)


def test_jobs_are_listed_and_run(live: Live) -> None:
    done = live.call(live.client.admin.run("check"))
    assert done.result == "done"
    jobs = {job.name: job for job in live.call(live.client.admin.jobs())}
    assert jobs["check"].last == done
    query = "SELECT job, result FROM job_run ORDER BY id DESC LIMIT 1"
    assert live.row(query) == ("check", "done")


def test_retention_does_nothing_unasked(live: Live) -> None:
    key = live.key("idle")
    live.call(live.client.history.save("long ago", session=key))
    live.call(live.client.sessions.update(key, status="paused"))
    trial = live.call(live.client.admin.retention_run(dry_run=True))
    assert live.call(live.client.admin.retention_run()) == trial
    assert trial.policies == [], "nothing is deleted unless the settings say so"
    assert live.row("SELECT status FROM sessions WHERE session_id = ?", key) == ("paused",)


def test_a_copy_holds_what_the_database_holds(live: Live, tmp_path: Path) -> None:
    live.call(live.client.history.save("before the copy", tags=[live.key("tag")]))
    query = "SELECT uid, prompt, tags FROM history ORDER BY id"
    for copied in (
        live.call(live.client.admin.backup(tmp_path / "backup.db")),
        live.call(live.client.admin.publish(tmp_path / "published.db")),
    ):
        connection = sqlite3.connect(f"file:{copied.path}?mode=ro", uri=True)
        assert connection.execute(query).fetchall() == live.rows(query)
        assert live.row("SELECT count(*) FROM history") == (copied.exchanges,)
        connection.close()
    assert live.call(live.client.admin.rehearse()).detail["equal"]


@pytest.fixture
def away(request: pytest.FixtureRequest, home: Path) -> Iterator[Face]:
    """A client whose daemon is not there."""
    face = Face(request.param, home)
    yield face
    face.close()


@pytest.mark.parametrize("away", ["sync", "async"], indirect=True)
def test_what_was_said_while_the_daemon_was_away_arrives(away: Face, home: Path) -> None:
    client = away.client
    run = away.result(client.agents.start("a", "t", conversation="c"))
    away.result(client.preferences.set("k", "v", user="u"))
    task = away.result(client.tasks.create("t"))
    assert {run.stored, task.stored} == {"spool"}
    daemon = RunningDaemon(home)
    daemon.start("--no-capture")
    try:
        live = Live(daemon, away)
        with daemon.client() as reader:
            reader.request(Admin(action="drain_spool", arguments={"wait": True}))
            assert reader.admin.integrity_check().ok
        query = (
            "SELECT (SELECT uid FROM agent_interactions), (SELECT uid FROM tasks),"
            " (SELECT preference_value FROM user_preferences)"
        )
        assert live.rows(query) == [(run.id, task.id, "v")]
        assert live.call(client.preferences.get("k", user="u")) == "v"
    finally:
        daemon.stop()


def test_days_follow_the_local_zone(daemon_at_rest: RunningDaemon) -> None:
    daemon_at_rest.start("--no-capture", environ={"TZ": "Asia/Tokyo"})
    with daemon_at_rest.client() as client:
        client.costs.add("m", recorded_at="2026-01-02T16:00:00Z")
        assert [day.name for day in client.costs.by_day()] == ["2026-01-03"]
