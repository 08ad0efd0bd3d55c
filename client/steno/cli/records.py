"""``steno tasks``, ``errors``, ``preferences`` …: list, show and add, made from one table."""

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from steno.cli.command import Command, Context, Group
from steno.cli.filters import add_filters, add_paging, filters_from
from steno.cli.main import COMMANDS as TABLE
from steno.cli.paging import pages, tell_more
from steno.cli.records_agents import AGENTS
from steno.cli.records_work import WORK
from steno.cli.recordtext import print_record, print_records, print_result
from steno.cli.recordwords import add_words, words_of

if TYPE_CHECKING:
    from steno.cli.recordkinds import Action, RecordKind

RECORDS = {**WORK, **AGENTS}


def _group(name: str, kind: "RecordKind") -> Group:
    summary = TABLE[name].summary
    sentence = f"{summary[0].upper()}{summary[1:]}."
    actions = {"list": Command(f"{sentence} Newest first.", kind.example, *_list(kind))}
    if kind.has_show:
        example = f"steno {name} show 12"
        actions["show"] = Command("Show one in full.", example, _configure_show, _show(kind))
    for word, action in kind.actions.items():
        actions[word] = Command(action.summary, action.example, *_action(kind, action))
    return Group(sentence, kind.example, actions, default="list")


def _list(
    kind: "RecordKind",
) -> tuple[Callable[[argparse.ArgumentParser], None], Callable[[Context], int]]:
    def configure(parser: argparse.ArgumentParser) -> None:
        add_filters(parser, only=kind.filters, limit=None)
        for flag, column in kind.where.items():
            parser.add_argument(
                f"--{flag}",
                dest=f"where_{column}",
                action="append",
                default=[],
                metavar=flag.upper(),
                help=f"whose {column.replace('_', ' ')} is this; given again, any of them",
            )
        add_paging(parser)

    def run(context: Context) -> int:
        from steno.rows import named
        from steno_schema.replies import Rows
        from steno_schema.requests import List

        args, screen = context.args, context.screen
        where = {column: getattr(args, f"where_{column}") for column in kind.where.values()}
        request = List(
            type=kind.type,
            filters=filters_from(args),
            where={column: values for column, values in where.items() if values},
            cursor=args.cursor,
        )
        items: list[dict[str, Any]] = []
        following: str | None = None
        for page in pages(context, request, Rows, args.limit):
            items += [named(row) for row in page.items]
            following = page.next_cursor
        if args.json:
            screen.json({"items": items, "next_cursor": following})
        elif items:
            screen.start_pager()
            print_records(screen, kind.columns, items)
            tell_more(screen, following)
        return _found(context, items)

    return configure, run


def _configure_show(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID", help="a key, an id, the beginning of one, or a number")


def _show(kind: "RecordKind") -> Callable[[Context], int]:
    def run(context: Context) -> int:
        from steno.rows import named
        from steno_schema.replies import Rows
        from steno_schema.requests import Get

        request = Get(target=context.args.id, type=kind.type)
        items = [named(row) for row in context.ask(request, Rows).items]
        for item in items:
            print_record(context.screen, item, as_json=context.args.json)
        return _found(context, items)

    return run


def _action(
    kind: "RecordKind", action: "Action"
) -> tuple[Callable[[argparse.ArgumentParser], None], Callable[[Context], int]]:
    def configure(parser: argparse.ArgumentParser) -> None:
        add_words(parser, action)

    def run(context: Context) -> int:
        words = words_of(action, context.args)
        verb = getattr(getattr(context.client, kind.namespace), action.verb)
        found = print_result(context, verb(**words))
        return _found(context, found)

    return configure, run


def _found(context: Context, found: object) -> int:
    from steno.cli.failures import NOTHING_FOUND, say

    if found:
        return 0
    if not context.args.json:
        say("Nothing found.")
    return NOTHING_FOUND


COMMANDS = {name: _group(name, kind) for name, kind in RECORDS.items()}
