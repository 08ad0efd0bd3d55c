"""Makes the records of one opencode session: what each part and message says, under its own id."""

import re

from steno.capture.opencode_ids import made_ms, position_of
from steno.capture.opencode_state import Head, OpenTurn, State
from steno.capture.opencode_wire import MessageData, TokenCounts
from steno.capture.threads import Place, Text, Thread, ThreadRecords, cost_of, count_of
from steno_schema.records import AnyRecord, Tokens
from steno_schema.times import format_ms

AGENT_NAME = "opencode"
_TIME_MAX_MS = 2**41
_QUOTED = re.compile(r'"((?:[^"]|(?<=\\)")*)"', re.DOTALL)


class Records:
    """The records made since the last ``take``."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._records = ThreadRecords(AGENT_NAME, last_event_of(state), is_key_global=True)

    @property
    def made(self) -> int:
        """Records made so far, but for those of the session itself."""
        return self._records.made

    def take(self) -> list[AnyRecord]:
        """Return the records in order, what they name first."""
        return self._records.take(self._state.thread, last_event_of(self._state))

    def thread_changed(self) -> None:
        """Say the session and its conversation with the next ``take``."""
        self._records.thread_changed()

    def message(
        self, native: str, head: Head, text: Text, *, block: int = 0, key: str | None = None
    ) -> None:
        """Add what a part says (or a message, of itself); ``block`` tells several of one apart.

        A prompt has the ``key`` of its message, as its turn does.
        """
        place = Place(
            head.turn,
            position_of(native, head.created_ms, block),
            moment_of(made_ms(native, head.created_ms)),
        )
        own = f"{native}:{block}" if block else native
        self._records.message(self._thread(), "message", key or own, text, place)

    def turn(self, turn: OpenTurn) -> None:
        """Say a turn (again), with the status it has by now."""
        self._records.turn(self._thread(), turn)

    def usage(self, message: str, head: Head, data: MessageData) -> None:
        """Add what one model call used; ``cost`` is what opencode reckoned, 0 in a subscription."""
        tokens = tokens_of(data.tokens or TokenCounts())
        tokens.complete = data.time.completed is not None and data.error is None
        place = Place(head.turn, position_of(message, head.created_ms), moment_of(head.created_ms))
        self._records.usage(
            self._thread(), message, tokens, place, model=head.model, cost_usd=cost_of(data.cost)
        )

    def _thread(self) -> Thread:
        thread = self._state.thread
        if thread is None:  # the parser takes nothing before the session is known
            raise RuntimeError("a record was made before its session was known")
        return thread


def last_event_of(state: State) -> str | None:
    """Return the latest time seen."""
    return moment_of(state.last_event_ms)


def moment_of(value_ms: int | None) -> str | None:
    """Return milliseconds since 1970 as text; nothing for no time."""
    return format_ms(value_ms) if value_ms else None


def tokens_of(counts: TokenCounts) -> Tokens:
    """Return counts in disjoint buckets, output including reasoning.

    ``output`` excludes reasoning where ``total`` says so (all of it since ``total`` is written);
    before that it includes it, as far as it is the larger of the two.
    """
    given, reasoning = count_of(counts.output), count_of(counts.reasoning)
    apart = count_of(counts.input) + count_of(counts.cache.read) + count_of(counts.cache.write)
    if counts.total is None:
        is_included = reasoning <= given
    else:
        is_included = count_of(counts.total) == apart + given
    return Tokens(
        input=count_of(counts.input),
        output=given if is_included else count_of(given + reasoning),
        cache_read=count_of(counts.cache.read),
        cache_write=count_of(counts.cache.write),
        reasoning=reasoning,
    )


def unquoted(text: str) -> str:
    """Return a prompt as it was typed: ``opencode run`` puts quotes around one that has spaces.

    Quotes inside of it get a backslash then, so a text with a bare one was not quoted as a whole.
    """
    found = _QUOTED.fullmatch(text)
    if found is None or " " not in found[1] or not found[1].strip():
        return text
    return found[1].replace('\\"', '"')


def milliseconds(value: float | None) -> int | None:
    """Return a time as opencode writes it; ``None`` for what cannot be one."""
    return None if value is None or not 0 < value < _TIME_MAX_MS else int(value)
