"""Which folder a Gemini session worked in: newer versions keep it beside the sessions."""

import hashlib
from pathlib import Path

from msgspec import Struct
from msgspec.json import Decoder

from steno.capture.beside import read_beside
from steno.capture.threads import path_of

CHATS = "chats"


class _Projects(Struct):
    projects: dict[str, str] = {}


_PROJECTS: Decoder[_Projects] = Decoder(_Projects)


def chats_of(path: Path) -> Path | None:
    """Return the folder of sessions that ``path`` is in, or in a sub-agent's folder of."""
    return next((parent for parent in path.parents[:2] if parent.name == CHATS), None)


def project_of(path: Path) -> str | None:
    """Return the project of a session's file; None if nothing tells it (any more).

    The folder's ``.project_root`` names it (2026); before, the folder was the path's hash, and
    ``projects.json`` may hold the path.
    """
    chats = chats_of(path)
    if chats is None:
        return None
    folder = chats.parent
    root = read_beside(folder / ".project_root").decode("utf-8", "replace").strip()
    return path_of(root) or _listed(folder)


def _listed(folder: Path) -> str | None:
    data = read_beside(folder.parent.parent / "projects.json")
    try:
        known = _PROJECTS.decode(data).projects if data else {}
    except (ValueError, RecursionError):
        return None
    for project, name in known.items():
        hashed = hashlib.sha256(project.encode("utf-8", "replace")).hexdigest()
        if folder.name in {name, hashed}:
            return path_of(project)
    return None
