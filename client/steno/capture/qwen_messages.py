"""Messages of a Qwen session: prompts, replies with their thoughts and tools, tools' results."""

from typing import NamedTuple

from steno.capture.agent import Outcome, position
from steno.capture.gemini_parts import Content, content_of, is_set, json_text, output_of
from steno.capture.qwen_state import State
from steno.capture.qwen_wire import (
    MESSAGE,
    MID_TURN,
    REFERENCED_FILES,
    REMINDER,
    TOOL_CALL_RESULT,
    USAGE_METADATA,
    USERS_THAT_ARE_NONE,
    Line,
    UsageMetadata,
)
from steno.capture.threads import OpenTurn, Place, Text, Thread, ThreadRecords, key_of
from steno_schema.records import ExchangeStatus, Origin, Tokens

TEXT_BLOCK = 100
"""Thoughts stand before the text of a message, calls behind it."""
FAILED_STATUSES = frozenset({"error", "cancelled"})
_COUNT_MAX = 2**53


class Spot(NamedTuple):
    """Where a line stands: its name, its number, its time; and whether a fork copied it."""

    key: str
    number: int
    block: int
    created_at: str | None
    copied: bool


class Messages:
    """Makes records of messages."""

    def __init__(self, state: State, records: ThreadRecords) -> None:
        self._state = state
        self._records = records

    # ----- what a person, or somebody in a person's name, said

    def user(self, line: Line, spot: Spot) -> Outcome:
        """Take a ``user`` line; raise ``ValueError`` if a field of it is not what it has."""
        content = _content(line)
        reminders = [text for text in content.texts if text.startswith(REMINDER)]
        text = "".join(text for text in content.texts if not text.startswith(REMINDER))
        if not text:
            return Outcome.SKIPPED
        state = self._state
        if line.subtype in USERS_THAT_ARE_NONE or self._thread.is_subagent:
            return self._inject(text, spot)
        if state.is_command_sent:
            state.is_command_sent = False
            state.waits_for = spot.key
            return self._inject(text, spot)
        shown = text.partition(REFERENCED_FILES)[0] or text
        if line.subtype == MID_TURN:
            self.prompt(shown, spot, "queued")
            return Outcome.RECORDS
        self.end("aborted")
        state.turn = self.prompt(shown, spot, "human")
        state.waits_for = spot.key
        for index, reminder in enumerate(reminders):
            self._add("reminder", f"#{index}", Text("user", "injected", reminder), spot, 1)
        if text != shown:
            self._add("expanded", "", Text("user", "injected", text), spot, TEXT_BLOCK + 1)
        return Outcome.RECORDS

    def prompt(self, text: str, spot: Spot, origin: Origin) -> OpenTurn:
        """Add a prompt and its turn."""
        turn = OpenTurn(
            spot.key, self._state.last_ms, spot.created_at, self._thread.project, origin
        )
        place = Place(spot.key, position(spot.number, TEXT_BLOCK), spot.created_at)
        self._records.message(
            self._thread, "message", spot.key, Text("user", "text", text), place,
            copied=spot.copied,
        )  # fmt: skip
        self._records.turn(self._thread, turn, copied=spot.copied)
        return turn

    def _inject(self, text: str, spot: Spot) -> Outcome:
        self._add("message", "", Text("user", "injected", text), spot, TEXT_BLOCK)
        return Outcome.RECORDS

    # ----- what the model said

    def assistant(self, line: Line, spot: Spot) -> Outcome:
        """Take a reply, or as much of it as came before it was interrupted."""
        state = self._state
        content = _content(line)
        model = state.model = key_of(line.model) or state.model
        for index, thought in enumerate(content.thoughts):
            text = Text("assistant", "thinking", thought, model)
            self._add("thought", f"#{index}", text, spot, min(index, TEXT_BLOCK - 1))
        if content.text:
            said = Text("assistant", "text", content.text, model)
            self._add("message", "", said, spot, TEXT_BLOCK)
        for index, call in enumerate(content.calls):
            said = Text(
                "assistant", "tool_call", json_text(call.args), model,
                key_of(call.name), key_of(call.id),
            )  # fmt: skip
            self._add("tool_call", f"#{index}", said, spot, TEXT_BLOCK + 1 + index)
        is_cut = self._account(line, spot, model)
        state.waits_for = None
        if is_cut:
            self._say("aborted", spot)
        elif state.turn is not None and state.turn.status != "completed":
            self._say("completed", spot)
        return Outcome.RECORDS if any(content) else Outcome.SKIPPED

    def _account(self, line: Line, spot: Spot, model: str | None) -> bool:
        """Count a reply that no request was told of; tell whether it was cut off."""
        state = self._state
        is_told, state.is_answered = state.is_answered, False
        if is_told or self._thread.is_subagent:
            return False
        usage = USAGE_METADATA.decode(line.usage_metadata) if is_set(line.usage_metadata) else None
        if usage is not None and state.has_telemetry:
            return False
        tokens = Tokens(complete=False) if usage is None else _tokens_of(usage)
        self._records.usage(
            self._thread, spot.key, tokens, self.place(spot, TEXT_BLOCK), model=model,
            copied=spot.copied,
        )  # fmt: skip
        return usage is None and state.has_telemetry

    def tool_result(self, line: Line, spot: Spot) -> Outcome:
        """Take what a tool answered."""
        content = _content(line)
        result = (
            TOOL_CALL_RESULT.decode(line.tool_call_result)
            if is_set(line.tool_call_result)
            else None
        )
        status = result.status if result else None
        for index, response in enumerate(content.responses):
            text, failed = output_of([response])
            is_error = failed or status in FAILED_STATUSES
            said = Text(
                "tool", "tool_result", text, call_id=key_of(response.id), is_error=is_error
            )
            self._add("tool_result", f"#{index}", said, spot, index)
        if status != "cancelled" and not self._thread.is_subagent:
            self._state.waits_for = spot.key
        return Outcome.RECORDS if content.responses else Outcome.SKIPPED

    # ----- how turns end

    def end(self, status: ExchangeStatus) -> None:
        """End the turn if it still waits for an answer; what that cost nobody wrote down."""
        state, turn = self._state, self._state.turn
        waits_for, state.waits_for = state.waits_for, None
        if turn is None or waits_for is None:
            return
        turn.status = status
        self._records.turn(self._thread, turn)
        place = Place(turn.key, 0, state.last_event_at)
        self._records.usage(
            self._thread, f"{waits_for}#cut", Tokens(complete=False), place, model=state.model
        )

    def fail(self) -> None:
        """Note that the request the turn waits for was refused: it cost nothing."""
        turn = self._state.turn
        if turn is not None and self._state.waits_for is not None:
            self._state.waits_for = None
            turn.status = "failed"
            self._records.turn(self._thread, turn)

    def _say(self, status: ExchangeStatus, spot: Spot) -> None:
        turn = self._state.turn
        if turn is not None:
            turn.status = status
            self._records.turn(self._thread, turn, copied=spot.copied)

    def place(self, spot: Spot, block: int) -> Place:
        """Return where a block of a line stands, in the turn that goes on."""
        turn = self._state.turn
        return Place(turn.key if turn else None, position(spot.number, block), spot.created_at)

    @property
    def _thread(self) -> Thread:
        thread = self._state.thread
        if thread is None:  # the parser names the thread before it hands on a line
            raise RuntimeError("a record was made before its thread was known")
        return thread

    def _add(self, kind: str, suffix: str, text: Text, spot: Spot, block: int) -> None:
        self._records.message(
            self._thread, kind, spot.key + suffix, text, self.place(spot, block),
            copied=spot.copied,
        )  # fmt: skip


def _content(line: Line) -> Content:
    parts = MESSAGE.decode(line.message).parts if is_set(line.message) else line.message
    return content_of(parts)


def _tokens_of(usage: UsageMetadata) -> Tokens:
    """Return disjoint buckets: input includes what is cached, output includes thoughts."""
    cached = count(usage.cached_content_token_count)
    return Tokens(
        input=max(0, count(usage.prompt_token_count) - cached),
        output=count(usage.candidates_token_count),
        cache_read=cached,
        reasoning=count(usage.thoughts_token_count),
    )


def count(value: int | None) -> int:
    """Return a count of tokens; what is left out or makes no sense is 0."""
    return min(max(value or 0, 0), _COUNT_MAX)
