"""Long texts of tools, kept where their transcript's bytes are.

What a tool was told and what it answered makes three quarters of all captured text, and each of
these texts stands in the kept bytes of its transcript too. So a long one keeps only its head in
``message``; the rest goes into the chunk that the same append makes of the bytes, behind them,
where compression finds it again: 5.5 MB of such texts cost 0.6 MB so, 2.1 MB by themselves.

``whole_text`` puts them together again. It is an SQL function of every connection of the daemon;
another program that reads the file sees the head with an ellipsis.
"""

from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

import apsw
from msgspec import Struct

from steno_schema.limits import CAPTURED_TEXT_MAX_CHARS, MIB
from steno_schema.records import Message
from steno_schema.requests import SourceProgress
from stenod.store.compression import compress, decompress
from stenod.store.rows import fetch_all, fetch_one

HEAD_CHARS = 512
"""About what a list shows of a message, and most of what is searched in it."""
WORTH_CHARS = 256
"""A rest that is shorter is not worth a look into another place."""
PACKED_KINDS = frozenset({"tool_call", "tool_result", "thinking", "injected"})
"""Never what a person or a model said: that is what people read, query and search."""
CACHE_MAX_BYTES = 8 * MIB
WHOLE_TEXT = "whole_text(m.content, m.pack_id, m.pack_start, m.pack_size)"
"""The text of message ``m``, in SQL."""
_IN_VIEW = "iif(m.pack_id IS NULL, m.content, m.content || '…')"
_VIEWS = ("messages", "conversation_messages")


class Place(Struct, frozen=True):
    """What ``message`` holds of a text: all of it, or its head and where the rest is."""

    content: str
    pack_id: int | None = None
    start: int | None = None
    size: int | None = None


class Packing:
    """The long texts of one append, on their way into its chunk."""

    def __init__(self, connection: apsw.Connection, progress: SourceProgress) -> None:
        newest = connection.execute("SELECT max(id) FROM source_chunk").get
        self.chunk_id: int = (newest or 0) + 1
        self._progress = progress
        self._texts: list[bytes] = []
        self._size = 0

    def place(self, record: Message) -> Place:
        """Return what is to stand in ``message`` of a record's text."""
        content = record.content[:CAPTURED_TEXT_MAX_CHARS]
        if record.kind not in PACKED_KINDS or len(content) < HEAD_CHARS + WORTH_CHARS:
            return Place(content)
        rest = content[HEAD_CHARS:].encode()
        start = self._size
        self._texts.append(rest)
        self._size += len(rest)
        return Place(content[:HEAD_CHARS], self.chunk_id, start, len(rest))

    def seal(self) -> int | None:
        """Put the texts behind the bytes of the chunk; return the size of those if there are any."""
        if not self._texts:
            return None
        progress = self._progress
        kept = decompress(progress.chunk, progress.codec) if progress.chunk else b""
        progress.chunk = compress(b"".join((kept, *self._texts)))
        progress.codec = "zstd"
        return len(kept)


def unpacked(record: Message) -> Place:
    """Return a record's text as it stands in ``message`` when nothing is packed."""
    return Place(record.content[:CAPTURED_TEXT_MAX_CHARS])


class Packs:
    """The texts of the chunks that were looked into last, for one connection."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._texts: OrderedDict[tuple[Any, ...], bytes] = OrderedDict()
        self._size_bytes = 0

    def whole_text(self, *values: Any) -> Any:
        """Return a message's text; ``values`` are its content, pack, start and size."""
        content, pack_id, start, size = values
        if pack_id is None:
            return content
        texts = self._texts_of(pack_id)
        return content + texts[start : start + size].decode("utf-8", "replace")

    def _texts_of(self, pack_id: int) -> bytes:
        # A number may come to another chunk when the newest one is deleted.
        row = fetch_one(
            self._connection,
            "SELECT source_id, start_offset, end_offset, length(data), packed,"
            " kept_size IS 0 FROM source_chunk WHERE id = ?",
            (pack_id,),
        )
        if row is None:
            return b""
        key = (pack_id, *row)
        if key in self._texts:
            self._texts.move_to_end(key)
            return self._texts[key]
        codec, data, kept_size = self._connection.execute(
            "SELECT codec, data, kept_size FROM source_chunk WHERE id = ?", (pack_id,)
        ).get
        texts = decompress(data, codec)[kept_size:]
        self._texts[key] = texts
        self._size_bytes += len(texts)
        while self._size_bytes > CACHE_MAX_BYTES and len(self._texts) > 1:
            self._size_bytes -= len(self._texts.popitem(last=False)[1])
        return texts


