"""Find transcripts below the agents' folders. A scan is the guarantee, events are the hint."""

import os
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from steno.capture.agent import Agent


class Found(Struct, frozen=True):
    """What has a transcript's name, as its folder entry shows it; whether it is one, reading says."""

    agent: Agent
    path: Path
    size_bytes: int
    mtime_ns: int
    inode: int


def scan(roots: list[tuple[Agent, Path]]) -> list[Found]:
    """Return every transcript, the one written last first."""
    found = [each for agent, root in roots for each in _below(agent, root)]
    return sorted(found, key=lambda each: each.mtime_ns, reverse=True)


def _below(agent: Agent, root: Path) -> Iterator[Found]:
    folders = [os.fspath(root)]
    while folders:
        try:
            with os.scandir(folders.pop()) as entries:
                listed = list(entries)
        except OSError:
            continue
        for entry in listed:
            try:
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)
                elif is_wanted(agent, entry.path):
                    status = entry.stat(follow_symlinks=False)
                    yield Found(
                        agent,
                        Path(entry.path),
                        status.st_size,
                        status.st_mtime_ns,
                        status.st_ino,
                    )
            except OSError:
                continue


def is_wanted(agent: Agent, path: str) -> bool:
    """Tell whether a name is a transcript's; a name that is no text cannot be kept."""
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return agent.is_transcript(Path(path))


def agent_of(roots: list[tuple[Agent, Path]], path: Path) -> Agent | None:
    """Return whose transcript ``path`` is, or ``None``."""
    for agent, root in roots:
        if path.is_relative_to(root) and is_wanted(agent, os.fspath(path)):
            return agent
    return None
