"""Sessions, conversations and messages through a real daemon: verbs against what the views show."""

from typing import Any

import pytest

from steno.errors import Refused
from steno_schema.errors import ErrorCode
from steno_schema.ids import uuid7
from steno_schema.records import Conversation, Session
from support.live import Live

SESSION = (
    "SELECT user_id, project_id, status, metadata_json, started_at = created_at,"
    " ended_at >= started_at FROM sessions WHERE session_id = ?"
)
CONVERSATION = (
    "SELECT session_id, title, message_count, summary, metadata_json, ended_at IS NULL"
    " FROM conversations WHERE conversation_id = ?"
)
MESSAGES = "SELECT uid, role, content, token_count FROM messages WHERE conversation_id = ?"


WORDS: dict[str, Any] = {"user": "u", "project": "/p", "title": "t", "metadata": {"a": 1}}


def test_a_session_is_created(live: Live) -> None:
    key = live.key("session")
    saved = live.call(live.client.sessions.create(key, **WORDS))
    assert (saved.key, saved.outcome) == (key, "created")
    assert live.row(SESSION, key) == ("u", "/p", "active", '{"a":1}', 1, None)


def test_a_session_is_started(live: Live) -> None:
    key = live.key("session")
    live.call(live.client.sessions.start(key, **WORDS))
    assert live.row(SESSION, key) == ("u", "/p", "active", '{"a":1}', 1, None)
    unnamed = live.call(live.client.sessions.start())
    assert live.row("SELECT uid FROM sessions WHERE session_id = ?", unnamed.key) == (unnamed.id,)


def test_a_session_is_got_by_key_id_and_number(live: Live) -> None:
    sessions, key = live.client.sessions, live.key("session")
    saved = live.call(sessions.create(key, user="u"))
    (number,) = live.row("SELECT id FROM sessions WHERE session_id = ?", key)
    rows = [live.call(sessions.get(target)) for target in (key, saved.id, number)]
    assert rows[0] == rows[1] == rows[2]
    assert (rows[0]["session_id"], rows[0]["user_id"], rows[0]["uid"]) == (key, "u", saved.id)
    with pytest.raises(Refused) as refusal:
        live.call(sessions.get(live.key("session")))
    assert refusal.value.code == ErrorCode.NOT_FOUND


def test_a_session_is_changed_and_ends(live: Live) -> None:
    sessions, key = live.client.sessions, live.key("session")
    live.call(sessions.create(key, user="u", project="/p", metadata={"a": 1}))
    for status in ("paused", "archived", "completed", "active"):
        assert live.call(sessions.update(key, status=status)) == 1
        assert live.row(SESSION, key)[2] == status
    live.call(sessions.update(key, metadata={"b": 2}))
    assert live.row(SESSION, key)[3] == '{"b":2}'
    live.call(sessions.update(key, metadata=None))
    assert live.row(SESSION, key)[3] is None
    assert live.call(sessions.end(key)) == 1
    assert live.row(SESSION, key) == ("u", "/p", "completed", None, 1, 1)
    with pytest.raises(Refused, match="does not fit"):
        live.call(sessions.update(key, status="asleep"))


def test_active_sessions_are_a_users_own(live: Live) -> None:
    sessions, user = live.client.sessions, live.key("user")
    keys = [live.key("session") for _ in range(3)]
    for key in keys:
        live.call(sessions.create(key, user=user))
    live.call(sessions.end(keys[1]))
    active = live.call(sessions.active(user))
    query = (
        "SELECT session_id FROM sessions WHERE user_id = ? AND status = 'active'"
        " ORDER BY last_active_at DESC"
    )
    assert [(row["session_id"],) for row in active] == live.rows(query, user)
    assert {row["session_id"] for row in active} == {keys[0], keys[2]}


def test_all_sessions_come_in_pages(live: Live) -> None:
    sessions = live.client.sessions
    for _ in range(5):
        live.call(sessions.create())
    page = live.call(sessions.all(2))
    found = list(page)
    while page.next_cursor is not None:
        page = live.call(sessions.all(2, cursor=page.next_cursor))
        found += page
    query = "SELECT session_id FROM sessions ORDER BY id DESC"
    assert [(row["session_id"],) for row in found] == live.rows(query)


def test_what_is_said_again_changes_nothing(live: Live) -> None:
    key, thread = live.key("session"), live.key("thread")
    now = "2026-01-02T03:04:05Z"
    session = Session(id=uuid7(), key=key, user="u", title="t", created_at=now, metadata={"a": 1})
    conversation = Conversation(id=uuid7(), key=thread, session=key, created_at=now, title="t")
    views = (
        "SELECT s.*, c.*, t.updated_at FROM sessions AS s JOIN conversations AS c"
        " ON c.session_id = s.session_id JOIN conversation_threads AS t"
        " ON t.thread_id = c.conversation_id WHERE s.session_id = ?"
    )
    outcomes = []
    for _ in range(3):
        saved = live.call(live.client.append([session, conversation]))
        outcomes.append([each.outcome for each in saved])
        outcomes.append(live.rows(views, key))
    assert outcomes[::2] == [["created"] * 2, ["existed"] * 2, ["existed"] * 2]
    assert outcomes[1] == outcomes[3] == outcomes[5]
    session.title, conversation.title = "other", "other"
    saved = live.call(live.client.append([session, conversation]))
    assert [each.outcome for each in saved] == ["updated", "updated"]
    query = "SELECT title FROM conversation_threads WHERE thread_id = ?"
    assert live.row(query, thread) == ("other",)


