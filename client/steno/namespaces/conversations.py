"""``client.conversations``: threads of messages; a conversation is named by its key (or id)."""

from collections.abc import Mapping
from typing import Any, Unpack

from steno.namespaces.history import ExchangeFields, exchange_of
from steno.namespaces.sessions import Row, now_text, only
from steno.results import Page, Saved
from steno.verbs import Namespace, Runner, Steps, ask, store_one, verb
from steno_schema.ids import uuid7
from steno_schema.records import Conversation
from steno_schema.replies import Messages, MessageView, Rows
from steno_schema.requests import Filters, Get, List


class Conversations(Namespace[Runner]):
    """Create conversations, add to them, read them."""

    @verb
    def create(
        self,
        key: str | None = None,
        *,
        session: str | None = None,
        user: str | None = None,
        title: str | None = None,
        parent: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        id: str | None = None,
    ) -> Steps[Saved]:
        """Create a conversation; without a key its id is its key. ``parent`` is another's key."""
        record_id = id or uuid7()
        now = now_text()
        conversation = Conversation(
            id=record_id,
            key=key or record_id,
            session=session or self.context.session(),
            parent=parent,
            user=user or self.context.user(),
            title=title,
            created_at=now,
            started_at=now,
            metadata=None if metadata is None else dict(metadata),
        )
        return (yield from store_one(conversation))

    @verb
    def add_exchange(
        self,
        conversation: str,
        prompt: str,
        output: str = "",
        model: str | None = None,
        processing_time_s: float | None = None,
        **fields: Unpack[ExchangeFields],
    ) -> Steps[Saved]:
        """Store a prompt and its answer in a conversation, both or neither."""
        words: dict[str, Any] = {**fields, "conversation": conversation, "model": model}
        if processing_time_s is not None:
            words["response_time_ms"] = processing_time_s * 1000
        words["user"] = words.get("user") or self.context.user()
        words["project"] = words.get("project") or self.context.project()
        return (yield from store_one(exchange_of(prompt, output, words)))

    @verb
    def get(self, conversation: str | int) -> Steps[Row]:
        """Return one conversation; raise ``Refused`` (``not_found``) if there is none."""
        reply = yield from ask(Get(target=str(conversation), type="conversation"), Rows)
        return only(reply, "conversation", conversation)

    @verb
    def list(
        self,
        *,
        session: str | None = None,
        user: str | None = None,
        limit: int = 100,
        cursor: str | None = None,
    ) -> Steps[Page[Row]]:
        """Return conversations (of a session, of a user) in pages, newest first."""
        filters = Filters(
            session=[] if session is None else [session], user=[] if user is None else [user]
        )
        request = List(type="conversation", filters=filters, limit=limit, cursor=cursor)
        reply = yield from ask(request, Rows)
        return Page(reply.items, reply.next_cursor)

    @verb
    def messages(
        self, conversation: str, limit: int = 100, *, cursor: str | None = None
    ) -> Steps[Page[MessageView]]:
        """Return a conversation's messages in pages, in their order."""
        filters = Filters(conversation=[conversation])
        request = List(type="message", filters=filters, limit=limit, cursor=cursor)
        reply = yield from ask(request, Messages)
        return Page(reply.items, reply.next_cursor)
