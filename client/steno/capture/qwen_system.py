"""System lines of a Qwen session: requests that were made, slash commands, summaries, titles."""

from steno.capture.agent import Outcome
from steno.capture.gemini_parts import content_of, is_set
from steno.capture.qwen_messages import TEXT_BLOCK, Messages, Spot, count
from steno.capture.qwen_state import State
from steno.capture.qwen_wire import (
    BACKGROUND_AGENT,
    COMPACTION,
    COMPRESSION,
    CUSTOM_TITLE,
    SLASH_COMMAND,
    SYSTEM_WITHOUT_RECORDS,
    TELEMETRY,
    Line,
    UiEvent,
)
from steno.capture.threads import TITLE_MAX_CHARS, Text, Thread, ThreadRecords, key_of
from steno_schema.records import Tokens

_RESPONSE = "qwen-code.api_response"
_ERROR = "qwen-code.api_error"


class System:
    """Makes records of what the program tells."""

    def __init__(self, state: State, records: ThreadRecords, messages: Messages) -> None:
        self._state = state
        self._records = records
        self._messages = messages

    def take(self, line: Line, spot: Spot, thread: Thread) -> Outcome:
        """Take a ``system`` line; raise ``ValueError`` if its payload is not what it has."""
        match line.subtype:
            case "ui_telemetry" if is_set(line.system_payload):
                return self._event(TELEMETRY.decode(line.system_payload).ui_event, spot, thread)
            case "slash_command" if is_set(line.system_payload):
                return self._command(line, spot)
            case "chat_compression" if is_set(line.system_payload):
                return self._summary(line, spot, thread)
            case "custom_title" if is_set(line.system_payload):
                title = CUSTOM_TITLE.decode(line.system_payload).custom_title
                thread.title = title[:TITLE_MAX_CHARS] if title else thread.title
                self._records.thread_changed()
                return Outcome.RECORDS
            case known if known in SYSTEM_WITHOUT_RECORDS:
                return Outcome.SKIPPED
            case _:
                return Outcome.NOT_UNDERSTOOD

    def _event(self, event: UiEvent, spot: Spot, thread: Thread) -> Outcome:
        if event.name == _ERROR and not event.subagent_name:
            self._messages.fail()
            return Outcome.RECORDS
        if event.name != _RESPONSE:
            return Outcome.SKIPPED
        self._state.has_telemetry = True
        is_own = not event.subagent_name and not (event.prompt_id or "").startswith(COMPACTION)
        if is_own:
            self._state.is_answered = True
        place = self._messages.place(spot, TEXT_BLOCK)
        self._records.usage(
            self._worker(event, thread),
            spot.key,
            _tokens_of(event),
            place if is_own else place._replace(turn=None),
            model=key_of(event.model),
            request_id=key_of(event.response_id),
            copied=spot.copied,
        )
        return Outcome.RECORDS

    def _worker(self, event: UiEvent, thread: Thread) -> Thread:
        """Return whose request it was: a sub-agent with a file of its own has a thread."""
        agent = event.subagent_id
        if not agent or agent.startswith(BACKGROUND_AGENT) or thread.is_subagent:
            return thread
        worker = Thread(
            key=key_of(f"{thread.session}/{agent}") or thread.key,
            session=thread.session,
            parent=thread.session,
            is_subagent=True,
            project=thread.project,
        )
        self._records.mention(worker)
        return worker

    def _command(self, line: Line, spot: Spot) -> Outcome:
        command = SLASH_COMMAND.decode(line.system_payload)
        if command.phase != "invocation" or not command.raw_command:
            return Outcome.SKIPPED
        turn = self._messages.prompt(command.raw_command, spot, "command")
        if command.sent_to_model:
            self._messages.end("aborted")
            self._state.turn, self._state.is_command_sent = turn, True
        return Outcome.RECORDS

    def _summary(self, line: Line, spot: Spot, thread: Thread) -> Outcome:
        """Keep the text that stands for the history from here on."""
        history = COMPRESSION.decode(line.system_payload).compressed_history
        text = content_of(history[0].parts).text if history else ""
        if not text:
            return Outcome.SKIPPED
        place = self._messages.place(spot, TEXT_BLOCK)._replace(turn=None)
        summary = Text("user", "injected", text)
        self._records.message(thread, "message", spot.key, summary, place, copied=spot.copied)
        return Outcome.RECORDS


def _tokens_of(event: UiEvent) -> Tokens:
    """Return disjoint buckets: input includes what is cached, output includes thoughts.

    A request that was interrupted is told of without any count.
    """
    cached = count(event.cached_content_token_count)
    said, output = count(event.input_token_count), count(event.output_token_count)
    return Tokens(
        input=max(0, said - cached),
        output=output,
        cache_read=cached,
        reasoning=count(event.thoughts_token_count),
        complete=bool(said or output),
    )
