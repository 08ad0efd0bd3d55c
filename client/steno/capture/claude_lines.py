"""The shape of Claude Code's lines: what is read of them, and which of them are known.

Only the fields that become records are declared; everything else is passed over undecoded. A field
whose type may change without harm is ``Any`` and is looked at when it is used.
"""

from typing import Annotated, Any

from msgspec import Meta, Raw, Struct, ValidationError, json

NATIVE_KEY_MAX_CHARS = 200
"""Ids of Claude Code are UUIDs or shorter; two of them and a slash must fit into a key."""

NativeId = Annotated[str, Meta(max_length=NATIVE_KEY_MAX_CHARS)]

SKIPPED_TYPES = frozenset(
    {
        # The state of the terminal interface, appended again and again.
        *("last-prompt", "mode", "permission-mode", "agent-name", "agent-setting", "agent-color"),
        *("tag", "pr-link", "frame-link", "bridge-session", "worktree-state", "relocated"),
        *("atis-latch", "tools-used", "dev-mods", "task-summary"),
        # Totals of the process: they overlap the usage of the messages.
        "cost-state",
        # What was sent, once more.
        *("api-request", "api-request-shape", "api-request-blob"),
        # Copies of edited files, replaced tool outputs, who wrote which line.
        *("file-history-snapshot", "file-history-delta", "content-replacement"),
        "attribution-snapshot",
        # The journal of a workflow of sub-agents.
        *("started", "result"),
    }
)

SKIPPED_PROGRESS = frozenset(
    {
        *("bash_progress", "hook_progress", "mcp_progress", "query_update", "waiting_for_task"),
        "search_results_received",
    }
)

SKIPPED_SYSTEM = frozenset(
    {
        *("compact_boundary", "microcompact_boundary", "stop_hook_summary", "turn_duration"),
        *("api_error", "api_metrics", "api_refusal", "away_summary", "informational"),
        *("permission_retry", "bridge_status", "scheduled_task_fire", "memory_saved"),
        *("agents_killed", "file_snapshot", "thinking", "session_start"),
        *("error", "model_refusal_fallback"),
    }
)

SKIPPED_ATTACHMENTS = frozenset(
    {
        *("environment", "model", "prompt_snapshot", "session_context", "date", "date_change"),
        *("deferred_tools_delta", "deferred_tools_record", "agent_listing_delta", "skill_listing"),
        *("mcp_instructions_delta", "mcp_resource", "invoked_skills", "dynamic_skill"),
        *("remote_session_change", "credential_org", "instructions", "agent_mention"),
        *("task_reminder", "todo_reminder", "task_status", "goal_status", "diagnostics"),
        *("total_tokens_reminder", "silent_turn_reminder", "batching_reminder_sent"),
        *("critical_system_reminder", "compaction_reminder", "bash_output_audience_note"),
        *("token_usage", "output_token_usage", "budget_usd", "ultrathink_effort", "ultramemory"),
        *("ultra_effort_enter", "ultra_effort_exit", "read_truncation_notice"),
        *("plan_mode", "plan_mode_reentry", "plan_mode_exit", "plan_file_reference"),
        *("auto_mode", "auto_mode_exit", "command_permissions", "output_style"),
        *("file", "directory", "pdf_reference", "already_read_file", "compact_file_reference"),
        *("edited_text_file", "edited_image_file", "selected_lines_in_ide", "opened_file_in_ide"),
        *("nested_memory", "relevant_memories", "team_context", "teammate_mailbox"),
        *("hook_success", "hook_additional_context", "hook_blocking_error", "hook_cancelled"),
        *("hook_non_blocking_error", "hook_stopped_continuation", "async_hook_response"),
        *("hook_system_message", "hook_permission_decision", "hook_error_during_execution"),
    }
)


class Line(Struct, rename="camel"):
    """One object of a transcript."""

    type: str = ""
    subtype: str | None = None
    operation: str | None = None
    uuid: NativeId | None = None
    session_id: NativeId | None = None
    request_session_id: NativeId | None = None
    agent_id: NativeId | None = None
    timestamp: Any = None
    cwd: Any = None
    version: Any = None
    git_branch: Any = None
    entrypoint: Any = None
    request_id: Any = None
    prompt_source: Any = None
    plan_content: Any = None
    content: Any = None
    custom_title: Any = None
    ai_title: Any = None
    summary: Any = None
    leaf_uuid: Any = None
    is_sidechain: Any = None
    is_meta: Any = None
    is_compact_summary: Any = None
    is_visible_in_transcript_only: Any = None
    is_api_error_message: Any = None
    message: Raw = Raw()
    data: Raw = Raw()
    attachment: Raw = Raw()


