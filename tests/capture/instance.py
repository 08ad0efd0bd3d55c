"""A private instance with a folder of transcripts of its own, read as people's are."""

import json
import threading
from pathlib import Path
from typing import Any

from steno.client import Subscription
from steno_schema.replies import ExchangeView
from support.running import RunningDaemon

EVENT_TIMEOUT_S = 60.0
"""Generous: a test that waits for what never comes must only end at some time."""


def transcripts_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*.jsonl") if path.is_file())


def instance_of(folder: Path, agent: str, source: Path | None = None) -> RunningDaemon:
    """Return a daemon that will read copies of what is in ``source``, as ``agent``'s files."""
    if agent == "claude":
        root, environ = folder / "claude" / "projects", {"CLAUDE_CONFIG_DIR": "claude"}
    else:
        root, environ = folder / "codex", {"CODEX_HOME": "codex"}
    root.mkdir(parents=True, exist_ok=True)
    for path in [] if source is None else transcripts_in(source):
        copy = root / path.relative_to(source or path)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    absolute = {name: str(folder / value) for name, value in environ.items()}
    return RunningDaemon(folder / "home", environ=absolute)


def json_of(daemon: RunningDaemon, *arguments: str) -> Any:
    """Return what a command says with ``--json``."""
    done = daemon.steno(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def status_of(daemon: RunningDaemon) -> dict[str, Any]:
    """Return what ``steno capture status`` says of the only agent there is."""
    (agent,) = json_of(daemon, "capture", "status")["agents"]
    assert isinstance(agent, dict)
    return agent


def next_event(subscription: Subscription) -> ExchangeView:
    """Return the next exchange a subscriber hears of."""
    limit = threading.Timer(EVENT_TIMEOUT_S, subscription.close)
    limit.start()
    try:
        for event in subscription:
            return event.exchange
    finally:
        limit.cancel()
    raise AssertionError("nothing was heard of")


def prompt_heard(subscription: Subscription, prompt: str) -> None:
    """Wait until a subscriber hears of a prompt with its answer."""
    while True:
        exchange = next_event(subscription)
        if exchange.prompt == prompt and exchange.output:
            return
