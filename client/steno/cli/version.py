"""``steno version``: what this program is, without asking the daemon."""

import sys

from steno.cli.command import Command, Context, no_arguments
from steno_schema import PROTOCOL, __version__


def _run(context: Context) -> int:
    python = ".".join(str(part) for part in sys.version_info[:3])
    if context.args.json:
        context.screen.json({"version": __version__, "protocol": PROTOCOL, "python": python})
    else:
        context.screen.line(f"steno {__version__} (protocol {PROTOCOL}, Python {python})")
    return 0


COMMANDS = {
    "version": Command(
        "Print the version of this program; steno status tells that of the daemon.",
        "steno version --json",
        no_arguments,
        _run,
    )
}
