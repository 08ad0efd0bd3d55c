"""The parser of llm's log: each line is one call of a model, with what was asked and answered."""

from pathlib import Path

import msgspec
from msgspec import Struct

from steno.capture.agent import BROKEN_LINE, Outcome, mended
from steno.capture.llm_calls import exchanged_in, tokens_of
from steno.capture.llm_times import microseconds_of, text_of
from steno.capture.llm_wire import CALL, FRAGMENT, LINE, THREAD, Call, Line
from steno.capture.snapshot import GONE
from steno.capture.threads import OpenTurn, Place, Text, Thread, ThreadRecords, key_of
from steno_schema.records import AnyRecord

AGENT_NAME = "llm"
BLOCKS = 4096
"""Messages of one call that have a place of their own in the order; times have microseconds."""
_DURATION_MAX_MS = 86_400_000


class State(Struct, omit_defaults=True):
    """What is kept between two lines."""

    thread: Thread | None = None
    is_older: bool = False
    """It began in the older tables."""
    started_us: int = 0
    last_us: int = 0
    asked: str | None = None
    """The call that a prompt came with last: those after it without one go on with it."""


_STATE: msgspec.msgpack.Decoder[State] = msgspec.msgpack.Decoder(State)


class LlmParser:
    """Reads one conversation's log; ``steno.capture.agent.Parser`` says what it promises."""

    session: str | None
    last_event_at: str | None
    folder: str | None = None
    version: str | None = None

    def __init__(self, path: Path, state: bytes = b"") -> None:
        """Go on from ``state``; raise ``ValueError`` if that is not a state of this parser."""
        del path
        self._state = _STATE.decode(state) if state else State()
        told_until = text_of(self._state.last_us)
        self._records = ThreadRecords(AGENT_NAME, told_until, is_key_global=True)
        self.kind = ""
        self._tell_where()

    @property
    def made(self) -> int:
        """Records made so far, but for those of the conversation itself."""
        return self._records.made

    def feed(self, number: int, line: bytes) -> Outcome:
        """Take line ``number``; never raises, whatever the bytes are."""
        del number
        self.kind = BROKEN_LINE
        try:
            try:
                outcome = self._take(line)
            except (ValueError, RecursionError):
                outcome = self._take(mended(line))
        except (ValueError, RecursionError):
            return Outcome.NOT_UNDERSTOOD
        self._tell_where()
        return outcome

    def take(self) -> list[AnyRecord]:
        """Return the records made since the last call, what they name first."""
        return self._records.take(self._state.thread, self.last_event_at)

    def state(self) -> bytes:
        """Return what a new parser needs to go on: some 200 bytes."""
        return msgspec.msgpack.encode(self._state)

    def _tell_where(self) -> None:
        self.session = self._state.thread.key if self._state.thread else None
        self.last_event_at = text_of(self._state.last_us)

    def _take(self, data: bytes) -> Outcome:
        line = LINE.decode(data)
        self.kind = line.table
        if line.gone is not None:
            self.kind = GONE
            return Outcome.SKIPPED
        thread = self._state.thread
        match line.table:
            case "conversations" | "threads":
                return self._named(line)
            case "responses" | "turns" if thread is not None:
                return self._call(line, CALL.decode(line.row), thread)
            case "fragments" if thread is not None:
                return self._fragment(line, thread)
            case _:
                return Outcome.NOT_UNDERSTOOD

    def _named(self, line: Line) -> Outcome:
        row, state = THREAD.decode(line.row), self._state
        key = key_of(row.id)
        if key is None or key != row.id:
            return Outcome.NOT_UNDERSTOOD
        if state.thread is None or state.thread.key != key:
            state.thread = Thread(key=key, session=key)
        # In both generations the same conversation; its older name was made of its first prompt.
        state.is_older = state.is_older or line.table == "conversations"
        if line.table == "conversations" or not state.is_older:
            state.thread.title = key_of(row.name) or state.thread.title
        self._records.thread_changed()
        return Outcome.RECORDS

    def _fragment(self, line: Line, thread: Thread) -> Outcome:
        """Take a text that was put before prompts: said once, however often it was used."""
        fragment = FRAGMENT.decode(line.row)
        if not fragment.content:
            return Outcome.SKIPPED
        time_us = microseconds_of(fragment.datetime_utc, "") or self._state.last_us
        place = Place(None, time_us * BLOCKS, text_of(time_us))
        text = Text("user", "injected", fragment.content)
        self._records.message(thread, "fragment", f"{thread.key}:{fragment.id}", text, place)
        return Outcome.RECORDS

    def _call(self, line: Line, call: Call, thread: Thread) -> Outcome:
        state = self._state
        if key_of(call.id) != call.id:
            return Outcome.NOT_UNDERSTOOD
        began_us = microseconds_of(call.datetime_utc, call.id) or state.last_us
        took_ms = min(max(call.duration_ms or 0, 0), _DURATION_MAX_MS)
        ended_us = began_us + int(took_ms * 1000)
        self._seen(thread, began_us, ended_us)
        said = exchanged_in(line, call)
        # Results belong to the exchange that asked for them; all else to that of the prompt.
        block = len(said.system)
        self._say(thread, call.id, said.results, block, began_us, began_us)
        block += len(said.results)
        if said.prompt:
            self._ask(thread, call.id, said.prompt, block, began_us)
        self._say(thread, call.id, said.system, 0, began_us, began_us)
        self._say(thread, call.id, said.after, block + 1, began_us, ended_us)
        place = Place(state.asked, began_us * BLOCKS, text_of(began_us))
        model = key_of(call.resolved_model or call.model)
        self._records.usage(thread, call.id, tokens_of(call), place, model=model)
        return Outcome.RECORDS

    def _seen(self, thread: Thread, began_us: int, ended_us: int) -> None:
        state = self._state
        if not state.started_us or began_us < state.started_us:
            state.started_us, thread.started_at = began_us, text_of(began_us)
            self._records.thread_changed()
        state.last_us = max(state.last_us, ended_us)

    def _ask(self, thread: Thread, call: str, prompt: str, block: int, began_us: int) -> None:
        self._state.asked = call
        place = Place(call, began_us * BLOCKS + min(block, BLOCKS - 1), text_of(began_us))
        self._records.message(thread, "message", call, Text("user", "text", prompt), place)
        turn = OpenTurn(key=call, ms=began_us // 1000, created_at=place.created_at)
        self._records.turn(thread, turn)

    def _say(
        self,
        thread: Thread,
        call: str,
        texts: list[Text],
        first_block: int,
        began_us: int,
        said_us: int,
    ) -> None:
        """Add texts of a call; their order is that of its beginning."""
        for block, text in enumerate(texts, first_block):
            order = began_us * BLOCKS + min(block, BLOCKS - 1)
            place = Place(self._state.asked, order, text_of(said_us))
            self._records.message(thread, "message", f"{call}:{block}", text, place)
