"""How far the agents' files are read, and waiting for it."""

import time
from typing import TYPE_CHECKING, Any

from steno.cli.progress import Progress
from steno_schema.replies import Done
from steno_schema.requests import Admin

if TYPE_CHECKING:
    from steno.cli.command import Context

_BACKFILL = Admin(action="capture_status", arguments={"backfill_only": True})
_BETWEEN_LOOKS_S = 0.1
_OVER = ("done", "off")


def follow(
    context: "Context", *, until_newest: bool, at_most_s: float | None
) -> dict[str, Any] | None:
    """Show the backfill's progress until it is over; return how far it came.

    With ``until_newest`` until the newest sessions are searchable; ``at_most_s`` seconds at most.
    """
    end = None if at_most_s is None else time.monotonic() + at_most_s
    with Progress("reading the agents' files") as progress:
        while True:
            result = context.ask(_BACKFILL, Done).result
            backfill: dict[str, Any] | None = result.get("backfill")
            state, done, total = backfill_of(backfill)
            if state in _OVER or (until_newest and backfill and backfill.get("newest_ready")):
                return backfill
            if end is not None and time.monotonic() > end:
                return backfill
            progress.show(done, total or None, "files")
            time.sleep(_BETWEEN_LOOKS_S)


def backfill_of(backfill: dict[str, Any] | None) -> tuple[str, int, int]:
    """Return (state, files read, files in all); no report means that capture is off."""
    if not backfill:
        return "off", 0, 0
    done, total = backfill.get("files_done") or 0, backfill.get("files_total") or 0
    return str(backfill.get("state", "off")), int(done), int(total)
