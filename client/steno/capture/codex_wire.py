"""What a line of a Codex rollout looks like: the few fields that are read, and the known types.

Everything that some version writes in another shape is kept as raw JSON and read only where its
type is known, so that one odd field never costs the line. Unknown fields are ignored.
"""

import re
from typing import Any, NamedTuple

from msgspec import Raw, Struct
from msgspec.json import Decoder

INJECTED_PREFIXES = (
    "<environment_context>",
    "<user_instructions>",
    "# AGENTS.md instructions",
    "<ENVIRONMENT_CONTEXT>",
    "<turn_aborted>",
    "<subagent_notification>",
    "<skill>",
    "<permissions instructions>",
    "<user_action>",
    "<collaboration_mode>",
    "<INSTRUCTIONS>",
    "<apps_instructions>",
    "<personality_spec>",
    "Warning: ",
)
"""How texts begin that the agent puts into the user's mouth."""

LINES_WITHOUT_RECORDS = frozenset(
    {
        "compacted",  # repeats the history, and the usage record before it
        "inter_agent_communication",
        "inter_agent_communication_metadata",
        "world_state",
    }
)

TOOL_CALLS = {
    "custom_tool_call": "custom_tool",
    "function_call": "function",
    "image_generation_call": "image_generation",
    "local_shell_call": "local_shell",
    "mcp_tool_call": "mcp_tool",
    "tool_search_call": "tool_search",
    "web_search_call": "web_search",
}
"""Items that are a tool call, with the tool's name for those that carry none."""

TOOL_OUTPUTS = frozenset(
    {
        "custom_tool_call_output",
        "function_call_output",
        "local_shell_call_output",
        "mcp_tool_call_output",
        "tool_search_output",
    }
)

ITEMS_WITHOUT_TEXT = frozenset(
    {
        "additional_tools",
        "compaction",
        "compaction_summary",
        "compaction_trigger",
        "context_compaction",
        "ghost_snapshot",
        "other",
    }
)

EVENTS_WITHOUT_RECORDS = frozenset(
    {
        # Said again by an item of the response.
        "agent_message",
        "agent_reasoning",
        "agent_reasoning_raw_content",
        "agent_reasoning_section_break",
        "raw_response_item",
        # How a tool call went; its call and its output are items.
        "collab_agent_interaction_begin",
        "collab_agent_interaction_end",
        "collab_agent_spawn_begin",
        "collab_agent_spawn_end",
        "collab_close_begin",
        "collab_close_end",
        "collab_resume_begin",
        "collab_resume_end",
        "collab_waiting_begin",
        "collab_waiting_end",
        "dynamic_tool_call_request",
        "dynamic_tool_call_response",
        "exec_approval_request",
        "exec_command_begin",
        "exec_command_end",
        "image_generation_begin",
        "image_generation_end",
        "mcp_tool_call_begin",
        "mcp_tool_call_end",
        "patch_apply_begin",
        "patch_apply_end",
        "sub_agent_activity",
        "terminal_interaction",
        "view_image_tool_call",
        "web_search_begin",
        "web_search_end",
        # About the thread, not in it.
        "apply_patch_approval_request",
        "background_event",
        "context_compacted",
        "deprecation_notice",
        "elicitation_request",
        "entered_review_mode",
        "error",
        "exited_review_mode",
        "guardian_assessment",
        "guardian_warning",
        "hook_completed",
        "hook_started",
        "item_started",
        "mcp_startup_complete",
        "mcp_startup_update",
        "model_reroute",
        "model_verification",
        "plan_update",
        "request_permissions",
        "request_user_input",
        "session_configured",
        "shutdown_complete",
        "stream_error",
        "thread_goal_updated",
        "thread_name_updated",
        "thread_rolled_back",
        "thread_settings_applied",
        "turn_diff",
        "undo_completed",
        "undo_started",
        "warning",
    }
)

COMPLETED_WITHOUT_RECORDS = frozenset(
    {
        "AgentMessage",
        "CollabAgentToolCall",
        "CommandExecution",
        "ContextCompaction",
        "DynamicToolCall",
        "EnteredReviewMode",
        "ExitedReviewMode",
        "FileChange",
        "HookPrompt",
        "ImageGeneration",
        "ImageView",
        "McpToolCall",
        "Plan",
        "Reasoning",
        "Sleep",
        "SubAgentActivity",
        "WebSearch",
    }
)
"""Items of ``item_completed`` that an item of the response says as well, or that carry no text."""


class Line(Struct):
    """A whole line. ``id`` and ``record_type`` stand there only before 0.32."""

    timestamp: str | None = None
    type: str = ""
    payload: Raw = Raw()
    id: str | None = None
    record_type: str | None = None
    ordinal: Any = None


class Git(Struct):
    branch: str | None = None


class SessionMeta(Struct):
    id: str
    session_id: str | None = None
    timestamp: str | None = None
    cwd: str | None = None
    originator: str | None = None
    cli_version: str | None = None
    source: Raw = Raw()
    git: Git | None = None
    forked_from_id: str | None = None
    parent_thread_id: str | None = None
    agent_nickname: str | None = None
    agent_path: str | None = None


class ThreadSpawn(Struct):
    parent_thread_id: str | None = None


class SubAgent(Struct):
    thread_spawn: ThreadSpawn | None = None


class Source(Struct):
    subagent: str | SubAgent | None = None


class TurnContext(Struct):
    model: str | None = None
    cwd: str | None = None


class Part(Struct):
    type: str = ""
    text: str | None = None


class Passthrough(Struct):
    content_item_kinds: list[str] | None = None


