"""The agents there are, and which of their folders are to be read."""

import os
from collections.abc import Mapping
from pathlib import Path

from steno.capture import claude_code, codex, copilot, crush, gemini, llm, opencode, pi, qwen
from steno.capture.agent import Agent
from steno_schema.config import Capture
from steno_schema.paths import Paths

AGENTS: tuple[Agent, ...] = (
    claude_code.AGENT,
    codex.AGENT,
    opencode.AGENT,
    llm.AGENT,
    gemini.AGENT,
    qwen.AGENT,
    pi.AGENT,
    copilot.AGENT,
    crush.AGENT,
)


def roots(
    paths: Paths, settings: Capture, environ: Mapping[str, str] | None = None
) -> list[tuple[Agent, Path]]:
    """Return the folders to read, each with its agent; they need not exist yet.

    A private instance (``STENO_HOME``) reads only what is named: by the agent's own variable or by
    the configuration. Otherwise an agent's usual folders are read.
    """
    env = os.environ if environ is None else environ
    chosen: list[tuple[Agent, Path]] = []
    for agent in AGENTS:
        named = settings.roots.get(agent.name)
        if named is not None:
            chosen += [(agent, Path(folder).expanduser()) for folder in named]
        elif not paths.private or any(env.get(name) for name in agent.variables):
            chosen += [(agent, folder) for folder in agent.roots(env)]
    return [(agent, folder.absolute()) for agent, folder in chosen]
