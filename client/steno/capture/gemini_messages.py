"""Messages of a Gemini session: prompts, replies with their thoughts, tools and tokens, notices.

A message is said again under its id whenever something of it changes. Its time stays, so that
order and turn come from the time, wherever in the file or document it stands.
"""

from bisect import bisect_right, insort

from steno.capture.agent import Outcome, position
from steno.capture.gemini_parts import Response, content_of, is_set, json_text, output_of
from steno.capture.gemini_state import TURNS_MAX, State, note
from steno.capture.gemini_wire import (
    CANCELLED,
    COMMAND,
    COUNTS,
    FAILED_STATUSES,
    INJECTED_PREFIXES,
    NOTICES,
    REFERENCED_FILES,
    THOUGHTS,
    TOOL_CALLS,
    Counts,
    Line,
    ToolCall,
)
from steno.capture.threads import (
    OpenTurn,
    Place,
    Text,
    Thread,
    ThreadRecords,
    key_of,
    time_of,
)
from steno_schema.records import ExchangeStatus, Origin, Tokens

TEXT_BLOCK = 100
"""Thoughts stand before the text of a message, calls and their results behind it."""
LAST_BLOCK = 255
_COUNT_MAX = 2**53


class Messages:
    """Makes records of messages."""

    def __init__(self, state: State, records: ThreadRecords) -> None:
        self._state = state
        self._records = records

    def take(self, line: Line) -> Outcome:
        """Take a message; raise ``ValueError`` if a field of it is not what its type has."""
        created_at, ms = self.time(line.timestamp)
        is_latest = ms >= self._state.last_ms
        self._state.last_ms = max(ms, self._state.last_ms)
        match line.type:
            case "user":
                return self._user(line, ms, created_at)
            case "gemini":
                return self._gemini(line, ms, created_at, is_latest=is_latest)
            case kind if kind in NOTICES:
                return self._notice(line, ms, created_at, is_latest=is_latest)
            case _:
                return Outcome.NOT_UNDERSTOOD

    def time(self, timestamp: str | None) -> tuple[str | None, int]:
        """Return a message's time; without one of its own, the latest known."""
        state = self._state
        created_at, ms = time_of(timestamp)
        if ms is None:
            return state.last_event_at, state.last_ms
        if state.last_event_at is None or ms >= state.last_ms:
            state.last_event_at = created_at
        return created_at, ms

    def turn_at(self, ms: int) -> str | None:
        """Return the prompt that was being worked on at a time."""
        turns = self._state.turns
        index = bisect_right(turns, ms, key=lambda turn: turn[0])
        return turns[index - 1][1] if index else None

    def cut_off(self) -> None:
        """Note that nobody will answer any more what is still waited for."""
        self._end("aborted")

    def rolled_back(self, ids: set[str]) -> None:
        """Note a history without the prompt that waits for its answer: the request failed."""
        turn = self._state.turn
        is_gone = turn is not None and turn.key not in ids and turn.origin == "human"
        if is_gone and turn is not None and self._state.waits_for == turn.key:
            self._end("failed")

    # ----- what a person, or somebody in a person's name, said

    def _user(self, line: Line, ms: int, created_at: str | None) -> Outcome:
        content = content_of(line.content)
        key = line.id or ""
        place = Place(self.turn_at(ms), position(ms, TEXT_BLOCK), created_at)
        is_news = self._responses(content.responses, place)
        # What follows is the content of the files that the prompt names.
        shown = content.text.partition(REFERENCED_FILES)[0] or content.text
        if not shown:
            return Outcome.RECORDS if is_news else Outcome.SKIPPED
        note(self._state, "text", content.text)
        if self._thread.is_subagent or shown.startswith(INJECTED_PREFIXES):
            note(self._state, "id", key)
            self._add("message", key, Text("user", "injected", shown), place)
            return Outcome.RECORDS
        if note(self._state, "id", key):
            self._end("aborted")
            self._begin(key, ms, created_at, is_command=COMMAND.match(shown) is not None)
        place = place._replace(turn=key)
        self._add("message", key, Text("user", "text", shown), place)
        turn = self._state.turn
        if turn is not None and turn.key == key:
            self._records.turn(self._thread, turn)
        if content.text != shown:
            place = place._replace(position=place.position + 1)
            self._add("expanded", key, Text("user", "injected", content.text), place)
        return Outcome.RECORDS

    def _begin(self, key: str, ms: int, created_at: str | None, *, is_command: bool) -> None:
        state = self._state
        insort(state.turns, (ms, key))
        del state.turns[:-TURNS_MAX]
        origin: Origin = "command" if is_command else "human"
        state.turn = OpenTurn(key, ms, created_at, self._thread.project, origin)
        state.waits_for = key

    def _responses(self, responses: list[Response], place: Place) -> bool:
        """Take tools' results that stand in a message of their own; most were said before."""
        is_news = False
        for response in responses:
            call_id = key_of(response.id)
            if call_id is not None and note(self._state, "result", call_id):
                text, failed = output_of([response])
                result = Text("tool", "tool_result", text, call_id=call_id, is_error=failed)
                self._add("tool_result", call_id, result, place)
                is_news = True
        return is_news

    # ----- what the model said

    def _gemini(self, line: Line, ms: int, created_at: str | None, *, is_latest: bool) -> Outcome:
        key = line.id or ""
        state = self._state
        turn = self.turn_at(ms)
        model = key_of(line.model) or state.model
        state.model = model
        content = content_of(line.content)
        note(state, "id", key)
        note(state, "text", content.text)
        self._thoughts(line, content.thoughts, Place(turn, ms, created_at), model)
        if content.text:
            place = Place(turn, position(ms, TEXT_BLOCK), created_at)
            self._add("message", key, Text("assistant", "text", content.text, model), place)
        calls = TOOL_CALLS.decode(line.tool_calls) if is_set(line.tool_calls) else None
        for index, call in enumerate(calls or []):
            self._call(key, index, call, Place(turn, ms, created_at), model)
        self._usage(line, Place(turn, position(ms, TEXT_BLOCK), created_at), model, content.text)
        if is_latest:
            self._went_on(key, content.text, calls or [])
        return Outcome.RECORDS

    def _thoughts(self, line: Line, texts: list[str], place: Place, model: str | None) -> None:
        thoughts = THOUGHTS.decode(line.thoughts) if is_set(line.thoughts) else None
        said = [
            "\n".join(part for part in (thought.subject, thought.description) if part)
            for thought in thoughts or []
        ]
        for index, text in enumerate([*said, *texts]):
            if text:
                where = place._replace(position=position(place.position, min(index, 99)))
                text_of = Text("assistant", "thinking", text, model)
                self._add("thought", f"{line.id}#{index}", text_of, where)

    def _call(self, key: str, index: int, call: ToolCall, place: Place, model: str | None) -> None:
        call_id = key_of(call.id) or f"{key}#{index}"
        where = place._replace(position=position(place.position, TEXT_BLOCK + 1 + 2 * index))
        said = Text(
            "assistant", "tool_call", json_text(call.args), model, key_of(call.name), call_id
        )
        self._add("tool_call", call_id, said, where)
        responses = content_of(call.result).responses if is_set(call.result) else []
        if responses:
            note(self._state, "result", call_id)
            text, failed = output_of(responses)
            result = Text(
                "tool",
                "tool_result",
                text,
                call_id=call_id,
                is_error=failed or call.status in FAILED_STATUSES,
            )
            where = place._replace(position=position(place.position, TEXT_BLOCK + 2 + 2 * index))
            self._add("tool_result", call_id, result, where)

    def _usage(self, line: Line, place: Place, model: str | None, text: str) -> None:
        """Add what a reply cost; tokens may come later than the reply."""
        counts = COUNTS.decode(line.tokens) if is_set(line.tokens) else None
        if counts is not None or text:
            self._records.usage(
                self._thread, line.id or "", _tokens_of(counts), place, model=model
            )

    def _went_on(self, key: str, text: str, calls: list[ToolCall]) -> None:
        """Note that the model answered, and whether it will go on once it has the results."""
        state, turn = self._state, self._state.turn
        is_cancelled = any(call.status == "cancelled" for call in calls)
        has_results = all(is_set(call.result) for call in calls)
        state.waits_for = key if calls and has_results and not is_cancelled else None
        if (
            turn is not None
            and turn.status != "completed"
            and (text or calls)
            and not is_cancelled
        ):
            turn.status = "completed"
            self._records.turn(self._thread, turn)

    # ----- what the program said

    def _notice(self, line: Line, ms: int, created_at: str | None, *, is_latest: bool) -> Outcome:
        text = content_of(line.content).text
        if not text:
            return Outcome.SKIPPED
        note(self._state, "id", line.id or "")
        place = Place(self.turn_at(ms), position(ms, TEXT_BLOCK), created_at)
        self._add("message", line.id or "", Text("system", "notice", text), place)
        if is_latest and line.type == "error":
            self._end("failed", always=True)
        elif is_latest and text == CANCELLED:
            self._end("aborted", always=True)
        return Outcome.RECORDS

    def _end(self, status: ExchangeStatus, *, always: bool = False) -> None:
        """End the turn if it still waits for an answer; what that cost nobody wrote down."""
        state, turn = self._state, self._state.turn
        waits_for, state.waits_for = state.waits_for, None
        if turn is None or not (waits_for or always):
            return
        if turn.status != status:
            turn.status = status
            self._records.turn(self._thread, turn)
        if waits_for:
            place = Place(turn.key, position(state.last_ms, LAST_BLOCK), state.last_event_at)
            self._records.usage(
                self._thread, f"{waits_for}#cut", Tokens(complete=False), place, model=state.model
            )

    @property
    def _thread(self) -> Thread:
        thread = self._state.thread
        if thread is None:  # the parser names the thread before it hands on a message
            raise RuntimeError("a record was made before its thread was known")
        return thread

    def _add(self, kind: str, key: str, text: Text, place: Place) -> None:
        self._records.message(self._thread, kind, key, text, place)


def _tokens_of(counts: Counts | None) -> Tokens:
    """Return disjoint buckets: input includes what is cached, output excludes thoughts."""
    if counts is None:
        return Tokens(complete=False)
    cached, thoughts = _count(counts.cached), _count(counts.thoughts)
    return Tokens(
        input=max(0, _count(counts.input) - cached) + _count(counts.tool),
        output=_count(counts.output) + thoughts,
        cache_read=cached,
        reasoning=thoughts,
    )


def _count(value: int | None) -> int:
    return min(max(value or 0, 0), _COUNT_MAX)
