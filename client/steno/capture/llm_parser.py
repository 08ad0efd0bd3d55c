"""The parser of llm's log: each line is one call of a model, with what was asked and answered."""

from pathlib import Path
from typing import NamedTuple

import msgspec
from msgspec import Struct

from steno.capture.agent import BROKEN_LINE, Outcome, mended
from steno.capture.llm_calls import Text, exchanged_in, tokens_of
from steno.capture.llm_times import microseconds_of, text_of
from steno.capture.llm_wire import CALL, FRAGMENT, LINE, THREAD, Call, Line
from steno.capture.snapshot import GONE
from steno_schema.ids import uuid8
from steno_schema.limits import CAPTURED_TEXT_MAX_CHARS, KEY_MAX_CHARS
from steno_schema.records import (
    AnyRecord,
    Conversation,
    Message,
    Session,
    Turn,
    Usage,
)

AGENT_NAME = "llm"
BLOCKS = 4096
"""Messages of one call that have a place of their own in the order; times have microseconds."""
_NAME_MAX_CHARS = 200
_DURATION_MAX_MS = 86_400_000


class State(Struct, omit_defaults=True):
    """What is kept between two lines."""

    key: str | None = None
    name: str | None = None
    is_older: bool = False
    """It began in the older tables."""
    started_us: int = 0
    last_us: int = 0
    asked: str | None = None
    """The call that a prompt came with last: those after it without one go on with it."""


class Place(NamedTuple):
    """Which call of which conversation says something, when it began, and when this was said."""

    key: str
    call: str
    began_us: int
    time_us: int
    model: str | None = None


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
        self._made: list[AnyRecord] = []
        self._is_news = False
        self.made = 0
        self.kind = ""
        self._tell_where()

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
        made, self._made = self._made, []
        state = self._state
        if state.key is None or not state.started_us or not (made or self._is_news):
            return made
        self._is_news = False
        return [*self._heads(state.key), *made]

    def state(self) -> bytes:
        """Return what a new parser needs to go on: some 200 bytes."""
        return msgspec.msgpack.encode(self._state)

    def _tell_where(self) -> None:
        self.session = self._state.key
        self.last_event_at = text_of(self._state.last_us)

    def _take(self, data: bytes) -> Outcome:
        line = LINE.decode(data)
        self.kind = line.table
        if line.gone is not None:
            self.kind = GONE
            return Outcome.SKIPPED
        match line.table:
            case "conversations" | "threads":
                return self._thread(line)
            case "responses" | "turns" if self._state.key is not None:
                return self._call(line, CALL.decode(line.row), self._state.key)
            case "fragments" if self._state.key is not None:
                return self._fragment(line, self._state.key)
            case _:
                return Outcome.NOT_UNDERSTOOD

    def _thread(self, line: Line) -> Outcome:
        thread = THREAD.decode(line.row)
        if not 0 < len(thread.id) <= KEY_MAX_CHARS:
            return Outcome.NOT_UNDERSTOOD
        state, self._is_news = self._state, True
        state.key = thread.id
        # In both generations the same conversation; its older name was made of its first prompt.
        state.is_older = state.is_older or line.table == "conversations"
        if line.table == "conversations" or not state.is_older:
            state.name = (thread.name or "")[:_NAME_MAX_CHARS] or state.name
        return Outcome.RECORDS

    def _fragment(self, line: Line, key: str) -> Outcome:
        """Take a text that was put before prompts: said once, however often it was used."""
        fragment = FRAGMENT.decode(line.row)
        if not fragment.content:
            return Outcome.SKIPPED
        time_us = microseconds_of(fragment.datetime_utc, "") or self._state.last_us
        text = Text("user", "injected", fragment.content)
        place = Place(key, "", time_us, time_us)
        self._say(place, f"{key}:fragment {fragment.id}", text, asked=None)
        return Outcome.RECORDS

    def _call(self, line: Line, call: Call, key: str) -> Outcome:
        state = self._state
        if not 0 < len(call.id) <= KEY_MAX_CHARS:
            return Outcome.NOT_UNDERSTOOD
        began_us = microseconds_of(call.datetime_utc, call.id) or state.last_us
        took_ms = min(max(call.duration_ms or 0, 0), _DURATION_MAX_MS)
        ended_us = began_us + int(took_ms * 1000)
        state.started_us = min(state.started_us or began_us, began_us)
        state.last_us = max(state.last_us, ended_us)
        model = (call.resolved_model or call.model or "")[:KEY_MAX_CHARS] or None
        said = exchanged_in(line, call)
        place = Place(key, call.id, began_us, began_us, model)
        # Results belong to the exchange that asked for them; all else to that of the prompt.
        block = len(said.system)
        self._say_all(place, block, said.results)
        block += len(said.results)
        if said.prompt:
            state.asked = call.id
            self._say_all(place, block, [Text("user", "text", said.prompt)])
            self._turn(place, _message_id(f"{call.id}:{block}"))
        self._say_all(place, 0, said.system)
        self._say_all(place._replace(time_us=ended_us), block + 1, said.after)
        self._usage(place, call)
        return Outcome.RECORDS

    # ----- records

    def _say_all(self, place: Place, first_block: int, texts: list[Text]) -> None:
        for block, text in enumerate(texts, first_block):
            self._say(place, f"{place.call}:{block}", text, self._state.asked, block)

    def _say(
        self, place: Place, native: str, text: Text, asked: str | None, block: int = 0
    ) -> None:
        self._add(
            Message(
                id=_message_id(native),
                conversation=place.key,
                session=place.key,
                exchange=None if asked is None else _turn_id(asked),
                role=text.role,
                kind=text.kind,
                content=text.content[:CAPTURED_TEXT_MAX_CHARS],
                created_at=text_of(place.time_us),
                position=place.began_us * BLOCKS + min(block, BLOCKS - 1),
                model=place.model if text.role == "assistant" else None,
                tool_name=text.tool_name,
                call_id=text.call_id,
                is_error=text.is_error,
            )
        )

    def _turn(self, place: Place, prompt_message: str) -> None:
        self._add(
            Turn(
                id=_turn_id(place.call),
                conversation=place.key,
                prompt_message=prompt_message,
                created_at=text_of(place.began_us),
                agent=AGENT_NAME,
            )
        )

    def _usage(self, place: Place, call: Call) -> None:
        asked = self._state.asked
        self._add(
            Usage(
                id=uuid8(AGENT_NAME, "usage", call.id),
                tokens=tokens_of(call),
                session=place.key,
                conversation=place.key,
                exchange=None if asked is None else _turn_id(asked),
                agent=AGENT_NAME,
                model=place.model,
                recorded_at=text_of(place.began_us),
                position=place.began_us * BLOCKS,
            )
        )

    def _add(self, record: AnyRecord) -> None:
        self._made.append(record)
        self.made += 1

    def _heads(self, key: str) -> list[AnyRecord]:
        state = self._state
        started_at = text_of(state.started_us)
        return [
            Session(
                id=uuid8(AGENT_NAME, "session", key),
                key=key,
                agent=AGENT_NAME,
                title=state.name,
                started_at=started_at,
                last_active_at=text_of(state.last_us),
            ),
            Conversation(
                id=uuid8(AGENT_NAME, "conversation", key),
                key=key,
                session=key,
                title=state.name,
                started_at=started_at,
            ),
        ]


def _message_id(native: str) -> str:
    return uuid8(AGENT_NAME, "message", native)


def _turn_id(call: str) -> str:
    return uuid8(AGENT_NAME, "turn", call)
