"""The shapes of a conversation's end: what is kept, what is shortened, what each API is given."""

import json
from typing import Any

import pytest

from steno.prompt_context import PromptContext, estimated_tokens, is_usable, prompt_context
from steno_schema.replies import MessageView


def view(role: str, content: str, **fields: Any) -> MessageView:
    words: dict[str, Any] = {
        "id": f"{role}:{content}:{fields.get('call_id')}",
        "number": 1,
        "conversation_id": "c",
        "exchange_id": None,
        "kind": "text",
        "created_at": "2026-01-02T03:04:05.000Z",
    }
    return MessageView(**(words | {"role": role, "content": content} | fields))


def call(call_id: str | None, arguments: str = '{"path":"a"}', name: str = "read") -> MessageView:
    return view("assistant", arguments, kind="tool_call", call_id=call_id, tool_name=name)


def result(call_id: str | None, content: str, **fields: Any) -> MessageView:
    return view("tool", content, kind="tool_result", call_id=call_id, **fields)


def context(
    *spoken: MessageView, max_tokens: int | None = None, max_chars: int = 2000
) -> PromptContext:
    return prompt_context([], spoken, max_tokens=max_tokens, tool_result_max_chars=max_chars)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [("", 0), ("a", 1), ("abcd", 1), ("abcde", 2), ("日本語", 3), ("ab é", 2)],
)
def test_the_estimate_is_the_stated_one(text: str, tokens: int) -> None:
    assert estimated_tokens(text) == tokens


@pytest.mark.parametrize(
    ("message", "usable"),
    [
        (view("user", "x"), True),
        (view("user", "x", kind="injected"), True),
        (view("system", "x"), False),
        (view("assistant", "x", kind="thinking"), False),
        (view("user", "x", kind="notice"), False),
        (view("user", " \n"), False),
        (view("tool", ""), True),
        (result("c", ""), True),
        (call("c", ""), True),
    ],
)
def test_what_can_be_said_again(message: MessageView, usable: bool) -> None:
    assert is_usable(message) is usable


def test_a_pair_stays_together_or_goes_together() -> None:
    spoken = (view("user", "abcd"), call("1"), result("1", "abcd"), view("user", "abcd"))
    everything = context(*spoken)
    pair = everything.tokens - 2
    assert [m.kind for m in everything.messages] == ["text", "tool_call", "tool_result", "text"]
    assert context(*spoken, max_tokens=everything.tokens).dropped == 0
    fits = context(*spoken, max_tokens=pair + 1)
    assert ([m.kind for m in fits.messages[:2]], fits.dropped) == (["tool_call", "tool_result"], 1)
    short = context(*spoken, max_tokens=pair)
    assert ([m.content for m in short.messages], short.dropped) == (["abcd"], 3)


def test_a_result_stands_right_behind_its_call() -> None:
    both = context(
        call("1"), call("2"), result("2", "two"), view("user", "hi"), result("1", "one")
    )
    contents = [m.content for m in both.messages]
    assert contents == ['{"path":"a"}', "one", '{"path":"a"}', "two", "hi"]
    before = context(result("1", "early"), call("1"))
    assert [m.kind for m in before.messages] == ["tool_call", "tool_result"]


def test_a_call_without_a_result_is_left_out_and_the_reverse_is_told() -> None:
    lone = context(call("1"), result("9", "orphan"), call(None), view("tool", "bare"))
    assert [m.content for m in lone.messages] == ["orphan", "bare"]
    assert lone.openai() == [
        {"role": "user", "content": "Tool result: orphan"},
        {"role": "user", "content": "Tool result: bare"},
    ]


@pytest.mark.parametrize("max_chars", [0, 10, 60, 100, 1999, 2000])
def test_a_tool_result_is_shortened_in_the_middle(max_chars: int) -> None:
    text = "begin" + "x" * 1990 + "stops"
    made = context(call("1"), result("1", text, token_count=500), max_chars=max_chars)
    short = made.messages[1]
    assert len(short.content) <= max_chars
    assert (short.content == text) == (max_chars == 2000)
    assert (short.token_count == 500) == (max_chars == 2000)
    if max_chars >= 100:
        assert short.content.startswith("begin")
        assert short.content.endswith("stops")


def test_other_text_is_never_shortened() -> None:
    made = context(view("user", "x" * 100), max_chars=10)
    assert made.messages[0].content == "x" * 100


def test_the_shape_of_openai() -> None:
    spoken = (view("user", "q"), call("a.1", "[1]", "fs.read"), result("a.1", "text"))
    made = prompt_context([view("system", "s")], spoken, max_tokens=None, tool_result_max_chars=99)
    system, user, called, answer = made.openai()
    assert system == {"role": "system", "content": "s"}
    assert user == {"role": "user", "content": "q"}
    (tool_call,) = called["tool_calls"]
    assert (called["role"], called["content"]) == ("assistant", None)
    assert (tool_call["id"], tool_call["type"]) == ("a_1", "function")
    assert tool_call["function"]["name"] == "fs_read"
    assert json.loads(tool_call["function"]["arguments"]) == {"input": [1]}
    assert answer == {"role": "tool", "tool_call_id": "a_1", "content": "text"}


def test_the_shape_of_anthropic() -> None:
    spoken = (
        view("assistant", "left out"),
        call("0"),
        result("0", "left out"),
        view("user", "one"),
        view("user", "two", kind="injected"),
        view("assistant", "three"),
        call("1", "not json"),
        result("1", "bad", is_error=True),
        view("user", "four"),
    )
    system = [view("system", "s1"), view("system", "no", kind="notice"), view("system", "s2")]
    made = prompt_context(system, spoken, max_tokens=None, tool_result_max_chars=99)
    shaped = made.anthropic()
    assert shaped["system"] == "s1\n\ns2"
    assert [message["role"] for message in shaped["messages"]] == ["user", "assistant", "user"]
    first, second, third = (message["content"] for message in shaped["messages"])
    assert first == [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}]
    tool_use = {"type": "tool_use", "id": "1", "name": "read", "input": {"input": "not json"}}
    assert second == [{"type": "text", "text": "three"}, tool_use]
    assert third == [
        {"type": "tool_result", "tool_use_id": "1", "content": "bad", "is_error": True},
        {"type": "text", "text": "four"},
    ]


def test_plain_text_names_who_speaks() -> None:
    made = context(view("user", "q"), call("1"), result("1", "r"), view("assistant", "a"))
    assert made.text() == (
        'User: q\n\nTool call (read): {"path":"a"}\n\nTool result: r\n\nAssistant: a'
    )
