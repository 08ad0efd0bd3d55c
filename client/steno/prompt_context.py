"""The end of a conversation as a prompt needs it: within a budget, in the shapes of two APIs.

Tool calls and their results are kept together, since either API refuses the one without the other.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any, cast

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from steno.errors import Misuse
from steno_schema.replies import MessageView

_ASCII_CHARS_PER_TOKEN = 4
_SAYABLE = frozenset({"text", "injected", "tool_call", "tool_result"})
_NAME_CHARS_MAX = 64
_NO_NAME_CHARS = re.compile(r"[^A-Za-z0-9_-]")
_SPEAKERS = {"user": "User", "assistant": "Assistant", "system": "System", "tool": "Tool"}


class PromptContext(Struct, frozen=True, kw_only=True):
    """System messages, then the newest others in their order, a tool call before its result.

    ``tokens`` is what all of it takes: of each message the recorded count, else (``estimated``)
    one token for every 4 ASCII characters begun and one for every other character. ``dropped``
    messages did not fit the budget.
    """

    system: list[MessageView]
    messages: list[MessageView]
    tokens: int
    estimated: bool
    dropped: int

    def text(self) -> str:
        """Return the context as plain text: who speaks, a colon, what is said; a blank line.

        Example::

            prompt = client.conversations.context("pr-7").text()
        """
        return "\n\n".join(f"{_speaker(m)}: {m.content}" for m in self.system + self.messages)

    def openai(self) -> list[dict[str, Any]]:
        """Return the context as ``messages`` of OpenAI's chat completions.

        Example::

            messages = client.conversations.context("pr-7").openai()
        """
        said: list[dict[str, Any]] = [
            {"role": "system", "content": message.content} for message in self.system
        ]
        for message, answers in self._with_pairs():
            if message.kind == "tool_call":
                function = {
                    "name": _name(message),
                    "arguments": msgspec.json.encode(_arguments(message)).decode(),
                }
                call = {"id": _call_id(message), "type": "function", "function": function}
                said.append({"role": "assistant", "content": None, "tool_calls": [call]})
            elif answers:
                result = {"tool_call_id": _call_id(message), "content": message.content}
                said.append({"role": "tool", **result})
            else:
                said.append({"role": _role(message), "content": _plain(message)})
        return said

    def anthropic(self) -> dict[str, Any]:
        """Return the context as ``system`` and ``messages`` of Anthropic's messages API.

        Neighbours of one role become one message, and what comes before the first word of the
        user is left out, as that API asks for. Without a system message there is no ``system``.

        Example::

            context = client.conversations.context("pr-7").anthropic()
            anthropic_client.messages.create(model=model, max_tokens=1000, **context)
        """
        said: list[dict[str, Any]] = []
        for message, answers in self._with_pairs():
            role = _role(message)
            if not said and (role != "user" or answers):
                continue
            block = _block(message, answers=answers)
            if said and said[-1]["role"] == role:
                said[-1]["content"].append(block)
            else:
                said.append({"role": role, "content": [block]})
        context: dict[str, Any] = {"messages": said}
        if self.system:
            context["system"] = "\n\n".join(message.content for message in self.system)
        return context

    def _with_pairs(self) -> Iterator[tuple[MessageView, bool]]:
        """Yield each message, and whether it answers the tool call right before it."""
        before: MessageView | None = None
        for message in self.messages:
            call = before is not None and before.kind == "tool_call"
            yield message, call and _is_result(message)
            before = message


def prompt_context(
    system: Sequence[MessageView],
    spoken: Sequence[MessageView],
    *,
    max_tokens: int | None,
    tool_result_max_chars: int,
) -> PromptContext:
    """Return as many of the newest ``spoken`` messages as fit beside the system messages.

    Raises ``Misuse`` if the system messages alone take more than ``max_tokens``.
    """
    kept = [m for m in system if m.kind in {"text", "injected"} and m.content.strip()]
    tokens = sum(_tokens(message) for message in kept)
    if max_tokens is not None and tokens > max_tokens:
        raise Misuse(
            f"The system messages take {tokens} tokens, {max_tokens} are allowed.",
            "Allow more with max_tokens.",
        )
    units = _units([_shortened(message, tool_result_max_chars) for message in spoken])
    fitting: list[list[MessageView]] = []
    for unit in reversed(units):
        size = sum(_tokens(message) for message in unit)
        if max_tokens is not None and tokens + size > max_tokens:
            break
        tokens += size
        fitting.append(unit)
    messages = [message for unit in reversed(fitting) for message in unit]
    return PromptContext(
        system=kept,
        messages=messages,
        tokens=tokens,
        estimated=any(message.token_count is None for message in kept + messages),
        dropped=sum(map(len, units)) - len(messages),
    )


def is_usable(message: MessageView) -> bool:
    """Tell whether a message can be said again to a model, system messages apart."""
    if message.role == "system" or message.kind not in _SAYABLE:
        return False
    return bool(message.content.strip()) or message.kind != "text" or message.role == "tool"


def estimated_tokens(text: str) -> int:
    """Return the estimate that ``PromptContext`` states.

    >>> estimated_tokens("12345"), estimated_tokens("日本")
    (2, 2)
    """
    other = sum(not character.isascii() for character in text)
    return -(-(len(text) - other) // _ASCII_CHARS_PER_TOKEN) + other


def _units(messages: list[MessageView]) -> list[list[MessageView]]:
    """Return what stays together: a call with its result, else each message by itself."""
    results: dict[str | None, MessageView] = {
        m.call_id: m for m in messages if _is_result(m) and m.call_id is not None
    }
    calls = {m.call_id: m for m in messages if m.kind == "tool_call" and m.call_id in results}
    answers = {results[call_id].id for call_id in calls}
    units: list[list[MessageView]] = []
    for message in messages:
        if message.kind != "tool_call":
            if message.id not in answers:
                units.append([message])
        elif calls.get(message.call_id) is message:
            units.append([message, results[message.call_id]])
    return units


def _shortened(message: MessageView, max_chars: int) -> MessageView:
    """Return a tool result that is no longer than it may be; its recorded count is void then."""
    text = message.content
    if not _is_result(message) or len(text) <= max_chars:
        return message
    note = f"\n[… {len(text) - max_chars:,} characters and more left out …]\n"
    room = max(max_chars - len(note), 0)
    head, tail = room - room // 3, room // 3
    short = text[:head] + note + text[len(text) - tail :] if room else text[: max(max_chars, 0)]
    return replace(message, content=short, token_count=None)


def _tokens(message: MessageView) -> int:
    if message.token_count is not None:
        return message.token_count
    return estimated_tokens(message.content + (message.tool_name or ""))


def _is_result(message: MessageView) -> bool:
    return message.kind == "tool_result" or (message.role == "tool" and message.kind == "text")


def _role(message: MessageView) -> str:
    """Return ``user`` or ``assistant``: both APIs take a tool's word from the user."""
    return "assistant" if message.kind == "tool_call" or message.role == "assistant" else "user"


