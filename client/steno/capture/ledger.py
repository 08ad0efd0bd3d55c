"""The ledger as the watcher holds it: one light entry a file, filled from the daemon at start."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from steno.capture.compressed import plain_name
from steno.capture.projects import LeftOut
from steno.capture.source import Identity
from steno.client import Client
from steno_schema.ids import uuid7
from steno_schema.replies import Done
from steno_schema.requests import Admin, SourceProgress, SourceState


class Entry(Struct, kw_only=True):
    """Where one generation of a source stands. Offsets are those of its log, sizes its own."""

    source: str
    agent: str
    path: str
    state: SourceState = "live"
    device: int = 0
    inode: int = 0
    size_bytes: int = 0
    mtime_ns: int = 0
    head_hash: str = ""
    head_bytes: int = 0
    tail_hash: str = ""
    tail_bytes: int = 0
    offset: int = 0
    lines: int = 0
    parser: str = ""
    session: str | None = None

    @property
    def identity(self) -> Identity:
        return Identity(
            device=self.device,
            inode=self.inode,
            head_hash=self.head_hash,
            head_bytes=self.head_bytes,
            tail_hash=self.tail_hash,
            tail_bytes=self.tail_bytes,
        )


class ReadState(Struct, kw_only=True, omit_defaults=True):
    """What reading needs to go on at the cursor, as it is kept in ``parser_state``."""

    parser: bytes = b""
    in_oversized: bool = False
    seen: bytes = b""
    left_out: LeftOut = msgspec.field(default_factory=LeftOut)


class Ledger:
    """Entries by path; only the newest generation of a file is here."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._entries: dict[str, Entry] = {}
        self._by_inode: dict[tuple[int, int], Entry] = {}
        self._by_name: dict[str, set[str]] = {}

    def load(self) -> None:
        """Fetch everything from the daemon."""
        self._entries.clear()
        self._by_inode.clear()
        self._by_name.clear()
        for entry in self.generations():
            if entry.state == "replaced":
                self._by_inode[entry.device, entry.inode] = entry
            else:
                self.put(entry)

    def generations(self) -> Iterator[Entry]:
        """Yield every entry as the daemon has it, also those that were replaced, oldest first."""
        after: int | None = 0
        while after is not None:
            page = self._ask({"after": after})
            for values in page["sources"]:
                yield msgspec.convert(values, Entry)
            after = page["next"]

    def get(self, path: str) -> Entry | None:
        return self._entries.get(path)

    def put(self, entry: Entry) -> None:
        """Take over where a file stands now."""
        known = self._entries.get(entry.path)
        if known is not None and known.source == entry.source:
            # The path may have another inode by now, and this one may be another file's.
            self._by_inode.pop((known.device, known.inode), None)
        self._entries[entry.path] = entry
        self._by_name.setdefault(_name_of(entry.path), set()).add(entry.path)
        self._by_inode[entry.device, entry.inode] = entry

    def by_inode(self, device: int, inode: int) -> Entry | None:
        """Return the entry of the file that had this inode when it was last read.

        It may stand under another path, or be a generation that another file has replaced.
        """
        return self._by_inode.get((device, inode)) if inode else None

    def by_name(self, path: Path) -> list[Entry]:
        """Return the entries of files of that name in any folder, compressed or not."""
        paths = sorted(self._by_name.get(_name_of(str(path)), ()))
        return [entry for each in paths if (entry := self._entries.get(each)) is not None]

    def moved(self, entry: Entry, path: str) -> Entry:
        """Take over that an entry's file is now at ``path``; return the entry to go on from."""
        if self._entries.get(entry.path) is entry:
            del self._entries[entry.path]
        here = msgspec.structs.replace(entry, path=path, size_bytes=-1)
        self.put(here)
        return here

    def inside(self, container: Path) -> list[Entry]:
        """Return the entries of a container's members."""
        before = f"{container}/"
        return [each for path, each in self._entries.items() if path.startswith(before)]

    def entries(self) -> list[Entry]:
        return list(self._entries.values())

    def read_state(self, entry: Entry) -> ReadState:
        """Return what goes with the entry's cursor; fetched when needed, it may be some KB."""
        if entry.offset == 0:
            return ReadState()
        raw = self._ask({"source": entry.source}).get("parser_state")
        return msgspec.msgpack.decode(raw, type=ReadState) if raw else ReadState()

    def refreshed(self, entry: Entry) -> Entry:
        """Return the entry as the daemon has it, after a conflict."""
        values = self._ask({"source": entry.source})
        current = msgspec.convert(values, Entry) if "source" in values else new_entry(entry)
        if current.path != entry.path:
            self._entries.pop(entry.path, None)
        self.put(current)
        return current

    def _ask(self, arguments: dict[str, Any]) -> dict[str, Any]:
        reply = self._client.request(Admin(action="ledger", arguments=arguments))
        assert isinstance(reply, Done)
        return reply.result


def _name_of(path: str) -> str:
    return plain_name(Path(path)).name


def new_entry(like: Entry) -> Entry:
    """Return the entry of a new generation of the same path."""
    return Entry(source=uuid7(), agent=like.agent, path=like.path)


def standing(entry: Entry) -> SourceProgress:
    """Return progress that leaves the ledger where it stands, for the sender to change."""
    return SourceProgress(
        source=entry.source,
        agent=entry.agent,
        path=entry.path,
        expected_offset=entry.offset,
        offset=entry.offset,
        device=entry.device,
        inode=entry.inode,
        size_bytes=entry.size_bytes,
        mtime_ns=entry.mtime_ns,
        head_hash=entry.head_hash,
        head_bytes=entry.head_bytes,
        tail_hash=entry.tail_hash,
        tail_bytes=entry.tail_bytes,
        parser=entry.parser,
        state=entry.state,
    )
