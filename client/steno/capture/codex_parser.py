"""The Codex parser: reads a rollout line by line and tells what each line was."""

from pathlib import Path

from steno.capture.agent import BROKEN_LINE, Outcome, position, recovered
from steno.capture.codex_events import Events
from steno.capture.codex_items import Items
from steno.capture.codex_prompts import Prompts
from steno.capture.codex_records import Place, Records
from steno.capture.codex_scripts import Scripts
from steno.capture.codex_state import State, decode, encode
from steno.capture.codex_thread import (
    is_copied,
    thread_named_by,
    thread_of,
)
from steno.capture.codex_wire import (
    EVENT,
    ITEM,
    LINE,
    LINES_WITHOUT_RECORDS,
    RAW,
    SESSION_META,
    TURN_CONTEXT,
    USAGE_RECORD,
    Line,
    SessionMeta,
)
from steno.capture.threads import key_of, path_of, time_of
from steno_schema.records import AnyRecord

ORDINAL_MAX = 2**53


class CodexParser:
    """Reads one rollout; ``steno.capture.agent.Parser`` says what it promises."""

    session: str | None
    last_event_at: str | None

    @property
    def folder(self) -> str | None:
        """Folder that the thread began in."""
        thread = self._state.thread
        return (thread.project if thread else None) or self._state.cwd

    def __init__(self, path: Path, state: bytes = b"") -> None:
        """Go on from ``state``; raise ``ValueError`` if that is not a state of this parser."""
        self._path = path
        self._state: State = decode(state)
        self._records = Records(self._state)
        self._prompts = Prompts(self._state, self._records)
        scripts = Scripts(self._state, self._records)
        self._items = Items(self._records, self._prompts, scripts)
        self._events = Events(self._state, self._records, self._prompts, scripts)
        thread = self._state.thread
        self.session = thread.session if thread else None
        self.last_event_at = self._state.last_event_at
        self._kind = ""
        self._inside: Items | Events | None = None

    @property
    def kind(self) -> str:
        """Type of the line fed last, and of what is inside of it."""
        return f"{self._kind}/{self._inside.kind}" if self._inside else self._kind

    @property
    def version(self) -> str | None:
        """Version that began the file, or went on with it last."""
        thread = self._state.thread
        return thread.metadata.get("version") if thread else None

    @property
    def made(self) -> int:
        """Records made so far, but for those of the thread itself."""
        return self._records.made

    def feed(self, number: int, line: bytes) -> Outcome:
        """Take line ``number``; never raises, whatever the bytes are."""
        self._kind, self._inside = "", None
        try:
            return self._take(line, str(number), position(number))
        except (ValueError, RecursionError):
            return self._recover(number, line)

    def take(self) -> list[AnyRecord]:
        """Return the records made since the last call, what they name first."""
        return self._records.take()

    def state(self) -> bytes:
        """Return what a new parser needs to go on.

        Some hundred bytes, and between a prompt's item and the event that tells it the prompt.
        """
        return encode(self._state)

    def _recover(self, number: int, line: bytes) -> Outcome:
        def take(data: bytes, block: int) -> Outcome:
            ref = f"{number}.{block}" if block else str(number)
            return self._take(data, ref, position(number, block))

        outcome, is_broken = recovered(line, RAW, take)
        if is_broken:
            self._kind, self._inside = BROKEN_LINE, None
        return outcome

    def _take(self, data: bytes, ref: str, order: int) -> Outcome:
        line = LINE.decode(data)
        self._kind, self._inside = line.type, None
        created_at, stamp_ms = self._stamp(line)
        if is_copied(self._state, stamp_ms):
            return self._copied(line)
        place = Place(self._ref(line, ref), order, created_at)
        match line.type:
            case "response_item":
                item = ITEM.decode(line.payload)
                self._name_thread()
                self._inside = self._items
                return self._items.take(item, place)
            case "event_msg":
                event = EVENT.decode(line.payload)
                self._name_thread()
                self._inside = self._events
                return self._events.take(event, place)
            case "token_usage_record":
                record = USAGE_RECORD.decode(line.payload)
                self._name_thread()
                return self._events.usage_record(record, place)
            case "turn_context":
                return self._turn_context(line)
            case "session_meta":
                return self._session_meta(SESSION_META.decode(line.payload), stamp_ms)
            case known if known in LINES_WITHOUT_RECORDS:
                return Outcome.SKIPPED
            case _:
                return self._bare(data, line, place)

    def _ref(self, line: Line, ref: str) -> str:
        """Return what names a line: its ordinal, as long as ordinals rise; else its number."""
        ordinal = line.ordinal
        if not isinstance(ordinal, int) or not self._state.ordinal < ordinal < ORDINAL_MAX:
            return ref
        self._state.ordinal = ordinal
        return f"ordinal:{ordinal}"

    def _stamp(self, line: Line) -> tuple[str | None, int | None]:
        """Return the time of a line, in text the latest one before it if it has none itself."""
        state = self._state
        stamp, stamp_ms = time_of(line.timestamp)
        if stamp_ms is None:
            return state.last_event_at, None
        if state.last_event_at is None or stamp_ms >= state.last_event_ms:
            state.last_event_at, state.last_event_ms = stamp, stamp_ms
            self.last_event_at = stamp
        return stamp, stamp_ms

    def _session_meta(self, meta: SessionMeta, stamp_ms: int | None) -> Outcome:
        """Take a head: the first one is the file's own, another id's begins copied history."""
        state, own = self._state, self._state.thread
        named = thread_of(meta)
        if named is None:
            return Outcome.NOT_UNDERSTOOD
        if own is None or not state.created_ms:
            named.started_at = named.started_at or state.last_event_at
            state.created_ms = time_of(meta.timestamp)[1] or stamp_ms or 1
            state.thread = named
            self.session = named.session
        elif named.key == own.key:
            return Outcome.SKIPPED
        else:
            state.is_copying, state.copied_ms, state.is_total_copied = True, stamp_ms, True
            own.metadata.setdefault("forked_from", named.key)
        self._records.thread_changed()
        return Outcome.RECORDS

    def _name_thread(self) -> None:
        if self._state.thread is None:
            self._state.thread = thread_named_by(self._path)
            self.session = self._state.thread.session
            self._records.thread_changed()

    def _turn_context(self, line: Line) -> Outcome:
        context = TURN_CONTEXT.decode(line.payload)
        self._state.model = key_of(context.model) or self._state.model
        self._state.cwd = path_of(context.cwd) or self._state.cwd
        return Outcome.SKIPPED

    def _copied(self, line: Line) -> Outcome:
        """Learn from copied history what the lines after it go on from; the original owns it."""
        if line.type == "turn_context":
            return self._turn_context(line)
        if line.type == "event_msg":
            self._events.copied(EVENT.decode(line.payload))
        return Outcome.SKIPPED

    def _bare(self, data: bytes, line: Line, place: Place) -> Outcome:
        """Take a line as written before 0.32: a head without a type, then items without envelope.

        Only a file that began so: the same objects also stand inside of newer, torn lines.
        """
        state = self._state
        if state.is_bare and line.record_type is not None:
            return Outcome.SKIPPED
        if state.is_bare and line.type:
            return self._items.take(ITEM.decode(data), place)
        if state.thread is None and line.id and line.timestamp and not line.type:
            state.is_bare = True
            return self._session_meta(SESSION_META.decode(data), time_of(line.timestamp)[1])
        return Outcome.NOT_UNDERSTOOD
