"""Records that are one row each: memory and work analytics.

``ROWS`` says for each record type its table and how its fields become columns. Most are created
once under their id; those with a key of their own are replaced when said again (``UPSERTS``).
"""

import math
from collections.abc import Callable
from typing import Any

from steno_schema import records
from steno_schema.errors import bad_request
from stenod.store.context import (
    Context,
    check_same,
    hash_of,
    json_or_none,
    moment,
    optional_moment,
    uid_of,
)
from stenod.store.remove import is_removed
from stenod.store.rows import fetch_one

Row = dict[str, Any]


def _interaction(context: Context, record: records.AgentInteraction, now: int) -> Row:
    return {
        "conversation_id": _conversation(context, record.conversation, now),
        "agent_type": record.agent_type,
        "task_description": record.task_description,
        "result_summary": record.result_summary,
        "input_tokens": record.input_tokens,
        "output_tokens": record.output_tokens,
        "cost_usd": record.cost_usd,
        "started_at": moment(record.started_at, now),
        "completed_at": optional_moment(record.completed_at),
        "status": record.status,
    }


def _routing(context: Context, record: records.RoutingDecision, now: int) -> Row:
    return {
        "conversation_id": _conversation(context, record.conversation, now),
        "intent": record.intent,
        "complexity": record.complexity,
        "confidence": record.confidence,
        "selected_workflow": record.selected_workflow,
        "routing_method": record.routing_method,
        "reasoning": record.reasoning,
        "decided_at": moment(record.decided_at, now),
    }


def _handoff(_context: Context, record: records.Handoff, now: int) -> Row:
    return {
        "from_session": record.from_session,
        "to_session": record.to_session,
        "summary": record.summary,
        "open_tasks": json_or_none(record.open_tasks),
        "context": json_or_none(record.context),
        "created_at": moment(record.created_at, now),
    }


def _metric(_context: Context, record: records.Metric, now: int) -> Row:
    if not math.isfinite(record.value):
        raise bad_request(f"A metric's value is a finite number, not {record.value}.")
    return {
        "metric": record.metric,
        "value": record.value,
        "unit": record.unit,
        "labels": json_or_none(record.labels),
        "recorded_at": moment(record.recorded_at, now),
    }


def _task(_context: Context, record: records.Task, now: int) -> Row:
    return {
        "key": record.key,
        "session": record.session,
        "specialist": record.specialist,
        "task_type": record.task_type,
        "complexity": record.complexity,
        "started_at": optional_moment(record.started_at),
        "completed_at": optional_moment(record.completed_at),
        "duration_hours": record.duration_hours,
        "estimation_hours": record.estimation_hours,
        "created_at": moment(record.created_at, now),
    }


def _command(_context: Context, record: records.Command, now: int) -> Row:
    return {
        "command": record.command,
        "session": record.session,
        "model": record.model,
        "thinking_budget": record.thinking_budget,
        "duration_ms": record.duration_ms,
        "success": record.success,
        "executed_at": moment(record.executed_at, now),
        "created_at": moment(record.created_at, now),
    }


def _error_event(_context: Context, record: records.ErrorEvent, now: int) -> Row:
    return {
        "message": record.message,
        "severity": record.severity,
        "command": record.command,
        "context": record.context,
        "session": record.session,
        "occurred_at": moment(record.occurred_at, now),
        "created_at": moment(record.created_at, now),
    }


def _pattern_usage(_context: Context, record: records.PatternUsage, now: int) -> Row:
    return {
        "pattern_name": record.pattern_name,
        "task": record.task,
        "session": record.session,
        "time_saved_hours": record.time_saved_hours,
        "confidence": record.confidence,
        "source": record.source,
        "created_at": moment(record.created_at, now),
    }


def _conversation(context: Context, key: str, now: int) -> int:
    known = context.keys.known_conversation(key)
    if known is not None:
        return known
    return context.keys.conversation(key, context.keys.session(key, now), now)


ROWS: dict[type, tuple[str, Callable[[Context, Any, int], Row]]] = {
    records.AgentInteraction: ("agent_interaction", _interaction),
    records.RoutingDecision: ("routing_decision", _routing),
    records.Handoff: ("handoff", _handoff),
    records.Metric: ("metric", _metric),
    records.Task: ("task", _task),
    records.Command: ("command", _command),
    records.ErrorEvent: ("error_event", _error_event),
    records.PatternUsage: ("pattern_use", _pattern_usage),
}


