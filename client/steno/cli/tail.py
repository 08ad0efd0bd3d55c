"""``steno tail``: new exchanges as they come."""

import argparse
from typing import Any

from msgspec.structs import asdict

from steno.cli.command import Command, Context, count
from steno.cli.exchanges import base_name
from steno.cli.filters import add_filters, filters_from
from steno.cli.following import follow
from steno.cli.nearmiss import tell_near_misses
from steno.cli.screen import Screen, escape_line
from steno.cli.tables import clip
from steno_schema.replies import Event, ExchangeView


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--after", metavar="SEQUENCE", type=count, help="first those after this one, then live"
    )
    add_filters(parser, limit=None)


def _run(context: Context) -> int:
    args, screen = context.args, context.screen
    filters = filters_from(args)
    if not args.json:
        tell_near_misses(context, filters)
    words: Any = asdict(filters)
    for event in follow(context.client, args.after, words):
        if args.json:
            _print_json(screen, event)
        else:
            print_event(screen, event.exchange)
        screen.flush()
    return 0


def _print_json(screen: Screen, event: Event) -> None:
    from steno.cli.jsontext import plain, to_json

    told = {"sequence": event.sequence, "exchange": plain(event.exchange)}
    screen.line(to_json(told, ascii_only=not screen.speaks_unicode))


def print_event(screen: Screen, exchange: ExchangeView) -> None:
    """Print one line; on a terminal clipped to its width."""
    clock = exchange.created_at[11:19] if screen.is_terminal else exchange.created_at
    parts = [clock, exchange.agent or "-", base_name(exchange.project) or "-"]
    head = [escape_line(part) for part in parts]
    room = screen.width - len("  ".join(head)) - 2 if screen.is_terminal else 500
    prompt = clip(escape_line(exchange.prompt), max(room, 10))
    styled = [
        screen.style(text, style)
        for text, style in zip(head, ("dim", "cyan", "blue"), strict=True)
    ]
    gap = "  " if screen.is_terminal else "\t"
    screen.line(gap.join([*styled, prompt]))


COMMANDS = {
    "tail": Command(
        "Follow new exchanges live, until Ctrl-C.",
        "steno tail --agent claude-code",
        _configure,
        _run,
    )
}
