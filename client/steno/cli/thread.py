"""``steno thread``: one conversation as it went, sub-agents and tools included."""

import argparse
from typing import Any

from steno.cli.command import Command, Context
from steno.cli.filters import add_paging
from steno.cli.paging import pages
from steno.cli.screen import Screen, escape_line
from steno_schema.replies import Messages, MessageView, Rows
from steno_schema.requests import Filters, Get, List

_SHORT_LINES = 6
_STYLE_OF_ROLE = {"user": "green", "assistant": "cyan", "system": "dim", "tool": "yellow"}
_NOTHING_FOUND = 1


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID", help="a conversation, or an exchange in it")
    parser.add_argument(
        "--full", action="store_true", help="tool results and thoughts in full, not shortened"
    )
    add_paging(parser, None)


def _run(context: Context) -> int:
    args, screen = context.args, context.screen
    key = args.id
    messages = _read(context, key)
    if not messages.items:
        key = _conversation_of(context, key)
        messages = _read(context, key)
    if args.json:
        from steno.cli.jsontext import plain

        screen.json({"items": plain(messages.items), "next_cursor": messages.next_cursor})
    elif messages.items:
        screen.start_pager()
        for message in messages.items:
            _print(screen, message, full=args.full)
    if messages.items:
        return 0
    if not args.json:
        from steno.cli.failures import say

        say("This conversation has no messages.")
    return _NOTHING_FOUND


def _read(context: Context, key: str) -> Messages:
    args = context.args
    request = List(type="message", filters=Filters(conversation=[key]), cursor=args.cursor)
    whole = Messages(items=[])
    for page in pages(context, request, Messages, args.limit):
        whole = Messages(items=whole.items + page.items, next_cursor=page.next_cursor)
    return whole


def _conversation_of(context: Context, target: str) -> str:
    """Return the key of the conversation that ``target`` names, or whose exchange it names."""
    from steno.cli.show import fetch
    from steno.errors import Refused

    try:
        rows: list[dict[str, Any]] = context.ask(
            Get(target=target, type="conversation"), Rows
        ).items
        if rows:
            return str(rows[0]["conversation_id"])
    except Refused as refusal:
        if refusal.code != "not_found":
            raise
    return fetch(context, target).conversation_id or target


def _print(screen: Screen, message: MessageView, *, full: bool) -> None:
    label = message.role if message.kind == "text" else f"{message.role} {message.kind}"
    if message.tool_name:
        label += f" {message.tool_name}"
    facts = [screen.time(message.created_at), message.model or ""]
    if message.is_error:
        facts.append("failed")
    told = "  ".join(escape_line(fact) for fact in facts if fact)
    style = _STYLE_OF_ROLE.get(message.role, "bold")
    screen.line(f"{screen.style(f'── {escape_line(label)}', style)}  {screen.style(told, 'dim')}")
    lines = message.content.split("\n")
    if message.kind == "text" or full or len(lines) <= _SHORT_LINES + 1:
        screen.text(message.content)
    else:
        screen.text("\n".join(lines[:_SHORT_LINES]))
        rest = len(lines) - _SHORT_LINES
        screen.line(screen.style(f"… {rest} more lines; --full shows them", "dim"))
    screen.line()


COMMANDS = {
    "thread": Command(
        "Show one conversation as it went.",
        "steno thread 0f8fad5b-d9cb-469f-a165-70867728950e --full",
        _configure,
        _run,
    ),
}
