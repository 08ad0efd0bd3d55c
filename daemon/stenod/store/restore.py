"""Import: exported records back in, each by itself.

Into an empty database they come as they were, ids, order and times included. What is there
already is completed where it lacks something and never replaced, except that a captured thing is
settled with the sighting known already, as if its transcript had been read.
"""

from typing import Any

from steno_schema import exported, records
from steno_schema.errors import ErrorCode
from steno_schema.replies import Appended, Outcome
from steno_schema.requests import Import
from stenod.store.connection import sqlite_error
from stenod.store.context import Context
from stenod.store.restore_exchange import restore_exchange
from stenod.store.restore_memory import (
    restore_metadata,
    restore_pattern,
    restore_preference,
    restore_row,
    restore_workflow,
)
from stenod.store.restore_talk import (
    restore_conversation,
    restore_message,
    restore_session,
    restore_usage,
)

_RESTORE: dict[type, Any] = {
    exported.ExportedSession: restore_session,
    exported.ExportedConversation: restore_conversation,
    exported.ExportedExchange: restore_exchange,
    exported.ExportedMessage: restore_message,
    exported.ExportedUsage: restore_usage,
    exported.ExportedInteraction: restore_row,
    exported.ExportedRoutingDecision: restore_row,
    exported.ExportedHandoff: restore_row,
    exported.ExportedMetric: restore_row,
    exported.ExportedTask: restore_row,
    exported.ExportedCommand: restore_row,
    exported.ExportedErrorEvent: restore_row,
    exported.ExportedPatternUsage: restore_row,
    exported.ExportedPattern: restore_pattern,
    records.Preference: restore_preference,
    records.MetadataEntry: restore_metadata,
    records.Workflow: restore_workflow,
}
_OF_THE_RECORD = frozenset({ErrorCode.BAD_REQUEST, ErrorCode.TOO_LARGE, ErrorCode.CONFLICT})
"""Refusals that say something about one record; every other is about the whole request."""


def restore(context: Context, request: Import) -> Appended:
    """Store exported records; one that breaks a rule is left out, and its outcome says why."""
    return Appended(outcomes=[_restored(context, record) for record in request.records])


def _restored(context: Context, record: Any) -> Outcome:
    connection, mark = context.connection, context.mark()
    connection.execute("SAVEPOINT record")
    try:
        outcome = Outcome(id=record.id, outcome=_RESTORE[type(record)](context, record))
    except Exception as error:
        refusal = sqlite_error(error)
        if refusal.code not in _OF_THE_RECORD or not connection.in_transaction:
            raise
        connection.execute("ROLLBACK TO record")
        context.back_to(mark)
        outcome = Outcome(id=record.id, outcome="refused", problem=refusal.message)
    connection.execute("RELEASE record")
    return outcome
