"""Events beside the items: prompts, the course of a turn, and tokens used."""

from steno.capture.agent import Outcome
from steno.capture.codex_prompts import Prompts
from steno.capture.codex_records import Place, Records
from steno.capture.codex_scripts import Scripts
from steno.capture.codex_state import State
from steno.capture.codex_usage import step, step_after_copy, total_of
from steno.capture.codex_wire import (
    COMPLETED_ITEM,
    COMPLETED_WITHOUT_RECORDS,
    EVENTS_WITHOUT_RECORDS,
    TOKEN_INFO,
    Event,
    TokenInfo,
    UsageRecord,
    is_set,
    text_of,
)


class Events:
    """Makes prompts, ends of turns and usages of events."""

    def __init__(self, state: State, records: Records, prompts: Prompts, scripts: Scripts) -> None:
        self._state = state
        self._records = records
        self._prompts = prompts
        self._scripts = scripts
        self.kind = ""
        """Type of the event taken last, and of the item that it completes."""

    def take(self, event: Event, place: Place) -> Outcome:
        """Take one event; raise ``ValueError`` if a field of it is not what its type has."""
        self.kind = event.type
        match event.type:
            case "token_count":
                return self._token_count(TOKEN_INFO.decode(event.info), place)
            case "user_message":
                is_news = self._prompts.event(place, "event", text_of(event.message))
                return Outcome.RECORDS if is_news else Outcome.SKIPPED
            case "item_completed":
                return self._completed_item(event, place)
            case "task_started" | "turn_started":
                return self._task_started()
            case "task_complete" | "turn_complete":
                return self._task_complete(has_failed=is_set(event.error))
            case "turn_aborted":
                return self._turn_aborted()
            case known:
                is_known = known in EVENTS_WITHOUT_RECORDS
                return Outcome.SKIPPED if is_known else Outcome.NOT_UNDERSTOOD

    def usage_record(self, record: UsageRecord, place: Place) -> Outcome:
        """Take the exact usage of a request; from the first one on, running totals say nothing.

        It stands before the total that includes it, so no request is counted twice.
        """
        state = self._state
        if state.thread is not None and record.thread_id not in (None, state.thread.key):
            return Outcome.SKIPPED  # another thread's, copied
        state.has_usage_records = True
        used = total_of(record.usage)
        self._records.usage(place, record.response_id, used, record.response_id)
        return Outcome.RECORDS

    def copied(self, event: Event) -> None:
        """Keep the latest total of copied history: a fork's counter may go on from it."""
        info = TOKEN_INFO.decode(event.info) if event.type == "token_count" else None
        if info and info.total_token_usage:
            self._state.total = total_of(info.total_token_usage)

    def _token_count(self, info: TokenInfo | None, place: Place) -> Outcome:
        state = self._state
        if info is None or info.total_token_usage is None:
            return Outcome.SKIPPED
        total = total_of(info.total_token_usage)
        if state.has_usage_records or total == state.total:
            self.kind += "/repeated"
            return Outcome.SKIPPED
        if state.is_total_copied:
            last = total_of(info.last_token_usage) if info.last_token_usage else None
            used = step_after_copy(total, last, state.total)
        else:
            used = step(total, state.total)
        state.total, state.is_total_copied = total, False
        if not any(used):
            return Outcome.SKIPPED
        self._records.usage(place, f"step:{place.ref}", used, None)
        return Outcome.RECORDS

    def _completed_item(self, event: Event, place: Place) -> Outcome:
        item = COMPLETED_ITEM.decode(event.item)
        self.kind = f"{event.type}/{item.type}"
        if item.type == "UserMessage":
            is_news = self._prompts.event(place, "completed", text_of(item.content, joint=""))
            return Outcome.RECORDS if is_news else Outcome.SKIPPED
        if item.type == "CommandExecution" and self._scripts.ran(item, place):
            return Outcome.RECORDS
        is_known = item.type in COMPLETED_WITHOUT_RECORDS
        return Outcome.SKIPPED if is_known else Outcome.NOT_UNDERSTOOD

    def _task_started(self) -> Outcome:
        """A turn that never ended was killed; what comes before the next prompt is of no turn."""
        self._prompts.close()
        before = self._records.count
        self._records.end_turn("aborted", only_running=True)
        self._state.turn, self._state.is_task_running = None, True
        return self._outcome(before)

    def _task_complete(self, *, has_failed: bool) -> Outcome:
        self._prompts.close()
        before = self._records.count
        if has_failed:
            self._records.end_turn("failed")
        else:
            self._records.end_turn("completed", only_running=True)
        self._state.is_task_running = False
        return self._outcome(before)

    def _turn_aborted(self) -> Outcome:
        self._prompts.close()
        before = self._records.count
        self._records.end_turn("aborted")
        self._state.is_task_running = False
        return self._outcome(before)

    def _outcome(self, count_before: int) -> Outcome:
        is_news = self._records.count > count_before
        return Outcome.RECORDS if is_news else Outcome.SKIPPED
