"""Every kind of record, one after the other, for JSON Lines.

Exchanges come first, oldest first. Filters choose exchanges; of the rest comes what these belong
to: their sessions, their conversations and their messages.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from steno.cli.filters import is_empty
from steno.cli.paging import pages
from steno_schema.replies import Exchanges, Messages, Rows
from steno_schema.requests import Filters, List, ListType

if TYPE_CHECKING:
    from steno.cli.command import Context

_KEYS_AT_ONCE = 100


class Chosen:
    """What the exported exchanges belong to."""

    def __init__(self) -> None:
        self.exchanges: set[str] = set()
        self.sessions: dict[str, None] = {}
        self.conversations: dict[str, None] = {}


def records(context: "Context", filters: Filters) -> Iterator[tuple[str, Any]]:
    """Yield (type, record) of everything that ``filters`` choose."""
    limit: int | None = context.args.limit
    everything = is_empty(filters) and limit is None
    chosen = None if everything else Chosen()
    request = List(filters=filters, oldest_first=limit is None)
    for page in pages(context, request, Exchanges, limit):
        for item in page.items:
            if chosen is not None:
                chosen.exchanges.add(item.id)
                chosen.sessions |= {item.session_id: None} if item.session_id else {}
                chosen.conversations |= (
                    {item.conversation_id: None} if item.conversation_id else {}
                )
            yield "exchange", item
    if chosen is None:
        yield from _all(context)
    else:
        yield from _around(context, chosen)


def _all(context: "Context") -> Iterator[tuple[str, Any]]:
    yield from _rows(context, "session", Filters())
    yield from _rows(context, "conversation", Filters())
    for page in pages(context, List(type="message", oldest_first=True), Messages, None):
        for message in page.items:
            yield "message", message


def _around(context: "Context", chosen: Chosen) -> Iterator[tuple[str, Any]]:
    for keys in _slices(list(chosen.sessions)):
        yield from _rows(context, "session", Filters(session=keys))
    for keys in _slices(list(chosen.conversations)):
        yield from _rows(context, "conversation", Filters(conversation=keys))
    for keys in _slices(list(chosen.conversations)):
        request = List(type="message", filters=Filters(conversation=keys))
        for page in pages(context, request, Messages, None):
            for message in page.items:
                if message.exchange_id in chosen.exchanges:
                    yield "message", message


def _rows(context: "Context", kind: ListType, filters: Filters) -> Iterator[tuple[str, Any]]:
    request = List(type=kind, filters=filters, oldest_first=True)
    for page in pages(context, request, Rows, None):
        for row in page.items:
            yield kind, row


def _slices(keys: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(keys), _KEYS_AT_ONCE):
        yield keys[start : start + _KEYS_AT_ONCE]