def _speaker(message: MessageView) -> str:
    if message.kind == "tool_call" or _is_result(message):
        what = "Tool call" if message.kind == "tool_call" else "Tool result"
        return f"{what} ({message.tool_name})" if message.tool_name else what
    return _SPEAKERS.get(message.role, "User")


def _plain(message: MessageView) -> str:
    """Return what a message says; a tool's word without its call is told as text."""
    return f"{_speaker(message)}: {message.content}" if _is_result(message) else message.content


def _block(message: MessageView, *, answers: bool) -> dict[str, Any]:
    if message.kind == "tool_call":
        called = {"id": _call_id(message), "name": _name(message), "input": _arguments(message)}
        return {"type": "tool_use", **called}
    if not answers:
        return {"type": "text", "text": _plain(message)}
    result = {"tool_use_id": _call_id(message), "content": message.content}
    return {"type": "tool_result", **result, **({"is_error": True} if message.is_error else {})}


def _name(message: MessageView) -> str:
    return _NO_NAME_CHARS.sub("_", message.tool_name or "tool")[:_NAME_CHARS_MAX]


def _call_id(message: MessageView) -> str:
    return _NO_NAME_CHARS.sub("_", message.call_id or message.id)


def _arguments(message: MessageView) -> dict[str, Any]:
    """Return a call's arguments as the object that both APIs want."""
    try:
        value = msgspec.json.decode(message.content or "{}")
    except (msgspec.MsgspecError, RecursionError):
        value = message.content
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {"input": value}
