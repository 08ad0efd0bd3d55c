"""Work analytics through a real daemon: tasks, commands, errors, workflow, metadata, streaks."""

import json
import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from steno.errors import Misuse, Refused
from steno_schema.errors import ErrorCode
from steno_schema.ids import uuid7
from steno_schema.records import MetadataEntry, Session
from support.live import Live

NOW = datetime.now(UTC)


def ago(**time: float) -> datetime:
    return NOW - timedelta(**time)


def test_a_task_is_created_and_completed(live: Live) -> None:
    tasks, key, session = live.client.tasks, live.key("task"), live.key("session")
    told = {"specialist": "backend", "task_type": "bug", "complexity": "simple"}
    saved = live.call(
        tasks.create(
            key, session=session, estimation_hours=2, started_at="2026-01-02T00:00:00Z", **told
        )
    )
    assert saved.key == key
    view = (
        "SELECT uid, session_id, specialist, type, complexity, started_at, completed_at,"
        " duration_hours, estimation_hours FROM tasks WHERE task_id = ?"
    )
    begun = (saved.id, session, "backend", "bug", "simple", "2026-01-02T00:00:00.000Z")
    assert live.row(view, key) == (*begun, None, None, 2.0)
    assert live.call(tasks.complete(key, completed_at="2026-01-02T01:30:00Z")) == 1
    assert live.row(view, key) == (*begun, "2026-01-02T01:30:00.000Z", 1.5, 2.0)
    task = live.call(tasks.get(key))
    assert (task.id, task.type, task.duration_hours) == (saved.id, "bug", 1.5)
    assert live.call(tasks.get(task.number)) == task
    counted = "SELECT tasks_completed FROM sessions WHERE session_id = ?"
    live.call(live.client.sessions.create(session))
    assert live.row(counted, session) == (1,)


def test_a_task_may_say_how_long_it_took(live: Live) -> None:
    tasks = live.client.tasks
    saved = live.call(tasks.create())
    assert saved.key == saved.id
    live.call(tasks.complete(saved.id, duration_hours=0.25))
    view = "SELECT duration_hours, completed_at >= started_at FROM tasks WHERE uid = ?"
    assert live.row(view, saved.id) == (0.25, 1)


def test_of_several_tasks_with_one_key_the_newest_is_meant(live: Live) -> None:
    tasks, key = live.client.tasks, live.key("task")
    live.call(tasks.create(key))
    second = live.call(tasks.create(key))
    live.call(tasks.complete(key))
    view = "SELECT uid FROM tasks WHERE task_id = ? AND completed_at IS NOT NULL"
    assert live.rows(view, key) == [(second.id,)]
    with pytest.raises(Refused) as refusal:
        live.call(tasks.complete(live.key("task")))
    assert refusal.value.code == ErrorCode.NOT_FOUND
    with pytest.raises(Refused, match="does not fit"):
        live.call(tasks.complete(key, duration_hours=-1.0))
    with pytest.raises(Misuse, match="is no date"):
        live.call(tasks.complete(key, completed_at="soon"))


def test_specialists_are_measured_by_their_estimates(live: Live) -> None:
    tasks, session = live.client.tasks, live.key("session")
    for specialist, estimate, took in (
        ("backend", 2, 3.0),
        ("backend", None, 5.0),
        ("backend", 4, None),
        ("frontend", 1, 1.0),
    ):
        saved = live.call(
            tasks.create(specialist=specialist, estimation_hours=estimate, session=session)
        )
        if took is not None:
            live.call(tasks.complete(saved.id, duration_hours=took))
    backend, frontend = live.call(tasks.stats(session=session))
    assert (backend.specialist, backend.tasks, backend.completed) == ("backend", 3, 2)
    assert (backend.estimation_hours, backend.duration_hours) == (6.0, 8.0)
    assert (backend.duration_per_estimate, frontend.duration_per_estimate) == (1.5, 1.0)
    assert live.call(tasks.stats(session=session, until="yesterday")) == []
    query = "SELECT specialist, COUNT(*) FROM tasks GROUP BY specialist"
    everyone = {each.specialist: each.tasks for each in live.call(tasks.stats())}
    assert everyone == dict(live.rows(query))


