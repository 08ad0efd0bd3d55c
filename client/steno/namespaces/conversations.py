"""``client.conversations``: threads of messages; a conversation is named by its key (or id)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Unpack

from steno.errors import Misuse
from steno.exchanges import ExchangeFields, exchange_of
from steno.filters import now_text
from steno.results import Page, Saved
from steno.rows import Row, amended, only
from steno.verbs import Namespace, Runner, Steps, ask, store_one, verb
from steno_schema.ids import uuid7
from steno_schema.limits import PAGE_MAX
from steno_schema.records import Conversation
from steno_schema.replies import Messages, MessageView, Rows
from steno_schema.requests import Filters, Get, List

if TYPE_CHECKING:
    from steno.prompt_context import PromptContext

_CONTEXT_PAGE = 100
_SYSTEM_MESSAGES_MAX = 100
Found = list[MessageView]


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
        """Create a conversation; without a key its id is its key. ``parent`` is another's key.

        Raises ``Misuse`` for a value that breaks a rule; without a daemon it is spooled.

        Example::

            thread = client.conversations.create(title="Login bug").key
        """
        record_id = id or uuid7()
        now = now_text()
        conversation = Conversation(
            id=record_id,
            key=key or record_id,
            session=session or self._context.session(),
            parent=parent,
            user=user or self._context.user(),
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
        """Store a prompt and its answer in a conversation, both or neither.

        The processing time is in seconds. Raises what ``history.save`` raises.

        Example::

            client.conversations.add_exchange(thread, "Why?", "Because.", "gpt-5", 1.5)
        """
        words: dict[str, Any] = {**fields, "conversation": conversation, "model": model}
        if processing_time_s is not None:
            words["response_time_ms"] = processing_time_s * 1000
        words["user"] = words.get("user") or self._context.user()
        words["project"] = words.get("project") or self._context.project()
        return (yield from store_one(exchange_of(prompt, output, words)))

    @verb
    def get(self, conversation: str | int) -> Steps[Row]:
        """Return one conversation; raise ``Refused`` (``not_found``) if there is none.

        Example::

            print(client.conversations.get(thread)["message_count"])
        """
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
        """Return conversations (of a session, of a user) in pages, newest first.

        Raises ``Unreachable`` without a daemon.

        Example::

            page = client.conversations.list(user="ada", limit=20)
        """
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
        """Return a conversation's messages in pages, in their order.

        Raises ``Unreachable`` without a daemon.

        Example::

            for message in client.conversations.messages(thread):
                print(message.role, message.content)
        """
        filters = Filters(conversation=[conversation])
        request = List(type="message", filters=filters, limit=limit, cursor=cursor)
        reply = yield from ask(request, Messages)
        return Page(reply.items, reply.next_cursor)

    @verb
    def end(self, conversation: str | int) -> Steps[int]:
        """Mark a conversation ended, now. Returns how many conversations changed.

        Raises ``Refused`` (``not_found``) if there is none.

        Example::

            client.conversations.end("pr-7")
        """
        return (yield from amended("conversation", conversation, {"ended_at": now_text()}))

    @verb
    def summarise(self, conversation: str | int, summary: str | None) -> Steps[int]:
        """Set a conversation's summary (``None`` empties it). Returns how many changed.

        Raises ``Refused`` (``not_found``) if there is no such conversation.

        Example::

            client.conversations.summarise("pr-7", "The login bug is fixed and tested.")
        """
        return (yield from amended("conversation", conversation, {"summary": summary}))

    @verb
    def context(
        self,
        conversation: str,
        limit: int = 10,
        max_tokens: int | None = None,
        *,
        tool_result_max_chars: int = 2000,
    ) -> "Steps[PromptContext]":
        """Return the last ``limit`` messages of a conversation (its key), ready for a prompt.

        System messages are always kept and not counted by ``limit``. With ``max_tokens`` the
        oldest of the others are dropped first, a tool call together with its result. A longer
        tool result keeps its beginning and end, ``tool_result_max_chars`` characters in all.
        Thoughts, notices and tool calls without a result are left out. Tokens are those recorded
        with a message, else an estimate: see ``PromptContext``. Raises ``Misuse`` if the system
        messages alone take more than ``max_tokens``; an unknown conversation is an empty one.

        Example::

            context = client.conversations.context("pr-7", limit=20, max_tokens=4000)
            reply = openai_client.chat.completions.create(model=model, messages=context.openai())
        """
        from steno.prompt_context import prompt_context  # only some programs need it

        if limit < 1:
            raise Misuse(f"A context has at least one message, not {limit}.")
        spoken = yield from _newest_usable(conversation, limit)
        filters = Filters(conversation=[conversation], role=["system"])
        request = List(type="message", filters=filters, limit=_SYSTEM_MESSAGES_MAX)
        system = (yield from ask(request, Messages)).items
        return prompt_context(
            system, spoken, max_tokens=max_tokens, tool_result_max_chars=tool_result_max_chars
        )


def _newest_usable(conversation: str, limit: int) -> Steps[Found]:
    """Return the last ``limit`` messages that can be said again, in their order."""
    from steno.prompt_context import is_usable

    found: Found = []
    cursor: str | None = None
    while True:
        request = List(
            type="message",
            filters=Filters(conversation=[conversation]),
            limit=min(max(limit, _CONTEXT_PAGE), PAGE_MAX),
            cursor=cursor,
            newest_first=True,
        )
        reply = yield from ask(request, Messages)
        found += [message for message in reply.items if is_usable(message)]
        cursor = reply.next_cursor
        if len(found) >= limit or cursor is None:
            return found[:limit][::-1]
