"""What parsers of appended JSON lines have in common; a subclass says what one object means."""

from pathlib import Path
from typing import Generic, TypeVar

import msgspec
from msgspec import Raw, Struct

from steno.capture.agent import BROKEN_LINE, Outcome, recovered
from steno.capture.threads import OpenTurn, Thread, ThreadRecords, time_of
from steno_schema.records import AnyRecord, ExchangeStatus

_RAW = msgspec.json.Decoder(Raw)


class LineState(Struct, omit_defaults=True):
    """What is kept between two lines; an agent adds what it needs."""

    thread: Thread | None = None
    version: str | None = None
    last_event_at: str | None = None
    last_ms: int = 0
    turn: OpenTurn | None = None
    is_turn_copied: bool = False


Kept = TypeVar("Kept", bound=LineState)


class LineParser(Generic[Kept]):
    """A parser as ``agent.Parser`` and ``agent.Tells`` promise it, but for what a line means.

    A subclass gives ``_take`` and ``_named``, and says in ``kind`` what an object was.
    """

    session: str | None
    last_event_at: str | None
    kind: str

    def __init__(self, path: Path, kept: Kept, agent: str, *, is_key_global: bool = False) -> None:
        self._path = path
        self._kept = kept
        self._records = ThreadRecords(agent, kept.last_event_at, is_key_global=is_key_global)
        self.kind = ""
        self._tell_where()

    @property
    def folder(self) -> str | None:
        """Folder that the session began in."""
        return self._kept.thread.project if self._kept.thread else None

    @property
    def version(self) -> str | None:
        """Version that wrote the last line, as far as lines tell."""
        return self._kept.version

    @property
    def made(self) -> int:
        """Records made so far, but for those of the session itself."""
        return self._records.made

    def feed(self, number: int, line: bytes) -> Outcome:
        """Take line ``number``; never raises, whatever the bytes are."""
        self.kind = ""
        try:
            outcome = self._take(number, line)
        except (ValueError, RecursionError):
            outcome, is_broken = recovered(line, _RAW, lambda data, _: self._take(number, data))
            self.kind = BROKEN_LINE if is_broken else self.kind
        self._tell_where()
        return outcome

    def take(self) -> list[AnyRecord]:
        """Return the records made since the last call, what they name first."""
        return self._records.take(self._kept.thread, self._kept.last_event_at)

    def state(self) -> bytes:
        """Return what a new parser needs to go on: some hundred bytes."""
        return msgspec.msgpack.encode(self._kept)

    def _tell_where(self) -> None:
        self.session = self._kept.thread.session if self._kept.thread else None
        self.last_event_at = self._kept.last_event_at

    def _take(self, number: int, data: bytes) -> Outcome:
        """Take one object of line ``number``; may raise ``ValueError``."""
        raise NotImplementedError

    def _named(self) -> str:
        """Return the key of a session whose first line is gone, from the path."""
        raise NotImplementedError

    def _thread(self) -> Thread:
        """Return the session."""
        if self._kept.thread is None:
            key = self._named()
            self._kept.thread = Thread(key=key, session=key)
            self._records.thread_changed()
        return self._kept.thread

    def _seen(self, timestamp: str | None) -> tuple[str | None, int | None]:
        """Note a time; return it, or the latest one before it where there is none."""
        stamp, time_ms = time_of(timestamp)
        kept = self._kept
        if time_ms is None:
            return kept.last_event_at, None
        if time_ms >= kept.last_ms:
            kept.last_event_at, kept.last_ms = stamp, time_ms
        return stamp, time_ms

    def _begin(self, turn: OpenTurn, *, copied: bool = False) -> None:
        """Begin a turn, after its prompt was said; one before it that still runs is over."""
        if self._kept.turn is not None and self._kept.turn.status == "running":
            self._end("completed")
        self._kept.turn, self._kept.is_turn_copied = turn, copied
        self._records.turn(self._thread(), turn, copied=copied)

    def _end(self, status: ExchangeStatus) -> None:
        """Say how the turn stands, if that is news."""
        turn = self._kept.turn
        if turn is not None and turn.status != status:
            turn.status = status
            self._records.turn(self._thread(), turn, copied=self._kept.is_turn_copied)
