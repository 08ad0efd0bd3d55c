"""What a policy chooses: one query for the one who only looks and for the one who removes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apsw
from msgspec import Struct

from steno_schema.requests import Filters
from steno_schema.retentionsettings import Policy, Retention, What, age_s, size_bytes
from stenod.query.filters import exchange_condition
from stenod.store.packs import HEAD_CHARS, WORTH_CHARS
from stenod.store.rows import fetch_all, fetch_one

EXCHANGES_AT_ONCE = 50
MESSAGES_AT_ONCE = 500
"""Rows looked at in one step."""
_DAY_MS = 86_400_000
_FIRST_ID = -(2**63)
_END_MS = 2**62
_REST = (
    "iif(m.pack_id IS NULL, length(CAST(m.content AS BLOB))"
    f" - length(CAST(substr(m.content, 1, {HEAD_CHARS}) AS BLOB)), m.pack_size)"
)
_IS_LONG = f"(m.pack_id IS NOT NULL OR length(m.content) >= {HEAD_CHARS + WORTH_CHARS})"
_ORIGINAL = "coalesce(length(CAST(m.original_content AS BLOB)), 0)"
_TEXT = f"length(CAST(m.content AS BLOB)) + coalesce(m.pack_size, 0) + {_ORIGINAL}"
_IS_ENDPOINT = (
    "EXISTS (SELECT 1 FROM exchange AS x WHERE x.id = m.exchange_id"
    " AND m.id IN (x.prompt_id, x.output_id))"
)
"""Message ``m`` is the prompt or the reply of its exchange."""
_MESSAGES: dict[What, tuple[str, str]] = {
    "tool_results": (
        _REST,
        f"m.kind = 'tool_result' AND {_IS_LONG}",
    ),
    "summarised": (
        f"iif({_IS_ENDPOINT}, {_ORIGINAL}, {_TEXT})",
        f"m.is_summarized = 1 AND (m.original_content IS NOT NULL OR NOT {_IS_ENDPOINT})",
    ),
}
"""Of messages: the bytes that go, and which."""
_EXCHANGE_BYTES = (
    f"coalesce((SELECT sum({_TEXT}) FROM message AS m WHERE m.exchange_id = e.id), 0)"
)


class Chosen(Struct, frozen=True):
    """A row that goes; ``exchange_id`` is its exchange, or itself if it is one."""

    row_id: int
    size_bytes: int
    exchange_id: int | None


class Rule(Struct, frozen=True):
    """One policy at one moment: what goes that was made before ``before_ms``."""

    name: str
    what: What
    before_ms: int = _END_MS
    filters: Filters | None = None


def rules(settings: Retention, now_ms: int) -> list[Rule]:
    """Return a rule for each policy, in their order."""
    return [_rule(policy, now_ms) for policy in settings.policy]


def _rule(policy: Policy, now_ms: int) -> Rule:
    seconds = age_s(policy.older_than)
    assert seconds is not None
    filters = Filters()
    words = [policy.what, "older than", policy.older_than]
    if policy.project is not None:
        filters.project = [str(Path(policy.project).expanduser())]
        words += ["in", policy.project]
    if policy.agent is not None:
        filters.agent = [policy.agent]
        words += ["of", policy.agent]
    return Rule(" ".join(words), policy.what, now_ms - seconds * 1000, filters)


IDLE = "status IN ('active', 'paused') AND last_active_at < ?"
"""Sessions that are neither finished nor archived, and in which nothing happens."""
SIZE_RULES = (
    Rule("tool_results beyond max_size", "tool_results"),
    Rule("exchanges beyond max_size", "exchanges"),
)
"""What goes when the database is too large, the oldest first."""


def idle_before_ms(settings: Retention, now_ms: int) -> int | None:
    """Return since when a session must have been idle to be archived; ``None``: none is."""
    seconds = age_s(settings.archive_idle_after)
    return None if seconds is None else now_ms - seconds * 1000


def excess_bytes(connection: apsw.Connection, settings: Retention) -> int:
    """Return by how much the used pages of the database are beyond ``max_size``."""
    if settings.max_size is None:
        return 0
    names = ("page_count", "freelist_count", "page_size")
    pages, free, page_bytes = (int(connection.execute(f"PRAGMA {name}").get) for name in names)
    return max((pages - free) * page_bytes - size_bytes(settings.max_size), 0)


def steps(connection: apsw.Connection, rule: Rule) -> Iterator[list[Chosen]]:
    """Yield what a rule chooses, the oldest days first, a few rows a step (maybe none)."""
    condition, values = exchange_condition(rule.filters)
    if rule.what == "exchanges":
        return _exchanges(connection, rule.before_ms, condition, values)
    return _messages(connection, rule, condition, values)


def _exchanges(
    connection: apsw.Connection, before_ms: int, condition: str, values: list[Any]
) -> Iterator[list[Chosen]]:
    last = (_FIRST_ID, _FIRST_ID)
    while True:
        rows = fetch_all(
            connection,
            "SELECT created_at, id FROM exchange WHERE (created_at, id) > (?, ?)"
            " AND created_at < ? ORDER BY created_at, id LIMIT ?",
            (*last, before_ms, EXCHANGES_AT_ONCE),
        )
        if not rows:
            return
        last = (rows[-1][0], rows[-1][1])
        marks = ", ".join("?" * len(rows))
        found = fetch_all(
            connection,
            f"SELECT e.id, {_EXCHANGE_BYTES} FROM exchange AS e"
            " JOIN conversation AS c ON c.id = e.conversation_id"
            f" JOIN session AS s ON s.id = c.session_id WHERE e.id IN ({marks}) AND {condition}"
            " ORDER BY e.created_at, e.id",
            [*(row_id for _, row_id in rows), *values],
        )
        yield [Chosen(row_id, size, row_id) for row_id, size in found]


def _messages(
    connection: apsw.Connection, rule: Rule, condition: str, values: list[Any]
) -> Iterator[list[Chosen]]:
    size, chosen = _MESSAGES[rule.what]
    # An id begins with the day; the day of the bound itself is looked at row by row.
    end = min(((rule.before_ms // _DAY_MS) + 1) << 24, 2**63 - 1)
    last = _FIRST_ID
    while True:
        top = fetch_one(
            connection,
            "SELECT max(id) FROM (SELECT id FROM message WHERE id > ? AND id < ?"
            " ORDER BY id LIMIT ?)",
            (last, end, MESSAGES_AT_ONCE),
        )
        if top is None or top[0] is None:
            return
        found = fetch_all(
            connection,
            f"SELECT m.id, {size}, m.exchange_id FROM message AS m"
            " JOIN conversation AS c ON c.id = m.conversation_id"
            " JOIN session AS s ON s.id = c.session_id"
            " LEFT JOIN exchange AS e ON e.id = m.exchange_id"
            f" WHERE m.id > ? AND m.id <= ? AND m.created_at < ? AND {chosen} AND {condition}"
            " ORDER BY m.id",
            [last, top[0], rule.before_ms, *values],
        )
        last = top[0]
        yield [Chosen(*row) for row in found]


def until(bytes_wanted: int, found: Iterator[list[Chosen]]) -> Iterator[list[Chosen]]:
    """Yield of ``found`` only as much as comes to ``bytes_wanted``."""
    for step in found:
        taken: list[Chosen] = []
        for each in step:
            if bytes_wanted <= 0:
                break
            taken.append(each)
            bytes_wanted -= each.size_bytes
        yield taken
        if bytes_wanted <= 0:
            return
