"""Two instances side by side: one that holds something, one that is empty."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.running import RunningDaemon


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[RunningDaemon]:
    """An instance that holds nothing, beside ``daemon``."""
    running = RunningDaemon(tmp_path / "empty")
    running.start("--no-capture")
    yield running
    running.stop()
