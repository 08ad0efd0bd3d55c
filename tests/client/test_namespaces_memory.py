"""Agent memory through a real daemon: what a verb stores, the view of its name shows."""

import json
import math
from typing import Any

import pytest

from steno.errors import Misuse, Refused
from steno_schema.errors import ErrorCode
from steno_schema.ids import uuid7
from steno_schema.records import Metric, Preference
from support.live import Live

INTERACTION = (
    "SELECT agent_type, task_description, result_summary, input_tokens, output_tokens, cost_usd,"
    " status, completed_at IS NOT NULL, started_at FROM agent_interactions WHERE uid = ?"
)


def test_an_agent_starts_and_completes(live: Live) -> None:
    thread = live.key("thread")
    agents = live.client.agents
    run = live.call(
        agents.start("reviewer", "Review", conversation=thread, started_at="2026-01-02T03:04:05Z")
    )
    begun = ("reviewer", "Review", None, 0, 0, None, "running", 0, "2026-01-02T03:04:05.000Z")
    assert live.row(INTERACTION, run.id) == begun
    told = {"result_summary": "ok", "input_tokens": 7, "output_tokens": 3, "cost_usd": 0.5}
    assert live.call(agents.complete(run, **told)) == 1
    ended = ("reviewer", "Review", "ok", 7, 3, 0.5, "completed", 1, "2026-01-02T03:04:05.000Z")
    assert live.row(INTERACTION, run.id) == ended
    where = "SELECT conversation_id FROM agent_interactions WHERE uid = ?"
    assert live.row(where, run.id) == (thread,)


def test_an_agent_fails_or_is_cancelled(live: Live) -> None:
    agents = live.client.agents
    failing = live.call(agents.start("a", "t"))
    stopping = live.call(agents.start("a", "t"))
    live.call(agents.fail(failing.id, result_summary="broke", output_tokens=2))
    live.call(agents.cancel(stopping.id[:23]))
    assert live.row(INTERACTION, failing.id)[2:8] == ("broke", 0, 2, None, "failed", 1)
    assert live.row(INTERACTION, stopping.id)[2:8] == (None, 0, 0, None, "cancelled", 1)


def test_agents_are_listed_by_what_they_are(live: Live) -> None:
    agents, thread = live.client.agents, live.key("thread")
    runs = [live.call(agents.start(kind, "t", conversation=thread)) for kind in ("a", "b", "a")]
    live.call(agents.complete(runs[0]))
    everything = live.call(agents.list(conversation=thread))
    assert [run.id for run in everything] == [run.id for run in reversed(runs)]
    assert everything[2].status == "completed"
    assert (
        everything[2].number
        == live.row("SELECT id FROM agent_interactions WHERE uid = ?", runs[0].id)[0]
    )
    chosen = live.call(agents.list(conversation=thread, agent_type="a", status="running"))
    assert [run.id for run in chosen] == [runs[2].id]
    first = live.call(agents.list(conversation=thread, limit=2))
    second = live.call(agents.list(conversation=thread, limit=2, cursor=first.next_cursor))
    assert [run.id for run in [*first, *second]] == [run.id for run in everything]
    assert second.next_cursor is None


def test_wrong_changes_of_an_agents_run_change_nothing(live: Live) -> None:
    agents = live.client.agents
    run = live.call(agents.start("a", "t"))
    before = live.row(INTERACTION, run.id)
    with pytest.raises(Refused, match=r"new value does not fit.*cost_usd") as refusal:
        live.call(agents.complete(run, cost_usd=-1.0))
    assert refusal.value.code == ErrorCode.BAD_REQUEST
    with pytest.raises(Refused) as refusal:
        live.call(agents.fail(uuid7()))
    assert refusal.value.code == ErrorCode.NOT_FOUND
    with pytest.raises(Misuse, match="no cursor"):
        live.call(agents.list(cursor="x"))
    assert live.row(INTERACTION, run.id) == before


