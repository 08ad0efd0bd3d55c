"""Memory and work records from an export."""

from typing import Any

from steno_schema import exported, records
from steno_schema.records import Preference
from stenod.store import simple
from stenod.store.context import Context, moment, optional_moment, uid_of
from stenod.store.owners import conversation_of
from stenod.store.rows import fetch_one
from stenod.store.settle import complete, hash_told, insert, stored

_UNTOLD_MS = -(2**62)
"""Stands for a time that the record does not tell, before it is given the time of arrival."""


def restore_row(context: Context, record: Any) -> str:
    """Store a record that is one row."""
    if isinstance(record, exported.ExportedInteraction | exported.ExportedRoutingDecision):
        conversation_of(context, record.conversation, None)
    table, columns_of = simple.ROWS[type(record).__base__ or type(record)]
    columns = columns_of(context, record, _UNTOLD_MS)
    told = {name: value for name, value in columns.items() if value != _UNTOLD_MS}
    uid = uid_of(record.id)
    known = stored(context, table, uid, told)
    if known is not None:
        return complete(context, table, known, told)
    if context.is_gone(uid):
        return "gone"
    arrived = dict.fromkeys(columns.keys() - told.keys(), context.now())
    insert(
        context,
        table,
        {"uid": uid, **told, **arrived, "content_hash": hash_told(record.content_hash)},
    )
    return "created"


def restore_preference(context: Context, record: Preference) -> str:
    """Keep the newer value of a user's preference."""
    known = fetch_one(
        context.connection,
        "SELECT value, updated_at FROM preference WHERE user = ? AND key = ?",
        (record.user, record.key),
    )
    return _newer(context, record, known, record.value, simple.set_preference)


def restore_metadata(context: Context, record: records.MetadataEntry) -> str:
    """Keep the newer value of a metadata key."""
    known = fetch_one(
        context.connection,
        "SELECT value, updated_at FROM metadata_entry WHERE key = ?",
        (record.key,),
    )
    return _newer(context, record, known, record.value, simple.set_metadata)


def restore_workflow(context: Context, record: records.Workflow) -> str:
    """Keep the newer workflow state."""
    told = simple.workflow_columns(record)
    names = ", ".join(told)
    row = fetch_one(context.connection, f"SELECT {names}, updated_at FROM workflow")
    known = None if row is None else (row[:-1], row[-1])
    return _newer(context, record, known, tuple(told.values()), simple.set_workflow)


def _newer(
    context: Context, record: Any, known: tuple[Any, ...] | None, value: Any, keep: Any
) -> str:
    if known is not None:
        at = optional_moment(record.updated_at)
        if known[0] == value or (at is not None and at < known[1]):
            return "existed"
        if at is None or at == known[1]:
            return "conflict"
    outcome: str = keep(context, record)
    return "created" if known is None and outcome == "updated" else outcome


def restore_pattern(context: Context, record: exported.ExportedPattern) -> str:
    """Store a learned pattern with all its sightings, or take over higher counts of it."""
    uid = uid_of(record.id)
    last = moment(record.seen_at, context.now())
    first = last if record.first_seen is None else moment(record.first_seen, last)
    columns = {
        "pattern_value": record.pattern_value,
        "occurrence_count": record.occurrences,
        "confidence_score": record.confidence,
        "first_seen": first,
        "last_seen": last,
    }
    known = stored(context, "pattern", uid, columns)
    if known is not None:
        return _raised(context, known, columns)
    if context.is_gone(uid):
        return "gone"
    keys = (record.pattern_type, record.pattern_key)
    row = fetch_one(
        context.connection,
        "SELECT id FROM pattern WHERE pattern_type = ? AND pattern_key = ?",
        keys,
    )
    if row is not None:
        outcome = simple.observe_pattern(context, record)
        context.connection.execute(
            "UPDATE pattern SET first_seen = min(first_seen, ?) WHERE id = ?", (first, row[0])
        )
        return "existed" if outcome == "existed" else "updated"
    row_id = insert(
        context,
        "pattern",
        {"uid": uid, "pattern_type": keys[0], "pattern_key": keys[1], **columns},
    )
    context.connection.execute(
        "INSERT OR IGNORE INTO pattern_sighting (uid, pattern_id) VALUES (?, ?)", (uid, row_id)
    )
    return "created"


def _raised(context: Context, known: dict[str, Any], told: dict[str, Any]) -> str:
    """Take over what a later export says of the same pattern: sightings only come, never go."""
    if told["occurrence_count"] <= known["occurrence_count"]:
        return "existed"
    told["first_seen"] = min(told["first_seen"], known["first_seen"])
    told["last_seen"] = max(told["last_seen"], known["last_seen"])
    assignments = ", ".join(f"{name} = coalesce(?, {name})" for name in told)
    context.connection.execute(
        f"UPDATE pattern SET {assignments} WHERE id = ?", (*told.values(), known["id"])
    )
    return "updated"