def create_row(context: Context, record: records.Record) -> str:
    """Store a record of one of the types in ``ROWS`` once."""
    table, columns_of = ROWS[type(record)]
    uid = uid_of(record.id)
    stored = fetch_one(
        context.connection, f"SELECT content_hash FROM {table} WHERE uid = ?", (uid,)
    )
    if stored is not None:
        check_same(stored[0], record, record.id)
        return "existed"
    if context.is_gone(uid):
        return "gone"
    row = {"uid": uid, "content_hash": hash_of(record)}
    row |= columns_of(context, record, context.now())
    names = ", ".join(row)
    marks = ", ".join("?" * len(row))
    context.connection.execute(
        f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(row.values())
    )
    return "created"


def set_preference(context: Context, record: records.Preference) -> str:
    """Keep the newer value of a user's preference."""
    at = moment(record.updated_at, context.now())
    if is_removed(context, "preference", (record.user, record.key), at):
        return "gone"
    return _upsert(
        context,
        "INSERT INTO preference (uid, user, key, value, updated_at) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (user, key) DO UPDATE SET value = excluded.value,"
        " updated_at = excluded.updated_at WHERE excluded.updated_at >= updated_at",
        record.id,
        (record.user, record.key, record.value, at),
    )


def set_metadata(context: Context, record: records.MetadataEntry) -> str:
    """Keep the newer value of a metadata key."""
    at = moment(record.updated_at, context.now())
    if is_removed(context, "metadata_entry", (record.key,), at):
        return "gone"
    return _upsert(
        context,
        "INSERT INTO metadata_entry (uid, key, value, updated_at) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (key) DO UPDATE SET value = excluded.value,"
        " updated_at = excluded.updated_at WHERE excluded.updated_at >= updated_at",
        record.id,
        (record.key, record.value, at),
    )


def set_workflow(context: Context, record: records.Workflow) -> str:
    """Replace the one workflow state."""
    return _upsert(
        context,
        "INSERT INTO workflow (id, uid, current_task, current_command, session, data, updated_at)"
        " VALUES (1, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET"
        " current_task = excluded.current_task, current_command = excluded.current_command,"
        " session = excluded.session, data = excluded.data, updated_at = excluded.updated_at"
        " WHERE excluded.updated_at >= updated_at",
        record.id,
        (*workflow_columns(record).values(), moment(record.updated_at, context.now())),
    )


def workflow_columns(record: records.Workflow) -> Row:
    """Return the columns of the workflow state, but its time."""
    return {
        "current_task": record.current_task,
        "current_command": record.current_command,
        "session": record.session,
        "data": json_or_none(record.data),
    }


def _upsert(context: Context, sql: str, record_id: str, values: tuple[Any, ...]) -> str:
    before = context.connection.total_changes()
    context.connection.execute(sql, (uid_of(record_id), *values))
    return "updated" if context.connection.total_changes() > before else "existed"


def observe_pattern(context: Context, record: records.Pattern) -> str:
    """Count a pattern's sighting once, however often its record arrives."""
    uid = uid_of(record.id)
    seen = context.connection.execute("SELECT 1 FROM pattern_sighting WHERE uid = ?", (uid,)).get
    if seen is not None:
        return "existed"
    at = moment(record.seen_at, context.now())
    pattern_id = context.connection.execute(
        "INSERT INTO pattern (uid, pattern_type, pattern_key, pattern_value, occurrence_count,"
        " confidence_score, first_seen, last_seen) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (pattern_type, pattern_key) DO UPDATE SET"
        " pattern_value = coalesce(excluded.pattern_value, pattern_value),"
        " occurrence_count = occurrence_count + excluded.occurrence_count,"
        " confidence_score = coalesce(excluded.confidence_score, confidence_score),"
        " first_seen = min(first_seen, excluded.first_seen),"
        " last_seen = max(last_seen, excluded.last_seen) RETURNING id",
        (
            uid,
            record.pattern_type,
            record.pattern_key,
            record.pattern_value,
            record.occurrences,
            record.confidence,
            at,
            at,
        ),
    ).get
    context.connection.execute(
        "INSERT INTO pattern_sighting (uid, pattern_id) VALUES (?, ?)", (uid, pattern_id)
    )
    return "created"