class Block(Struct):
    """One block of a message's content, or of a tool result's."""

    type: str = ""
    text: str | None = None
    thinking: str | None = None
    id: NativeId | None = None
    name: str | None = None
    input: Raw = Raw()
    tool_use_id: NativeId | None = None
    content: "str | list[Block] | dict[str, Raw] | None" = None
    is_error: Any = None


class CacheCreation(Struct):
    ephemeral_5m_input_tokens: int | None = None
    ephemeral_1h_input_tokens: int | None = None


class OutputDetails(Struct):
    thinking_tokens: int | None = None


class UsageCounts(Struct):
    """The API's usage object, as far as it counts tokens."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    cache_creation: CacheCreation | None = None
    output_tokens_details: OutputDetails | None = None


class Body(Struct):
    """The API message in a line."""

    id: NativeId | None = None
    model: str | None = None
    content: str | list[Block] | None = None
    stop_reason: Any = None
    usage: UsageCounts | None = None


class Attachment(Struct, rename="camel"):
    type: str = ""
    prompt: str | list[Block] | dict[str, Raw] | None = None
    command_mode: Any = None


class Nested(Struct, rename="camel"):
    """The line of a sub-agent that a progress line carries."""

    type: str = ""
    uuid: NativeId | None = None
    timestamp: Any = None
    request_id: Any = None
    message: Raw = Raw()


class Progress(Struct, rename="camel"):
    type: str = ""
    agent_id: NativeId | None = None
    message: Raw = Raw()


class _LooseBody(Struct):
    id: Any = None
    model: Any = None
    content: Raw = Raw()
    stop_reason: Any = None
    usage: Raw = Raw()


LINE = json.Decoder(Line)
OBJECT = json.Decoder(Raw)
ATTACHMENT = json.Decoder(Attachment)
PROGRESS = json.Decoder(Progress)
NESTED = json.Decoder(Nested)
_BODY = json.Decoder(Body)
_LOOSE_BODY = json.Decoder(_LooseBody)
_BLOCK = json.Decoder(Block)
_USAGE = json.Decoder(UsageCounts)
_ITEMS = json.Decoder(list[Raw])
_STRING = json.Decoder(str)


def text_or_none(value: Any, max_chars: int = NATIVE_KEY_MAX_CHARS) -> str | None:
    """Return ``value`` cut to ``max_chars``, or None if it is not text or empty."""
    return value[:max_chars] if isinstance(value, str) and value else None


def body_of(message: Raw) -> tuple[Body, bool]:
    """Return the API message, and whether all of it was understood.

    Raise ``ValueError`` if it is no message at all.
    """
    start = bytes(memoryview(message)[:1])
    if not start:
        return Body(), True
    if start == b'"':
        return Body(content=_STRING.decode(message)), True
    try:
        return _BODY.decode(message), True
    except ValidationError:
        return _loose_body(message), False


def prompt_text(attachment: Attachment) -> str:
    """Return the text of a queued prompt, which may be a list of blocks."""
    prompt = attachment.prompt
    if isinstance(prompt, list):
        return "\n".join(block.text or "" for block in prompt)
    return prompt if isinstance(prompt, str) else ""


def _loose_body(message: Raw) -> Body:
    loose = _LOOSE_BODY.decode(message)
    body = Body(id=text_or_none(loose.id), model=text_or_none(loose.model))
    body.stop_reason = loose.stop_reason
    try:
        body.usage = _USAGE.decode(loose.usage)
    except ValueError:
        body.usage = None
    start = bytes(memoryview(loose.content)[:1])
    if start == b'"':
        body.content = _STRING.decode(loose.content)
    elif start == b"[":
        body.content = _blocks(_ITEMS.decode(loose.content))
    return body


def _blocks(items: list[Raw]) -> list[Block]:
    blocks: list[Block] = []
    for item in items:
        try:
            blocks.append(_BLOCK.decode(item))
        except ValueError:
            blocks.append(Block())
    return blocks
