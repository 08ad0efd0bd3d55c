"""``steno show``: one exchange in full."""

import argparse

from steno.cli.command import Command, Context, Failed
from steno.cli.exchanges import print_full
from steno_schema.replies import Exchanges, ExchangeView
from steno_schema.requests import Get


def fetch(context: Context, target: str) -> ExchangeView:
    """Return the exchange ``target`` names; ``Refused`` (not found) when there is none."""
    reply = context.ask(Get(target=target), Exchanges)
    if not reply.items:
        raise Failed("The daemon found the exchange but did not send it.", "Try again.")
    return reply.items[0]


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID", help="an id, the beginning of one, or its number")


def _run(context: Context) -> int:
    exchange = fetch(context, context.args.id)
    if context.args.json:
        from steno.cli.jsontext import plain

        context.screen.json(plain(exchange))
    else:
        context.screen.start_pager()
        print_full(context.screen, exchange)
    return 0


COMMANDS = {
    "show": Command("Show one exchange in full.", "steno show 42", _configure, _run),
}
