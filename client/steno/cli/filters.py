"""The filters that commands share, as flags and as the request's ``Filters``."""

import argparse
from collections.abc import Collection
from typing import TYPE_CHECKING, Any, cast, get_args

from steno.cli.command import WrongUse
from steno_schema.limits import PAGE_MAX
from steno_schema.records import Role
from steno_schema.requests import Filters

if TYPE_CHECKING:
    from steno.filters import FilterWords

DEFAULT_LIMIT = 20
_LISTS = ("tag", "model", "framework", "agent", "project", "session", "conversation", "user",
          "role", "category", "complexity", "stage")  # fmt: skip
_HELP = {
    "tag": "has this tag; given again, has all of them",
    "model": "answered by this model",
    "framework": "made with this framework",
    "agent": "of this agent: claude-code, codex, python …",
    "project": "in this folder or below; . is this folder's project",
    "session": "in this session",
    "conversation": "in this conversation",
    "user": "of this user",
    "role": "the matching message is of this role",
    "category": "of this category",
    "complexity": "of this complexity",
    "stage": "of this development stage",
}


def add_filters(
    parser: argparse.ArgumentParser,
    *,
    days: bool = True,
    limit: int | None = DEFAULT_LIMIT,
    only: Collection[str] | None = None,
) -> None:
    """Add the filter flags. ``days`` false: without those of time; ``limit`` ``None``: no paging.

    ``only``: just these, for records that have no more. A flag given more than once holds
    alternatives, but ``--tag``, where all must be there.
    """
    if only is not None and not only:
        return
    group = parser.add_argument_group("filters")
    if days and (only is None or "since" in only):
        start = group.add_mutually_exclusive_group()
        when = "not before: 2026-01-31, 7d, yesterday"
        start.add_argument("--since", metavar="WHEN", help=when)
        start.add_argument("--today", action="store_true", help="since midnight")
        start.add_argument("--week", action="store_true", help="since Monday")
        group.add_argument("--until", metavar="WHEN", help="not after: like --since")
    for name in _LISTS:
        if only is not None and name not in only:
            continue
        choices = get_args(Role) if name == "role" else None
        group.add_argument(
            f"--{name}",
            action="append",
            default=[],
            metavar=name.upper(),
            choices=choices,
            help=_HELP[name],
        )
    if only is None:
        group.add_argument("--rating", metavar="N", type=_number, help="rated N or better")
        group.add_argument("--min-cost", metavar="USD", type=_number, help="cost at least this")
    if limit is not None:
        add_paging(parser, limit)


def add_paging(parser: argparse.ArgumentParser, limit: int | None = DEFAULT_LIMIT) -> None:
    """Add ``--limit`` and ``--cursor``."""
    told = f" ({limit} unless told)" if limit else ""
    parser.add_argument(
        "--limit", metavar="N", type=at_least_one, default=limit, help=f"at most N{told}"
    )
    parser.add_argument("--cursor", metavar="C", help="go on where another page ended")


def filters_from(args: argparse.Namespace) -> Filters:
    """Return the ``Filters`` that the flags mean."""
    given: dict[str, Any] = {name: list(getattr(args, name, [])) for name in _LISTS}
    for name, values in given.items():
        if not all(value.strip() for value in values):
            raise WrongUse(f"--{name} is empty.", "Give it a value, or leave it out.")
    given["project"] = [project_path(text) for text in given["project"]]
    filters = Filters(
        min_rating=getattr(args, "rating", None), min_cost=getattr(args, "min_cost", None), **given
    )
    filters.since = getattr(args, "since", None)
    filters.until = getattr(args, "until", None)
    if getattr(args, "today", False):
        filters.since = "today"
    if getattr(args, "week", False):
        filters.since = this_monday()
    return filters


def is_empty(filters: Filters) -> bool:
    """Tell whether nothing is filtered at all."""
    return filters == Filters()


def words_of(filters: Filters) -> "FilterWords":
    """Return filters as the keyword arguments of the client."""
    values = {name: getattr(filters, name) for name in filters.__struct_fields__}
    return cast("FilterWords", {name: value for name, value in values.items() if value})


def project_path(text: str) -> str:
    """Return the project that ``text`` names: ``.`` is this folder's, ``~`` and ``..`` are paths."""
    import os

    if text == ".":
        from steno.projects import project_of

        return project_of(os.getcwd())
    if text.startswith(("./", "../", "~")) or text == "..":
        return os.path.abspath(os.path.expanduser(text))
    return text.rstrip("/") or text


def this_monday() -> str:
    """Return the date of this week's Monday, in the local zone."""
    from datetime import datetime, timedelta

    today = datetime.now().astimezone().date()
    return (today - timedelta(days=today.weekday())).isoformat()


def page_size(limit: int | None) -> int:
    """Return how many records to ask for at once to get ``limit`` of them."""
    return PAGE_MAX if limit is None else min(limit, PAGE_MAX)


def _number(text: str) -> float:
    value = float(text)
    if not -1e15 < value < 1e15:
        raise argparse.ArgumentTypeError("must be an ordinary number")
    return value


def at_least_one(text: str) -> int:
    """Return a whole number from 1 on, or raise argparse's error with a sentence."""
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError("must be 1 or more, a whole number")
    return int(text)
