"""A record from an export beside what is stored under its id: completed, never replaced."""

from collections.abc import Mapping
from typing import Any

from steno_schema.errors import bad_request
from stenod.store.context import Context
from stenod.store.packs import WHOLE_TEXT
from stenod.store.rows import fetch_one

Columns = Mapping[str, Any]
_HASH_BYTES = 16
_READ = {("message", "content"): WHOLE_TEXT}


def stored(context: Context, table: str, uid: bytes, names: Columns) -> dict[str, Any] | None:
    """Return these columns of the row with that id, and its row id as ``id``."""
    read = ", ".join(_READ.get((table, name), name) for name in names)
    row = fetch_one(
        context.connection, f"SELECT id, {read} FROM {table} AS m WHERE uid = ?", (uid,)
    )
    return None if row is None else dict(zip(("id", *names), row, strict=True))


def insert(context: Context, table: str, columns: Columns) -> int:
    """Insert a row and return its id."""
    marks = ", ".join("?" * len(columns))
    row_id = context.connection.execute(
        f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks}) RETURNING id",
        tuple(columns.values()),
    ).get
    return int(row_id)


def complete(context: Context, table: str, known: Columns, told: Columns) -> str:
    """Fill in what ``told`` says and the stored row lacks; return the outcome.

    ``conflict``: the two say different things of one column; what is stored stays.
    """
    said = {name: value for name, value in told.items() if value is not None}
    lacking = {name: value for name, value in said.items() if known[name] is None}
    if lacking:
        assignments = ", ".join(f"{name} = ?" for name in lacking)
        context.connection.execute(
            f"UPDATE {table} SET {assignments} WHERE id = ?", (*lacking.values(), known["id"])
        )
    if any(known[name] not in (None, value) for name, value in said.items()):
        return "conflict"
    return "updated" if lacking else "existed"


def hash_told(text: str | None) -> bytes | None:
    """Return the hash that an exported record carries, or refuse what is none."""
    try:
        raw = None if text is None else bytes.fromhex(text)
    except ValueError:
        raw = b""
    if raw is not None and len(raw) != _HASH_BYTES:
        raise bad_request("`content_hash` is no hash.", "Leave it out.")
    return raw


def earliest(*moments: int | None) -> int | None:
    """Return the first of the times that are known."""
    return min((moment for moment in moments if moment is not None), default=None)
