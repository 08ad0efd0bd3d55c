"""From new lines of one source to one atomic append: bytes, records and cursor together.

Secrets are taken out of the bytes before anything else sees them; offsets and hashes are those of
the log as it was. What an append did is never guessed: the ledger moves only when the daemon says so.
"""

import logging
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

import msgspec

from steno.capture.agent import Agent, Parser
from steno.capture.compression import compress
from steno.capture.discovery import Found
from steno.capture.ledger import Entry, Ledger, ReadState, new_entry, standing
from steno.capture.meter import Meter
from steno.capture.projects import LeftOut, Projects
from steno.capture.source import Batch, Look, NotYet, Source
from steno.client import Client
from steno.errors import Refused
from steno_schema.errors import ErrorCode
from steno_schema.records import AnyRecord
from steno_schema.redaction import redact_line
from steno_schema.requests import Append, SourceProgress, SourceState
from steno_schema.times import parse_ms

NO_SAMPLE = "a line of a project that stays out"
CONFLICTS_MAX = 3

log = logging.getLogger("steno.capture")
_state_encoder = msgspec.msgpack.Encoder()


class Ingest:
    """Reads files into the daemon; one file at a time, each from where the ledger stands."""

    def __init__(
        self, client: Client, ledger: Ledger, projects: Projects, *, redact: bool
    ) -> None:
        self._client = client
        self._ledger = ledger
        self._projects = projects
        self._redact = redact
        self.between: Callable[[int], None] = go_on
        """Called between two stretches of a file, with the bytes of the one that was stored."""

    def read(self, agent: Agent, path: Path) -> int:
        """Take in what is new in a file; return how many bytes of it were read."""
        try:
            return self._retried(path, lambda: self._read(agent, path))
        except NotYet:
            return 0
        except OSError:
            self.missing(agent.name, path)
            return 0

    def _read(self, agent: Agent, path: Path) -> int:
        with agent.reader(path).open(path) as source:
            return self._read_source(agent, path, source)

    def _read_source(self, agent: Agent, path: Path, source: Source) -> int:
        """Take in the members of a source that changed, then what is new in itself."""
        known = self._ledger.get(str(path))
        if known is not None and _is_unchanged(known, source.look):
            return 0
        taken = self._read_members(agent, path, source)
        entry = self._settle(agent, path, source, known)
        return taken + self._read_from(agent, path, source, entry)

    def _read_members(self, agent: Agent, path: Path, source: Source) -> int:
        taken = 0
        present: set[str] = set()
        for name, member in source.members():
            inside = path / name
            present.add(str(inside))
            with member:
                step = partial(self._read_source, agent, inside, member)
                taken += self._retried(inside, step)
        for entry in self._ledger.inside(path) if present else []:
            if entry.path not in present and entry.state != "gone":
                self.missing(agent.name, Path(entry.path))
        return taken

    def _retried(self, path: Path, step: Callable[[], int]) -> int:
        """Do a step; where our ledger turns out to be behind, read it anew and do it again."""
        for _ in range(CONFLICTS_MAX):
            try:
                return step()
            except Refused as refusal:
                known = self._ledger.get(str(path))
                if refusal.code != ErrorCode.CONFLICT or known is None:
                    raise
                self._ledger.refreshed(known)
        return 0

    def note(self, records: list[AnyRecord], folder: str | None) -> None:
        """Store what a hook told and no transcript holds, unless its project stays out."""
        placed, _ = self._projects.placed(records, folder, LeftOut())
        if placed:
            self._client.request(Append(records=placed, mode="merge"))

    def note_missing(self, found: list[Found], roots: list[tuple[Agent, Path]]) -> None:
        """Note what a scan did not find any more: it is gone, or its disk is away.

        What was found is read before, so that a file that moved is known where it is now.
        """
        present = {str(each.path) for each in found}
        for entry in self._ledger.entries():
            if entry.path in present or entry.state == "gone":
                continue
            path = Path(entry.path)
            above = [root for _, root in roots if path.is_relative_to(root)]
            if not above or str(path.parent) in present:
                continue
            if _is_away(entry, path, any(_holds(root, present) for root in above)):
                self._retried(path, partial(self._note, entry.agent, path, "away"))
            else:
                self.missing(entry.agent, path)

    def missing(self, agent: str, path: Path) -> None:
        """Note that there is no file to read (any more), or one that cannot be read.

        Its records and bytes stay.
        """
        state: SourceState = "unreadable" if os.path.lexists(path) else "gone"
        self._retried(path, lambda: self._note(agent, path, state))

    def _note(self, agent: str, path: Path, state: SourceState) -> int:
        entry = self._ledger.get(str(path))
        if entry is None and state == "unreadable":
            entry = self._begin(Entry(source="", agent=agent, path=str(path)))
        if entry is not None and entry.state != state:
            level = logging.INFO if state == "gone" else logging.WARNING
            log.log(level, "a transcript of %s is %s", agent, state)
            self._change_state(entry, state)
        return 0

    def _settle(self, agent: Agent, path: Path, source: Source, entry: Entry | None) -> Entry:
        """Return the entry to go on from: the known one, a moved one's, or a new one."""
        if entry is None:
            inode = self._ledger.by_inode(source.look.device, source.look.inode)
            for known in (*([inode] if inode else []), *self._ledger.by_name(path)):
                if known.agent == agent.name and _has_moved(known, source):
                    return self._ledger.moved(known, str(path))
            return self._begin(Entry(source="", agent=agent.name, path=str(path)))
        if source.is_same(entry.identity, entry.offset):
            return entry
        self._change_state(entry, "replaced")
        return self._begin(entry)

    def _begin(self, like: Entry) -> Entry:
        """Begin a generation of a file.

        It is in the ledger before its first append, so that one whose reply was lost goes on
        where it stands instead of beginning again under another id.
        """
        fresh = new_entry(like)
        self._ledger.put(fresh)
        return fresh

    def _read_from(self, agent: Agent, path: Path, source: Source, entry: Entry) -> int:
        if entry.state != "live":
            # Noted before it is said: should the reply be lost, the ledger does not lag behind.
            entry = msgspec.structs.replace(entry, state="live", size_bytes=-1)
            self._ledger.put(entry)
        started = entry.offset
        state = self._ledger.read_state(entry)
        version = agent.parser_version if entry.offset == 0 else entry.parser
        try:
            parser = agent.parser(path, state.parser)
        except ValueError:
            log.warning(
                "a transcript of %s is read anew: its parser's state is unknown", agent.name
            )
            self._change_state(entry, "replaced")
            return self._read_from(agent, path, source, self._begin(entry))
        for batch in source.batches(
            entry.offset, in_oversized=state.in_oversized, seen=state.seen
        ):
            entry = self._append(parser, source, entry, batch, version, state.left_out)
            self.between(batch.end - batch.start)
        if not _is_noted(entry, source):
            entry = self._touch(source, entry, version)
        return entry.offset - started

    def _append(
        self,
        parser: Parser,
        source: Source,
        entry: Entry,
        batch: Batch,
        version: str,
        left_out: LeftOut,
    ) -> Entry:
        """Store one batch; return where the ledger stands after it."""
        redacted, findings = redact_line(batch.data) if self._redact else (batch.data, 0)
        lines = batch.lines if redacted is batch.data else _lines_of(redacted, batch)
        progress = SourceProgress(
            source=entry.source,
            agent=entry.agent,
            path=entry.path,
            expected_offset=entry.offset,
            offset=batch.end,
            redactions=findings,
            parser=version,
        )
        meter = Meter(parser)
        for number, line in enumerate(lines, entry.lines + 1):
            meter.feed(number, line)
        if batch.oversized_bytes:
            meter.too_long(batch.oversized_bytes, ends_line=batch.ends_line)
        records, is_complete = self._projects.placed(parser.take(), parser.folder, left_out)
        if is_complete:
            progress.chunk, progress.codec = compress(redacted)
        meter.tell(progress, sample=None if is_complete else NO_SAMPLE)
        progress.session = parser.session
        progress.last_event_at = _checked_time(parser.last_event_at)
        progress.parser_state = _state_encoder.encode(
            ReadState(
                parser=parser.state(),
                in_oversized=_is_unfinished(batch),
                seen=batch.seen,
                left_out=left_out,
            )
        )
        _place(progress, source, whole=source.is_whole(batch.end))
        self._client.request(Append(records=records, mode="merge", source=progress))
        return self._moved(entry, progress)

    def _touch(self, source: Source, entry: Entry, version: str) -> Entry:
        """Note size and time of a source that was read as far as it goes."""
        progress = standing(entry)
        progress.state = "live"
        progress.parser = version
        progress.parser_state = _state_encoder.encode(self._ledger.read_state(entry))
        _place(progress, source, whole=True)
        self._client.request(Append(records=[], mode="merge", source=progress))
        return self._moved(entry, progress)

    def _change_state(self, entry: Entry, state: SourceState) -> None:
        progress = standing(entry)
        progress.state = state
        progress.parser_state = _state_encoder.encode(self._ledger.read_state(entry))
        self._client.request(Append(records=[], mode="merge", source=progress))
        self._moved(entry, progress)

    def _moved(self, entry: Entry, progress: SourceProgress) -> Entry:
        moved = Entry(
            source=entry.source,
            agent=entry.agent,
            path=entry.path,
            state=progress.state,
            device=progress.device,
            inode=progress.inode,
            size_bytes=progress.size_bytes,
            mtime_ns=progress.mtime_ns,
            head_hash=progress.head_hash,
            head_bytes=progress.head_bytes,
            tail_hash=progress.tail_hash,
            tail_bytes=progress.tail_bytes,
            offset=progress.offset,
            lines=entry.lines + progress.lines,
            parser=progress.parser,
            session=progress.session or entry.session,
        )
        self._ledger.put(moved)
        return moved


