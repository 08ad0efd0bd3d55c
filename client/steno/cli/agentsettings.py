"""Agents' settings files with our hooks in them, or no longer; everything else stays as it is.

Both Claude Code (``settings.json``) and Codex (``hooks.json``) keep hooks as
``{"hooks": {EVENT: [{"matcher": …, "hooks": [{"type": "command", "command": …}]}]}}``.
"""

import json
import os
import shlex
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, cast

from msgspec import Struct

from steno.cli.command import Failed

TIMEOUT_S = 2
_MARK = "hook.py"
Settings = dict[str, Any]


class HookedAgent(Struct, frozen=True):
    """Where an agent keeps its hooks, and which events are worth a call: event → matcher."""

    name: str
    variable: str
    folder: str
    file: str
    events: dict[str, str | None]
    remark: str = ""

    def path(self, environ: Mapping[str, str]) -> Path:
        home = Path(environ.get("HOME") or Path.home())
        chosen = environ.get(self.variable)
        return (Path(chosen).expanduser() if chosen else home / self.folder) / self.file


HOOKED = {
    agent.name: agent
    for agent in (
        HookedAgent(
            "claude-code",
            "CLAUDE_CONFIG_DIR",
            ".claude",
            "settings.json",
            dict.fromkeys(
                ("SessionStart", "UserPromptSubmit", "Stop", "SubagentStop", "SessionEnd"), None
            ),
        ),
        HookedAgent(
            "codex",
            "CODEX_HOME",
            ".codex",
            "hooks.json",
            {
                **dict.fromkeys(("SessionStart", "UserPromptSubmit", "Stop", "SubagentStop")),
                "PreToolUse": ".*spawn_agent",
                "SessionEnd": None,
            },
            "Codex runs a hook only once you have approved it: type /hooks in Codex.",
        ),
    )
}


def command(agent: HookedAgent, socket: Path) -> str:
    """Return the shell command of a hook: the interpreter without site, our one file, its socket."""
    from steno import hook

    words = [sys.executable, "-I", "-S", hook.__file__, agent.name, str(socket)]
    return " ".join(shlex.quote(word) for word in words)


def read(path: Path) -> Settings:
    """Return what stands in a settings file; nothing for one that is not there."""
    try:
        found = _map(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise Failed(
            f"{path} cannot be read: {error}.", "Mend it first; nothing changed."
        ) from None
    if found is None or _map(found.get("hooks", {})) is None:
        raise Failed(f"{path} does not hold settings as known.", "Nothing was changed.")
    return found


def _map(value: Any) -> Settings | None:
    return cast("Settings", value) if isinstance(value, dict) else None


def _list(value: Any) -> list[Any] | None:
    return [*cast("Iterable[Any]", value)] if isinstance(value, list) else None


def without(settings: Settings, agent: HookedAgent) -> Settings:
    """Return the settings without our hooks; what is empty then goes too."""
    events: Settings = {}
    for event, held in (_map(settings.get("hooks")) or {}).items():
        groups = _list(held)
        left = held if groups is None else _groups_without(groups, agent)
        if left:
            events[event] = left
    changed = {name: value for name, value in settings.items() if name != "hooks"}
    return {**changed, "hooks": events} if events else changed


def _groups_without(groups: list[Any], agent: HookedAgent) -> list[Any]:
    left: list[Any] = []
    for each in groups:
        group = _map(each) or {}
        held = _list(group.get("hooks")) or []
        others = [entry for entry in held if not _is_ours(entry, agent)]
        if others == held:
            left.append(each)
        elif others:
            left.append({**group, "hooks": others})
    return left


def _is_ours(entry: Any, agent: HookedAgent) -> bool:
    said = (_map(entry) or {}).get("command")
    if not isinstance(said, str):
        return False
    try:
        words = shlex.split(said)
    except ValueError:
        return False
    names = [Path(word).name for word in words]
    return _MARK in names and agent.name in words and "steno" in said


def with_hooks(settings: Settings, agent: HookedAgent, said: str) -> Settings:
    """Return the settings with our hooks, once each, whatever stood there."""
    plain = without(settings, agent)
    events: dict[str, Any] = dict(plain.get("hooks", {}))
    for event, matcher in agent.events.items():
        ours: dict[str, Any] = {} if matcher is None else {"matcher": matcher}
        ours["hooks"] = [{"type": "command", "command": said, "timeout": TIMEOUT_S}]
        events[event] = [*events.get(event, []), ours]
    return {**plain, "hooks": events}


def text_of(settings: Settings) -> str:
    return json.dumps(settings, indent=2, ensure_ascii=False) + "\n"


def write(path: Path, settings: Settings) -> Path | None:
    """Write the settings, whole or not at all; return the copy of what stood there before."""
    target = path.resolve()
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    copy = None
    mode = 0o600
    if target.exists():
        mode = target.stat().st_mode & 0o777
        copy = _copy(target)
    partial = target.with_name(f".{target.name}.{os.getpid()}")
    partial.touch(mode=0o600)
    partial.write_text(text_of(settings), encoding="utf-8")
    partial.chmod(mode)
    partial.replace(target)
    return copy


def _copy(target: Path) -> Path:
    import shutil

    number = 1
    while (copy := target.with_name(f"{target.name}.before-steno-{number}")).exists():
        number += 1
    shutil.copy2(target, copy)
    return copy
