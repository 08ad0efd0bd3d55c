"""What every storing function needs: the connection, key caches, the change log and the time."""

import hashlib
import time
from collections.abc import Callable
from typing import Any, Literal

import apsw
import msgspec

from steno_schema.errors import ErrorCode, RequestError, bad_request
from steno_schema.ids import parse_id
from steno_schema.limits import NESTING_MAX
from steno_schema.records import Message
from steno_schema.times import parse_ms
from stenod.store.changes import Changes, Kind
from stenod.store.keys import Keys
from stenod.store.packs import Packing, Place, unpacked
from stenod.store.rows import fetch_all

OutcomeName = Literal["created", "existed", "duplicate", "updated", "gone"]
_encoder = msgspec.msgpack.Encoder(order="deterministic")


_ACTIVE = """
UPDATE session SET last_active_at = ?, status = iif(status = 'archived', 'active', status)
WHERE id = ? AND last_active_at < ?
"""


class Mark(msgspec.Struct, frozen=True):
    """What a transaction had noted at some point."""

    position: int
    tail: list[tuple[Kind, int, int]]
    touched: set[int]
    touched_quietly: set[int]
    active: dict[int, int]


class Context:
    """The writer's working set; lives as long as its connection."""

    def __init__(self, connection: apsw.Connection, now: Callable[[], int] | None = None) -> None:
        self.connection = connection
        self.keys = Keys(connection)
        self.changes = Changes()
        self.now = now or _now_ms
        self.touched: set[int] = set()
        """Exchanges whose output, tokens and model must be derived again before the commit."""
        self.packing: Packing | None = None
        """Where long texts of the append go that is being stored."""
        self.active: dict[int, int] = {}
        """Sessions that something happened in, each with the time of the last thing."""
        self.touched_quietly: set[int] = set()
        """The same, of exchanges that an import completes: their time of change stays."""
        self.has_tombstones = self._any_tombstone()

    def _any_tombstone(self) -> bool:
        return self.connection.execute("SELECT 1 FROM tombstone LIMIT 1").get is not None

    def place(self, record: Message) -> Place:
        """Return what is to stand in ``message`` of a captured text."""
        return unpacked(record) if self.packing is None else self.packing.place(record)

    def was_active(self, session_id: int, at: int) -> None:
        """Note that something happened in a session."""
        self.active[session_id] = max(at, self.active.get(session_id, at))

    def mark(self) -> Mark:
        """Return what ``back_to`` needs to forget what one request adds from here on."""
        changes = self.changes
        return Mark(
            changes.position(),
            changes.mark(),
            set(self.touched),
            set(self.touched_quietly),
            dict(self.active),
        )

    def back_to(self, mark: Mark) -> None:
        """Forget what a request that was rolled back had noted."""
        self.changes.back_to(mark.position, mark.tail)
        self.touched, self.active = mark.touched, mark.active
        self.touched_quietly = mark.touched_quietly
        self.keys.clear()  # cached ids may belong to what was rolled back
        self.has_tombstones = self._any_tombstone()

    def rolled_back(self) -> None:
        """Forget everything noted since the transaction began."""
        self.back_to(Mark(0, [], set(), set(), {}))

    def flush(self) -> None:
        """Write down what was noted; called once, right before the commit."""
        if self.active:
            self.connection.executemany(
                _ACTIVE, [(at, key, at) for key, at in self.active.items()]
            )
            self.active.clear()
        stale = fetch_all(self.connection, "DELETE FROM stale_facet RETURNING message_id")
        if stale:
            for row_id in self.changes.lacking("message", sorted(row[0] for row in stale)):
                self.changes.add("message", row_id)
        self.changes.flush(self.connection)

    def is_gone(self, uid: bytes) -> bool:
        """Tell whether the record was forgotten."""
        if not self.has_tombstones:
            return False
        found = self.connection.execute("SELECT 1 FROM tombstone WHERE uid = ?", (uid,)).get
        return found is not None


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def uid_of(record_id: str) -> bytes:
    """Return the bytes of a record's id, or refuse the request."""
    try:
        return parse_id(record_id)
    except ValueError:
        raise bad_request(
            f"{record_id[:60]!r} is no id.", "An id is a UUID as text, made by the sender."
        ) from None


def moment(text: str | None, otherwise: int) -> int:
    """Return a record's time in milliseconds; ``otherwise`` when it says none."""
    return otherwise if text is None else told_moment(text)


def told_moment(text: str) -> int:
    """Return the milliseconds of a time, or refuse the request."""
    try:
        return parse_ms(text)
    except (ValueError, OverflowError):
        raise bad_request(
            f"{text[:60]!r} is no time.", "Write it as 2026-01-31T12:00:00Z."
        ) from None


def optional_moment(text: str | None) -> int | None:
    """Return a record's time in milliseconds, or ``None`` when it says none."""
    return None if text is None else told_moment(text)


def json_or_none(value: Any) -> str | None:
    """Return compact JSON text, or ``None`` for ``None``; refuse what is nested too deeply."""
    if value is None:
        return None
    if _depth(value) > NESTING_MAX:
        raise bad_request(
            f"Maps and lists are nested more than {NESTING_MAX} deep.", "Flatten it."
        )
    return msgspec.json.encode(value).decode("utf-8")


def _depth(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value
    if not isinstance(value, dict | list):
        return 0
    return 1 + max((_depth(each) for each in inner), default=0)


def hash_of(record: msgspec.Struct) -> bytes:
    """Return the hash that tells a repeated record from another one under the same id."""
    return hashlib.blake2b(_encoder.encode(record), digest_size=16).digest()


def check_same(stored: bytes | None, record: msgspec.Struct, record_id: str) -> None:
    """Refuse a record whose id exists with other content."""
    if stored is not None and stored != hash_of(record):
        raise RequestError(
            ErrorCode.CONFLICT,
            f"{record_id} exists with other content.",
            "Change it with amend, or save under a new id.",
        )
