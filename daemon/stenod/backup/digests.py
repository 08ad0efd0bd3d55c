"""What a database holds, as one digest a table: two databases are equal when these are."""

import hashlib

import apsw
import msgspec

from stenod.backup.verify import tables

_encoder = msgspec.msgpack.Encoder()


def content_digests(connection: apsw.Connection) -> dict[str, str]:
    """Return a digest of the rows of every table, in the order of its key.

    Of the full-text index, too, through what it is made of.
    """
    found = {table: _digest(connection, table) for table in tables(connection)}
    found["message_index"] = _digest(connection, "message_index_data")
    return found


def _digest(connection: apsw.Connection, table: str) -> str:
    digest = hashlib.blake2b(digest_size=16)
    key = "PRIMARY KEY" if _has_no_rowid(connection, table) else "rowid"
    order = _key_columns(connection, table) if key == "PRIMARY KEY" else "rowid"
    for row in connection.execute(f'SELECT * FROM "{table}" ORDER BY {order}'):
        digest.update(_encoder.encode(row))
    return digest.hexdigest()


def _has_no_rowid(connection: apsw.Connection, table: str) -> bool:
    return bool(
        connection.execute("SELECT wr FROM pragma_table_list WHERE name = ?", (table,)).get
    )


def _key_columns(connection: apsw.Connection, table: str) -> str:
    rows = connection.execute(
        "SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk", (table,)
    )
    return ", ".join(f'"{name}"' for (name,) in rows)
