"""What verbs return besides the structs of ``steno_schema.replies``."""

from collections.abc import Iterable
from typing import Literal, TypeVar

from msgspec import Struct

from steno_schema.replies import Results, SearchResult

Item = TypeVar("Item")
StoredIn = Literal["daemon", "spool", "batch"]


class Saved(Struct, frozen=True, kw_only=True):
    """A record that will not be lost; as text it is its id.

    ``stored`` says who has it: the ``daemon`` (committed), the ``spool`` (synced to disk, taken in
    when the daemon is back) or a ``batch`` that is not sent yet. ``outcome`` is what the daemon
    made of it, ``None`` until it has it. ``key`` is the name of a session or conversation.
    """

    id: str
    stored: StoredIn
    outcome: str | None = None
    key: str | None = None

    def __str__(self) -> str:
        return self.id


class Page(list[Item]):
    """A list of records, and the cursor that leads to the next page (``None``: the last one)."""

    def __init__(self, items: Iterable[Item] = (), next_cursor: str | None = None) -> None:
        super().__init__(items)
        self.next_cursor = next_cursor


class Found(Page[SearchResult]):
    """Search results. ``complete`` is false when the index is ``behind`` by that many changes."""

    complete: bool = True
    behind: int = 0


def found(reply: Results) -> Found:
    """Return search results with what the reply said about them."""
    results = Found(reply.results, reply.next_cursor)
    results.complete, results.behind = reply.complete, reply.behind
    return results
