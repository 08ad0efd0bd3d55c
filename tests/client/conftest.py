"""A private instance, with a fake daemon or a real one, and the client in both its colours."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from steno_schema.paths import Paths, resolve
from steno_schema.requests import Append
from steno_schema.spool import unpack
from support.faces import Face
from support.fake_daemon import FakeDaemon
from support.live import Live
from support.running import RunningDaemon


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith(("STENO_", "XDG_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def home() -> Iterator[Path]:
    """Folder of a private instance, short enough for a socket's path."""
    folder = Path(tempfile.mkdtemp(prefix="steno-"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def paths(home: Path) -> Paths:
    return resolve({}, home=home)


@pytest.fixture
def start_daemon(paths: Paths) -> Callable[[], FakeDaemon]:
    """Make a fake daemon on the instance's socket; the caller ends it."""
    return lambda: FakeDaemon(paths.socket)


@pytest.fixture
def daemon(start_daemon: Callable[[], FakeDaemon]) -> Iterator[FakeDaemon]:
    with start_daemon() as running:
        yield running


@pytest.fixture(params=["sync", "async"])
def face(request: pytest.FixtureRequest, home: Path) -> Iterator[Face]:
    """The client in each colour in turn."""
    face = Face(request.param, home)
    yield face
    face.close()


@pytest.fixture
def spooled(paths: Paths) -> Callable[[], list[Append]]:
    """Return what is in the spool, in order."""

    def read() -> list[Append]:
        files = sorted(paths.spool.glob("*.rec")) if paths.spool.is_dir() else []
        return [msgspec.msgpack.decode(unpack(file.read_bytes()), type=Append) for file in files]

    return read


@pytest.fixture(scope="module", params=["sync", "async"])
def running(request: pytest.FixtureRequest) -> Iterator[tuple[str, RunningDaemon]]:
    """A colour and a real daemon for all tests of a module."""
    folder = Path(tempfile.mkdtemp(prefix="steno-"))
    daemon = RunningDaemon(folder / "home")
    daemon.start("--no-capture")
    yield request.param, daemon
    daemon.stop()
    shutil.rmtree(folder)


@pytest.fixture
def live(running: tuple[str, RunningDaemon]) -> Iterator[Live]:
    """The client in each colour in turn, with a real daemon."""
    colour, daemon = running
    face = Face(colour, daemon.home)
    yield Live(daemon, face)
    face.close()
