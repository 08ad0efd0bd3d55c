"""Append: a request's records stored in order, all of them or none."""

from collections import Counter
from typing import Any

import msgspec

from steno_schema import records
from steno_schema.errors import bad_request
from steno_schema.ids import format_id
from steno_schema.replies import Appended, Outcome
from steno_schema.requests import Append, SourceProgress
from stenod.store import exchanges, ledger, merge, sessions, simple, usages
from stenod.store.context import Context, uid_of
from stenod.store.packs import Packing

_CREATE: dict[type, Any] = {
    records.Session: sessions.put_session,
    records.Conversation: sessions.put_conversation,
    records.Message: exchanges.create_message,
    records.Usage: exchanges.create_usage,
    records.Preference: simple.set_preference,
    records.MetadataEntry: simple.set_metadata,
    records.Workflow: simple.set_workflow,
    records.Pattern: simple.observe_pattern,
    records.Turn: merge.merge_turn,
    **dict.fromkeys(simple.ROWS, simple.create_row),
}
_MERGE: dict[type, Any] = _CREATE | {
    records.Message: merge.merge_message,
    records.Session: sessions.merge_session,
    records.Usage: usages.merge_usage,
}
_TABLES: dict[type, str] = {
    records.Session: "session",
    records.Conversation: "conversation",
    records.Exchange: "exchange",
    records.Turn: "exchange",
    records.Message: "message",
    records.Usage: "usage",
    records.Preference: "preference",
    records.MetadataEntry: "metadata_entry",
    records.Workflow: "workflow",
    records.Pattern: "pattern_sighting",
    **{record_type: table for record_type, (table, _) in simple.ROWS.items()},
}


def append(context: Context, request: Append) -> Appended:
    """Store a request's records; raises ``RequestError`` and leaves the rest to the savepoint."""
    if request.source is not None and request.mode != "merge":
        raise bad_request("A source goes with mode merge.", "Set mode to merge.")
    if request.mode == "create":
        outcomes = [
            _create(context, record, request.duplicate_check) for record in request.records
        ]
        return Appended(outcomes=outcomes)
    if request.source is None:
        for record in request.records:
            _store(context, record, _MERGE)
    else:
        _append_read(context, request.records, request.source)
    return Appended(outcomes=[])


def _append_read(
    context: Context, said: list[records.AnyRecord], progress: SourceProgress
) -> None:
    """Store what was read of a source, and that it was."""
    # The request stays as it came: when a neighbour breaks a rule, the batch is done again.
    progress = msgspec.structs.replace(progress)
    context.packing = packing = Packing(context.connection, progress)
    try:
        became = Counter(_store(context, record, _MERGE) for record in said)
    finally:
        context.packing = None
    if became["gone"]:
        # What was forgotten stands in these bytes too.
        progress.chunk, progress.sample = b"", None
        for count in progress.counts:
            count.sample = None
    kept_size = packing.seal()
    ledger.advance(context, progress, became["created"], packing.chunk_id, kept_size)


def _create(context: Context, record: records.Record, duplicate_check: str) -> Outcome:
    if isinstance(record, records.Exchange):
        outcome, twin = exchanges.create_exchange(context, record, duplicate_check)
        return Outcome(id=record.id if twin is None else format_id(twin), outcome=outcome)
    return Outcome(id=record.id, outcome=_store(context, record, _CREATE))


def _store(context: Context, record: records.Record, table: dict[type, Any]) -> Any:
    if isinstance(record, records.Exchange):
        return exchanges.create_exchange(context, record)[0]
    return table[type(record)](context, record)


def is_stored(context: Context, request: Append, reply: Appended) -> bool:
    """Tell, after a commit of unknown outcome, whether the reply holds all the same.

    Only a record that was to be created, or was there already, can be looked up by its id; for
    an update the answer is no, and the same request again will do no harm.
    """
    if request.source is not None:
        return ledger.progress_is_stored(context, request.source)
    return len(reply.outcomes) == len(request.records) and all(
        outcome.outcome in {"created", "existed"} and _is_there(context, record)
        for record, outcome in zip(request.records, reply.outcomes, strict=True)
    )


def _is_there(context: Context, record: records.Record) -> bool:
    found = context.connection.execute(
        f"SELECT 1 FROM {_TABLES[type(record)]} WHERE uid = ?", (uid_of(record.id),)
    ).get
    return found is not None
