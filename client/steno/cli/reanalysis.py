"""How far the analysis of all of history is, and waiting for it."""

import time
from typing import TYPE_CHECKING, Any

from steno.cli.progress import Progress
from steno_schema.replies import StatusReport
from steno_schema.requests import Status

if TYPE_CHECKING:
    from steno.cli.command import Context

_FOLLOWERS = ("analysis", "acts", "plugin")
_BETWEEN_LOOKS_S = 0.1


def follow(context: "Context") -> int:
    """Show the progress until the rules and the plug-in are through; return how many exchanges."""
    with Progress("analysing") as progress:
        while True:
            report = context.ask(Status(), StatusReport).report
            followers: dict[str, int] = report.get("followers") or {}
            counts: dict[str, int] = report.get("counts") or {}
            plugin: dict[str, Any] = report.get("plugin") or {}
            total = counts.get("exchanges", 0)
            if not any(followers.get(name) for name in _FOLLOWERS):
                return total
            done = counts.get("analysed", 0) - int(plugin.get("waiting") or 0)
            progress.show(max(done, 0), total or None, "exchanges")
            time.sleep(_BETWEEN_LOOKS_S)
