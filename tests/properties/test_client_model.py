"""Any sequence of verbs gives the answers that a plain model in memory gives, in both colours."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from properties.machine import ClientMachine
from support.faces import Face
from support.live import Live
from support.running import RunningDaemon

RUNS = int(os.environ.get("STENO_TEST_MODEL_RUNS", "8"))
STEPS = int(os.environ.get("STENO_TEST_MODEL_STEPS", "40"))


@pytest.fixture(scope="module")
def running() -> Iterator[RunningDaemon]:
    folder = Path(tempfile.mkdtemp(prefix="steno-"))
    daemon = RunningDaemon(folder / "home")
    daemon.start("--no-capture")
    yield daemon
    daemon.stop()
    shutil.rmtree(folder)


@pytest.mark.parametrize("colour", ["sync", "async"])
def test_the_client_answers_as_the_model(running: RunningDaemon, colour: str) -> None:
    face = Face(colour, running.home)
    ClientMachine.live = Live(running, face)
    run_state_machine_as_test(
        ClientMachine,
        settings=settings(
            max_examples=RUNS,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    face.close()


def test_a_client_that_forgets_would_be_noticed(running: RunningDaemon) -> None:
    """The comparison can fail: an exchange that goes behind the model's back is missed."""
    face = Face("sync", running.home)
    live = Live(running, face)
    ClientMachine.live = live
    machine = ClientMachine()
    machine.save("a", "prompt", "output", {"red"}, 0.25, None, 1)
    machine.ask()
    live.call(live.client.history.delete(machine.model.exchanges[0].id))
    with pytest.raises(AssertionError):
        machine.ask()
    face.close()
