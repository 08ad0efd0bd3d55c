"""Taking text away from messages: the rest of long tool results, and what was summarised."""

from stenod.store.context import Context
from stenod.store.forget import bury, drop_kept_bytes, sources_of
from stenod.store.packs import HEAD_CHARS

_KEYS = """
SELECT s.key FROM message AS m JOIN conversation AS c ON c.id = m.conversation_id
JOIN session AS s ON s.id = c.session_id WHERE m.id IN ({marks})
"""
_NOTE = "char(10) || '[' || {size} || ' more bytes, trimmed by retention]'"
_WHOLE = "length(CAST(content AS BLOB))"
_HEAD = f"substr(content, 1, {HEAD_CHARS})"
_REST = f"iif(pack_id IS NULL, {_WHOLE} - length(CAST({_HEAD} AS BLOB)), pack_size)"
_IS_ENDPOINT = (
    "EXISTS (SELECT 1 FROM exchange AS x WHERE x.id = message.exchange_id"
    " AND message.id IN (x.prompt_id, x.output_id))"
)


def trim_results(context: Context, ids: list[int]) -> None:
    """Keep the head of these texts and a note of how much went; their kept bytes go too."""
    marks = ", ".join("?" * len(ids))
    read_from = sources_of(context, _KEYS.format(marks=marks), f"id IN ({marks})", ids)
    context.connection.execute(
        f"UPDATE message SET content = {_HEAD} || {_NOTE.format(size=_REST)},"
        f" pack_id = NULL, pack_start = NULL, pack_size = NULL WHERE id IN ({marks})",
        ids,
    )
    for row_id in ids:
        context.changes.add("message", row_id)
    drop_kept_bytes(context, read_from)


def drop_summarised(context: Context, ids: list[int]) -> None:
    """Delete summarised messages; a prompt or reply stays with its summary, without the original."""
    marks = ", ".join("?" * len(ids))
    read_from = sources_of(context, _KEYS.format(marks=marks), f"id IN ({marks})", ids)
    goes = f"id IN ({marks}) AND NOT {_IS_ENDPOINT}"
    bury(context, "message", goes, ids)
    context.connection.execute(f"DELETE FROM message WHERE {goes}", ids)
    context.connection.execute(
        f"UPDATE message SET original_content = NULL WHERE id IN ({marks})", ids
    )
    drop_kept_bytes(context, read_from)
