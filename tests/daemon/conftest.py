"""One daemon for all tests of a file that leave nothing behind that others would trip over."""

from collections.abc import Iterator

import pytest

from support.running import RunningDaemon
from support.wire import Wire


@pytest.fixture(scope="module")
def shared_daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDaemon]:
    """A daemon without capture, running for the whole file."""
    running = RunningDaemon(tmp_path_factory.mktemp("shared") / "home")
    running.start("--no-capture")
    yield running
    assert running.stop() == 0


@pytest.fixture
def wire(shared_daemon: RunningDaemon) -> Iterator[Wire]:
    """A connection of its own to the shared daemon, spoken to in lines."""
    with Wire(shared_daemon.socket) as wire:
        yield wire
