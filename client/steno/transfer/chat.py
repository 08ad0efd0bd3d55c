"""Conversations in the shape that training tools read: ``{"messages": [{"role", "content"}]}``.

What the agent put into the user's mouth, thoughts and notices are left out, tool calls too unless
asked for. Neighbours of one role become one message, and what nobody answered is cut off. Secrets
are taken out once more, by the rules of today.
"""

from collections.abc import Iterable
from typing import Any

from steno_schema.redaction import redact_text
from steno_schema.replies import MessageView

ChatMessage = dict[str, Any]


def chat_of(messages: Iterable[MessageView], *, tools: bool) -> list[ChatMessage]:
    """Return a conversation's messages; none if there is no prompt with an answer."""
    held = list(messages)
    answered = {each.call_id for each in held if each.kind == "tool_result" and each.call_id}
    chat: list[ChatMessage] = []
    called: set[str] = set()
    for message in held:
        if message.kind == "text":
            _add_text(chat, message)
        elif tools and message.kind == "tool_call" and message.call_id in answered:
            _add_call(chat, message, called)
        elif tools and message.kind == "tool_result" and message.call_id in called:
            called.discard(message.call_id or "")
            chat.append({
                "role": "tool",
                "tool_call_id": message.call_id,
                "content": _clean(message.content),
            })  # fmt: skip
    return _answered(chat)


def _add_text(chat: list[ChatMessage], message: MessageView) -> None:
    text = _clean(message.content)
    if not text.strip() or message.role == "tool":
        return
    last = chat[-1] if chat else None
    if last is not None and last["role"] == message.role and "tool_calls" not in last:
        last["content"] += f"\n\n{text}"
    else:
        chat.append({"role": message.role, "content": text})


def _add_call(chat: list[ChatMessage], message: MessageView, called: set[str]) -> None:
    """Add a tool call to what the assistant said with it."""
    assert message.call_id is not None
    if not chat or chat[-1]["role"] != "assistant":
        chat.append({"role": "assistant", "content": ""})
    chat[-1].setdefault("tool_calls", []).append({
        "id": message.call_id,
        "type": "function",
        "function": {"name": message.tool_name or "tool", "arguments": _clean(message.content)},
    })  # fmt: skip
    called.add(message.call_id)


def _answered(chat: list[ChatMessage]) -> list[ChatMessage]:
    """Return the chat up to its last answer, if it holds a prompt at all."""
    while chat and (chat[-1]["role"] != "assistant" or "tool_calls" in chat[-1]):
        chat.pop()
    return chat if any(message["role"] == "user" for message in chat) else []


def _clean(text: str) -> str:
    return redact_text(text)[0]
