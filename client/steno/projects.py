"""Which project a folder belongs to (the git root above it, else itself), and which stay out."""

import os
from pathlib import Path

IGNORE_FILE = ".stenoignore"
"""A file of this name keeps its project out."""


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


def stays_out(project: str, patterns: tuple[str, ...]) -> bool:
    """Tell whether a project's ``.stenoignore`` or one of the ``patterns`` keeps it out.

    Looked at anew each time: who says that a project stays out means from now on. A project that
    is no absolute path is but a name: only patterns keep it out.
    """
    if patterns:
        from fnmatch import fnmatch  # hardly anybody has patterns

        if any(fnmatch(project, pattern) for pattern in patterns):
            return True
    try:
        return os.path.isabs(project) and os.path.exists(os.path.join(project, IGNORE_FILE))
    except ValueError:  # a name that no file can have
        return False
