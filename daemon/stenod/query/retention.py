"""Which transcripts an agent will delete by itself, and when; what was read of them stays here."""

import time
from typing import Any

import apsw

from steno_schema.times import format_ms
from stenod.store.rows import fetch_one

SOON_DAYS = 7
DAY_MS = 86_400_000
_GOING = """
SELECT min(mtime_ns), sum(mtime_ns < ?) FROM source
WHERE agent = ? AND state = 'live' AND NOT is_away AND mtime_ns > 0
"""


def add_retention(
    connection: apsw.Connection, agents: list[dict[str, Any]], told: list[dict[str, Any]]
) -> None:
    """Add to each agent what is known of its clean-up: what goes when, if it keeps to its word.

    ``files_soon`` go within ``SOON_DAYS`` days, those that should be gone among them; ``next_at``
    is when the first does.
    """
    settings = {each.get("agent"): each for each in told}
    for agent in agents:
        said = settings.get(agent["agent"])
        agent["retention"] = None if said is None else said | _going(connection, said)


def _going(connection: apsw.Connection, said: dict[str, Any]) -> dict[str, Any]:
    days = said.get("days")
    if not days:
        return {"next_at": None, "files_soon": 0}
    kept_ms = int(days * DAY_MS)
    soon_ms = time.time_ns() // 1_000_000 + SOON_DAYS * DAY_MS - kept_ms
    row = fetch_one(connection, _GOING, (soon_ms * 1_000_000, said["agent"]))
    oldest_ns, soon = row or (None, None)
    next_ms = None if oldest_ns is None else oldest_ns // 1_000_000 + kept_ms
    return {"next_at": None if next_ms is None else format_ms(next_ms), "files_soon": soon or 0}
