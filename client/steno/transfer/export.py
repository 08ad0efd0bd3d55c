"""Exporting: the steps from the daemon's pages to text, a page at a time."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple, Protocol

import msgspec

from steno.cli.jsontext import plain, to_json
from steno.errors import Misuse
from steno.transfer import chat, csvcells
from steno.transfer.formats import FORMATS, Format, format_of
from steno.transfer.markdown import markdown_of
from steno.transfer.outfile import OutFile
from steno.verbs import Steps, ask, work
from steno_schema.exported import HEADER
from steno_schema.paths import Paths
from steno_schema.replies import Exchanges, ExchangeView, Messages, MessageView, Rows
from steno_schema.requests import Export, Filters, List

PAGE_EXCHANGES = 200
"""Small enough for any record, large enough for speed."""
Progress = Callable[[int], object]


class Sink(Protocol):
    """What takes an export's text: an open text file, for one."""

    def write(self, text: str, /) -> object: ...


class Plan(NamedTuple):
    """What is to be exported, and how."""

    format: Format
    filters: Filters
    limit: int | None = None
    tools: bool = False
    progress: Progress = lambda _done: None


def plan_format(target: object, format: str | None) -> Format:
    """Return the format that was asked for, in so many words or by the file's name."""
    if format is None:
        is_named = isinstance(target, str | Path)
        return format_of(str(target)) if is_named else "json"
    for known in FORMATS:
        if known == format:
            return known
    raise Misuse(f"There is no format {format!r}.", f"There are: {', '.join(FORMATS)}.")


def export_file(path: Path, plan: Plan, paths: Paths, *, overwrite: bool) -> Steps[int]:
    """Write an export to a file that appears when it is whole; return how many records."""
    out = yield from work(lambda: OutFile(path, paths, overwrite=overwrite))
    with out:
        count = yield from export_text(out.write, plan)
        yield from work(out.commit)
    return count


def export_text(write: Callable[[str], object], plan: Plan) -> Steps[int]:
    """Write an export's text piece by piece; return how many records (lines, for ``chat``)."""
    if plan.limit is not None and plan.limit < 1:
        raise Misuse("The limit must be 1 or more.")
    if plan.format == "jsonl":
        return (yield from _records(write, plan))
    if plan.format == "chat":
        return (yield from _chats(write, plan))
    return (yield from _exchanges(write, plan, _LAYOUTS[plan.format]))


class Layout(NamedTuple):
    """How a list of exchanges is written."""

    head: str
    item: Callable[[ExchangeView], str]
    between: str = ""
    tail: str = ""
    empty: str | None = None
    """The whole text where there is no exchange, if that is not head and tail."""


def _json_item(item: ExchangeView) -> str:
    return to_json(plain(item))


def _csv_item(item: ExchangeView) -> str:
    return csvcells.line_of(csvcells.cells_of(item))


_LAYOUTS: dict[Format, Layout] = {
    "json": Layout("[\n", _json_item, ",\n", "\n]\n", "[]\n"),
    "csv": Layout(csvcells.line_of(csvcells.HEADER), _csv_item),
    "md": Layout("# Exchanges\n\n", markdown_of),
}


def _exchanges(write: Callable[[str], object], plan: Plan, layout: Layout) -> Steps[int]:
    count = 0
    request = List(filters=plan.filters)
    while True:
        left = PAGE_EXCHANGES if plan.limit is None else plan.limit - count
        request = msgspec.structs.replace(request, limit=min(left, PAGE_EXCHANGES))
        page = yield from ask(request, Exchanges)
        if page.items:
            text = layout.between.join(layout.item(item) for item in page.items)
            start = layout.between if count else layout.head
            yield from work(partial(write, start + text))
        count += len(page.items)
        plan.progress(count)
        if page.next_cursor is None or count == plan.limit:
            break
        request = msgspec.structs.replace(request, cursor=page.next_cursor)
    nothing = layout.head + layout.tail if layout.empty is None else layout.empty
    yield from work(partial(write, layout.tail if count else nothing))
    return count


def _records(write: Callable[[str], object], plan: Plan) -> Steps[int]:
    yield from work(partial(write, to_json(HEADER) + "\n"))
    count = 0
    request: Export | None = Export(filters=plan.filters, newest=plan.limit)
    while request is not None:
        page = yield from ask(request, Rows)
        text = "".join(to_json(item) + "\n" for item in page.items)
        yield from work(partial(write, text))
        count += len(page.items)
        plan.progress(count)
        request = _following(request, page.next_cursor)
    return count


def _chats(write: Callable[[str], object], plan: Plan) -> Steps[int]:
    count = 0
    request: Export | None = Export(filters=plan.filters, types=["conversation"])
    while request is not None:
        page = yield from ask(request, Rows)
        for conversation in page.items:
            if conversation["kind"] != "main":
                continue
            messages = yield from _messages(plan.filters, conversation["key"])
            found = chat.chat_of(messages, tools=plan.tools)
            if found:
                line = to_json({"messages": found}) + "\n"
                yield from work(partial(write, line))
                count += 1
                plan.progress(count)
            if count == plan.limit:
                return count
        request = _following(request, page.next_cursor)
    return count


def _messages(filters: Filters, conversation: str) -> Steps[list[MessageView]]:
    """Return the messages of a conversation that the filters choose, in their order."""
    chosen = msgspec.structs.replace(filters, conversation=[conversation])
    request = List(type="message", filters=chosen, limit=PAGE_EXCHANGES)
    messages: list[MessageView] = []
    while True:
        page = yield from ask(request, Messages)
        messages += page.items
        if page.next_cursor is None:
            return messages
        request = msgspec.structs.replace(request, cursor=page.next_cursor)


def _following(request: Export, cursor: str | None) -> Export | None:
    return None if cursor is None else msgspec.structs.replace(request, cursor=cursor)
