"""Conversations, messages and similar prompts through a real daemon."""

from typing import Any

import pytest

from steno.errors import Misuse, Refused
from steno_schema.errors import ErrorCode
from steno_schema.ids import uuid7
from steno_schema.records import Message
from support.live import Live

MESSAGE = (
    "SELECT content, importance_score, is_summarized, original_content FROM messages WHERE uid = ?"
)


def said(live: Live, thread: str, *messages: tuple[str, str], **fields: Any) -> list[str]:
    """Add messages (role, content); return their ids."""
    words = [{"role": role, "content": content, **fields} for role, content in messages]
    return [saved.id for saved in live.call(live.client.messages.add_many(thread, words))]


def test_a_conversation_is_summarised_and_ends(live: Live) -> None:
    conversations, key = live.client.conversations, live.key("thread")
    live.call(conversations.create(key))
    assert live.call(conversations.summarise(key, "All is well.")) == 1
    view = "SELECT summary, ended_at >= started_at FROM conversations WHERE conversation_id = ?"
    assert live.row(view, key) == ("All is well.", None)
    assert live.call(conversations.end(key)) == 1
    assert live.row(view, key) == ("All is well.", 1)
    live.call(conversations.summarise(key, None))
    assert live.row(view, key) == (None, 1)
    with pytest.raises(Refused) as refusal:
        live.call(conversations.end(live.key("thread")))
    assert refusal.value.code == ErrorCode.NOT_FOUND


def test_a_messages_importance(live: Live) -> None:
    messages = live.client.messages
    (message,) = said(live, live.key("thread"), ("user", "text"))
    assert live.call(messages.set_importance(message, 0.75)) == 1
    assert live.row(MESSAGE, message) == ("text", 0.75, 0, None)
    with pytest.raises(Refused, match="does not fit"):
        live.call(messages.set_importance(message, 1.5))
    live.call(messages.set_importance(message, None))
    assert live.row(MESSAGE, message) == ("text", None, 0, None)


def test_a_summarised_message_keeps_its_original(live: Live) -> None:
    messages, word, thread = live.client.messages, live.key("rhubarb"), live.key("thread")
    marked, summed = said(live, thread, ("user", "short"), ("user", f"much about {word}"))
    live.call(messages.mark_summarised(marked))
    assert live.row(MESSAGE, marked) == ("short", None, 1, None)
    live.call(messages.mark_summarised(summed, "They spoke of turnips."))
    live.call(messages.mark_summarised(summed, "They spoke."))
    assert live.row(MESSAGE, summed) == ("They spoke.", None, 1, f"much about {word}")
    found = live.call(messages.search("turnips OR spoke", conversation=thread))
    assert [result.message_id for result in found] == [summed]


def test_recent_messages_of_a_session_come_newest_first(live: Live) -> None:
    session, thread = live.key("session"), live.key("thread")
    ids = said(live, thread, *(("user", str(n)) for n in range(4)), session=session)
    page = live.call(live.client.messages.recent(session, 3))
    assert [message.id for message in page] == [ids[3], ids[2], ids[1]]
    rest = live.call(live.client.messages.recent(session, 3, cursor=page.next_cursor))
    assert [message.id for message in rest] == [ids[0]]
    query = "SELECT uid FROM messages WHERE conversation_id = ? ORDER BY created_at, id"
    assert [uid for (uid,) in live.rows(query, thread)] == ids
    (aside,) = said(live, live.key("thread"), ("user", "aside"), session=session)
    (last,) = said(live, thread, ("user", "last"))
    newest = live.call(live.client.messages.recent(session, 3))
    assert [message.id for message in newest] == [last, aside, ids[3]]


