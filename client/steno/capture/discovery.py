"""Find transcripts below the agents' folders. A scan is the guarantee, events are the hint."""

import os
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from steno.capture.agent import Agent
from steno.capture.compressed import is_superseded, plain_name
from steno.capture.source import Unreadable
from steno.capture.tail import LINES


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
                    if agent.is_entered(Path(entry.path)):
                        folders.append(entry.path)
                elif is_wanted(agent, entry.path) and not is_superseded(path := Path(entry.path)):
                    yield _found(agent, path)
            except OSError:
                continue


def _found(agent: Agent, path: Path) -> Found:
    try:
        look = agent.reader(path).look(path)
    except Unreadable:
        look = LINES.look(path)
    return Found(agent, path, look.size_bytes, look.mtime_ns, look.inode)


def is_wanted(agent: Agent, path: str) -> bool:
    """Tell whether a name is a transcript's; a name that is no text cannot be kept."""
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return agent.is_transcript(Path(path))


def source_of(roots: list[tuple[Agent, Path]], path: Path) -> tuple[Agent, Path] | None:
    """Return the source that a file which changed is part of, and whose it is; or ``None``."""
    for agent, root in roots:
        source = agent.source_of(path) if path.is_relative_to(root) else None
        if source is not None and is_wanted(agent, os.fspath(source)):
            return agent, plain_name(source) if is_superseded(source) else source
    return None