def test_routing_is_logged_and_summed_up(live: Live) -> None:
    routing, thread, flow = live.client.routing, live.key("thread"), live.key("flow")
    told = {"conversation": thread, "selected_workflow": flow, "routing_method": "rules"}
    first = live.call(
        routing.log("bug_fix", confidence=0.5, complexity="simple", reasoning="short", **told)
    )
    second = live.call(routing.log("feature", confidence=1.0, **told))
    third = live.call(routing.log("feature", **told))
    view = (
        "SELECT conversation_id, intent, complexity, confidence, selected_workflow,"
        " routing_method, reasoning FROM routing_decisions WHERE uid = ?"
    )
    assert live.row(view, first.id) == (
        thread, "bug_fix", "simple", 0.5, flow, "rules", "short",
    )  # fmt: skip
    page = live.call(routing.list(conversation=thread, since="1h", limit=2))
    assert [decision.id for decision in page] == [third.id, second.id]
    rest = live.call(routing.list(conversation=thread, limit=2, cursor=page.next_cursor))
    assert [(d.id, d.confidence, d.reasoning) for d in rest] == [(first.id, 0.5, "short")]
    by_flow = {each.name: each for each in live.call(routing.summary(since="today"))}
    assert (by_flow[flow].decisions, by_flow[flow].mean_confidence) == (3, 0.75)
    by_intent = {each.name: each.decisions for each in live.call(routing.summary("intent"))}
    query = "SELECT intent, count(*) FROM routing_decisions GROUP BY intent"
    assert by_intent == dict(live.rows(query))
    with pytest.raises(Misuse, match="no grouping by 'uid'"):
        live.call(routing.summary("uid"))


def test_preferences_are_each_users_own(live: Live) -> None:
    preferences, ada, bob = live.client.preferences, live.key("ada"), live.key("bob")
    assert live.call(preferences.get("tone", user=ada)) is None
    assert live.call(preferences.get("tone", "plain", user=ada)) == "plain"
    live.call(preferences.set("tone", "terse", user=ada))
    live.call(preferences.set("tone", "null", user=ada))
    live.call(preferences.set("lines", "20", user=ada))
    live.call(preferences.set("tone", "kind", user=bob))
    view = "SELECT preference_key, preference_value FROM user_preferences WHERE user_id = ?"
    assert dict(live.rows(view, ada)) == {"tone": "null", "lines": "20"}
    assert live.call(preferences.all(user=ada)) == {"tone": "null", "lines": "20"}
    assert live.call(preferences.get("tone", user=bob)) == "kind"
    assert live.call(preferences.delete("tone", user=ada)) == 1
    assert live.call(preferences.delete("tone", user=ada)) == 0
    assert dict(live.rows(view, ada)) == {"lines": "20"}
    assert dict(live.rows(view, bob)) == {"tone": "kind"}
    live.call(preferences.set("tone", "back", user=ada))
    assert live.call(preferences.get("tone", user=ada)) == "back"
    with pytest.raises(Misuse, match="belongs to a user"):
        live.call(preferences.get("tone"))
    with pytest.raises(Misuse, match="breaks a rule"):
        live.call(preferences.set("tone", 7, user=ada))


def test_a_late_value_does_not_come_back_once_it_was_deleted(live: Live) -> None:
    preferences, user = live.client.preferences, live.key("user")
    early = Preference(
        id=uuid7(), user=user, key="k", value="early", updated_at="2026-01-02T03:04:05Z"
    )
    live.call(preferences.set("k", "late", user=user))
    live.call(preferences.delete("k", user=user))
    (saved,) = live.call(live.client.append([early]))
    assert saved.outcome == "gone"
    assert live.rows("SELECT 1 FROM user_preferences WHERE user_id = ?", user) == []


def test_patterns_are_counted_up(live: Live) -> None:
    patterns, kind = live.client.patterns, live.key("kind")
    first = live.call(patterns.observe(kind, "k", "v", confidence=0.5, seen_at="2026-01-02"))
    live.call(patterns.observe(kind, "k", "v", confidence=0.5, seen_at="2026-01-02", id=first.id))
    live.call(patterns.observe(kind, "k", occurrences=2, seen_at="2026-01-03T00:00:00Z"))
    live.call(patterns.observe(kind, "other"))
    view = (
        "SELECT pattern_value, occurrence_count, confidence_score, first_seen, last_seen"
        " FROM learned_patterns WHERE pattern_type = ? AND pattern_key = 'k'"
    )
    expected = ("v", 3, 0.5, "2026-01-02T00:00:00.000Z", "2026-01-03T00:00:00.000Z")
    assert live.row(view, kind) == expected
    found = live.call(patterns.list(pattern_type=kind))
    assert [pattern.pattern_key for pattern in found] == ["other", "k"]
    (known,) = live.call(patterns.list(pattern_type=kind, pattern_key="k"))
    assert (known.occurrence_count, known.confidence_score, known.id) == (3, 0.5, first.id)


