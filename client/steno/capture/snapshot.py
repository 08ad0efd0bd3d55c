"""From what a thing looks like now to a log of what became of it.

A source that is rewritten in place is cut into units (messages, rows, small files), each with a
key. A unit that is new, or is not what it was, is appended to the log as one line; one that is
gone is noted, and what was read of it stays. What was seen is remembered as a few bytes a unit.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from typing import Self

import msgspec
from msgspec import Struct

from steno.capture.source import Batch, Identity, Look, Source, now_ns, settled
from steno_schema.limits import TRANSCRIPT_LINE_MAX_BYTES

BATCH_BYTES = 1024 * 1024
GONE = "$gone"
"""The key of a line that notes which units are gone: ``{"$gone": [key, …]}``."""

_TOKEN_BYTES = 8
_seen_decoder: msgspec.msgpack.Decoder[dict[str, bytes]] = msgspec.msgpack.Decoder(
    dict[str, bytes]
)
_encode = msgspec.msgpack.encode


class Unit(Struct, frozen=True):
    """One piece of a source. ``token`` differs when the piece does; ``line`` gives it as JSON.

    ``line`` is called only when the token is not the known one. ``None`` says that the piece
    cannot be read now: it is as if it had not changed.
    """

    key: str
    token: bytes
    line: Callable[[], bytes | None]


class Parts(Struct, frozen=True):
    """A source cut into its units, in their order.

    ``name`` is who it is (a session's id): under another name it is another thing, with a log of
    its own.
    """

    name: str
    units: Iterable[Unit]


def token_of(data: bytes) -> bytes:
    """Return what tells ``data`` from other data."""
    return hashlib.blake2b(data, digest_size=_TOKEN_BYTES).digest()


def unit_of(key: str, line: bytes) -> Unit:
    """Return a unit that is told apart by its content."""
    return Unit(key, token_of(line), lambda: line)


def json_line(raw: bytes) -> bytes:
    """Return JSON text on one line; raise ``ValueError`` if it is none."""
    return msgspec.json.format(raw, indent=-1)


class Snapshot:
    """A source as ``cut`` finds it; it is cut only when its look is not the known one."""

    def __init__(self, look: Look, cut: Callable[[], Parts]) -> None:
        self.look = look
        self._opened_ns = now_ns()
        self._cut = cut
        self._parts: Parts | None = None
        self._end = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        return

    @property
    def parts(self) -> Parts:
        """The units; raises ``NotYet`` or ``OSError`` if the source cannot be read now."""
        if self._parts is None:
            self._parts = self._cut()
        return self._parts

    @property
    def settled_mtime_ns(self) -> int:
        """When it was written last; 0 as long as it must be looked at again."""
        return settled(self.look.mtime_ns, self._opened_ns)

    def is_same(self, known: Identity, offset: int) -> bool:
        """Tell whether this is the thing whose log reaches ``offset``."""
        return offset == 0 or known.head_hash == self._name_hash()

    def identity(self, offset: int) -> Identity:
        """Return who the source is."""
        return Identity(
            device=self.look.device,
            inode=self.look.inode,
            head_hash=self._name_hash() if offset else "",
        )

    def _name_hash(self) -> str:
        return (
            token_of(self.parts.name.encode("utf-8", "replace")).hex() if self.parts.name else ""
        )

    def is_whole(self, offset: int) -> bool:
        """Tell whether a log that reaches ``offset`` has all that was found."""
        return offset >= self._end

    def members(self) -> Iterable[tuple[str, Source]]:
        """A snapshot has nothing inside that is a source of its own."""
        return ()

    def batches(self, offset: int, *, in_oversized: bool, seen: bytes) -> Iterator[Batch]:
        """Yield lines of the units that differ from what was seen, then the note of the gone."""
        del in_oversized  # a unit is never cut
        known = _seen_decoder.decode(seen) if seen else {}
        changed, gone = self._differences(known)
        lines = _with_note(changed, gone)
        self._end = offset + sum(len(line) + 1 for _, line in lines)
        start = offset
        for group in _grouped(lines):
            for unit, _ in group:
                if unit is not None:
                    known[unit.key] = unit.token
                else:
                    known = {key: token for key, token in known.items() if key not in gone}
            batch = _batch(start, [line for _, line in group], _encode(known))
            yield batch
            start = batch.end

    def _differences(
        self, known: dict[str, bytes]
    ) -> tuple[list[tuple[Unit, bytes]], dict[str, None]]:
        """Return the units that are new or changed, with their lines, and the keys of the gone."""
        changed: list[tuple[Unit, bytes]] = []
        gone = dict.fromkeys(known)
        for unit in self.parts.units:
            gone.pop(unit.key, None)
            if known.get(unit.key) != unit.token:
                line = unit.line()
                if line is not None:
                    changed.append((unit, line))
        return changed, gone


def _with_note(
    changed: list[tuple[Unit, bytes]], gone: dict[str, None]
) -> list[tuple[Unit | None, bytes]]:
    note: list[tuple[Unit | None, bytes]] = []
    if gone:
        note.append((None, msgspec.json.encode({GONE: list(gone)})))
    return [*changed, *note]


def _grouped(
    lines: list[tuple[Unit | None, bytes]],
) -> Iterator[list[tuple[Unit | None, bytes]]]:
    """Yield lines in groups of about a batch; one that is too long stands alone."""
    group: list[tuple[Unit | None, bytes]] = []
    size_bytes = 0
    for each in lines:
        size = len(each[1])
        if group and (size_bytes + size > BATCH_BYTES or size > TRANSCRIPT_LINE_MAX_BYTES):
            yield group
            group, size_bytes = [], 0
        group.append(each)
        size_bytes += size
    if group:
        yield group


def _batch(start: int, lines: list[bytes], seen: bytes) -> Batch:
    data = b"\n".join(lines) + b"\n"
    end = start + len(data)
    if len(data) - 1 > TRANSCRIPT_LINE_MAX_BYTES:
        return Batch(start, end, data, [], len(data), ends_line=True, seen=seen)
    return Batch(start, end, data, lines, seen=seen)
