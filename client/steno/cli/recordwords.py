"""From the table's options to flags, and from what was typed to the keywords of a verb."""

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from steno.cli.command import WrongUse, amount, count
from steno.cli.filters import project_path

if TYPE_CHECKING:
    from steno.cli.recordkinds import Action, Option


def add_words(parser: argparse.ArgumentParser, action: "Action") -> None:
    """Add the arguments and flags of an action; what is not given is not in the namespace."""
    required = len(action.arguments) - action.optional
    for place, option in enumerate(action.arguments):
        settings: dict[str, Any] = {"metavar": option.flag, "help": option.help}
        if place >= required:
            settings |= {"nargs": "?", "default": argparse.SUPPRESS}
        parser.add_argument(option.name, type=_READERS.get(option.kind, str), **settings)
    for option in action.options:
        flag = f"--{option.flag or option.name.replace('_', '-')}"
        parser.add_argument(flag, dest=option.name, **_settings(option))


def words_of(action: "Action", args: argparse.Namespace) -> dict[str, Any]:
    """Return the verb's keywords that were given."""
    given = vars(args)
    words: dict[str, Any] = {}
    for option in (*action.arguments, *action.options):
        if option.name in given:
            value = given[option.name]
            words[option.name] = _labels(value) if option.kind == "labels" else value
    return words


def _settings(option: "Option") -> dict[str, Any]:
    settings: dict[str, Any] = {"help": option.help, "default": argparse.SUPPRESS}
    if option.kind == "answer":
        return settings | {"action": argparse.BooleanOptionalAction}
    if option.kind == "choice":
        return settings | {"choices": option.choices}
    settings["metavar"] = _METAVARS.get(option.kind, (option.flag or option.name).upper())
    if option.kind in {"words", "labels"}:
        return settings | {"action": "append"}
    return settings | {"type": _READERS.get(option.kind, str)}


def _labels(pairs: list[str]) -> dict[str, str]:
    labels: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not name or not equals:
            raise WrongUse(f"{pair[:40]!r} is no label.", "Example: --label model=gpt-5.")
        labels[name] = value
    return labels


def _number(text: str) -> float:
    value = float(text)
    if not -1e15 < value < 1e15:
        raise argparse.ArgumentTypeError("must be an ordinary number")
    return value


def _share(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError("must be a number from 0 to 1")
    return value


def _severity(text: str) -> int:
    value = int(text)
    if not 0 <= value <= 10:
        raise argparse.ArgumentTypeError("must be a whole number from 0 to 10")
    return value


def _object(text: str) -> dict[str, Any]:
    import msgspec

    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
        raise argparse.ArgumentTypeError(
            "is not a JSON object; example: '{\"run\": 7}'"
        ) from error


_READERS: dict[str, Callable[[str], Any]] = {
    "count": count,
    "number": _number,
    "amount": amount,
    "share": _share,
    "severity": _severity,
    "json": _object,
    "project": project_path,
}
_METAVARS = {
    "count": "N",
    "number": "N",
    "amount": "USD",
    "share": "0..1",
    "severity": "0..10",
    "json": "JSON",
    "labels": "NAME=VALUE",
}
