"""What a message of Claude Code says, and who said it.

``role: user`` is no proof of a human: tool results, command echoes, notifications, summaries of
compaction and hand-overs use it too. Each has a mark, checked in a fixed order.
"""

import re
from enum import Enum
from typing import NamedTuple

from msgspec import Raw, json

from steno.capture.claude_lines import Block, Body, Line
from steno_schema.records import MessageKind

NO_TYPE = "(no type)"
INTERRUPTED = "[Request interrupted by user"
_COMMAND = ("<command-name>", "<command-message>", "<command-args>")
_LOCAL_OUTPUT = ("<local-command-stdout>", "<local-command-stderr>")
_INJECTED = (
    *_LOCAL_OUTPUT,
    "<bash-stdout>",
    "<bash-stderr>",
    "<local-command-caveat>",
    "<task-notification>",
    "<system-reminder>",
    "<user-prompt-submit-hook>",
    "<tick>",
    "<teammate-message",
    "<agent-message",
    "Caveat: The messages below were generated",
    "This session is being continued from a previous conversation",
)
_EDITOR_CONTEXT = re.compile(r"<ide_(opened_file|selection|diagnostics)>.*?</ide_\1>", re.DOTALL)
_COMMAND_NAME = re.compile(r"<command-name>(.*?)</command-name>", re.DOTALL)
_COMMAND_ARGUMENTS = re.compile(r"<command-args>(.*?)</command-args>", re.DOTALL)
_SHELL_INPUT = re.compile(r"<bash-input>(.*?)(?:</bash-input>|$)", re.DOTALL)
_SILENT = frozenset({"redacted_thinking", "fallback"})
_TOOL_USES = frozenset({"tool_use", "server_tool_use", "mcp_tool_use"})


class Said(Enum):
    """Who said the text of a user record."""

    HUMAN = "human"
    PLAN = "plan"
    COMMAND = "command"
    SHELL = "shell"
    LOCAL_OUTPUT = "local output"
    INJECTED = "injected"
    INTERRUPT = "interrupt"
    NOTHING = "nothing"


class Part(NamedTuple):
    """What becomes one message: a block of the content at index ``block``."""

    block: int
    kind: MessageKind
    text: str
    call_id: str | None = None
    tool_name: str | None = None
    is_error: bool = False


class UserContent(NamedTuple):
    """``typed`` is the text alone; ``text`` is what is shown, with a note for each medium."""

    typed: str
    text: str
    results: list[Part]


def assistant_parts(body: Body) -> tuple[list[Part], str]:
    """Return what an assistant's message says, and the type of a block not understood, or ""."""
    if isinstance(body.content, str):
        return [Part(0, "text", body.content)] if body.content else [], ""
    parts: list[Part] = []
    unknown = ""
    for index, block in enumerate(body.content or ()):
        if block.type == "text":
            if block.text:
                parts.append(Part(index, "text", block.text))
        elif block.type == "thinking":
            if block.thinking:
                parts.append(Part(index, "thinking", block.thinking))
        elif block.type in _TOOL_USES:
            parts.append(Part(index, "tool_call", _compact(block.input), block.id, block.name))
        elif block.type.endswith("tool_result"):
            parts.append(_result(index, block))
        elif block.type in {"image", "document"}:
            parts.append(Part(index, "text", f"[{block.type}]"))
        elif block.type not in _SILENT:
            unknown = block.type or NO_TYPE
    return parts, unknown


def user_content(body: Body) -> tuple[UserContent, str]:
    """Return what a user record says, and the type of a block not understood, or ""."""
    if isinstance(body.content, str):
        return UserContent(body.content, body.content, []), ""
    typed: list[str] = []
    shown: list[str] = []
    results: list[Part] = []
    unknown = ""
    for index, block in enumerate(body.content or ()):
        if block.type == "text":
            typed.append(block.text or "")
            shown.append(block.text or "")
        elif block.type == "tool_result":
            results.append(_result(index, block))
        elif block.type in {"image", "document"}:
            shown.append(f"[{block.type}]")
        else:
            unknown = block.type or NO_TYPE
    return UserContent("\n".join(typed), "\n".join(shown), results), unknown


def said_by(line: Line, content: UserContent, *, of_agent: bool) -> tuple[Said, str]:
    """Return who said a user record's text, and the text to show for it."""
    if of_agent:
        return Said.INJECTED, content.text
    if line.is_compact_summary or line.is_meta or line.is_visible_in_transcript_only:
        return _injected(content.typed), content.text
    said, text = _said_in_text(content)
    if said is Said.HUMAN and line.plan_content:
        return Said.PLAN, text
    if said is Said.HUMAN and line.prompt_source == "system":
        return Said.INJECTED, text
    return said, text


def _injected(text: str) -> Said:
    return Said.LOCAL_OUTPUT if text.lstrip().startswith(_LOCAL_OUTPUT) else Said.INJECTED


def _said_in_text(content: UserContent) -> tuple[Said, str]:
    typed, shown = content.typed, content.text
    if "<ide_" in typed:
        typed = _EDITOR_CONTEXT.sub("", typed)
        shown = _EDITOR_CONTEXT.sub("", shown).strip()
    typed = typed.strip()
    if typed.startswith(INTERRUPTED):
        return Said.INTERRUPT, shown
    if typed.startswith(_COMMAND):
        return Said.COMMAND, command_text(typed)
    if typed.startswith("<bash-input>"):
        found = _SHELL_INPUT.match(typed)
        return Said.SHELL, "!" + (found.group(1).strip() if found else "")
    if typed.startswith(_INJECTED):
        return _injected(typed), content.text
    if not typed and content.text == content.typed:
        return Said.INJECTED if content.typed.strip() else Said.NOTHING, content.text
    return Said.HUMAN, shown


def command_text(text: str) -> str:
    """Return a slash command as it was typed.

    >>> command_text("<command-message>init</command-message><command-name>/init</command-name>")
    '/init'
    """
    name = _COMMAND_NAME.search(text)
    if name is None:
        return text
    arguments = _COMMAND_ARGUMENTS.search(text)
    words = ["/" + name.group(1).strip().lstrip("/")]
    if arguments and arguments.group(1).strip():
        words.append(arguments.group(1).strip())
    return " ".join(words)


def flat(content: str | list[Block] | dict[str, Raw] | None) -> str:
    """Return the text of a tool result; what is no text is noted by its type."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    return "\n".join(
        block.text or "" if block.type == "text" else f"[{block.type}]" for block in content
    )


def _result(index: int, block: Block) -> Part:
    failed = block.is_error is True
    return Part(index, "tool_result", flat(block.content), block.tool_use_id, None, failed)


def _compact(value: Raw) -> str:
    raw = bytes(value)
    return json.format(raw, indent=-1).decode("utf-8", "replace") if raw else "{}"
