"""The files that make a supervisor run the daemon: where they come from, and where they go."""

import os
import sys
from pathlib import Path

from msgspec import Struct

from steno.cli.command import Failed

_PROGRAM = "%h/.local/bin/stenod"
_PROGRAM_OF_LAUNCHD = 'exec "$HOME/.local/bin/stenod"'
_SYSTEMD = ("stenod.service", "stenod.socket")
_LAUNCHD = "dev.steno.stenod.plist"


class Unit(Struct, frozen=True):
    """One file: where it belongs, and what is to stand in it."""

    path: Path
    content: str

    @property
    def is_current(self) -> bool:
        """Tell whether it stands there as this release has it."""
        return self.read() == self.content

    def read(self) -> str | None:
        """Return what stands there, ``None`` for nothing."""
        try:
            return self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return None


def units(environ: dict[str, str], platform: str = sys.platform) -> list[Unit]:
    """Return the files for this machine's supervisor, running this interpreter's daemon."""
    home = Path(environ.get("HOME") or Path.home())
    if platform == "darwin":
        content = _shipped(_LAUNCHD).replace(_PROGRAM_OF_LAUNCHD, f"exec {_quoted_for_sh()}")
        return [Unit(home / "Library" / "LaunchAgents" / _LAUNCHD, content)]
    folder = Path(environ.get("XDG_CONFIG_HOME") or home / ".config") / "systemd" / "user"
    return [
        Unit(folder / name, _shipped(name).replace(_PROGRAM, f"{_quoted()} -P -m stenod"))
        for name in _SYSTEMD
    ]


def _quoted() -> str:
    """Return the interpreter as systemd reads it: % begins a specifier, quotes keep spaces."""
    return '"' + sys.executable.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%") + '"'


def _quoted_for_sh() -> str:
    import shlex
    from xml.sax.saxutils import escape

    return escape(f"{shlex.quote(sys.executable)} -P -m stenod")


def _shipped(name: str) -> str:
    """Return a file as it came with steno: from the checkout, or where an install put it."""
    checkout = Path(__file__).resolve().parents[3] / "systemd" / name
    prefix = Path(sys.prefix) / "share"
    for path in (checkout, prefix / "systemd" / "user" / name, prefix / "steno" / name):
        if path.is_file():
            return path.read_text(encoding="utf-8")
    raise Failed(f"{name} did not come with this installation.", "Install steno again.")


def write(unit: Unit) -> None:
    """Put a file where it belongs, whole or not at all."""
    unit.path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    partial = unit.path.with_name(f".{unit.path.name}.{os.getpid()}")
    partial.write_text(unit.content, encoding="utf-8")
    partial.replace(unit.path)
