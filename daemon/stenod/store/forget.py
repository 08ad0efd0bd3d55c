"""Forget: records, their index entries and the bytes they were read from, for good.

Ids of captured things stay as tombstones. Of a transcript that held what is forgotten, the kept
bytes go as a whole: a line of another exchange may repeat the text (agents write each prompt many
times over), and bytes that nobody can vouch for are not kept.
"""

from collections.abc import Sequence
from typing import Any

from steno_schema.errors import bad_request
from steno_schema.requests import Delete
from stenod.query.filters import exchange_condition, is_unfiltered
from stenod.store import rivals
from stenod.store.context import Context
from stenod.store.days import mark_unclean
from stenod.store.packs import drop_kept
from stenod.store.rows import fetch_all
from stenod.store.target import find

SLICE = 500


_PROMPTS = """
SELECT x.id FROM message AS m JOIN exchange AS x ON x.id = m.exchange_id AND x.prompt_id = m.id
WHERE m.conversation_id
"""
_OF_SESSION = "IN (SELECT id FROM conversation WHERE session_id = ?1)"
_INSIDE = {
    "exchange": "e.id = ?1",
    "conversation": f"e.conversation_id = ?1 OR e.id IN ({_PROMPTS} = ?1)",
    "session": f"e.conversation_id {_OF_SESSION} OR e.id IN ({_PROMPTS} {_OF_SESSION})",
}
"""Exchanges that go with a container: its own, and those whose prompt stands in it."""
_CALLS = (
    "SELECT DISTINCT x.id, x.origin FROM usage AS u JOIN exchange AS x ON x.id = u.exchange_id"
)
_CALLED_FOR = {
    "conversation": f"{_CALLS} WHERE u.conversation_id = ?1",
    "session": f"{_CALLS} WHERE u.session_id = ?1 OR u.conversation_id {_OF_SESSION}",
}
"""Exchanges that stay though calls made for them go with the container."""


def forget(context: Context, request: Delete) -> tuple[int, dict[str, Any]]:
    """Delete what the request names; return how many exchanges, and the counts of everything."""
    if request.target is None:
        return _forget_filtered(context, request)
    row_id, uid = find(context.connection, request.type, request.target)
    chosen = exchanges(context, _INSIDE[request.type], (row_id,))
    if request.dry_run:
        return len(chosen), {"exchanges": len(chosen), "id": uid}
    counts = forget_exchanges(context, chosen)
    if request.type != "exchange":
        counts["messages"] += forget_container(context, request.type, row_id)
    return len(chosen), counts | {"id": uid}


def _forget_filtered(context: Context, request: Delete) -> tuple[int, dict[str, Any]]:
    if request.filters is None or is_unfiltered(request.filters):
        raise bad_request("These filters choose everything.", "Say which exchanges to forget.")
    if request.filters.role:
        raise bad_request("A role chooses messages, not exchanges.", "Leave it out.")
    condition, values = exchange_condition(request.filters)
    chosen = exchanges(context, condition, tuple(values))
    if request.dry_run:
        return len(chosen), {"exchanges": len(chosen)}
    return len(chosen), forget_exchanges(context, chosen)


def exchanges(context: Context, condition: str, values: tuple[Any, ...]) -> list[int]:
    rows = fetch_all(
        context.connection,
        "SELECT e.id FROM exchange AS e JOIN conversation AS c ON c.id = e.conversation_id"
        f" JOIN session AS s ON s.id = c.session_id WHERE {condition}",
        values,
    )
    return [row[0] for row in rows]


def forget_exchanges(context: Context, chosen: list[int]) -> dict[str, int]:
    counts = {"exchanges": len(chosen), "messages": 0, "kept_bytes": 0}
    connection = context.connection
    for start in range(0, len(chosen), SLICE):
        ids = chosen[start : start + SLICE]
        marks = ", ".join("?" * len(ids))
        read_from = sources_of(
            context,
            "SELECT s.key FROM exchange AS e JOIN conversation AS c ON c.id = e.conversation_id"
            f" JOIN session AS s ON s.id = c.session_id WHERE e.id IN ({marks})",
            f"exchange_id IN ({marks})",
            ids,
        )
        mark_unclean(connection, f"e.id IN ({marks})", ids)
        for table in ("message", "usage"):
            condition = f"exchange_id IN ({marks})"
            counts["messages"] += bury(context, table, condition, ids)
        bury(context, "exchange", f"id IN ({marks})", ids)
        connection.execute(f"DELETE FROM usage WHERE exchange_id IN ({marks})", ids)
        connection.execute(f"DELETE FROM exchange WHERE id IN ({marks})", ids)
        counts["kept_bytes"] += drop_kept_bytes(context, read_from)
    return counts


