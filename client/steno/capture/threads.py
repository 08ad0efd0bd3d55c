"""Records of one thread, for agents that name each message: ids from the thread's key and theirs.

The same thing said again, in whatever form or file, makes the same record.
"""

from typing import Any, NamedTuple

from msgspec import Struct

from steno_schema.ids import uuid8
from steno_schema.limits import CAPTURED_TEXT_MAX_CHARS, KEY_MAX_CHARS
from steno_schema.records import (
    AnyRecord,
    Conversation,
    ExchangeStatus,
    Message,
    MessageKind,
    Origin,
    Role,
    Session,
    Tokens,
    Turn,
    Usage,
)
from steno_schema.times import parse_ms

TITLE_MAX_CHARS = 500
PATH_MAX_CHARS = 4096
_COUNT_MAX = 2**53
_COST_MAX_USD = 1e12


class Thread(Struct, omit_defaults=True):
    """A session's main thread, or a sub-agent's work in it."""

    key: str
    session: str
    parent: str | None = None
    is_subagent: bool = False
    project: str | None = None
    title: str | None = None
    started_at: str | None = None
    metadata: dict[str, str] = {}


class OpenTurn(Struct, omit_defaults=True):
    """A turn as it was last said, to say it again with another status."""

    key: str
    ms: int
    created_at: str | None = None
    project: str | None = None
    origin: Origin = "human"
    status: ExchangeStatus = "completed"


class Place(NamedTuple):
    """Where something stands: the turn it belongs to, its order, its time."""

    turn: str | None
    position: int
    created_at: str | None


class Text(NamedTuple):
    """Who said a text, and what it is."""

    role: Role
    kind: MessageKind
    content: str
    model: str | None = None
    tool_name: str | None = None
    call_id: str | None = None
    is_error: bool = False


class ThreadRecords:
    """The records made since the last ``take``, of one thread of one agent.

    ``is_key_global`` says that the agent's keys name a thing among all threads, so that a fork's
    copy is known as what it is.
    """

    def __init__(self, agent: str, told_until: str | None, *, is_key_global: bool = False) -> None:
        self._agent = agent
        self._told_until = told_until
        self._is_key_global = is_key_global
        self._is_thread_new = False
        self._taken = 0
        self._made: list[AnyRecord] = []

    @property
    def made(self) -> int:
        """Records made so far, but for those of the thread itself."""
        return self._taken + len(self._made)

    def thread_changed(self) -> None:
        """Say the session and the conversation (again) with the next ``take``."""
        self._is_thread_new = True

    def mention(self, thread: Thread) -> None:
        """Say that there is another thread, which has a file of its own."""
        self._made.append(self._conversation(thread))

    def take(self, thread: Thread | None, last_event_at: str | None) -> list[AnyRecord]:
        """Return the records in order, what they name first."""
        made, self._made = self._made, []
        self._taken += len(made)
        if thread is None:
            return made
        heads: list[AnyRecord] = []
        is_later = self._told_until != last_event_at and not thread.is_subagent
        if self._is_thread_new or is_later:
            heads.append(self._session(thread, last_event_at))
        if self._is_thread_new:
            heads.append(self._conversation(thread))
        self._is_thread_new = False
        self._told_until = last_event_at
        return heads + made

    def message(
        self,
        thread: Thread,
        kind: str,
        key: str,
        text: Text,
        place: Place,
        *,
        copied: bool = False,
    ) -> None:
        """Add a message; ``kind`` and ``key`` name it within the thread."""
        self._made.append(
            Message(
                id=self._id(kind, thread, key),
                conversation=thread.key,
                session=thread.session,
                role=text.role,
                kind=text.kind,
                content=text.content[:CAPTURED_TEXT_MAX_CHARS],
                exchange=self._turn_id(thread, place.turn),
                created_at=place.created_at,
                position=place.position,
                model=text.model,
                tool_name=text.tool_name,
                call_id=text.call_id,
                is_error=text.is_error,
                copied=copied,
            )
        )

    def turn(self, thread: Thread, turn: OpenTurn, *, copied: bool = False) -> None:
        """Say a turn (again); its prompt is the message ``("message", turn.key)``."""
        self._made.append(
            Turn(
                id=self._id("turn", thread, turn.key),
                conversation=thread.key,
                prompt_message=self._id("message", thread, turn.key),
                origin=turn.origin,
                created_at=turn.created_at,
                agent=self._agent,
                project=turn.project,
                status=turn.status,
                copied=copied,
            )
        )

    def usage(
        self,
        thread: Thread,
        key: str,
        tokens: Tokens,
        place: Place,
        *,
        model: str | None = None,
        request_id: str | None = None,
        cost_usd: float | None = None,
        copied: bool = False,
    ) -> None:
        """Add the tokens of one model call, and its cost if the agent tells one."""
        self._made.append(
            Usage(
                id=self._id("usage", thread, key),
                tokens=tokens,
                session=thread.session,
                conversation=thread.key,
                exchange=self._turn_id(thread, place.turn),
                agent=self._agent,
                model=model,
                recorded_at=place.created_at,
                request_id=request_id,
                cost_usd=cost_usd,
                position=place.position,
                copied=copied,
            )
        )

    def _turn_id(self, thread: Thread, key: str | None) -> str | None:
        return None if key is None else self._id("turn", thread, key)

    def _id(self, kind: str, thread: Thread, key: str) -> str:
        return uuid8(self._agent, kind, key if self._is_key_global else f"{thread.key}:{key}")

    def _session(self, thread: Thread, last_event_at: str | None) -> Session:
        record_id = uuid8(self._agent, "session", thread.session)
        if thread.is_subagent:
            return Session(
                id=record_id, key=thread.session, agent=self._agent, project=thread.project
            )
        return Session(
            id=record_id,
            key=thread.session,
            agent=self._agent,
            project=thread.project,
            title=thread.title,
            started_at=thread.started_at,
            last_active_at=last_event_at,
            metadata=dict[str, Any](thread.metadata) or None,
        )

    def _conversation(self, thread: Thread) -> Conversation:
        return Conversation(
            id=uuid8(self._agent, "conversation", thread.key),
            key=thread.key,
            session=thread.session,
            parent=thread.parent,
            kind="subagent" if thread.is_subagent else "main",
            title=thread.title if thread.is_subagent else None,
            started_at=thread.started_at,
            metadata=dict[str, Any](thread.metadata) or None if thread.is_subagent else None,
        )


def time_of(text: str | None) -> tuple[str | None, int | None]:
    """Return a time as written and in milliseconds since 1970; neither if it is no time."""
    if text is None:
        return None, None
    try:
        return text, parse_ms(text)
    except (ValueError, OverflowError):
        return None, None


def key_of(text: str | None) -> str | None:
    """Return text that can be a record's key or a model's name, cut to what fits."""
    return text[:KEY_MAX_CHARS] if text else None


def path_of(text: str | None) -> str | None:
    """Return a path as written, cut to what a system takes."""
    return text[:PATH_MAX_CHARS] if text else None


def count_of(value: float | None) -> int:
    """Return a count as records have them; some agents' came out negative, those are none."""
    return int(min(max(value or 0, 0), _COUNT_MAX))


def cost_of(value: float | None) -> float | None:
    """Return a cost in US dollars; 0 is what a subscription or a free model tells, and no cost."""
    return min(max(value or 0.0, 0.0), _COST_MAX_USD) or None
