"""Records: every kind of thing steno keeps, as it is said on the wire.

A record has a ``type`` (its tag), an ``id`` (a UUID as text, made by the sender) and fields. Times
are ISO-8601 text; without an offset they are UTC; left out, they are the time of arrival. A
session, a conversation or an agent is named by its *key*, the text its owner knows it by; an
unknown key makes a stub.

Fields are only ever added, always with a default: an old peer ignores a new field, a new peer
accepts its absence.
"""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from steno_schema.limits import KEY_MAX_CHARS, TAG_MAX_CHARS

Key = Annotated[str, Meta(min_length=1, max_length=KEY_MAX_CHARS)]
Tag = Annotated[str, Meta(min_length=1, max_length=TAG_MAX_CHARS)]
Count = Annotated[int, Meta(ge=0, le=2**53)]
Money = Annotated[float, Meta(ge=0, le=1e12)]
Seconds = Annotated[float, Meta(ge=0, le=1e12)]
Hours = Annotated[float, Meta(ge=0, le=1e9)]
Rating = Annotated[float, Meta(ge=0, le=10)]
Share = Annotated[float, Meta(ge=0, le=1)]
Int64 = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]

Role = Literal["user", "assistant", "system", "tool"]
MessageKind = Literal["text", "thinking", "tool_call", "tool_result", "injected", "notice"]
"""``injected``: put into the user's mouth by the agent. ``notice``: an error or interrupt text."""
SessionStatus = Literal["active", "paused", "completed", "archived"]
RunStatus = Literal["running", "completed", "failed", "cancelled"]
ExchangeStatus = Literal["running", "completed", "aborted", "failed"]
ConversationKind = Literal["main", "subagent"]
Origin = Literal["human", "queued", "command", "shell", "plan", "automation", "script"]
"""Who made a prompt: typed as a turn, typed while a turn ran, a slash command, a ``!`` shell
command, an accepted plan handed over, a program, or a script through the client."""


class Tokens(Struct, kw_only=True, omit_defaults=True):
    """Token counts in disjoint buckets.

    ``input`` excludes everything cached. ``cache_write`` is the whole and includes the parts that
    the source told apart (5 minutes, 1 hour). ``output`` includes ``reasoning``. ``total`` is for
    sources that tell nothing else. ``complete`` is false where the source never wrote the final
    count. Total used = input + cache_read + cache_write + output.
    """

    input: Count = 0
    output: Count = 0
    cache_read: Count = 0
    cache_write: Count = 0
    cache_write_5m: Count = 0
    cache_write_1h: Count = 0
    reasoning: Count = 0
    total: Count | None = None
    complete: bool = True


class Record(Struct, kw_only=True, omit_defaults=True, tag_field="type"):
    """What every record has."""

    id: str


class Session(Record, tag="session", kw_only=True):
    """A stretch of work with one agent or script. ``key`` is unique over all sessions."""

    key: Key
    user: Key | None = None
    project: str | None = None
    agent: Key | None = None
    title: str | None = None
    status: SessionStatus = "active"
    created_at: str | None = None
    started_at: str | None = None
    ended_at: str | None = None
    last_active_at: str | None = None
    metadata: dict[str, Any] | None = None


class Conversation(Record, tag="conversation", kw_only=True):
    """A thread of messages in a session; a sub-agent's names its parent's key."""

    key: Key
    session: Key | None = None
    parent: Key | None = None
    kind: ConversationKind = "main"
    user: Key | None = None
    title: str | None = None
    summary: str | None = None
    created_at: str | None = None
    started_at: str | None = None
    ended_at: str | None = None
    metadata: dict[str, Any] | None = None


class Annotations(Record, kw_only=True):
    """What can be said about an exchange besides its text; all of it may be amended later."""

    tags: list[Tag] = []
    metadata: dict[str, Any] | None = None
    category: Key | None = None
    complexity: Key | None = None
    technique: Key | None = None
    stage: Key | None = None
    phase: Key | None = None
    current_file: str | None = None
    keywords: list[str] | None = None
    response_summary: str | None = None
    rating: Rating | None = None
    follow_up: bool | None = None
    notes: str | None = None
    files_created: list[str] | None = None
    files_modified: list[str] | None = None
    commands_executed: list[str] | None = None


class Exchange(Annotations, tag="exchange", kw_only=True):
    """A prompt with what answered it, text included: what a script saves in one go."""

    prompt: str
    output: str = ""
    created_at: str | None = None
    session: Key | None = None
    conversation: Key | None = None
    user: Key | None = None
    project: str | None = None
    agent: Key = "python"
    framework: Key | None = None
    template: Key | None = None
    model: Key | None = None
    tokens: Tokens | None = None
    cost_usd: Money | None = None
    status: ExchangeStatus = "completed"
    response_time_ms: Annotated[float, Meta(ge=0, le=1e12)] | None = None


class Message(Record, tag="message", kw_only=True):
    """One message, tool call, tool result or thought of a conversation.

    ``position`` orders a conversation's messages where time cannot (a transcript: line number
    times 256 plus the block's place in its line). ``exchange`` is the id of the exchange or turn
    it belongs to. ``copied`` marks a copy that another session's file carries: the original owns.
    """

    conversation: Key
    role: Role
    content: str
    kind: MessageKind = "text"
    session: Key | None = None
    exchange: str | None = None
    created_at: str | None = None
    position: Int64 | None = None
    model: Key | None = None
    token_count: Count | None = None
    processing_time_s: Seconds | None = None
    importance: Share | None = None
    tool_name: str | None = None
    call_id: str | None = None
    is_error: bool = False
    copied: bool = False
    metadata: dict[str, Any] | None = None


