"""The job ``retention``: it does what the settings say, a few rows a step."""

import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import apsw

from steno_schema.retentionsettings import What
from stenod.jobs.slices import OnWriter, Slices
from stenod.retention.choosing import (
    IDLE,
    SIZE_RULES,
    Chosen,
    Rule,
    excess_bytes,
    idle_before_ms,
    rules,
    steps,
    until,
)
from stenod.store.context import Context
from stenod.store.forget import forget_exchanges
from stenod.store.trim import drop_summarised, trim_results

SESSIONS_AT_ONCE = 200
_REMOVE: dict[What, Callable[[Context, list[int]], Any]] = {
    "exchanges": forget_exchanges,
    "tool_results": trim_results,
    "summarised": drop_summarised,
}


def retention(work: OnWriter) -> Slices:
    """Archive idle sessions, do what each policy says, then see to the size.

    It tells for each policy how many rows and bytes of text went.
    """
    settings = work.settings.retention
    now_ms = time.time_ns() // 1_000_000
    before = idle_before_ms(settings, now_ms)
    sessions = 0
    while before is not None and (count := _archive(work.connection, before, now_ms)):
        sessions += count
        yield
    policies: list[dict[str, Any]] = []
    for rule in rules(settings, now_ms):
        policies.append((yield from _remove(work, rule, steps(work.connection, rule))))
    wanted = excess_bytes(work.connection, settings)
    for rule in SIZE_RULES if settings.max_size is not None else ():
        found = until(wanted, steps(work.connection, rule))
        policies.append((yield from _remove(work, rule, found)))
        wanted -= policies[-1]["bytes"]
    if any(policy["count"] for policy in policies):
        yield  # the index comes before the next step
        work.background.checkpoint(empty=True)
    return {"sessions_archived": sessions, "policies": policies}


def _archive(connection: apsw.Connection, before_ms: int, now_ms: int) -> int:
    connection.execute(
        "UPDATE session SET status = 'archived', updated_at = ? WHERE id IN"
        f" (SELECT id FROM session WHERE {IDLE} LIMIT ?)",
        (now_ms, before_ms, SESSIONS_AT_ONCE),
    )
    return connection.changes()


def _remove(work: OnWriter, rule: Rule, found: Iterator[list[Chosen]]) -> Slices:
    count = size_bytes = 0
    for step in found:
        if step:
            ids = [each.row_id for each in step]
            work.forget(partial(_removed, rule.what, ids))
            count += len(step)
            size_bytes += sum(each.size_bytes for each in step)
        yield
    return {"policy": rule.name, "count": count, "bytes": size_bytes}


def _removed(what: What, ids: list[int], context: Context) -> None:
    _REMOVE[what](context, ids)
