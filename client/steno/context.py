"""What a client knows besides its connection: paths, settings, and defaults for new records."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from steno.projects import project_of
from steno_schema.ids import uuid7
from steno_schema.paths import Paths, resolve

if TYPE_CHECKING:
    from steno_schema.config import Settings

_FOLDERS_MAX = 256
_projects: dict[str, str] = {}
_sessions: dict[int, str] = {}
_warned: set[str] = set()


class Context:
    """Read-only to everyone; settings are read from disk when first needed."""

    def __init__(
        self, home: str | os.PathLike[str] | None, socket: str | os.PathLike[str] | None
    ) -> None:
        paths = resolve(home=None if home is None else Path(home))
        if socket is not None:
            paths = msgspec.structs.replace(paths, socket=Path(socket).expanduser().absolute())
        self.paths: Paths = paths
        self._settings: Settings | None = None

    @property
    def settings(self) -> "Settings":
        """Settings in force when they were first asked for.

        What cannot be used is at its default, and said once on stderr: a save goes before a
        well-formed configuration.
        """
        if self._settings is None:
            from steno_schema.config import load_usable

            loaded = load_usable(self.paths)
            for problem in loaded.problems:
                _warn_once(problem)
            self._settings = loaded.settings
        return self._settings

    def user(self) -> str | None:
        """User of records that name none."""
        return self.settings.defaults.user

    def project(self) -> str | None:
        """Project of records that name none: the setting, else the working directory's."""
        return self.settings.defaults.project or project_here()

    def session(self) -> str:
        """Session of records that name none: the setting, else this process's own."""
        return self.settings.defaults.session or implicit_session()


def _warn_once(problem: str) -> None:
    if problem in _warned:
        return
    _warned.add(problem)
    import logging  # a program's own logging decides where it goes; without any, to stderr

    sentence = "%s. That setting is at its default until it is mended; see 'steno config show'."
    logging.getLogger("steno").warning(sentence, problem)


def implicit_session() -> str:
    """Return the key of this process's session; a forked child gets one of its own."""
    process = os.getpid()
    return _sessions.get(process) or _sessions.setdefault(process, f"python-{uuid7()}")


def project_here() -> str | None:
    """Return the working directory's project; ``None`` where there is no such directory."""
    try:
        folder = os.getcwd()
    except OSError:
        return None
    project = _projects.get(folder)
    if project is None:
        if len(_projects) >= _FOLDERS_MAX:
            _projects.clear()
        project = _projects[folder] = project_of(folder)
    return project
