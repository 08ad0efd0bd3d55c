"""The ledger as the watcher needs it: where every source file stands, page by page."""

from typing import Any

import apsw

from steno_schema.ids import format_id
from stenod.store.context import uid_of
from stenod.store.rows import fetch_all, fetch_one

_COLUMNS = (
    "uid, agent, path, iif(is_away, 'away', state), device, inode, size_bytes, mtime_ns, head_hash, head_bytes,"
    " tail_hash, tail_bytes, offset, lines, parser, session_key, id"
)


def ledger_page(connection: apsw.Connection, after: int, limit: int) -> dict[str, Any]:
    """Return sources with a number above ``after``, and the number to go on from."""
    rows = fetch_all(
        connection,
        f"SELECT {_COLUMNS} FROM source WHERE id > ? ORDER BY id LIMIT ?",
        (after, limit),
    )
    return {
        "sources": [_source(row) for row in rows],
        "next": rows[-1][-1] if len(rows) == limit else None,
    }


def ledger_entry(connection: apsw.Connection, source: str) -> dict[str, Any]:
    """Return one source with its parser's state; empty when there is none."""
    row = fetch_one(
        connection, f"SELECT {_COLUMNS}, parser_state FROM source WHERE uid = ?", (uid_of(source),)
    )
    return {} if row is None else _source(row) | {"parser_state": row[-1]}


def kept_stretch(connection: apsw.Connection, source: str, start: int) -> dict[str, Any]:
    """Return the kept bytes of a source that begin at ``start``, compressed; empty for none.

    Of what they are decompressed to, only the first ``kept_size`` bytes are the source's if it is
    not ``None``.
    """
    row = fetch_one(
        connection,
        "SELECT k.end_offset, k.codec, k.data, k.kept_size FROM source_chunk AS k"
        " JOIN source AS s ON s.id = k.source_id WHERE s.uid = ? AND k.start_offset = ?"
        " AND k.kept_size IS NOT 0",
        (uid_of(source), start),
    )
    if row is None:
        return {}
    return {"end": row[0], "codec": row[1], "data": row[2], "kept_size": row[3]}


def _source(row: tuple[Any, ...]) -> dict[str, Any]:
    return {
        "source": format_id(row[0]),
        "agent": row[1],
        "path": row[2],
        "state": row[3],
        "device": row[4],
        "inode": int(row[5] or 0),
        "size_bytes": row[6],
        "mtime_ns": row[7],
        "head_hash": row[8],
        "head_bytes": row[9],
        "tail_hash": row[10],
        "tail_bytes": row[11],
        "offset": row[12],
        "lines": row[13],
        "parser": row[14],
        "session": row[15],
    }