def test_commands_are_logged_and_counted(live: Live) -> None:
    commands, session = live.client.commands, live.key("session")
    told = {"model": "m1", "thinking_budget": 10_000, "duration_ms": 20.5, "success": True}
    first = live.call(commands.log("/a", session=session, executed_at="2026-01-02", **told))
    live.call(commands.log("/a", session=session, model="m2", duration_ms=9.5, success=False))
    last = live.call(commands.log("/b", session=session, model="m1"))
    view = (
        "SELECT command, model, thinking_budget, duration_ms, success, executed_at, session_id"
        " FROM commands WHERE uid = ?"
    )
    expected = ("/a", "m1", 10_000, 20.5, 1, "2026-01-02T00:00:00.000Z", session)
    assert live.row(view, first.id) == expected
    recent = live.call(commands.recent(2, session=session))
    assert [command.command for command in recent] == ["/b", "/a"]
    (rest,) = live.call(commands.recent(2, session=session, cursor=recent.next_cursor))
    assert (rest.id, rest.success, rest.thinking_budget) == (first.id, True, 10_000)
    with_m1 = live.call(commands.recent(session=session, model="m1", since="1h"))
    assert [command.id for command in with_m1] == [last.id]
    a, b = live.call(commands.stats(session=session))
    assert (a.name, a.runs, a.succeeded, a.failed, a.mean_duration_ms) == ("/a", 2, 1, 1, 15.0)
    assert (b.name, b.runs, b.succeeded, b.failed, b.mean_duration_ms) == ("/b", 1, 0, 0, None)
    m1, m2 = live.call(commands.stats(by="model", session=session))
    assert (m1.name, m1.runs, m1.mean_thinking_budget, m2.runs) == ("m1", 2, 10_000, 1)
    (old,) = live.call(commands.stats(session=session, until="2026-01-02"))
    assert (old.runs, old.last_at) == (1, "2026-01-02T00:00:00.000Z")
    with pytest.raises(Misuse, match="no grouping"):
        live.call(commands.stats(by="success"))
    with pytest.raises(Refused, match="is no date"):
        live.call(commands.recent(since="soon"))


def test_errors_are_logged_and_summed_up_by_hours(live: Live) -> None:
    errors, session = live.client.errors, live.key("session")
    before = live.call(errors.summary(hours=24))
    told = {"severity": 9, "command": live.key("make"), "context": '{"not": "read"}'}
    bad = live.call(errors.log("broke", session=session, occurred_at=ago(hours=2), **told))
    live.call(errors.log("meh", session=session))
    live.call(errors.log("old", session=session, severity=10, occurred_at=ago(days=3)))
    view = "SELECT message, severity, command, context, session_id FROM errors WHERE uid = ?"
    assert live.row(view, bad.id) == ("broke", *told.values(), session)
    day = live.call(errors.summary())
    assert (day.total - before.total, day.critical - before.critical) == (2, 1)
    assert (day.commands - before.commands, day.sessions - before.sessions) == (1, 1)
    query = (
        "SELECT COUNT(*) AS total, SUM(CASE WHEN severity >= 8 THEN 1 ELSE 0 END) AS critical"
        " FROM errors WHERE datetime(timestamp) >= datetime('now','-24 hours')"
    )
    assert live.row(query) == (day.total, day.critical)
    hour = live.call(errors.summary(hours=1))
    assert (hour.total, day.total - hour.total) == (before.total + 1, 1)
    week = live.call(errors.summary(hours=168))
    assert (week.worst_severity, week.total - day.total) == (10, 1)
    page = live.call(errors.recent(2, session=session))
    assert [error.message for error in page] == ["old", "meh"]
    (first,) = live.call(errors.recent(2, session=session, cursor=page.next_cursor))
    assert (first.id, first.context) == (bad.id, told["context"])
    newest = live.call(errors.recent(session=session, since="1h"))
    assert [error.message for error in newest] == ["meh"]


@pytest.mark.parametrize("hours", [0, -1, math.nan, math.inf])
def test_a_summary_is_of_some_hours(live: Live, hours: float) -> None:
    with pytest.raises(Misuse, match="some hours"):
        live.call(live.client.errors.summary(hours))


