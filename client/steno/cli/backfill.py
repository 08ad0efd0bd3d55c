"""How far the agents' files are read, and waiting for it."""

import threading
import time
from typing import TYPE_CHECKING, Any

from steno.cli.progress import Progress
from steno.cli.quantities import duration_text, size_text
from steno_schema.replies import Done
from steno_schema.requests import Admin

if TYPE_CHECKING:
    from steno.cli.command import Context

_BACKFILL = Admin(action="capture_status", arguments={"backfill_only": True})
_RESCAN = Admin(action="rescan", arguments={"wait": True})
_RESCAN_TIMEOUT_S = 86_400.0
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
            progress.show(done, total or None, "files", note=speed(backfill))
            time.sleep(_BETWEEN_LOOKS_S)


def read_all(context: "Context") -> bool:
    """Have everything read that there is, showing how far it is; ``False`` if capture is off."""
    waiting = _Rescan(context)
    waiting.start()
    with Progress("reading the agents' files") as progress:
        while waiting.is_alive():
            backfill = context.ask(_BACKFILL, Done).result.get("backfill")
            _, done, total = backfill_of(backfill)
            progress.show(done, total or None, "files", note=speed(backfill))
            waiting.join(_BETWEEN_LOOKS_S)
    if waiting.error is not None:
        raise waiting.error
    return waiting.is_on


class _Rescan(threading.Thread):
    """Asks for a rescan and waits for its end."""

    def __init__(self, context: "Context") -> None:
        super().__init__(name="rescan", daemon=True)
        self._context = context
        self.is_on = False
        self.error: Exception | None = None

    def run(self) -> None:
        try:
            done = self._context.ask(_RESCAN, Done, timeout_s=_RESCAN_TIMEOUT_S)
            self.is_on = done.changed > 0
        except Exception as error:
            self.error = error


def speed(backfill: dict[str, Any] | None) -> str:
    """Return how fast it goes and how long it will take, as far as that is known."""
    if not backfill or not backfill.get("rate"):
        return ""
    parts = [f"{size_text(backfill['rate'])}/s"]
    left_s = backfill.get("left_s")
    if left_s is not None:
        parts.append(f"{duration_text(max(left_s, 1))} left")
    return ", ".join(parts)


def backfill_of(backfill: dict[str, Any] | None) -> tuple[str, int, int]:
    """Return (state, files read, files in all); no report means that capture is off."""
    if not backfill:
        return "off", 0, 0
    done, total = backfill.get("files_done") or 0, backfill.get("files_total") or 0
    return str(backfill.get("state", "off")), int(done), int(total)
