"""What an agent's hook tells: which transcript to look at now, and what stands in none.

Events and fields of Claude Code 2.1 and Codex 0.169 (both use the same shape; Gemini CLI and Qwen
Code too), and Codex's ``notify``, whose fields have hyphens. Only a hook knows:

* that a session has ended, and why (``SessionEnd``: ``reason``);
* what a sub-agent of Codex was told (``PreToolUse`` of ``…spawn_agent``: ``message``), which its
  rollout holds encrypted.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from steno_schema.ids import uuid8
from steno_schema.records import AgentInteraction, AnyRecord, Session
from steno_schema.times import format_ms

_KEY_MAX_CHARS = 200
_TASK_MAX_CHARS = 100_000


class Event(Struct, kw_only=True):
    """The fields that are of use; every other is ignored, and so is one of another type."""

    hook_event_name: str = ""
    session_id: str = ""
    transcript_path: str | None = None
    agent_transcript_path: str | None = None
    cwd: str | None = None
    reason: str | None = None
    tool_name: str = ""
    tool_use_id: str = ""
    tool_input: Any = None


class Told(Struct, frozen=True):
    """Files to read now, records that stand in none of them, and the folder of the work."""

    paths: list[Path] = []
    records: list[AnyRecord] = []
    folder: str | None = None


class _Spawn(Struct):
    message: str = ""


class _Argument(Struct):
    agent: str
    event: Event


_decoder = msgspec.json.Decoder(_Argument)


def told(argument: str, now_ms: int | None = None) -> Told:
    """Return what a hook's event means; nothing for what is not understood."""
    try:
        called = _decoder.decode(argument)
    except (ValueError, RecursionError):
        return Told()
    event = called.event
    named = (event.transcript_path, event.agent_transcript_path)
    paths = [Path(path) for path in named if path and "\n" not in path]
    make = _RECORDS.get(event.hook_event_name)
    usable = make is not None and 0 < len(event.session_id) <= _KEY_MAX_CHARS
    now = format_ms(time.time_ns() // 1_000_000 if now_ms is None else now_ms)
    records = make(called.agent, event, now) if make is not None and usable else []
    return Told(paths, records, event.cwd)


def _ended(agent: str, event: Event, now: str) -> list[AnyRecord]:
    reason = {"end_reason": event.reason[:_KEY_MAX_CHARS]} if event.reason else None
    return [
        Session(
            id=uuid8(agent, "session", event.session_id),
            key=event.session_id,
            agent=agent,
            ended_at=now,
            metadata=reason,
        )
    ]


def _spawned(agent: str, event: Event, now: str) -> list[AnyRecord]:
    try:
        task = msgspec.convert(event.tool_input, _Spawn).message
    except msgspec.ValidationError:
        return []
    if not event.tool_name.endswith("spawn_agent") or not task:
        return []
    return [
        AgentInteraction(
            id=uuid8(agent, "spawn", event.session_id, event.tool_use_id),
            conversation=event.session_id,
            agent_type="subagent",
            task_description=task[:_TASK_MAX_CHARS],
            started_at=now,
        )
    ]


_RECORDS: dict[str, Callable[[str, Event, str], list[AnyRecord]]] = {
    "SessionEnd": _ended,
    "PreToolUse": _spawned,
}
