"""Which project a folder belongs to: the git root above it, else the folder itself."""

import os
from pathlib import Path


def project_of(folder: str | Path) -> str:
    """Return the absolute path of ``folder``'s project; the folder need not exist.

    A project is the nearest folder, upwards, that holds ``.git`` (a folder, or a file as in
    worktrees and submodules). No process is started and nothing but names is looked at.
    """
    start = os.path.abspath(folder)
    current = start
    while True:
        if os.path.lexists(os.path.join(current, ".git")):
            return current
        parent = os.path.dirname(current)
        if parent == current:
            return start
        current = parent