def test_patterns_pay_off(live: Live) -> None:
    patterns, name, source = live.client.patterns, live.key("name"), live.key("source")
    task = live.key("task")
    used = live.call(
        patterns.log_usage(name, time_saved_hours=1.5, confidence=0.5, source=source, task=task)
    )
    live.call(patterns.log_usage(name, time_saved_hours=0.5, source="another", session="s"))
    view = "SELECT pattern_name, task_id, source, confidence FROM pattern_usage WHERE uid = ?"
    assert live.row(view, used.id) == (name, task, source, 0.5)
    worth = {each.name: each for each in live.call(patterns.roi(since="today"))}[name]
    assert (worth.uses, worth.time_saved_hours, worth.mean_time_saved_hours) == (2, 2.0, 1.0)
    assert worth.mean_confidence == 0.5
    sources = {each.name: each.time_saved_hours for each in live.call(patterns.roi("source"))}
    query = "SELECT source, SUM(time_saved_hours) FROM pattern_usage GROUP BY source"
    assert sources == dict(live.rows(query))
    assert sources[source] == 1.5


def test_a_handoff_is_found_by_either_side(live: Live) -> None:
    handoffs, one, two = live.client.handoffs, live.key("session"), live.key("session")
    told: dict[str, Any] = {"open_tasks": ["tests"], "context": {"branch": "main", "n": [1]}}
    assert live.call(handoffs.latest(from_session=one)) is None
    first = live.call(handoffs.create("done", from_session=one, to_session=two, **told))
    late = live.call(handoffs.create("more", from_session=one))
    live.call(handoffs.create("old", from_session=one, created_at="2026-01-02"))
    view = (
        "SELECT from_session_id, to_session_id, summary, open_tasks, context_json"
        " FROM session_handoffs WHERE uid = ?"
    )
    row = live.row(view, first.id)
    assert (*row[:3], json.loads(row[3]), json.loads(row[4])) == (
        one, two, "done", told["open_tasks"], told["context"],
    )  # fmt: skip
    assert live.call(handoffs.latest(from_session=one)).id == late.id
    latest = live.call(handoffs.latest(to_session=two))
    assert (latest.id, latest.open_tasks, latest.context) == (first.id, *told.values())
    page = live.call(handoffs.list(from_session=one, limit=2))
    assert [handoff.summary for handoff in page] == ["old", "more"]
    (rest,) = live.call(handoffs.list(from_session=one, limit=2, cursor=page.next_cursor))
    assert rest.id == first.id


def test_metrics_are_summed_up_by_unit(live: Live) -> None:
    metrics, name = live.client.metrics, live.key("metric")
    first = live.call(metrics.record(name, 2, unit="ms", labels={"model": "m"}))
    live.call(metrics.record(name, 6.0, unit="ms"))
    live.call(metrics.record(name, 1.0))
    live.call(metrics.record(name, 100.0, unit="ms", recorded_at="2020-01-01"))
    view = "SELECT metric, value, unit, labels_json FROM memory_metrics WHERE uid = ?"
    assert live.row(view, first.id) == (name, 2.0, "ms", '{"model":"m"}')
    bare, timed = live.call(metrics.summary(name, since="today"))
    assert (bare.unit, bare.count, bare.total) == (None, 1, 1.0)
    assert (timed.unit, timed.count, timed.total, timed.mean) == ("ms", 2, 8.0, 4.0)
    assert (timed.minimum, timed.maximum) == (2.0, 6.0)
    (old,) = live.call(metrics.summary(name, until="2020-01-01"))
    assert (old.total, old.last_at) == (100.0, "2020-01-01T00:00:00.000Z")
    for value in (math.nan, math.inf):
        with pytest.raises(Misuse, match="finite"):
            live.call(metrics.record(name, value))
        with pytest.raises(Refused, match="finite"):
            live.call(live.client.append([Metric(id=uuid7(), metric=name, value=value)]))
    assert live.row("SELECT count(*) FROM memory_metrics WHERE metric = ?", name) == (4,)
