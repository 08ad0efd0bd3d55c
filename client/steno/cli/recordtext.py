"""How records of any kind look: a table of some, one in full, or what a verb returned."""

from typing import TYPE_CHECKING, Any

import msgspec

from steno.cli.exchanges import base_name
from steno.cli.jsontext import is_list, is_map, plain, to_json
from steno.cli.screen import escape_line
from steno.cli.stats import money
from steno.results import Saved

if TYPE_CHECKING:
    from collections.abc import Sequence

    from steno.cli.command import Context
    from steno.cli.screen import Screen

_TIMES = ("_at", "timestamp", "first_seen", "last_seen")
_JSON = {"context_json": "context", "data_json": "data", "labels_json": "labels"}


def print_records(
    screen: "Screen", columns: "Sequence[str]", items: "Sequence[dict[str, Any]]"
) -> None:
    """Print a table: on a terminal the columns that matter, in a pipe all there are."""
    if screen.is_terminal:
        names = [_JSON.get(name, name) for name in columns]
        names = ["number", *names] if "number" in items[0] else names
    else:
        names = list(items[0])
    rows = [[_cell(screen, name, item.get(name)) for name in names] for item in items]
    screen.table(["id" if name == "number" else _header(name) for name in names], rows)


def print_record(screen: "Screen", item: dict[str, Any], *, as_json: bool) -> None:
    """Print one record, a line for each of its fields that says something."""
    if as_json:
        screen.json(item)
        return
    screen.start_pager()
    width = max(len(_header(name)) for name in item)
    for name, value in item.items():
        if value not in (None, ""):
            text = str(_cell(screen, name, value))
            label = screen.style(f"{_header(name):<{width}}", "dim")
            lines = text.split("\n")
            screen.line(f"{label}  {escape_line(lines[0])}")
            if len(lines) > 1:
                screen.text("\n".join(lines[1:]), indent=" " * (width + 2))


def print_result(context: "Context", result: object) -> bool:
    """Print what a verb returned; tell whether it was anything."""
    screen, as_json = context.screen, context.args.json
    if isinstance(result, Saved):
        _print_saved(context, result)
    elif isinstance(result, int):
        if as_json:
            screen.json({"changed": result})
        elif result:
            screen.line("changed")
        return result > 0
    elif isinstance(result, str):
        screen.json({"value": result}) if as_json else screen.text(result)
    elif is_list(result):
        items = [plain(item) for item in result]
        if as_json:
            screen.json({"items": items})
        elif items:
            screen.start_pager()
            print_records(screen, list(items[0]), items)
        return bool(items)
    elif isinstance(result, msgspec.Struct):
        print_record(screen, plain(result), as_json=as_json)
    elif as_json:
        screen.json(result)
    return result is not None


def _print_saved(context: "Context", saved: Saved) -> None:
    from steno.cli.failures import say

    if context.args.json:
        told = {"id": saved.id, "stored": saved.stored, "outcome": saved.outcome}
        context.screen.json(told)
        return
    context.screen.line(saved.id)
    if saved.stored == "spool":
        say("The daemon is away: kept in the spool until it runs.", "Start it with steno up.")


def _cell(screen: "Screen", name: str, value: Any) -> object:
    if is_map(value) or is_list(value):
        return to_json(value)
    if value is None or isinstance(value, bool):
        return value
    if name.endswith(_TIMES):
        return screen.time(str(value))
    if name == "success":
        return bool(value)
    if not screen.is_terminal:
        return value
    if name == "cost_usd":
        return money(value)
    if name == "project_id":
        return base_name(str(value))
    if isinstance(value, float):
        return f"{value:.2f}".rstrip("0").rstrip(".")
    return screen.number(value)


def _header(name: str) -> str:
    return name.replace("_", " ")