def test_a_conversation_is_made_and_got(live: Live) -> None:
    conversations, key, session = live.client.conversations, live.key("thread"), live.key("s")
    saved = live.call(
        conversations.create(key, session=session, user="u", title="t", metadata={"a": 1})
    )
    assert live.row(CONVERSATION, key) == (session, "t", 0, None, '{"a":1}', 1)
    row = live.call(conversations.get(saved.id))
    assert (row["conversation_id"], row["session_id"], row["title"]) == (key, session, "t")
    threads = "SELECT user_id, title, message_count FROM conversation_threads WHERE thread_id = ?"
    assert live.row(threads, key) == ("u", "t", 0)


def test_a_pair_is_added_whole(live: Live) -> None:
    conversations, key = live.client.conversations, live.key("thread")
    live.call(conversations.create(key))
    added = conversations.add_exchange(key, "why?", "so.", "m", 1.5, tokens={"output": 4})
    uid = live.call(added).id
    shown = [row[1:3] for row in live.rows(f"{MESSAGES} ORDER BY id", key)]
    assert shown == [("user", "why?"), ("assistant", "so.")]
    query = "SELECT prompt_text, response_time_estimate, tokens_used_estimate FROM prompts"
    assert live.row(f"{query} WHERE uid = ?", uid) == ("why?", 1500.0, 4)
    assert live.row(CONVERSATION, key)[2] == 2
    model = "SELECT model_used FROM conversation_messages WHERE thread_id = ? ORDER BY id"
    assert live.rows(model, key) == [(None,), ("m",)]


def test_conversations_of_a_session_and_of_a_user(live: Live) -> None:
    conversations, session, user = live.client.conversations, live.key("s"), live.key("u")
    mine = [live.key("thread") for _ in range(3)]
    for key in mine:
        live.call(conversations.create(key, session=session, user=user))
    live.call(conversations.create(session=live.key("s"), user=user))
    of_session = live.call(conversations.list(session=session, limit=2))
    rest = live.call(conversations.list(session=session, cursor=of_session.next_cursor))
    found = [(row["conversation_id"],) for row in [*of_session, *rest]]
    query = "SELECT conversation_id FROM conversations WHERE session_id = ? ORDER BY id DESC"
    assert found == live.rows(query, session)
    of_user = {row["conversation_id"] for row in live.call(conversations.list(user=user))}
    threads = "SELECT thread_id FROM conversation_threads WHERE user_id = ?"
    assert of_user == {key for (key,) in live.rows(threads, user)}
    assert len(of_user) == 4


def test_messages_are_added_and_read_in_order(live: Live) -> None:
    messages, key = live.client.messages, live.key("thread")
    first = live.call(
        messages.add(key, "system", "be brief", importance=0.5, token_count=2, metadata={"a": 1})
    )
    rest = live.call(
        messages.add_many(
            key, [{"role": role, "content": role} for role in ("user", "assistant", "tool")]
        )
    )
    ids = [first.id, *(saved.id for saved in rest)]
    assert [row[0] for row in live.rows(f"{MESSAGES} ORDER BY id", key)] == ids
    assert live.row(f"{MESSAGES} AND uid = ?", key, ids[0]) == (ids[0], "system", "be brief", 2)
    page = live.call(live.client.conversations.messages(key, 3))
    following = live.call(live.client.conversations.messages(key, 3, cursor=page.next_cursor))
    assert [message.id for message in [*page, *following]] == ids
    assert (page[0].importance, page[0].metadata) == (0.5, {"a": 1})
    with pytest.raises(Refused) as refusal:
        live.call(
            messages.add_many(
                key,
                [
                    {"role": "user", "content": "new"},
                    {"role": "user", "content": "other content", "id": ids[0]},
                ],
            )
        )
    assert refusal.value.code == ErrorCode.CONFLICT
    assert live.row(CONVERSATION, key)[2] == 4


def test_messages_are_found(live: Live) -> None:
    messages, key = live.client.messages, live.key("thread")
    word = live.key("gluon").replace("-", "")
    live.call(messages.add(key, "user", f"one {word}"))
    told = live.call(messages.add(key, "tool", f"two {word}"))
    assert len(live.call(messages.search(word))) == 2
    (found,) = live.call(messages.search(word, role="tool"))
    assert (found.message_id, found.role) == (told.id, "tool")
    query = "SELECT count(*) FROM messages WHERE content LIKE ?"
    assert live.row(query, f"%{word}%") == (2,)
