"""SIGHUP: the configuration is read again, and what follows from it is derived anew."""

import signal

import pytest

from steno_schema.records import Tokens
from steno_schema.requests import Admin
from support.running import RunningDaemon

READ_AGAIN = "configuration read again"


def reload(daemon: RunningDaemon, text: str, said: str = READ_AGAIN, count: int = 1) -> None:
    (daemon.home / "config.toml").write_text(text)
    daemon.send_signal(signal.SIGHUP)
    daemon.wait_for_log(said, count)
    with daemon.client() as client:
        client.request(Admin(action="probe"))  # the writer takes settings over before a job
        client.request(Admin(action="flush"))


def cost_of(daemon: RunningDaemon, exchange: str) -> float | None:
    with daemon.client() as client:
        return client.history.get(exchange).cost_usd


@pytest.fixture
def exchange(daemon: RunningDaemon) -> str:
    tokens = Tokens(input=1_000_000, output=2_000_000)
    with daemon.client() as client:
        return client.history.save("what does it cost?", model="mine", tokens=tokens).id


def test_prices_of_ones_own_hold_at_once(daemon: RunningDaemon, exchange: str) -> None:
    assert cost_of(daemon, exchange) is None
    reload(daemon, "[prices]\nmine = { input = 1.5, output = 2 }\n")
    assert cost_of(daemon, exchange) == 5.5
    assert '"cost_usd":5.5' in daemon.steno("cost", "--by", "model", "--json").stdout
    reload(daemon, "[prices]\nmine = { input = 3, output = 0 }\n", count=2)
    assert cost_of(daemon, exchange) == 3
    reload(daemon, "", count=3)
    assert cost_of(daemon, exchange) is None


def test_a_broken_configuration_leaves_the_old_one_in_force(
    daemon: RunningDaemon, exchange: str
) -> None:
    reload(daemon, "[prices]\nmine = { input = 1, output = 1 }\n")
    reload(daemon, "[prices]\nmine = { input = 9 }\n", "configuration not taken over")
    assert cost_of(daemon, exchange) == 3
    assert "line 2" in daemon.log.read_text()


def test_saves_go_on_while_it_is_derived_anew(daemon: RunningDaemon, exchange: str) -> None:
    with daemon.client(spool=False) as client:
        for round_number in range(1, 6):
            (daemon.home / "config.toml").write_text(
                f"[prices]\nmine = {{ input = {round_number}, output = 0 }}\n"
            )
            daemon.send_signal(signal.SIGHUP)
            for number in range(20):
                assert client.history.save(f"{round_number} {number}").outcome == "created"
            daemon.wait_for_log(READ_AGAIN, round_number)
    with daemon.client() as client:
        client.request(Admin(action="flush"))
    assert cost_of(daemon, exchange) == 5
