"""Replies: what the daemon answers, a closed set told apart by ``reply``."""

from typing import Any, Literal

from msgspec import UNSET, Struct, UnsetType

from steno_schema.records import ExchangeStatus, Tokens
from steno_schema.requests import RequestId


class Reply(Struct, kw_only=True, omit_defaults=True, tag_field="reply"):
    """What every reply has: the id of the request it answers."""

    id: RequestId = 0


class Error(Reply, tag="error", kw_only=True):
    """The request was not done; ``code`` is one of ``ErrorCode``."""

    code: str
    message: str
    hint: str = ""
    retryable: bool = False


class Welcome(Reply, tag="welcome", kw_only=True):
    protocol: int
    server: str
    version: str
    features: list[str]
    pid: int


class Pong(Reply, tag="pong", kw_only=True):
    pass


class Outcome(Struct, kw_only=True, omit_defaults=True):
    """What became of one record. ``id`` is the one that now stands for it.

    ``existed``: same id, same content. ``duplicate``: the duplicate check met the same prompt.
    ``gone``: it was forgotten and stays so. Of an import only: ``conflict``, it says something else
    than what is stored, which stays; ``refused``, it cannot be stored, and ``problem`` says why.
    """

    id: str
    outcome: Literal["created", "existed", "duplicate", "updated", "gone", "conflict", "refused"]
    problem: str = ""


class Appended(Reply, tag="appended", kw_only=True):
    """Committed to disk. ``sequence`` is the change log's place of this commit."""

    outcomes: list[Outcome]
    sequence: int = 0


class Done(Reply, tag="done", kw_only=True):
    """An amend, delete or admin request was carried out; ``result`` says what came of it."""

    changed: int = 0
    result: dict[str, Any] = {}


class Signals(Struct, kw_only=True):
    """Signs of success or failure that were seen while an exchange was answered, and after.

    ``tool_errors`` counts results that were errors. ``corrected`` tells whether the person's next
    prompt says that something is wrong; ``None`` while there is none, or it is not known.
    """

    tool_calls: int = 0
    tool_errors: int = 0
    interrupted: bool = False
    corrected: bool | None = None


class ExchangeView(Struct, kw_only=True):
    """An exchange as ``list``, ``show`` and exports give it. Every field is always there.

    ``cost_usd`` is what was reported, else what tokens and prices come to; ``cost_source`` says
    which. Where ``cost_complete`` is false, a call without a price or without its final count is
    part of it, and the true cost is higher. A daemon of an earlier release says neither.
    ``signals`` come with a single exchange only (``show``), not with lists.
    """

    id: str
    number: int
    prompt: str
    output: str
    created_at: str
    agent: str | None
    project: str | None
    session_id: str | None
    conversation_id: str | None
    user: str | None
    model: str | None
    tokens: Tokens | None
    cost_usd: float | None
    status: ExchangeStatus
    origin: str
    tags: list[str]
    category: str | None
    complexity: str | None
    stage: str | None
    technique: str | None
    phase: str | None
    framework: str | None
    template: str | None
    current_file: str | None
    rating: float | None
    follow_up: bool | None
    response_summary: str | None
    response_time_ms: float | None
    notes: str | None
    keywords: list[str] | None
    metadata: dict[str, Any] | None
    prompt_message_id: str | None = None
    output_message_id: str | None = None
    cost_source: Literal["reported", "computed"] | UnsetType | None = UNSET
    cost_complete: bool | UnsetType | None = UNSET
    files_created: list[str] | UnsetType | None = UNSET
    files_modified: list[str] | UnsetType | None = UNSET
    commands_executed: list[str] | UnsetType | None = UNSET
    signals: Signals | UnsetType | None = UNSET


class MessageView(Struct, kw_only=True):
    """A message as ``thread`` and exports give it."""

    id: str
    number: int
    conversation_id: str | None
    exchange_id: str | None
    role: str
    kind: str
    content: str
    created_at: str
    model: str | None = None
    token_count: int | None = None
    processing_time_s: float | None = None
    tool_name: str | None = None
    call_id: str | None = None
    is_error: bool = False
    importance: float | None = None
    metadata: dict[str, Any] | None = None


class SearchResult(Struct, kw_only=True):
    """One exchange (or a bare message) that matched, with its best matching message.

    In ``snippet`` the matched words stand between U+E000 and U+E001, so that no text of a
    transcript can look like a highlight.
    """

    id: str
    message_id: str
    conversation_id: str | None
    session_id: str | None
    agent: str | None
    project: str | None
    role: str
    created_at: str
    snippet: str
    score: float
    prompt: str = ""
    model: str | None = None
    number: int = 0


class Exchanges(Reply, tag="exchanges", kw_only=True):
    items: list[ExchangeView]
    next_cursor: str | None = None


class Messages(Reply, tag="messages", kw_only=True):
    items: list[MessageView]
    next_cursor: str | None = None


class Rows(Reply, tag="rows", kw_only=True):
    """Records of any other type, as their view's columns."""

    items: list[dict[str, Any]]
    next_cursor: str | None = None


class Results(Reply, tag="results", kw_only=True):
    """``complete`` is false when the index is ``behind`` by that many changes."""

    results: list[SearchResult]
    next_cursor: str | None = None
    complete: bool = True
    behind: int = 0


class Table(Reply, tag="table", kw_only=True):
    """Rows of a ``sql`` request; ``truncated`` when the row limit cut it."""

    columns: list[str]
    rows: list[list[Any]]
    truncated: bool = False


class Statistics(Reply, tag="statistics", kw_only=True):
    totals: dict[str, Any]
    groups: list[dict[str, Any]] = []


class StatusReport(Reply, tag="status", kw_only=True):
    report: dict[str, Any]


class Event(Reply, tag="event", kw_only=True):
    """A new exchange, for a subscriber.

    ``sequence`` is what to come back with, ``change`` the event's own place in the change log:
    several exchanges may share one, and who comes back amid them is told all of them again.
    """

    sequence: int
    exchange: ExchangeView
    change: int = 0


AnyReply = (
    Error
    | Welcome
    | Pong
    | Appended
    | Done
    | Exchanges
    | Messages
    | Rows
    | Results
    | Table
    | Statistics
    | StatusReport
    | Event
)