class Turn(Record, tag="turn", kw_only=True):
    """An exchange whose messages are records of their own, as transcripts have it.

    ``prompt_message`` is the id of the prompt's message. Output, model, tokens and cost follow
    from the messages and usages that name this turn. ``withdrawn`` takes a queued prompt back
    that turned out to be an ordinary turn.
    """

    conversation: Key
    prompt_message: str
    origin: Origin = "human"
    created_at: str | None = None
    agent: Key
    project: str | None = None
    framework: Key | None = None
    status: ExchangeStatus = "completed"
    copied: bool = False
    withdrawn: bool = False
    metadata: dict[str, Any] | None = None


class Usage(Record, tag="usage", kw_only=True):
    """Tokens and cost of one model call; what ``cost_tracking`` shows.

    Said again with higher counts, the higher count of each bucket is kept. ``nested`` marks a
    call found only inside another record (a sub-agent's progress): reported apart, not added.
    """

    tokens: Tokens
    session: Key | None = None
    conversation: Key | None = None
    exchange: str | None = None
    agent: Key = "python"
    model: Key | None = None
    cost_usd: Money | None = None
    recorded_at: str | None = None
    request_id: str | None = None
    position: Int64 | None = None
    nested: bool = False
    copied: bool = False


class AgentInteraction(Record, tag="agent_interaction", kw_only=True):
    conversation: Key
    agent_type: Key
    task_description: str
    result_summary: str | None = None
    input_tokens: Count = 0
    output_tokens: Count = 0
    cost_usd: Money | None = None
    started_at: str | None = None
    completed_at: str | None = None
    status: RunStatus = "running"


class RoutingDecision(Record, tag="routing_decision", kw_only=True):
    conversation: Key
    intent: str
    complexity: Key | None = None
    confidence: Share | None = None
    selected_workflow: Key | None = None
    routing_method: Key | None = None
    reasoning: str | None = None
    decided_at: str | None = None


class Preference(Record, tag="preference", kw_only=True):
    """Unique by (user, key): said again, the newer value replaces the older."""

    user: Key
    key: Key
    value: str
    updated_at: str | None = None


class Pattern(Record, tag="pattern", kw_only=True):
    """One sighting of a learned pattern; unique by (pattern_type, pattern_key), counted up."""

    pattern_type: Key
    pattern_key: Key
    pattern_value: str | None = None
    occurrences: Count = 1
    confidence: Share | None = None
    seen_at: str | None = None


class Handoff(Record, tag="handoff", kw_only=True):
    from_session: Key
    to_session: Key | None = None
    summary: str = ""
    open_tasks: list[str] | None = None
    context: dict[str, Any] | None = None
    created_at: str | None = None


class Metric(Record, tag="metric", kw_only=True):
    metric: Key
    value: float
    unit: Key | None = None
    labels: dict[str, str] | None = None
    recorded_at: str | None = None


class Task(Record, tag="task", kw_only=True):
    key: Key
    session: Key | None = None
    specialist: Key | None = None
    task_type: Key | None = None
    complexity: Key | None = None
    started_at: str | None = None
    completed_at: str | None = None
    duration_hours: Hours | None = None
    estimation_hours: Hours | None = None
    created_at: str | None = None


class Command(Record, tag="command", kw_only=True):
    command: str
    session: Key | None = None
    model: Key | None = None
    thinking_budget: Count | None = None
    duration_ms: Annotated[float, Meta(ge=0)] | None = None
    success: bool | None = None
    executed_at: str | None = None
    created_at: str | None = None


class ErrorEvent(Record, tag="error_event", kw_only=True):
    """An error that happened in somebody's work; ``severity`` is 0 to 10."""

    message: str
    severity: Annotated[int, Meta(ge=0, le=10)] = 5
    command: str | None = None
    context: str | None = None
    session: Key | None = None
    occurred_at: str | None = None
    created_at: str | None = None


class Workflow(Record, tag="workflow", kw_only=True):
    """The one workflow state: said again, it replaces the one before."""

    current_task: str | None = None
    current_command: str | None = None
    session: Key | None = None
    data: dict[str, Any] | None = None
    updated_at: str | None = None


class MetadataEntry(Record, tag="metadata_entry", kw_only=True):
    """Unique by key: said again, the newer value replaces the older."""

    key: Key
    value: str
    updated_at: str | None = None


class PatternUsage(Record, tag="pattern_usage", kw_only=True):
    pattern_name: Key
    task: Key | None = None
    session: Key | None = None
    time_saved_hours: Hours = 0.0
    confidence: Share | None = None
    source: Key | None = None
    created_at: str | None = None


AnyRecord = (
    Session
    | Conversation
    | Exchange
    | Message
    | Turn
    | Usage
    | AgentInteraction
    | RoutingDecision
    | Preference
    | Pattern
    | Handoff
    | Metric
    | Task
    | Command
    | ErrorEvent
    | Workflow
    | MetadataEntry
    | PatternUsage
)