def register(connection: apsw.Connection) -> None:
    """Teach a connection ``whole_text``."""
    connection.create_scalar_function(
        "whole_text", Packs(connection).whole_text, 4, flags=apsw.SQLITE_INNOCUOUS
    )


def make_views_whole(connection: apsw.Connection) -> None:
    """Have a reader's views show whole texts; other programs see the file's own views."""
    for name in _VIEWS:
        made = connection.execute(
            "SELECT sql FROM main.sqlite_schema WHERE type = 'view' AND name = ?", (name,)
        ).get
        if made is not None:
            whole = made.replace(_IN_VIEW, WHOLE_TEXT)
            connection.execute(whole.replace("CREATE VIEW", "CREATE TEMP VIEW", 1))


def drop_kept(connection: apsw.Connection, source_id: int) -> None:
    """Delete a source's kept bytes; long texts of messages that stay are packed by themselves."""
    for chunk_id, codec, data, kept_size in fetch_all(
        connection,
        "SELECT id, codec, data, kept_size FROM source_chunk WHERE source_id = ?",
        (source_id,),
    ):
        staying = fetch_all(
            connection,
            "SELECT id, pack_start, pack_size FROM message WHERE pack_id = ?",
            (chunk_id,),
        )
        if not staying:
            connection.execute("DELETE FROM source_chunk WHERE id = ?", (chunk_id,))
            continue
        texts = decompress(data, codec)[kept_size:]
        moved: list[bytes] = []
        for message_id, start, size in staying:
            connection.execute(
                "UPDATE message SET pack_start = ? WHERE id = ?",
                (sum(map(len, moved)), message_id),
            )
            moved.append(texts[start : start + size])
        connection.execute(
            "UPDATE source_chunk SET kept_size = 0, codec = 'zstd', data = ? WHERE id = ?",
            (compress(b"".join(moved)), chunk_id),
        )


PACK_GROUP_BYTES = 2 * MIB
PACK_LEVEL = 9
"""A tenth smaller than what an append has time for, and many small appends become one."""


def pack_source(connection: apsw.Connection, source_id: int) -> Iterator[int]:
    """Put a source's chunks together and compress them better, a group a step.

    Yields how many bytes each step saved; every step is one transaction.
    """
    group: list[tuple[int, bool]] = []
    begin = reached = 0
    for chunk_id, start, end, is_packed in fetch_all(
        connection,
        "SELECT id, start_offset, end_offset, packed FROM source_chunk"
        " WHERE source_id = ? AND kept_size IS NOT 0 ORDER BY start_offset",
        (source_id,),
    ):
        # Bytes that are missing in between must stay known to be missing.
        if group and (start != reached or end - begin > PACK_GROUP_BYTES):
            yield from _pack_group(connection, group)
            group = []
        begin = begin if group else start
        group.append((chunk_id, bool(is_packed)))
        reached = end
    yield from _pack_group(connection, group)


def _pack_group(connection: apsw.Connection, group: list[tuple[int, bool]]) -> Iterator[int]:
    if all(is_packed for _, is_packed in group):
        return
    saved = 0
    with connection:
        saved = _packed_together(connection, [chunk_id for chunk_id, _ in group])
        connection.execute(
            "UPDATE source SET kept_bytes = kept_bytes - ? WHERE id ="
            " (SELECT source_id FROM source_chunk WHERE id = ?)",
            (saved, group[0][0]),
        )
    yield saved


def _packed_together(connection: apsw.Connection, chunk_ids: list[int]) -> int:
    """Make the first of these chunks hold all of them; return the bytes that saved."""
    kept: list[bytes] = []
    texts: list[bytes] = []
    size_before = end = 0
    for chunk_id in chunk_ids:
        row = fetch_one(
            connection,
            "SELECT end_offset, codec, data, kept_size FROM source_chunk WHERE id = ?",
            (chunk_id,),
        )
        assert row is not None
        end, codec, data, kept_size = row
        whole = decompress(data, codec)
        size_before += len(data)
        connection.execute(
            "UPDATE message SET pack_id = ?, pack_start = pack_start + ? WHERE pack_id = ?",
            (chunk_ids[0], sum(map(len, texts)), chunk_id),
        )
        kept.append(whole[:kept_size])
        texts.append(b"" if kept_size is None else whole[kept_size:])
    connection.executemany("DELETE FROM source_chunk WHERE id = ?", [(i,) for i in chunk_ids[1:]])
    packed = compress(b"".join((*kept, *texts)), PACK_LEVEL)
    kept_size = sum(map(len, kept)) if any(texts) else None
    connection.execute(
        "UPDATE source_chunk SET end_offset = ?, codec = 'zstd', data = ?, kept_size = ?,"
        " packed = 1 WHERE id = ?",
        (end, packed, kept_size, chunk_ids[0]),
    )
    return size_before - len(packed)
