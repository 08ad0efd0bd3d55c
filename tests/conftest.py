"""What every test may use: the property-test profiles and the transcript collections."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from support.running import RunningDaemon

ROOT = Path(__file__).resolve().parents[1]

# A time limit on one example would be a timed assertion; a failure prints how to repeat itself.
settings.register_profile("here", deadline=None, print_blob=True)
settings.register_profile("ci", settings.get_profile("here"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[RunningDaemon]:
    """A daemon without capture, running."""
    running = RunningDaemon(tmp_path / "home")
    running.start("--no-capture")
    yield running
    running.stop()


@pytest.fixture
def daemon_at_rest(tmp_path: Path) -> Iterator[RunningDaemon]:
    """A daemon that the test starts itself, with the arguments and environment it needs."""
    running = RunningDaemon(tmp_path / "home")
    yield running
    running.stop()


def _collection(name: str) -> Path:
    folder = ROOT.parent / "shared" / name
    if not folder.is_dir():
        pytest.skip(f"the collection ../shared/{name} is not beside this checkout")
    return folder


@pytest.fixture(scope="session")
def shared_transcripts() -> Path:
    """Transcripts with known truth, kept beside the repository and never in it."""
    return _collection("transcripts")


@pytest.fixture(scope="session")
def shared_transcripts_real() -> Path:
    """Transcripts that agents wrote for scripted tasks, beside the repository."""
    return _collection("transcripts-real")
