"""``steno rate``, ``tag`` and ``note``: say something about an exchange afterwards."""

import argparse
from typing import Any

from steno.cli.command import Command, Context, WrongUse, rating
from steno_schema.replies import Done
from steno_schema.requests import Amend

_ID_HELP = "an id, the beginning of one, or its number"


def _configure_rate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID", help=_ID_HELP)
    parser.add_argument("rating", metavar="0..10", type=rating)


def _run_rate(context: Context) -> int:
    args = context.args
    return _amend(context, Amend(target=args.id, set={"rating": args.rating}))


def _configure_tag(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID", help=_ID_HELP)
    parser.add_argument(
        "changes",
        metavar="+tag/-tag",
        nargs="*",
        help="+tag (or only tag) puts it on, -tag takes it off",
    )


def _run_tag(context: Context) -> int:
    added, removed = split_tags(context.args.changes)
    if not added and not removed:
        raise WrongUse("which tags?", "Example: steno tag 42 +auth -draft.")
    amend = Amend(target=context.args.id, add_tags=added, remove_tags=removed)
    return _amend(context, amend)


def split_tags(words: list[str]) -> tuple[list[str], list[str]]:
    """Return the tags to put on and those to take off."""
    added: list[str] = []
    removed: list[str] = []
    for word in (word.strip() for word in words):
        tags = removed if word.startswith("-") else added
        name = word[1:] if word.startswith(("+", "-")) else word
        if not name:
            raise WrongUse(f"{word!r} names no tag.", "Example: steno tag 42 +auth -draft.")
        tags.append(name)
    return added, removed


def _configure_note(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID", help=_ID_HELP)
    parser.add_argument("text", metavar="TEXT", nargs="+", help="an empty text removes the note")


def _run_note(context: Context) -> int:
    text = " ".join(context.args.text)
    return _amend(context, Amend(target=context.args.id, set={"notes": text or None}))


def _amend(context: Context, amend: Amend) -> int:
    done = context.ask(amend, Done)
    if context.args.json:
        result: dict[str, Any] = {"changed": done.changed, **done.result}
        context.screen.json(result)
    else:
        context.screen.line("changed" if done.changed else "nothing to change")
    return 0


COMMANDS = {
    "rate": Command(
        "Rate an exchange from 0 (useless) to 10.", "steno rate 42 9", _configure_rate, _run_rate
    ),
    "tag": Command(
        "Put tags on an exchange, or take them off.",
        "steno tag 42 +auth -draft",
        _configure_tag,
        _run_tag,
        dashes_are_words=True,
    ),
    "note": Command(
        "Write a note to an exchange, in place of the one before.",
        "steno note 42 'The second idea worked.'",
        _configure_note,
        _run_note,
    ),
}
