"""``steno config show``: the settings in force; the daemon is not asked."""

import argparse
from typing import Any

from steno.cli.command import Command, Context
from steno.cli.failures import say
from steno.cli.jsontext import plain, to_json
from steno_schema.config import load_usable

_CHECK_FAILED = 1


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=("show",))
    parser.add_argument("--origin", action="store_true", help="also where each value comes from")


def _run(context: Context) -> int:
    paths = context.paths
    loaded = load_usable(paths)
    settings: dict[str, dict[str, Any]] = {
        section: plain(values) for section, values in plain(loaded.settings).items()
    }
    places = {name: str(getattr(paths, name)) for name in ("config", "data", "socket", "spool")}
    if context.args.json:
        told: dict[str, Any] = {"settings": settings, "paths": places}
        if context.args.origin:
            told["origins"] = loaded.origins
        told["problems"] = loaded.problems
        context.screen.json(told)
        return _CHECK_FAILED if loaded.problems else 0
    for name, place in places.items():
        context.screen.text(f"# {name}: {place}")
    rows = [
        [f"{section}.{name}", to_json(value)]
        for section, values in settings.items()
        for name, value in values.items()
    ]
    if context.args.origin:
        rows = [[*row, loaded.origins[row[0]]] for row in rows]
    headers = ["setting", "value", "origin"] if context.args.origin else ["setting", "value"]
    context.screen.table(headers, rows, header_in_pipe=False)
    for problem in loaded.problems:
        say(f"{problem}.", "It is at its default.")
    return _CHECK_FAILED if loaded.problems else 0


COMMANDS = {
    "config": Command(
        "Show the settings in force: defaults, then config.toml, then the environment.",
        "steno config show --origin",
        _configure,
        _run,
    )
}
