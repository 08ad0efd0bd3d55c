"""Makes the records of one Codex thread: messages, turns, usages, and the session they are in."""

from typing import Any, NamedTuple

from steno.capture.codex_state import OpenTurn, Sighting, State, Thread
from steno.capture.codex_usage import Total, tokens_of
from steno_schema.ids import uuid8
from steno_schema.limits import CAPTURED_TEXT_MAX_CHARS
from steno_schema.records import (
    AnyRecord,
    Conversation,
    ExchangeStatus,
    Message,
    MessageKind,
    Role,
    Session,
    Turn,
    Usage,
)

AGENT_NAME = "codex"


class Place(NamedTuple):
    """Where an object stands: its name within the file, its order, and its time."""

    ref: str
    position: int
    created_at: str | None


class Text(NamedTuple):
    """Who said a text, and what it is."""

    role: Role
    kind: MessageKind
    content: str
    tool_name: str | None = None
    call_id: str | None = None
    is_error: bool = False
    exit_code: int | None = None


class Records:
    """The records made since the last ``take``."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._made: list[AnyRecord] = []
        self._taken = 0
        self._is_thread_new = False
        self._told_until = state.last_event_at

    @property
    def count(self) -> int:
        """Records made and not taken yet."""
        return len(self._made)

    @property
    def made(self) -> int:
        """Records made so far, but for those of the thread itself."""
        return self._taken + len(self._made)

    def thread_changed(self) -> None:
        """Say the session and the conversation (again) with the next ``take``."""
        self._is_thread_new = True

    def take(self) -> list[AnyRecord]:
        """Return the records in order, what they name first."""
        made, self._made = self._made, []
        self._taken += len(made)
        thread = self._state.thread
        if thread is None:
            return made
        is_later = self._told_until != self._state.last_event_at and not thread.is_subagent
        heads: list[AnyRecord] = []
        if self._is_thread_new or is_later:
            heads.append(self._session(thread))
        if self._is_thread_new:
            heads.append(_conversation(thread))
        self._is_thread_new = False
        self._told_until = self._state.last_event_at
        return heads + made

    def message(self, place: Place, native_key: tuple[str, str], text: Text) -> None:
        """Add a message of the running turn; ``native_key`` is (kind, key within the thread)."""
        thread = self._thread()
        turn = self._state.turn
        from_model = text.role == "assistant"
        self._add_message(
            thread,
            text,
            id=_message_id(thread, *native_key),
            exchange=_turn_id(thread, turn.prompt_key) if turn else None,
            created_at=place.created_at,
            position=place.position,
            model=self._state.model if from_model else None,
        )

    def prompt(self, sighting: Sighting, text: str) -> None:
        """Add a prompt and start its turn; an earlier turn that still runs is complete."""
        thread, state = self._thread(), self._state
        self.end_turn("completed", only_running=True)
        status: ExchangeStatus = "running" if state.is_task_running else "completed"
        turn = OpenTurn(sighting.prompt_key, sighting.created_at, self._project(thread), status)
        self._add_message(
            thread,
            Text("user", "text", text),
            id=_message_id(thread, "message", sighting.prompt_key),
            exchange=_turn_id(thread, turn.prompt_key),
            created_at=sighting.created_at,
            position=sighting.position,
        )
        state.turn = turn
        self._add_turn(thread, turn)

    def end_turn(self, status: ExchangeStatus, *, only_running: bool = False) -> None:
        """Tell how the running turn ended, if there is one and that is news."""
        turn = self._state.turn
        if turn is None or turn.status == status or (only_running and turn.status != "running"):
            return
        turn.status = status
        self._add_turn(self._thread(), turn)

    def withdraw(self, turn: OpenTurn) -> None:
        """Take back a turn that turned out not to be a person's."""
        taken_back = OpenTurn(turn.prompt_key, turn.created_at, turn.project, "completed")
        self._add_turn(self._thread(), taken_back, withdrawn=True)

    def usage(self, place: Place, key: str, used: Total, request_id: str | None) -> None:
        """Add the tokens of one request."""
        thread = self._thread()
        turn = self._state.turn
        self._made.append(
            Usage(
                id=uuid8(AGENT_NAME, "usage", f"{thread.key}:{key}"),
                tokens=tokens_of(used),
                session=thread.session,
                conversation=thread.key,
                exchange=_turn_id(thread, turn.prompt_key) if turn else None,
                agent=AGENT_NAME,
                model=self._state.model,
                recorded_at=place.created_at,
                request_id=request_id,
                position=place.position,
            )
        )

    def _thread(self) -> Thread:
        thread = self._state.thread
        if thread is None:  # the parser names the thread before it makes a record
            raise RuntimeError("a record was made before its thread was known")
        return thread

    def _project(self, thread: Thread) -> str | None:
        return self._state.cwd or thread.project

    def _session(self, thread: Thread) -> Session:
        if thread.is_subagent:
            return Session(
                id=_session_id(thread.session),
                key=thread.session,
                agent=AGENT_NAME,
                project=thread.project,
            )
        return Session(
            id=_session_id(thread.session),
            key=thread.session,
            agent=AGENT_NAME,
            project=thread.project,
            started_at=thread.started_at,
            last_active_at=self._state.last_event_at,
            metadata=dict[str, Any](thread.metadata) or None,
        )

    def _add_message(self, thread: Thread, text: Text, **where: Any) -> None:
        self._made.append(
            Message(
                conversation=thread.key,
                session=thread.session,
                role=text.role,
                kind=text.kind,
                content=text.content[:CAPTURED_TEXT_MAX_CHARS],
                tool_name=text.tool_name,
                call_id=text.call_id,
                is_error=text.is_error,
                metadata=None if text.exit_code is None else {"exit_code": text.exit_code},
                **where,
            )
        )

    def _add_turn(self, thread: Thread, turn: OpenTurn, *, withdrawn: bool = False) -> None:
        self._made.append(
            Turn(
                id=_turn_id(thread, turn.prompt_key),
                conversation=thread.key,
                prompt_message=_message_id(thread, "message", turn.prompt_key),
                created_at=turn.created_at,
                agent=AGENT_NAME,
                project=turn.project,
                status=turn.status,
                withdrawn=withdrawn,
            )
        )


def _conversation(thread: Thread) -> Conversation:
    return Conversation(
        id=uuid8(AGENT_NAME, "conversation", thread.key),
        key=thread.key,
        session=thread.session,
        parent=thread.parent,
        kind="subagent" if thread.is_subagent else "main",
        started_at=thread.started_at,
        metadata=dict[str, Any](thread.metadata) if thread.is_subagent else None,
    )


def _session_id(key: str) -> str:
    return uuid8(AGENT_NAME, "session", key)


def _message_id(thread: Thread, kind: str, key: str) -> str:
    return uuid8(AGENT_NAME, kind, f"{thread.key}:{key}")


def _turn_id(thread: Thread, prompt_key: str) -> str:
    return uuid8(AGENT_NAME, "turn", f"{thread.key}:{prompt_key}")