def test_a_context_is_the_end_of_a_conversation(live: Live) -> None:
    conversations, thread = live.client.conversations, live.key("thread")
    said(live, thread, ("system", "Be brief."), *(("user", f"word {n}") for n in range(30)))
    context = live.call(conversations.context(thread))
    assert [message.content for message in context.messages] == [
        f"word {n}" for n in range(20, 30)
    ]
    assert [message.content for message in context.system] == ["Be brief."]
    query = "SELECT content FROM messages WHERE conversation_id = ? ORDER BY id DESC LIMIT 10"
    shown = [content for (content,) in live.rows(query, thread)]
    assert shown == [message.content for message in reversed(context.messages)]
    short = live.call(conversations.context(thread, limit=2))
    assert short.text() == "System: Be brief.\n\nUser: word 28\n\nUser: word 29"
    assert (short.tokens, short.estimated, short.dropped) == (3 + 2 + 2, True, 0)


def test_a_context_keeps_to_its_budget(live: Live) -> None:
    conversations, thread = live.client.conversations, live.key("thread")
    said(live, thread, ("system", "s"), token_count=10)
    said(live, thread, *(("user", f"{n}") for n in range(5)), token_count=7)
    context = live.call(conversations.context(thread, max_tokens=30))
    assert [message.content for message in context.messages] == ["3", "4"]
    assert (context.tokens, context.estimated, context.dropped) == (24, False, 3)
    tight = live.call(conversations.context(thread, max_tokens=31))
    assert (len(tight.messages), tight.tokens) == (3, 31)
    with pytest.raises(Misuse, match="system messages take 10 tokens"):
        live.call(conversations.context(thread, max_tokens=9))
    with pytest.raises(Misuse, match="at least one message"):
        live.call(conversations.context(thread, 0))


def test_a_context_follows_a_transcripts_order(live: Live) -> None:
    """What no model takes back (thoughts, notices) does not count as one of the last messages."""
    thread = live.key("thread")
    lines: list[tuple[int, str, Any, Any]] = [
        (256, "hello", "user", "text"),
        (768, '{"path": "a"}', "assistant", "tool_call"),
        (512, "hm", "assistant", "thinking"),
        (1024, "file a", "tool", "tool_result"),
        (1280, "interrupted", "user", "notice"),
    ]
    lines += [(1536 + n, "hm", "assistant", "thinking") for n in range(120)]
    records = [
        Message(
            id=uuid7(),
            conversation=thread,
            role=role,
            kind=kind,
            content=content,
            position=position,
            call_id="c1" if role == "tool" or kind == "tool_call" else None,
            tool_name="read" if kind == "tool_call" else None,
        )
        for position, content, role, kind in reversed(lines)
    ]
    live.call(live.client.append(records))
    context = live.call(live.client.conversations.context(thread, 3))
    assert [message.content for message in context.messages] == [
        "hello", '{"path": "a"}', "file a",
    ]  # fmt: skip
    assert [message["role"] for message in context.openai()] == ["user", "assistant", "tool"]


def test_an_unknown_conversation_has_an_empty_context(live: Live) -> None:
    context = live.call(live.client.conversations.context(live.key("thread"), max_tokens=1))
    assert (context.messages, context.system, context.tokens) == ([], [], 0)
    assert (context.text(), context.openai(), context.anthropic()) == ("", [], {"messages": []})


def test_similar_prompts_come_the_most_alike_first(live: Live) -> None:
    history, word = live.client.history, live.key("zebra").replace("-", "")
    same = live.call(history.save(f"How do I feed a {word} at night?", "hay"))
    near = live.call(history.save(f"Where do I feed a {word}?", "there"))
    far = live.call(history.save(f"Paint the {word}", "done"))
    live.call(history.save("Nothing of the kind", f"but {word} in the answer: feed night"))
    found = live.call(history.similar(f"how do i FEED a {word} at night"))
    ours = [result for result in found if word in result.prompt]
    assert [result.id for result in ours] == [same.id, near.id, far.id]
    assert ours[0].score == 1.0
    assert 0 < ours[2].score < ours[1].score < 1
    (first,) = live.call(history.similar(f"feed {word} night", 1))
    assert first.id == same.id
    query = "SELECT prompt_text FROM prompts WHERE uid = ?"
    assert live.row(query, first.id) == (first.prompt,)
    assert live.call(history.similar("?!")) == []
    assert live.call(history.similar(f"{word} night", tag="no such tag")) == []
