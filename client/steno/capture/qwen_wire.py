"""What a line of a Qwen Code session looks like: the few fields that are read, and known types."""

from msgspec import Raw, Struct, field
from msgspec.json import Decoder

REFERENCED_FILES = "\n--- Content from referenced files ---"
REMINDER = "<system-reminder>"

USERS_THAT_ARE_NONE = frozenset(
    {
        "agent_bootstrap",
        "agent_launch_prompt",
        "agent_retry",
        "background_task_completed",
        "cron",
        "goal_runtime",
        "notification",
        "realtime_message",
    }
)
"""Kinds of ``user`` lines that the agent writes by itself."""
MID_TURN = "mid_turn_user_message"

SYSTEM_WITHOUT_RECORDS = frozenset(
    {
        "agent_bootstrap",
        "agent_session_ready",
        "at_command",
        "attribution_snapshot",
        "branch_checkpoint",
        "file_history_snapshot",
        "goal_runtime",
        "goal_state",
        "goal_turn_end",
        "omni_recall",
        "parent_session",
        "rewind",
        "session_approval_mode",
        "session_artifact_event",
        "session_artifact_snapshot",
        "session_execution_engine",
        "session_model",
        "session_notes",
        "session_source",
        "session_sources_snapshot",
        "turn_result",
        "user_text_elements",
    }
)

BACKGROUND_AGENT = "managed-"
"""How the names of agents begin that the program runs for itself."""
COMPACTION = "compress-"
"""How the prompt ids of compactions begin."""


class Fork(Struct, rename="camel"):
    """Where a copied line comes from."""

    session_id: str | None = None
    message_uuid: str | None = None


class Line(Struct, rename="camel"):
    uuid: str | None = None
    session_id: str | None = None
    timestamp: str | None = None
    type: str | None = None
    subtype: str | None = None
    provenance: str | None = None
    cwd: str | None = None
    version: str | None = None
    git_branch: str | None = None
    model: str | None = None
    message: Raw = Raw()
    usage_metadata: Raw = Raw()
    system_payload: Raw = Raw()
    tool_call_result: Raw = Raw()
    agent_id: str | None = None
    agent_name: str | None = None
    is_sidechain: bool | None = None
    forked_from: Fork | None = None


class Message(Struct):
    parts: Raw = Raw()


class UsageMetadata(Struct, rename="camel"):
    prompt_token_count: int | None = None
    candidates_token_count: int | None = None
    thoughts_token_count: int | None = None
    cached_content_token_count: int | None = None


class ToolCallResult(Struct):
    status: str | None = None


class UiEvent(Struct, frozen=True):
    """What the program tells of a request or a tool call."""

    name: str = field(default="", name="event.name")
    response_id: str | None = None
    model: str | None = None
    input_token_count: int | None = None
    output_token_count: int | None = None
    cached_content_token_count: int | None = None
    thoughts_token_count: int | None = None
    prompt_id: str | None = None
    subagent_name: str | None = None
    subagent_id: str | None = None


class Telemetry(Struct, rename="camel"):
    ui_event: UiEvent = UiEvent()


class SlashCommand(Struct, rename="camel"):
    phase: str | None = None
    raw_command: str | None = None
    sent_to_model: bool | None = None


class Compression(Struct, rename="camel"):
    compressed_history: list[Message] = []


class CustomTitle(Struct, rename="camel"):
    custom_title: str | None = None


LINE: Decoder[Line] = Decoder(Line)
RAW: Decoder[Raw] = Decoder(Raw)
MESSAGE: Decoder[Message] = Decoder(Message)
USAGE_METADATA: Decoder[UsageMetadata] = Decoder(UsageMetadata)
TOOL_CALL_RESULT: Decoder[ToolCallResult] = Decoder(ToolCallResult)
TELEMETRY: Decoder[Telemetry] = Decoder(Telemetry)
SLASH_COMMAND: Decoder[SlashCommand] = Decoder(SlashCommand)
COMPRESSION: Decoder[Compression] = Decoder(Compression)
CUSTOM_TITLE: Decoder[CustomTitle] = Decoder(CustomTitle)
