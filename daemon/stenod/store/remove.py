"""Remove a preference or a metadata entry: its value now, and those that may still be on the way.

Each of these has many records, one for each time it was set, and only the newest is kept. So the
tombstone is that of the key, and its time tells a late retry from a value that is set anew.
"""

from typing import Any

from steno_schema.errors import bad_request
from steno_schema.ids import parse_id, uuid8
from steno_schema.requests import Delete
from stenod.store.context import Context
from stenod.store.rows import fetch_one
from stenod.store.target import find

_KEYS = {"preference": "user, key", "metadata_entry": "key"}
REMOVABLE = frozenset(_KEYS)


def remove(context: Context, request: Delete) -> tuple[int, dict[str, Any]]:
    """Remove the entry that the request names; return how many, and its id."""
    if request.target is None:
        raise bad_request(f"A {request.type} is removed by its id.", "Give it as the target.")
    row_id, uid = find(context.connection, request.type, request.target)
    if request.dry_run:
        return 1, {"id": uid}
    keys = fetch_one(
        context.connection,
        f"DELETE FROM {request.type} WHERE id = ? RETURNING {_KEYS[request.type]}",
        (row_id,),
    )
    assert keys is not None
    context.connection.execute(
        "INSERT OR REPLACE INTO tombstone (uid, forgotten_at) VALUES (?, ?)",
        (_mark(request.type, *keys), context.now()),
    )
    context.has_tombstones = True
    return 1, {"id": uid}


def is_removed(context: Context, kind: str, keys: tuple[str, ...], set_at: int) -> bool:
    """Tell whether the entry was removed after the value in hand had been set."""
    if not context.has_tombstones:
        return False
    removed_at = context.connection.execute(
        "SELECT forgotten_at FROM tombstone WHERE uid = ?", (_mark(kind, *keys),)
    ).get
    return removed_at is not None and set_at < removed_at


def _mark(kind: str, *keys: str) -> bytes:
    return parse_id(uuid8("removed", kind, *keys))
