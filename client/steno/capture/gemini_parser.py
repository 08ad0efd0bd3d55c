"""The Gemini parser: reads a session line by line, in either format, and tells what each line was."""

import re
from pathlib import Path

from msgspec import Raw

from steno.capture.agent import BROKEN_LINE, Outcome, position, recovered
from steno.capture.gemini_messages import Messages
from steno.capture.gemini_parts import content_of, is_set
from steno.capture.gemini_project import chats_of, project_of
from steno.capture.gemini_state import State, decode, encode, is_known, note
from steno.capture.gemini_wire import LINE, METADATA, RAW, Line, Metadata
from steno.capture.threads import (
    TITLE_MAX_CHARS,
    Place,
    Text,
    Thread,
    ThreadRecords,
    key_of,
    path_of,
    time_of,
)
from steno_schema.records import AnyRecord, Role

AGENT_NAME = "gemini"
_WORKSPACE = re.compile(r"Workspace Directories:[^\n]*\n\s*- ([^\n]+)")


class GeminiParser:
    """Reads one session; ``steno.capture.agent.Parser`` says what it promises."""

    session: str | None
    last_event_at: str | None
    kind: str
    """Type of the line fed last."""
    version: str | None
    """No Gemini file tells the version that wrote it."""

    def __init__(self, path: Path, state: bytes = b"") -> None:
        """Go on from ``state``; raise ``ValueError`` if that is not a state of this parser."""
        self._path = path
        self._state: State = decode(state)
        self._records = ThreadRecords(AGENT_NAME, self._state.last_event_at)
        self._messages = Messages(self._state, self._records)
        self._state.project = self._state.project or project_of(path)
        thread = self._state.thread
        if thread is not None and thread.project is None and self._state.project is not None:
            thread.project = self._state.project
            self._records.thread_changed()
        self.session = thread.session if thread else None
        self.last_event_at = self._state.last_event_at
        self.kind = ""
        self.version = None

    @property
    def made(self) -> int:
        """Records made so far, but for those of the thread itself."""
        return self._records.made

    @property
    def folder(self) -> str | None:
        """Folder that the session began in."""
        return (self._state.thread and self._state.thread.project) or self._state.project

    def feed(self, number: int, line: bytes) -> Outcome:
        """Take line ``number``; never raises, whatever the bytes are."""
        del number  # a message may come again on any line
        self.kind = ""
        try:
            outcome = self._take(line)
        except (ValueError, RecursionError):
            outcome, is_broken = recovered(line, RAW, lambda data, _block: self._take(data))
            self.kind = BROKEN_LINE if is_broken else self.kind
        self.last_event_at = self._state.last_event_at
        return outcome

    def take(self) -> list[AnyRecord]:
        """Return the records made since the last call, what they name first."""
        return self._records.take(self._state.thread, self._state.last_event_at)

    def state(self) -> bytes:
        """Return what a new parser needs to go on: some bytes a message, to know copies by."""
        return encode(self._state)

    def _take(self, data: bytes) -> Outcome:
        line = LINE.decode(data)
        self.kind = _kind_of(line)
        if is_set(line.set):
            return self._set(METADATA.decode(line.set))
        if is_set(line.rewind_to) or is_set(line.gone):
            # What was said was said; that it is not in the conversation any more takes nothing back.
            return Outcome.SKIPPED
        if line.id and line.type:
            self._thread()
            return self._messages.take(line)
        if line.session_id:
            self._messages.cut_off()
            metadata = METADATA.decode(data)
            messages, metadata.messages = metadata.messages, None
            outcome = self._set(metadata)
            for raw in messages or []:
                # An older document on one line.
                outcome = self._take(bytes(raw))
            return outcome
        return Outcome.NOT_UNDERSTOOD

    def _set(self, metadata: Metadata) -> Outcome:
        """Take a header, or what changed of it; a list of messages repeats the history."""
        is_news = self._name_thread(metadata)
        thread = self._thread()
        project = path_of(metadata.directories[0]) if metadata.directories else None
        title = metadata.summary[:TITLE_MAX_CHARS] if metadata.summary else None
        found = (
            thread.project or project,
            title if title and not thread.is_subagent else thread.title,
            thread.started_at or time_of(metadata.start_time)[0],
        )
        if found != (thread.project, thread.title, thread.started_at):
            thread.project, thread.title, thread.started_at = found
            self._records.thread_changed()
            is_news = True
        told = self._history(metadata.messages) if metadata.messages else False
        return Outcome.RECORDS if is_news or told else Outcome.SKIPPED

    def _name_thread(self, metadata: Metadata) -> bool:
        """Take the session's id; tell whether that is news."""
        known = self._state.thread
        key = key_of(metadata.session_id)
        if key is None or (known is not None and known.key == key):
            return False
        chats = chats_of(self._path)
        is_nested = chats is not None and chats != self._path.parent
        parent = key_of(self._path.parent.name) if is_nested else None
        self._begin(
            Thread(
                key=key,
                session=parent or key,
                parent=parent,
                is_subagent=metadata.kind == "subagent" or is_nested,
                project=self._state.project,
            )
        )
        return True

    def _thread(self) -> Thread:
        """Return the thread; of a file whose header is gone the name has to do."""
        if self._state.thread is None:
            stem = self._path.stem.encode("utf-8", "replace").decode()
            key = key_of(stem[-100:]) or AGENT_NAME
            return self._begin(Thread(key=key, session=key, project=self._state.project))
        return self._state.thread

    def _begin(self, thread: Thread) -> Thread:
        self._state.thread = thread
        self.session = thread.session
        self._records.thread_changed()
        return thread

    # ----- the history as it is sent to the model

    def _history(self, messages: list[Raw]) -> bool:
        """Take a list of messages that replaces all before; tell whether something is new in it.

        It is written when a session is resumed, compacted or rolled back, from what is sent to the
        model: shortened, with other times, without tokens. So what is known stays as it was said;
        the rest (summaries, contexts) nobody typed.
        """
        ids: set[str] = set()
        is_news = False
        for index, raw in enumerate(messages):
            line = LINE.decode(raw)
            if line.id:
                ids.add(line.id)
                is_news |= self._injected(line, index)
        self._messages.rolled_back(ids)
        return is_news

    def _injected(self, line: Line, index: int) -> bool:
        state = self._state
        text = content_of(line.content).text
        is_said = is_known(state, "text", text)
        if not note(state, "id", line.id or "") or not text or is_said:
            return False
        created_at, ms = self._messages.time(line.timestamp)
        place = Place(self._messages.turn_at(ms), position(ms, index), created_at)
        role: Role = "user" if line.type == "user" else "assistant"
        thread = self._thread()
        self._records.message(
            thread, "message", line.id or "", Text(role, "injected", text), place
        )
        workspace = _WORKSPACE.search(text)
        if workspace and thread.project is None:
            thread.project = path_of(workspace[1].strip())
            self._records.thread_changed()
        return True


def _kind_of(line: Line) -> str:
    if is_set(line.set):
        return "$set"
    if is_set(line.rewind_to):
        return "$rewindTo"
    if is_set(line.gone):
        return "$gone"
    return (line.type if line.id else None) or ("session" if line.session_id else "")
