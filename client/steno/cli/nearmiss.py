"""When nothing was found because nothing has that agent, model, project, tag or category at all."""

import re
from typing import TYPE_CHECKING, Literal

from steno.cli.command import Failed
from steno.cli.failures import guess, say
from steno.errors import StenoError

if TYPE_CHECKING:
    from steno.cli.command import Context
    from steno_schema.requests import Filters

Name = Literal["agent", "model", "project", "tag", "category"]
_NAMES: tuple[Name, ...] = ("agent", "model", "project", "tag", "category")
_GROUPS_MAX = 1000
_TOLD_MAX = 5
_IN_QUERY = re.compile(r'(?<!\S)(agent|model|project|tag|category):("[^"]+"|\S+)', re.IGNORECASE)


def tell_near_misses(context: "Context", filters: "Filters", query: str = "") -> None:
    """Say which of the filters' words stand nowhere, and which word was perhaps meant.

    It is only a hint: where the daemon does not help to make it, there is none.
    """
    try:
        _tell(context, filters, query)
    except (StenoError, Failed):
        return


def _tell(context: "Context", filters: "Filters", query: str) -> None:
    for name in _NAMES:
        wanted: list[str] = [*getattr(filters, name), *_in_query(name, query)]
        if not wanted:
            continue
        known = _known(context, name)
        if len(known) == _GROUPS_MAX:
            continue
        for word in wanted:
            if not _is_known(name, word, known):
                say(f"Nothing has the {name} {word[:80]!r}.", _meant(name, word, known))


def _in_query(name: str, query: str) -> list[str]:
    return [word.strip('"') for key, word in _IN_QUERY.findall(query) if key.lower() == name]


def _known(context: "Context", name: Name) -> list[str]:
    from steno_schema.replies import Statistics
    from steno_schema.requests import Stats

    groups = context.ask(Stats(by=name, limit=_GROUPS_MAX), Statistics).groups
    return [str(group["name"]) for group in groups if group.get("name")]


def _is_known(name: Name, word: str, known: list[str]) -> bool:
    if name == "project":
        return any(each == word or each.startswith(f"{word}/") for each in known)
    return word in known


def _meant(name: Name, word: str, known: list[str]) -> str:
    short = {_short(name, each): each for each in known}
    near = guess(_short(name, word), short)
    if near is not None:
        return f"Did you mean {short[near]}?"
    more = " …" if len(known) > _TOLD_MAX else ""
    return f"There is {', '.join(known[:_TOLD_MAX])}{more}." if known else ""


def _short(name: Name, word: str) -> str:
    return word.rstrip("/").rpartition("/")[2] if name == "project" else word
