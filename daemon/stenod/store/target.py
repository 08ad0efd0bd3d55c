"""Find the record a person means: a UUID, a unique prefix of one, or the integer views show."""

import apsw

from steno_schema.errors import ErrorCode, RequestError, bad_request
from steno_schema.ids import format_id, is_id, parse_id
from stenod.store.rows import fetch_all, fetch_one

KEYED = frozenset({"session", "conversation", "task"})
_PREFIX_DIGITS_MIN = 4


def find(connection: apsw.Connection, table: str, target: str) -> tuple[int, str]:
    """Return (row id, UUID text); raises ``not_found`` or, for an unclear prefix, bad request."""
    text = target.strip()
    row = None
    if is_id(text.lower()):
        row = _one(connection, table, "uid = ?", parse_id(text.lower()))
    if row is None and table in KEYED:
        row = _one(connection, table, "key = ?", text)
    if row is None and text.isdecimal() and len(text) <= 18:
        row = _one(connection, table, "id = ?", int(text))
    if row is None:
        row = _by_prefix(connection, table, text.lower())
    if row is None:
        raise RequestError(
            ErrorCode.NOT_FOUND,
            f"There is no {table} {target[:60]!r}.",
            "`steno list` shows what there is.",
        )
    return row


def _one(
    connection: apsw.Connection, table: str, condition: str, value: bytes | str | int
) -> tuple[int, str] | None:
    """Return the newest of the rows meant: the key of a task may stand for several."""
    row = fetch_one(
        connection,
        f"SELECT id, uid FROM {table} WHERE {condition} ORDER BY id DESC LIMIT 1",
        (value,),
    )
    return None if row is None else (row[0], format_id(row[1]))


def _by_prefix(connection: apsw.Connection, table: str, text: str) -> tuple[int, str] | None:
    digits = text.replace("-", "")
    if len(digits) < _PREFIX_DIGITS_MIN or any(c not in "0123456789abcdef" for c in digits):
        return None
    low = bytes.fromhex((digits + "0" * 32)[:32])
    high = bytes.fromhex((digits + "f" * 32)[:32])
    rows = fetch_all(
        connection, f"SELECT id, uid FROM {table} WHERE uid BETWEEN ? AND ? LIMIT 2", (low, high)
    )
    if len(rows) > 1:
        raise bad_request(f"More than one {table} begins with {text!r}.", "Give more of the id.")
    return (rows[0][0], format_id(rows[0][1])) if rows else None
