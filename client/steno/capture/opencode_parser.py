"""The opencode parser: takes a session's rows, in whatever state they are, and says them again."""

from pathlib import Path
from typing import cast

import msgspec

from steno.capture.agent import BROKEN_LINE, Outcome, mended
from steno.capture.opencode_ids import is_key
from steno.capture.opencode_records import (
    Records,
    last_event_of,
    milliseconds,
    moment_of,
    unquoted,
)
from steno.capture.opencode_state import Head, OpenTurn, State, decode, encode
from steno.capture.opencode_wire import (
    LINE,
    MESSAGE,
    PART,
    PARTS_WITHOUT_RECORDS,
    SESSION,
    Line,
    MessageData,
    MessageRow,
    PartRow,
    SessionFile,
)
from steno.capture.snapshot import GONE
from steno.capture.threads import Text, Thread, key_of, path_of
from steno_schema.records import AnyRecord, ExchangeStatus, MessageKind, Origin

ABORTED = "MessageAbortedError"
SHELL = "The following tool was executed by the user"
"""What opencode puts as the prompt of a ``!`` command."""
_NOT_THE_END = frozenset({"tool-calls", "unknown"})


class OpencodeParser:
    """Reads one session's log; ``steno.capture.agent.Parser`` says what it promises.

    ``session`` is the root's, also of a sub-agent's work.
    """

    session: str | None
    last_event_at: str | None

    def __init__(self, path: Path, state: bytes = b"") -> None:
        """Go on from ``state``; raise ``ValueError`` if that is not a state of this parser."""
        del path
        self._state: State = decode(state)
        self._records = Records(self._state)
        self.kind = ""
        self._tell_where()

    @property
    def folder(self) -> str | None:
        """Folder that the session began in."""
        return self._state.thread.project if self._state.thread else None

    @property
    def version(self) -> str | None:
        """Version of opencode that began the session."""
        thread = self._state.thread
        return thread.metadata.get("version") if thread else None

    @property
    def made(self) -> int:
        """Records made so far."""
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
        return self._records.take()

    def state(self) -> bytes:
        """Return what a new parser needs to go on: some 60 bytes for each of the last messages."""
        return encode(self._state)

    def _tell_where(self) -> None:
        state = self._state
        self.session = state.thread.session if state.thread else None
        self.last_event_at = last_event_of(state)

    def _take(self, data: bytes) -> Outcome:
        line = LINE.decode(data)
        self.kind = line.table
        if line.gone is not None:
            self.kind = GONE
            return Outcome.SKIPPED
        if line.table == "session":
            return self._session(line)
        if self._state.thread is None:
            return Outcome.NOT_UNDERSTOOD
        if line.table == "message":
            return self._message(MESSAGE.decode(line.row), is_copy=line.copy_of is not None)
        if line.table == "part":
            return self._part(PART.decode(line.row))
        return Outcome.NOT_UNDERSTOOD

    def _session(self, line: Line) -> Outcome:
        row = SESSION.decode(line.row)
        said = row.data or SessionFile()
        parent, root = row.parent_id or said.parent, line.root
        if not is_key(row.id) or not is_key(parent or "x") or not is_key(root or "x"):
            return Outcome.NOT_UNDERSTOOD
        version = key_of(row.version or said.version)
        self._state.thread = Thread(
            key=row.id,
            session=(root or parent or row.id) if parent else row.id,
            parent=parent,
            is_subagent=parent is not None,
            project=path_of(row.directory or said.directory),
            title=key_of(row.title or said.title),
            started_at=moment_of(milliseconds(row.time_created or said.time.created)),
            metadata={"version": version} if version else {},
        )
        self._seen(milliseconds(row.time_updated or said.time.updated))
        self._records.thread_changed()
        return Outcome.RECORDS

    def _seen(self, time_ms: int | None) -> None:
        self._state.last_event_ms = max(self._state.last_event_ms, time_ms or 0)

    # ----- messages: who speaks, in which turn, at what price

    def _message(self, row: MessageRow, *, is_copy: bool) -> Outcome:
        data, state = row.data, self._state
        self.kind += f"/{data.role}"
        created_ms = milliseconds(data.time.created) or 0
        known = state.heads.get(row.id)
        if data.role == "user":
            # Its parts say whether a person wrote it; until then it goes with the turn before it.
            head = known or Head(True, created_ms, turn=state.last_turn)
        elif data.role == "assistant":
            head = known or self._answering(data, created_ms)
            head.model = key_of(data.model)
        else:
            return Outcome.NOT_UNDERSTOOD
        head.is_copy = is_copy or head.is_copy
        state.add_head(row.id, head)
        if head.is_copy:
            return Outcome.SKIPPED
        self._seen(created_ms)
        self._seen(milliseconds(data.time.completed))
        return Outcome.SKIPPED if head.is_user else self._answer(row.id, head, data)

    def _answering(self, data: MessageData, created_ms: int) -> Head:
        """Return a model call's head: the prompt it works for; a compaction works for none."""
        if data.summary is True:
            return Head(False, created_ms)
        asked = self._state.heads.get(data.parent or "")
        if asked is not None and asked.is_shell:
            return Head(False, created_ms, turn=data.parent, is_shell=True)
        return Head(False, created_ms, turn=self._state.last_turn if asked is None else asked.turn)

    def _answer(self, message: str, head: Head, data: MessageData) -> Outcome:
        """Take a model call: its usage, its error, and what it means for the turn."""
        made = self._is_charged(data)
        if made:
            self._records.usage(message, head, data)
        if data.error is not None and data.error.name != ABORTED:
            self._records.message(
                message, head, Text("assistant", "notice", _told(data), head.model, is_error=True)
            )
            made = True
        return (
            Outcome.RECORDS
            if self._tell(message, head, _status(data)) or made
            else Outcome.SKIPPED
        )

    def _tell(self, message: str, head: Head, status: ExchangeStatus) -> bool:
        """Take what a call says of its turn's state, unless a later call said it already."""
        turn = self._state.turns.get(head.turn or "")
        if head.turn is None or turn is None or message < turn.told_by:
            return False
        turn.told_by = message
        if status == "running" and head.turn != self._state.last_turn:
            status = "completed"
        return self._end(turn, status)

    def _end(self, turn: OpenTurn, status: ExchangeStatus) -> bool:
        if turn.status == status:
            return False
        turn.status = status
        self._records.turn(turn)
        return True

    def _begin(self, message: str, head: Head, origin: Origin, part: str = "") -> OpenTurn:
        """Begin a turn; one before it that still runs is over."""
        before = self._state.turns.get(self._state.last_turn or "")
        if before is not None and before.status == "running":
            self._end(before, "completed")
        is_over = origin == "shell" or message <= (self._state.last_turn or "")
        turn = OpenTurn(
            key=message,
            ms=head.created_ms,
            created_at=moment_of(head.created_ms),
            project=self.folder,
            origin=origin,
            status="completed" if is_over else "running",
            prompt_part=part,
        )
        head.turn = message
        self._state.add_turn(turn)
        return turn

    def _is_charged(self, data: MessageData) -> bool:
        """Tell whether a call used tokens, or was cut off so that nobody knows."""
        counts = data.tokens
        if counts is not None and (counts.input or counts.output or counts.cache.read):
            return True
        if data.error is not None:
            return data.error.name == ABORTED
        return data.time.completed is None

    # ----- parts: what is said

    def _part(self, row: PartRow) -> Outcome:
        head = self._state.heads.get(row.message_id)
        data = row.data
        self.kind += f"/{data.type}"
        if data.type in PARTS_WITHOUT_RECORDS:
            return Outcome.SKIPPED
        if data.type not in {"text", "reasoning", "tool", "subtask"}:
            return Outcome.NOT_UNDERSTOOD
        if head is None or head.is_copy:
            return Outcome.SKIPPED
        if head.is_user:
            return self._asked(row, head)
        if data.type == "tool":
            return self._tool(row, head)
        if not data.text.strip():
            return Outcome.SKIPPED
        kind: MessageKind = "thinking" if data.type == "reasoning" else "text"
        self._records.message(row.id, head, Text("assistant", kind, data.text, head.model))
        return Outcome.RECORDS

    def _asked(self, row: PartRow, head: Head) -> Outcome:
        """Take a part of a message with role user: a person's words, or what was put to them."""
        thread, data = self._state.thread, row.data
        is_command = data.type == "subtask"
        text = data.prompt if is_command else data.text
        if not text:
            return Outcome.SKIPPED
        is_injected = bool(data.synthetic or data.ignored)
        if is_injected or (thread is not None and thread.parent is not None):
            head.is_shell = head.is_shell or (is_injected and text == SHELL)
            self._records.message(row.id, head, Text("user", "injected", text))
            return Outcome.RECORDS
        turn = self._state.turns.get(row.message_id)
        if turn is None:
            turn = self._begin(row.message_id, head, "command" if is_command else "human", row.id)
        prompt = Text("user", "text", unquoted(text))
        if turn.prompt_part != row.id:
            self._records.message(row.id, head, prompt)
        else:
            self._records.message(row.id, head, prompt, key=turn.key)
            self._records.turn(turn)
        return Outcome.RECORDS

    def _tool(self, row: PartRow, head: Head) -> Outcome:
        data, state = row.data, row.data.state
        given = bytes(state.input).decode("utf-8", "replace")
        name, call = key_of(data.tool), key_of(data.call_id)
        if head.is_shell and head.turn is not None and head.turn not in self._state.turns:
            self._shell(head.turn, given)
        self._records.message(
            row.id, head, Text("assistant", "tool_call", given, head.model, name, call)
        )
        if state.status in {"completed", "error"}:
            is_error = state.status == "error" or _has_failed(state.metadata)
            content = _as_text(state.error if state.status == "error" else state.output)
            result = Text("tool", "tool_result", content, None, name, call, is_error)
            self._records.message(row.id, head, result, block=1)
        return Outcome.RECORDS

    def _shell(self, message: str, given: str) -> None:
        """Make a turn of a command that a person had run: its text is in the tool's input."""
        asked = self._state.heads.get(message)
        if asked is None:
            return
        turn = self._begin(message, asked, "shell")
        self._records.message(message, asked, Text("user", "text", _command_of(given)))
        self._records.turn(turn)


def _status(data: MessageData) -> ExchangeStatus:
    if data.error is not None:
        return "aborted" if data.error.name == ABORTED else "failed"
    is_over = data.time.completed is not None and data.finish not in _NOT_THE_END
    return "completed" if is_over else "running"


def _told(data: MessageData) -> str:
    """Return an error as text: what it says, or only its name."""
    error = data.error
    if error is None:
        return ""
    said = _member(error.data, "message")
    return f"{error.name}: {said}" if isinstance(said, str) else error.name


def _command_of(given: str) -> str:
    try:
        command = _member(msgspec.json.decode(given), "command")
    except ValueError:
        return given
    return command if isinstance(command, str) else given


def _has_failed(metadata: object) -> bool:
    """A shell command that failed is a completed call with another exit code than 0."""
    code = _member(metadata, "exit")
    return isinstance(code, int) and code != 0


def _member(value: object, name: str) -> object:
    return cast("dict[str, object]", value).get(name) if isinstance(value, dict) else None


def _as_text(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
