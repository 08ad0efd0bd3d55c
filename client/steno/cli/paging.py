"""Reading in pages: as many requests as ``--limit`` needs, never more than one page in memory."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, TypeVar

import msgspec

from steno.cli.failures import say
from steno.cli.filters import page_size
from steno.cli.screen import escape_line
from steno_schema.replies import Reply
from steno_schema.requests import List, Search

if TYPE_CHECKING:
    from steno.cli.command import Context
    from steno.cli.screen import Screen

PageType = TypeVar("PageType", bound=Reply)
EXPORT_PAGE = 200
"""Records a page where many pages follow: small enough for any record, large enough for speed."""


def pages(
    context: "Context",
    request: List | Search,
    page_type: type[PageType],
    limit: int | None,
) -> Iterator[PageType]:
    """Yield the pages of ``request`` until ``limit`` records came, all of them for ``None``."""
    left = limit
    while True:
        size = page_size(left) if left is not None else EXPORT_PAGE
        page = context.ask(msgspec.structs.replace(request, limit=size), page_type)
        cursor: str | None = getattr(page, "next_cursor", None)
        if left is not None:
            left -= _length(page)
        yield page
        if cursor is None or (left is not None and left <= 0):
            return
        request = msgspec.structs.replace(request, cursor=cursor)


def tell_more(screen: "Screen", cursor: str | None) -> None:
    """Tell that a list goes on, and how to see more of it; in a pipe on stderr."""
    if cursor is None:
        return
    if screen.is_terminal:
        screen.line(screen.style(f"more: --cursor {escape_line(cursor)}", "dim"))
    else:
        say("There is more.", f"--limit N raises the number, --cursor {cursor} goes on from here.")


def _length(page: Reply) -> int:
    held: list[object] = getattr(page, "items", None) or getattr(page, "results", None) or []
    return len(held)
