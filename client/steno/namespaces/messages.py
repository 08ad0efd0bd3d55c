"""``client.messages``: single messages of conversations."""

from collections.abc import Iterable, Mapping
from typing import Any, Literal, TypedDict, Unpack

from steno.errors import Misuse
from steno.filters import FilterWords, When, filters_of, time_text
from steno.results import Found, Page, Saved, found
from steno.rows import amended
from steno.storing import valid_text
from steno.verbs import Namespace, Runner, Steps, ask, store, store_one, verb
from steno_schema.ids import uuid7
from steno_schema.records import Message, MessageKind, Role
from steno_schema.replies import Messages as MessagesReply
from steno_schema.replies import MessageView, Results
from steno_schema.requests import Filters, List, Search


class MessageFields(TypedDict, total=False):
    """What a message may be added with besides conversation, role and content."""

    id: str
    kind: MessageKind
    session: str | None
    exchange: str | None
    created_at: When
    model: str | None
    token_count: int | None
    processing_time_s: float | None
    importance: float | None
    tool_name: str | None
    call_id: str | None
    is_error: bool
    metadata: Mapping[str, Any] | None


class Messages(Namespace[Runner]):
    """Add messages one by one, find them again."""

    @verb
    def add(
        self, conversation: str, role: Role, content: str, **fields: Unpack[MessageFields]
    ) -> Steps[Saved]:
        """Add a message to a conversation (its key); an unknown key makes a conversation.

        Raises ``Misuse`` for a value that breaks a rule; without a daemon it is spooled.

        Example::

            client.messages.add("pr-7", "user", "Is it done?", importance=0.8)
        """
        words = {**fields, "conversation": conversation, "role": role, "content": content}
        return (yield from store_one(_message(words)))

    @verb
    def add_many(
        self, conversation: str, messages: Iterable[Mapping[str, Any]]
    ) -> Steps[list[Saved]]:
        """Add messages in order, all of them or none.

        Each is a map with ``role``, ``content`` and any of ``MessageFields``.

        Raises what ``add`` raises.

        Example::

            client.messages.add_many("pr-7", [{"role": "user", "content": "Is it done?"}])
        """
        records = [_message({**words, "conversation": conversation}) for words in messages]
        return (yield from store(*records))

    @verb
    def search(
        self,
        query: str,
        *,
        limit: int = 20,
        cursor: str | None = None,
        rank: Literal["best", "recent", "exact"] = "best",
        **words: Unpack[FilterWords],
    ) -> Steps[Found]:
        """Search messages; one result for each exchange, with its best matching message.

        Raises ``Unreachable`` without a daemon.

        Example::

            found = client.messages.search("timeout", role="tool")
        """
        search = Search(
            query=query, filters=filters_of(words), limit=limit, cursor=cursor, rank=rank
        )
        return found((yield from ask(search, Results)))

    @verb
    def recent(
        self, session: str | None = None, limit: int = 20, *, cursor: str | None = None
    ) -> Steps[Page[MessageView]]:
        """Return the newest messages (of a session), newest first.

        Raises ``Unreachable`` without a daemon.

        Example::

            page = client.messages.recent("release 1.2", 10)
        """
        filters = Filters(session=[] if session is None else [session])
        request = List(
            type="message", filters=filters, limit=limit, cursor=cursor, newest_first=True
        )
        reply = yield from ask(request, MessagesReply)
        return Page(reply.items, reply.next_cursor)

    @verb
    def set_importance(self, message: str | int, importance: float | None) -> Steps[int]:
        """Set how important a message is, from 0 to 1 (``None``: unsaid).

        The message is named by its UUID, a unique prefix of one, or its number. Returns how many
        messages changed. Raises ``Refused`` if there is none or the value is out of range.

        Example::

            client.messages.set_importance(message_id, 0.9)
        """
        return (yield from amended("message", message, {"importance": importance}))

    @verb
    def mark_summarised(self, message: str | int, summary: str | None = None) -> Steps[int]:
        """Mark a message as summarised and, with ``summary``, put that in its place.

        The text it had first is kept as ``original_content`` and shown by the view ``messages``;
        search finds the summary. Returns how many messages changed. Raises ``Refused``
        (``not_found``) if there is none.

        Example::

            client.messages.mark_summarised(message_id, "They agreed on plan B.")
        """
        changes: dict[str, Any] = {"is_summarized": True}
        if summary is not None:
            changes["content"] = valid_text(summary)
        return (yield from amended("message", message, changes))


def _message(words: Mapping[str, Any]) -> Message:
    fields = {name: value for name, value in words.items() if value is not None}
    fields.setdefault("id", uuid7())
    if "created_at" in fields:
        fields["created_at"] = time_text(fields["created_at"])
    if "content" in fields:
        fields["content"] = valid_text(fields["content"])
    try:
        return Message(**fields)
    except TypeError as error:
        raise Misuse(f"A message cannot be added so: {error}.") from None
