"""The Qwen Code parser: reads a session line by line and tells what each line was."""

from pathlib import Path

from steno.capture.agent import BROKEN_LINE, Outcome, recovered
from steno.capture.gemini_parts import is_set
from steno.capture.qwen_messages import Messages, Spot
from steno.capture.qwen_state import State, decode, encode
from steno.capture.qwen_system import System
from steno.capture.qwen_wire import LINE, RAW, Line
from steno.capture.threads import Thread, ThreadRecords, key_of, path_of, time_of
from steno_schema.records import AnyRecord

AGENT_NAME = "qwen"


class QwenParser:
    """Reads one session or sub-agent; ``steno.capture.agent.Parser`` says what it promises."""

    session: str | None
    last_event_at: str | None
    kind: str
    """Type of the line fed last, and its subtype."""

    def __init__(self, path: Path, state: bytes = b"") -> None:
        """Go on from ``state``; raise ``ValueError`` if that is not a state of this parser."""
        self._path = path
        self._state: State = decode(state)
        self._records = ThreadRecords(AGENT_NAME, self._state.last_event_at, is_key_global=True)
        self._messages = Messages(self._state, self._records)
        self._system = System(self._state, self._records, self._messages)
        thread = self._state.thread
        self.session = thread.session if thread else None
        self.last_event_at = self._state.last_event_at
        self.kind = ""

    @property
    def version(self) -> str | None:
        """Version that wrote the line fed last."""
        return self._state.version

    @property
    def made(self) -> int:
        """Records made so far, but for those of the thread itself."""
        return self._records.made

    @property
    def folder(self) -> str | None:
        """Folder that the session began in."""
        return self._state.thread.project if self._state.thread else None

    def feed(self, number: int, line: bytes) -> Outcome:
        """Take line ``number``; never raises, whatever the bytes are."""
        self.kind = ""
        try:
            outcome = self._take(line, number, 0)
        except (ValueError, RecursionError):
            outcome, is_broken = recovered(
                line, RAW, lambda data, block: self._take(data, number, block)
            )
            self.kind = BROKEN_LINE if is_broken else self.kind
        self.last_event_at = self._state.last_event_at
        return outcome

    def take(self) -> list[AnyRecord]:
        """Return the records made since the last call, what they name first."""
        return self._records.take(self._state.thread, self._state.last_event_at)

    def state(self) -> bytes:
        """Return what a new parser needs to go on; some hundred bytes."""
        return encode(self._state)

    def _take(self, data: bytes, number: int, block: int) -> Outcome:
        line = LINE.decode(data)
        self.kind = f"{line.type}/{line.subtype}" if line.subtype else line.type or ""
        if not line.uuid or not line.type:
            return Outcome.NOT_UNDERSTOOD
        created_at, _ = self._stamp(line)
        thread = self._thread(line)
        self._state.version = line.version or self._state.version
        copied_from = self._copied_from(line, thread)
        spot = Spot(copied_from or line.uuid, number, block, created_at, copied_from is not None)
        match line.type:
            case "user":
                return self._messages.user(line, spot)
            case "assistant":
                return self._messages.assistant(line, spot)
            case "tool_result":
                return self._messages.tool_result(line, spot)
            case "system" if is_set(line.system_payload) or line.subtype:
                return self._system.take(line, spot, thread)
            case _:
                return Outcome.NOT_UNDERSTOOD

    def _stamp(self, line: Line) -> tuple[str | None, int]:
        state = self._state
        created_at, ms = time_of(line.timestamp)
        if ms is None:
            return state.last_event_at, state.last_ms
        if state.last_event_at is None or ms >= state.last_ms:
            state.last_event_at, state.last_ms = created_at, ms
        return created_at, ms

    def _copied_from(self, line: Line, thread: Thread) -> str | None:
        """Return the line that a fork's line repeats, and note whose fork it is."""
        fork = line.forked_from
        if fork is None:
            return None
        origin = key_of(fork.session_id)
        if origin and "forked_from" not in thread.metadata:
            thread.metadata["forked_from"] = origin
            self._records.thread_changed()
        return fork.message_uuid

    def _thread(self, line: Line) -> Thread:
        """Return the thread that the file's first line names."""
        if self._state.thread is not None:
            return self._state.thread
        stem = self._path.stem.encode("utf-8", "replace").decode()
        session = key_of(line.session_id) or key_of(stem[-100:]) or AGENT_NAME
        agent = line.agent_id if line.is_sidechain else None
        metadata = {"version": line.version, "git_branch": line.git_branch}
        self._state.thread = Thread(
            key=key_of(f"{session}/{agent}") or session if agent else session,
            session=session,
            parent=session if agent else None,
            is_subagent=bool(line.is_sidechain),
            project=path_of(line.cwd),
            started_at=self._state.last_event_at,
            metadata={name: text for name, text in metadata.items() if text},
        )
        self.session = session
        self._records.thread_changed()
        return self._state.thread