class Item(Struct):
    """An item of a response, of any type."""

    type: str = ""
    id: str | None = None
    role: str | None = None
    name: str | None = None
    call_id: str | None = None
    content: Raw = Raw()
    summary: Raw = Raw()
    encrypted_content: Raw = Raw()
    arguments: Raw = Raw()
    input: Raw = Raw()
    action: Raw = Raw()
    revised_prompt: Raw = Raw()
    output: Raw = Raw()
    tools: Raw = Raw()
    internal_chat_message_metadata_passthrough: Raw = Raw()


class Event(Struct):
    type: str = ""
    message: Raw = Raw()
    item: Raw = Raw()
    info: Raw = Raw()
    error: Raw = Raw()


class CompletedItem(Struct):
    type: str = ""
    id: Any = None
    content: Raw = Raw()
    command: Raw = Raw()
    exit_code: Any = None


class Counts(Struct, frozen=True):
    input_tokens: int | None = None
    cached_input_tokens: int | None = None
    cache_write_input_tokens: int | None = None
    output_tokens: int | None = None
    reasoning_output_tokens: int | None = None
    total_tokens: int | None = None


class TokenInfo(Struct):
    total_token_usage: Counts | None = None
    last_token_usage: Counts | None = None


class UsageRecord(Struct):
    response_id: str
    usage: Counts
    thread_id: str | None = None


class _ExitStatus(Struct):
    exit_code: int | None = None


class _WrappedOutput(Struct):
    output: str
    metadata: _ExitStatus


class _OutputObject(Struct):
    content: str | None = None
    success: bool | None = None


class ToolOutput(NamedTuple):
    """A tool's output as text, and whether it tells of a failure."""

    text: str
    failed: bool


LINE: Decoder[Line] = Decoder(Line)
RAW: Decoder[Raw] = Decoder(Raw)
SESSION_META: Decoder[SessionMeta] = Decoder(SessionMeta)
TURN_CONTEXT: Decoder[TurnContext] = Decoder(TurnContext)
ITEM: Decoder[Item] = Decoder(Item)
EVENT: Decoder[Event] = Decoder(Event)
COMPLETED_ITEM: Decoder[CompletedItem] = Decoder(CompletedItem)
TOKEN_INFO: Decoder[TokenInfo | None] = Decoder(TokenInfo | None)
USAGE_RECORD: Decoder[UsageRecord] = Decoder(UsageRecord)
_SOURCE: Decoder[str | Source | None] = Decoder(str | Source | None)
_TEXT: Decoder[str] = Decoder(str)
_PARTS: Decoder[list[Part | str]] = Decoder(list[Part | str])
_PASSTHROUGH: Decoder[Passthrough | None] = Decoder(Passthrough | None)
_WRAPPED_OUTPUT: Decoder[_WrappedOutput] = Decoder(_WrappedOutput)
_OUTPUT_OBJECT: Decoder[_OutputObject] = Decoder(_OutputObject)

_HEAD_CHARS = 600
_EXIT_CODE = re.compile(r"^(?:Exit code:|Process exited with code) (-?\d+)$", re.MULTILINE)
_SANDBOX_EXIT_CODE = re.compile(r"failed in sandbox [^\n]{0,200}?exit code: (-?\d+)")


def is_set(raw: Raw) -> bool:
    """Tell whether a field was there and not null."""
    return bytes(raw) not in (b"", b"null")


def text_of(raw: Raw, joint: str = "\n") -> str:
    """Return the text of a field that is a text, a list of parts, or any other JSON (as it is).

    Raise ``ValueError`` for text that is not Unicode.
    """
    data = bytes(raw)
    if not is_set(raw):
        return ""
    if data.startswith(b'"'):
        return _TEXT.decode(data)
    if data.startswith(b"["):
        parts = _PARTS.decode(data)
        texts = (part if isinstance(part, str) else part.text for part in parts)
        return joint.join(text for text in texts if text is not None)
    return data.decode()


def output_of(raw: Raw) -> ToolOutput:
    """Return what a tool printed; failed is said by an exit code that is not 0, or by the tool."""
    data = bytes(raw)
    if data.startswith(b"{"):
        output = _OUTPUT_OBJECT.decode(data)
        return ToolOutput(output.content or "", output.success is False)
    text = text_of(raw)
    if text.startswith('{"output":'):
        try:
            wrapped = _WRAPPED_OUTPUT.decode(text)
        except (ValueError, RecursionError):
            return ToolOutput(text, failed=False)
        return ToolOutput(wrapped.output, wrapped.metadata.exit_code not in (None, 0))
    return ToolOutput(text, _tells_failure(text[:_HEAD_CHARS]))


def _tells_failure(head: str) -> bool:
    status, separator, _ = head.partition("\nOutput:")
    found = _EXIT_CODE.search(status) if separator else _SANDBOX_EXIT_CODE.match(head)
    return found is not None and int(found[1]) != 0


def content_kinds(item: Item) -> list[str]:
    """Return what the parts of a message are, as 0.169 says it; empty where it is not said."""
    said = item.internal_chat_message_metadata_passthrough
    passthrough = _PASSTHROUGH.decode(said) if is_set(said) else None
    return (passthrough and passthrough.content_item_kinds) or []


def source_of(meta: SessionMeta) -> tuple[str | None, bool, str | None]:
    """Return the name of a session's source, whether that is a sub-agent, and its parent's id."""
    try:
        source = _SOURCE.decode(meta.source) if is_set(meta.source) else None
    except (ValueError, RecursionError):
        source = None
    if isinstance(source, Source) and source.subagent is not None:
        spawn = source.subagent.thread_spawn if isinstance(source.subagent, SubAgent) else None
        parent = meta.parent_thread_id or (spawn and spawn.parent_thread_id)
        return "subagent", True, parent or None
    name = source if isinstance(source, str) else None
    return name, meta.parent_thread_id is not None, meta.parent_thread_id
