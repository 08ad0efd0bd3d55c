"""Where things are: data, socket, spool, configuration. The same answer for client and daemon."""

import os
import sys
from pathlib import Path

from msgspec import Struct

from steno_schema.limits import SOCKET_PATH_MAX_BYTES


class Paths(Struct, frozen=True, kw_only=True):
    """Every file and folder steno owns; ``private`` when ``STENO_HOME`` chose them."""

    data: Path
    config: Path
    socket: Path
    spool: Path
    log: Path
    private: bool

    @property
    def database(self) -> Path:
        return self.data / "steno.db"

    @property
    def lock(self) -> Path:
        return self.data / "lock"

    @property
    def backups(self) -> Path:
        """Where backups go unless the settings name another folder."""
        return self.data / "backups"

    @property
    def incoming(self) -> Path:
        """A whole database that is to take the place of the present one."""
        return self.data / "steno.db.new"

    @property
    def damage(self) -> Path:
        """Notes that the database was found damaged and must be looked at before its next use."""
        return self.data / "damaged.json"

    @property
    def recovery(self) -> Path:
        """What a recovery found, until it lies with the database that it set aside."""
        return self.data / "recovery.json"

    @property
    def aside(self) -> Path:
        """Databases that were replaced, a folder each; nothing but a person deletes them."""
        return self.data / "aside"

    @property
    def quarantine(self) -> Path:
        """Spool files that could not be read; nothing is deleted that was not stored."""
        return self.spool / "quarantine"


def resolve(environ: dict[str, str] | None = None, *, home: str | Path | None = None) -> Paths:
    """Return the paths that the environment chooses; ``home`` stands for ``STENO_HOME``.

    ``STENO_SOCKET`` and ``STENO_CONFIG`` override one path each. A socket path that the operating
    system could not hold is moved to a short private folder, the same one for client and daemon.
    """
    env = dict(os.environ) if environ is None else environ
    chosen = str(home) if home is not None else env.get("STENO_HOME", "")
    paths = _private(Path(chosen).expanduser().absolute()) if chosen else _shared(env)
    socket = Path(env["STENO_SOCKET"]) if env.get("STENO_SOCKET") and not home else paths.socket
    config = Path(env["STENO_CONFIG"]) if env.get("STENO_CONFIG") and not home else paths.config
    return Paths(
        data=paths.data,
        config=config,
        socket=_short(socket.expanduser().absolute()),
        spool=paths.spool,
        log=paths.log,
        private=paths.private,
    )


def _private(home: Path) -> Paths:
    return Paths(
        data=home,
        config=home / "config.toml",
        socket=home / "steno.sock",
        spool=home / "spool",
        log=home / "stenod.log",
        private=True,
    )


def _shared(env: dict[str, str]) -> Paths:
    user = Path(env.get("HOME") or Path.home())
    if sys.platform == "darwin":
        data = user / "Library" / "Application Support" / "steno"
    else:
        data = Path(env.get("XDG_DATA_HOME") or user / ".local" / "share") / "steno"
    config = Path(env.get("XDG_CONFIG_HOME") or user / ".config") / "steno" / "config.toml"
    state = Path(env.get("XDG_STATE_HOME") or user / ".local" / "state") / "steno"
    runtime = env.get("XDG_RUNTIME_DIR")
    return Paths(
        data=data,
        config=config,
        socket=(Path(runtime) / "steno" if runtime else state) / "steno.sock",
        spool=state / "spool",
        log=state / "stenod.log",
        private=False,
    )


def _short(socket: Path) -> Path:
    if len(os.fsencode(socket)) <= SOCKET_PATH_MAX_BYTES:
        return socket
    import hashlib  # seldom needed, and it costs a client milliseconds

    digest = hashlib.blake2b(os.fsencode(socket), digest_size=8).hexdigest()
    return Path("/tmp") / f"steno-{os.getuid()}" / f"{digest}.sock"  # noqa: S108