def forget_container(context: Context, table: str, row_id: int) -> int:
    """Delete a session or conversation with what is left in it."""
    inside = (
        "conversation_id = ?"
        if table == "conversation"
        else "conversation_id IN (SELECT id FROM conversation WHERE session_id = ?)"
    )
    session = "?" if table == "session" else "(SELECT session_id FROM conversation WHERE id = ?)"
    keys = f"SELECT key FROM session WHERE id = {session}"
    read_from = sources_of(context, keys, inside, [row_id])
    buried = bury(context, "message", inside, [row_id])
    bury(context, "usage", inside, [row_id])
    if table == "session":
        bury(context, "conversation", "session_id = ?", [row_id])
    bury(context, table, "id = ?", [row_id])
    elsewhere = fetch_all(context.connection, _CALLED_FOR[table], (row_id,))
    context.connection.execute(f"DELETE FROM {table} WHERE id = ?", (row_id,))
    for exchange_id, origin in elsewhere:
        _sum_up_anew(context, exchange_id, origin)
    drop_kept_bytes(context, read_from)
    context.keys.clear()
    return buried


def _sum_up_anew(context: Context, exchange_id: int, origin: str) -> None:
    """See to it that an exchange that stays no longer counts calls that went."""
    if origin == "script":
        context.changes.add("exchange", exchange_id)
    else:
        context.touched.add(exchange_id)


def bury(context: Context, table: str, condition: str, values: Sequence[int | str]) -> int:
    """Leave tombstones for rows about to go, and tell the index about messages."""
    rows = fetch_all(context.connection, f"SELECT id, uid FROM {table} WHERE {condition}", values)
    context.connection.executemany(
        "INSERT OR IGNORE INTO tombstone (uid, forgotten_at) VALUES (?, ?)",
        [(uid, context.now()) for _, uid in rows],
    )
    context.has_tombstones = context.has_tombstones or bool(rows)
    if table in {"message", "exchange"}:
        rivals.forget(context, table, [uid for _, uid in rows])
    if table == "message":
        for row_id, _ in rows:
            context.changes.add("message_gone", row_id)
        return len(rows)
    return 0


def sources_of(
    context: Context, keys: str, messages: str, values: list[int]
) -> list[tuple[int, int]]:
    """Return (id, kept bytes) of the sources that hold what is about to go.

    Those of its sessions, those of a copy that was read first and holds its long texts, and
    those of forks that repeat it.
    """
    rows = fetch_all(
        context.connection,
        f"SELECT id, kept_bytes FROM source WHERE session_key IN ({keys}) UNION"
        " SELECT s.id, s.kept_bytes FROM source AS s JOIN source_chunk AS k ON k.source_id = s.id"
        f" WHERE k.id IN (SELECT pack_id FROM message WHERE {messages}) UNION"
        " SELECT id, kept_bytes FROM source WHERE session_key IN (SELECT s.key"
        " FROM message_rival AS r JOIN conversation AS c ON c.id = r.conversation_id"
        " JOIN session AS s ON s.id = c.session_id"
        f" WHERE r.uid IN (SELECT uid FROM message WHERE {messages}))",
        (*values, *values, *values),
    )
    return [(source_id, kept) for source_id, kept in rows]


def drop_kept_bytes(context: Context, sources: list[tuple[int, int]]) -> int:
    """Delete the kept bytes of sources whose records are deleted already; return how many."""
    for source_id, _ in sources:
        drop_kept(context.connection, source_id)
        context.connection.execute(
            "UPDATE source SET kept_bytes = 0, sample = NULL WHERE id = ?", (source_id,)
        )
        context.connection.execute(
            "UPDATE line_count SET sample = NULL WHERE source_id = ?", (source_id,)
        )
    return sum(kept for _, kept in sources)