def _is_unchanged(entry: Entry, look: Look) -> bool:
    return (entry.size_bytes, entry.mtime_ns, entry.inode, entry.state) == (
        look.size_bytes,
        look.mtime_ns,
        look.inode,
        "live",
    )


def _is_noted(entry: Entry, source: Source) -> bool:
    """Tell whether the ledger has what can be said of a source that is read to its end."""
    settled = msgspec.structs.replace(source.look, mtime_ns=source.settled_mtime_ns)
    return _is_unchanged(entry, settled)


def go_on(_read_bytes: int) -> None:
    """Nothing is to be done between two stretches."""


def _holds(root: Path, paths: set[str]) -> bool:
    before = f"{root}{os.sep}"
    return any(path.startswith(before) for path in paths)


def _is_away(entry: Entry, path: Path, root_holds_others: bool) -> bool:
    """Tell whether a file that is not there may be there again once its disk is.

    Numbers of devices change with a restart; where other files are found, their disk is there.
    """
    if root_holds_others or not entry.device:
        return False
    while not os.path.lexists(path):
        path = path.parent
    return device_of(path) != entry.device


def device_of(path: Path) -> int:
    """Return the number of the disk that a folder is on."""
    return path.lstat().st_dev


def _has_moved(entry: Entry, source: Source) -> bool:
    """Tell whether an open file is the one an entry speaks of, and no longer where it was."""
    if not entry.head_hash or not source.is_same(entry.identity, entry.offset):
        return False
    try:
        found = os.lstat(entry.path)
    except OSError:
        return True
    return (found.st_dev, found.st_ino) != (entry.device, entry.inode)


def _is_unfinished(batch: Batch) -> bool:
    """Tell whether a line that is too long goes on after this stretch."""
    return batch.oversized_bytes > 0 and not batch.ends_line


def _lines_of(redacted: bytes, batch: Batch) -> list[bytes]:
    if batch.oversized_bytes:
        return []
    return [line for line in redacted.split(b"\n") if line and not line.isspace()]


def _place(progress: SourceProgress, source: Source, *, whole: bool) -> None:
    """Write down who the source is; its time only once it is read as far as it goes."""
    identity = source.identity(progress.offset)
    progress.device = identity.device
    progress.inode = identity.inode
    progress.head_hash = identity.head_hash
    progress.head_bytes = identity.head_bytes
    progress.tail_hash = identity.tail_hash
    progress.tail_bytes = identity.tail_bytes
    progress.size_bytes = source.look.size_bytes
    progress.mtime_ns = source.settled_mtime_ns if whole else 0


def _checked_time(text: str | None) -> str | None:
    """A time stamp of a transcript is hostile text; one that is no time is left out."""
    if text is None:
        return None
    try:
        parse_ms(text)
    except (ValueError, OverflowError):
        return None
    return text
