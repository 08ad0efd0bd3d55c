"""What every test may use: the property-test profiles and the transcript collections."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parents[1]

# A time limit on one example would be a timed assertion; a failure prints how to repeat itself.
settings.register_profile("here", deadline=None, print_blob=True)
settings.register_profile("ci", settings.get_profile("here"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")


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