def test_without_errors_a_summary_is_empty(live: Live) -> None:
    summary = live.call(live.client.errors.summary(hours=1e-9))
    assert (summary.total, summary.critical, summary.worst_severity) == (0, 0, None)


def test_the_workflow_state_is_one_and_replaced(live: Live) -> None:
    workflow = live.client.workflow
    assert live.call(workflow.get()) is None
    live.call(workflow.set(current_task="t", current_command="c", session="s", data={"step": 3}))
    state = live.call(workflow.get())
    assert (state.current_task, state.current_command, state.session_id) == ("t", "c", "s")
    assert state.data == {"step": 3}
    live.call(workflow.set(current_task="next", session="s"))
    view = "SELECT id, current_task, current_command, session_id, data_json FROM workflow_state"
    assert live.rows(view) == [(1, "next", None, "s", None)]
    assert live.call(workflow.get()).data is None


def test_metadata_is_kept_by_key(live: Live) -> None:
    metadata, key = live.client.metadata, live.key("key")
    assert live.call(metadata.get(key)) is None
    assert live.call(metadata.get(key, "d")) == "d"
    live.call(metadata.set(key, "1"))
    live.call(metadata.set(key, json.dumps({"a": 1})))
    live.call(metadata.set("7", "seven"))
    view = "SELECT value FROM metadata WHERE key = ?"
    assert live.rows(view, key) == [('{"a": 1}',)]
    assert live.call(metadata.get(key)) == '{"a": 1}'
    assert live.call(metadata.delete("1")) == 0
    assert live.call(metadata.delete(key)) == 1
    assert live.call(metadata.delete(key)) == 0
    assert live.rows(view, key) == []
    assert live.rows(view, "7") == [("seven",)]
    early = MetadataEntry(id=uuid7(), key=key, value="late", updated_at="2026-01-02T00:00:00Z")
    (saved,) = live.call(live.client.append([early]))
    assert (saved.outcome, live.rows(view, key)) == ("gone", [])
    live.call(metadata.set(key, "anew"))
    assert live.rows(view, key) == [("anew",)]


Days = Callable[[str, list[int]], None]


@pytest.fixture
def sessions_on(live: Live) -> Days:
    """Make a session of a user on each of these days, counted back from today."""

    def make(user: str, days: list[int]) -> None:
        noon = NOW.replace(hour=0, minute=0, second=0)
        for day in days:
            when = (noon - timedelta(days=day)).isoformat()
            key = live.key("session")
            session = Session(
                id=uuid7(),
                key=key,
                user=user,
                project="/p" if day else "/q",
                created_at=when,
                started_at=when,
                last_active_at=when,
            )
            live.call(live.client.append([session]))

    return make


@pytest.mark.parametrize(
    ("days", "current", "longest"),
    [
        ([], 0, 0),
        ([0], 1, 1),
        ([1], 1, 1),
        ([2, 3, 4], 0, 3),
        ([0, 0, 1, 2, 5, 6, 7, 8], 3, 4),
        ([1, 2, 4], 2, 2),
    ],
)
def test_streaks(
    live: Live, sessions_on: Days, days: list[int], current: int, longest: int
) -> None:
    user = live.key("user")
    sessions_on(user, days)
    streak = live.call(live.client.sessions.streak(user))
    assert (streak.current_days, streak.longest_days) == (current, longest)
    query = "SELECT DATE(MAX(last_active_at)) FROM sessions WHERE user_id = ?"
    assert live.row(query, user) == (streak.last_day,)


def test_a_streak_of_a_project(live: Live, sessions_on: Days) -> None:
    user = live.key("user")
    sessions_on(user, [0, 1, 2])
    streaks = [live.call(live.client.sessions.streak(user, project=p)) for p in ("/p", "/q")]
    assert [streak.longest_days for streak in streaks] == [2, 1]


def test_a_session_counts_for_the_days_it_began_and_was_last_active(live: Live) -> None:
    user = live.key("user")
    session = Session(
        id=uuid7(),
        key=live.key("session"),
        user=user,
        started_at=ago(days=1).isoformat(),
        last_active_at=NOW.isoformat(),
    )
    live.call(live.client.append([session]))
    assert live.call(live.client.sessions.streak(user)).current_days == 2
