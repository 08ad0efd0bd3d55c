"""How long agents keep their own transcripts: what they delete is kept here.

Claude Code: ``cleanupPeriodDays`` (30 by default) in ``settings.json`` beside its ``projects``, unless
the machine's managed settings say otherwise; at a start it deletes transcripts not written for so
long; 0 writes none at all. Gemini CLI: ``general.sessionRetention`` in ``settings.json`` beside its
``tmp``: on by default, ``maxAge`` of 30 days, ``maxCount`` sessions at most.
"""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from msgspec import Struct

from steno.capture.agent import Agent

CLAUDE_DEFAULT_DAYS = 30.0
GEMINI_DEFAULT_DAYS = 30.0
MANAGED_SETTINGS = Path("/etc/claude-code/managed-settings.json")
SETTINGS_MAX_BYTES = 4 * 1024 * 1024
_DAYS = {"h": 1 / 24, "d": 1.0, "w": 7.0, "m": 30.0}
_AGE = re.compile(r"(\d{1,6})([hdwm])")


class Retention(Struct, frozen=True):
    """What an agent deletes by itself.

    ``days``: files not written for so long; ``most``: all but so many. ``said_by`` is the file
    that says so, or ``default``.
    """

    agent: str
    said_by: str
    days: float | None = None
    most: int | None = None


def retentions(roots: list[tuple[Agent, Path]]) -> list[Retention]:
    """Return what is known of each agent's own clean-up, the sooner one of several."""
    found: dict[str, Retention] = {}
    for agent, root in roots:
        read = _READERS.get(agent.name)
        told = read(root) if read is not None and root.is_dir() else None
        if told is not None and _is_sooner(told, found.get(agent.name)):
            found[agent.name] = told
    return list(found.values())


def _is_sooner(told: Retention, known: Retention | None) -> bool:
    if known is None or known.days is None:
        return True
    return told.days is not None and told.days < known.days


def _claude(root: Path) -> Retention | None:
    for path in (MANAGED_SETTINGS, root.parent / "settings.json"):
        days = _settings(path).get("cleanupPeriodDays")
        if isinstance(days, int | float) and not isinstance(days, bool) and days >= 0:
            return Retention("claude-code", str(path), float(days))
    return Retention("claude-code", "default", CLAUDE_DEFAULT_DAYS)


def _gemini(root: Path) -> Retention | None:
    path = root.parent / "settings.json"
    said = _map(_map(_settings(path).get("general")).get("sessionRetention"))
    if said.get("enabled") is False:
        return None
    if not said:
        return Retention("gemini", "default", GEMINI_DEFAULT_DAYS)
    age = _AGE.fullmatch(str(said.get("maxAge", "30d")))
    most = said.get("maxCount")
    return Retention(
        "gemini",
        str(path),
        int(age[1]) * _DAYS[age[2]] if age else None,
        most if isinstance(most, int) else None,
    )


_READERS: dict[str, Callable[[Path], Retention | None]] = {
    "claude-code": _claude,
    "gemini": _gemini,
}


def _settings(path: Path) -> dict[str, Any]:
    """Return an agent's settings; what cannot be read says nothing."""
    try:
        with path.open("rb") as file:
            return _map(json.loads(file.read(SETTINGS_MAX_BYTES)))
    except (OSError, ValueError, RecursionError):
        return {}


def _map(value: object) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}
