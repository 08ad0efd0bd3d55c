"""What a run of retention would do now, without doing it."""

import time
from collections.abc import Iterator
from typing import Any

import apsw

from steno_schema.retentionsettings import Retention
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


def preview(connection: apsw.Connection, settings: Retention) -> dict[str, Any]:
    """Return what would go, by policy; what an earlier policy takes is not counted again."""
    now_ms = time.time_ns() // 1_000_000
    before = idle_before_ms(settings, now_ms)
    query = f"SELECT count(*) FROM session WHERE {IDLE}"
    sessions = 0 if before is None else connection.execute(query, (before,)).get
    planned = _Planned()
    for rule in rules(settings, now_ms):
        planned.add(rule, planned.new(rule, steps(connection, rule)))
    wanted = excess_bytes(connection, settings) - planned.size_bytes
    for rule in SIZE_RULES if settings.max_size is not None else ():
        wanted -= planned.add(rule, until(wanted, planned.new(rule, steps(connection, rule))))
    return {"sessions_archived": sessions, "policies": planned.policies}


class _Planned:
    """What would have gone so far."""

    def __init__(self) -> None:
        self.policies: list[dict[str, Any]] = []
        self.size_bytes = 0
        self._exchanges: set[int] = set()
        self._messages: set[int] = set()

    def new(self, rule: Rule, found: Iterator[list[Chosen]]) -> Iterator[list[Chosen]]:
        """Leave out what went with an earlier policy."""
        for step in found:
            yield [each for each in step if not self._is_gone(rule, each)]

    def _is_gone(self, rule: Rule, each: Chosen) -> bool:
        return each.exchange_id in self._exchanges or (
            rule.what != "exchanges" and each.row_id in self._messages
        )

    def add(self, rule: Rule, found: Iterator[list[Chosen]]) -> int:
        """Count what goes by a rule; return its bytes."""
        count = size_bytes = 0
        for step in found:
            count += len(step)
            size_bytes += sum(each.size_bytes for each in step)
            gone = self._exchanges if rule.what == "exchanges" else self._messages
            gone.update(each.row_id for each in step)
        self.policies.append({"policy": rule.name, "count": count, "bytes": size_bytes})
        self.size_bytes += size_bytes
        return size_bytes
