"""What a client has been told, kept in plain dictionaries: the answers it must give."""

from typing import Any, NamedTuple

from msgspec import Struct


class Kept(Struct):
    """An exchange as the model keeps it."""

    id: str
    prompt: str
    output: str
    session: str
    model: str | None
    cost_usd: float | None
    tokens: int
    tags: set[str]
    rating: float | None = None
    notes: str | None = None


class Said(Struct):
    """A message of a conversation."""

    id: str
    conversation: str
    role: str
    content: str
    importance: float | None = None
    is_summarized: bool = False
    original: str | None = None


class Seen(Struct):
    """A learned pattern."""

    count: int
    value: str | None
    confidence: float | None


class Work(Struct):
    """A task; the newest of its key is the one that verbs mean."""

    id: str
    key: str
    specialist: str
    estimate: float | None
    hours: float | None = None


class Call(NamedTuple):
    session: str
    model: str
    cost_usd: float | None


class Model:
    """Everything said in one run; names begin with ``prefix``, so that runs do not meet."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.exchanges: list[Kept] = []
        self.sessions: dict[str, dict[str, Any]] = {}
        self.conversations: dict[str, dict[str, Any]] = {}
        self.messages: list[Said] = []
        self.preferences: dict[tuple[str, str], str] = {}
        self.patterns: dict[str, Seen] = {}
        self.tasks: list[Work] = []
        self.calls: list[Call] = []
        self.facts: dict[str, str] = {}

    def name(self, word: str) -> str:
        """Return a name that no other run has."""
        return f"{self.prefix}{word}"

    def session_known(self, key: str) -> None:
        """Make a stub of a session that was only named."""
        self.sessions.setdefault(key, {"status": "active", "title": None, "ended": False})

    def conversation_known(self, key: str, session: str) -> None:
        """Make a stub of a conversation that was only named, in a session."""
        if key not in self.conversations:
            self.session_known(session)
            self.conversations[key] = {"session": session, "title": None, "summary": None}

    def forget_session(self, key: str) -> None:
        """Drop a session with all that is in it."""
        inside = {name for name, each in self.conversations.items() if each["session"] == key}
        self.exchanges = [each for each in self.exchanges if each.session != key]
        self.messages = [each for each in self.messages if each.conversation not in inside]
        self.calls = [each for each in self.calls if each.session != key]
        for name in inside:
            del self.conversations[name]
        del self.sessions[key]

    def cost_of(self, session: str) -> float:
        """Return what a session cost: its exchanges and its calls, each once."""
        saved = [each.cost_usd or 0 for each in self.exchanges if each.session == session]
        called = [each.cost_usd or 0 for each in self.calls if each.session == session]
        return sum(saved) + sum(called)
