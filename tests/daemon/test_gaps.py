"""A subscriber is told when the change log no longer has all that it missed."""

import asyncio

import pytest

from steno import AsyncClient
from support.changelog import cut
from support.running import RunningDaemon
from support.wire import Wire


@pytest.fixture
def oldest(daemon: RunningDaemon) -> int:
    """The oldest change of a log that has lost some."""
    with daemon.client() as client:
        for number in range(6):
            client.history.save(f"number {number}")
    daemon.stop()
    oldest = cut(daemon.database, keep_commits=2)
    daemon.start("--no-capture")
    return oldest


@pytest.mark.parametrize(("before_oldest", "gap"), [(0, True), (1, False)])
def test_only_what_is_gone_is_a_gap(
    daemon: RunningDaemon, oldest: int, before_oldest: int, gap: bool
) -> None:
    after = oldest - 2 + before_oldest
    with Wire(daemon.socket) as wire:
        done = wire.ask(verb="subscribe", id="s", after=after)
        assert done["result"] == {"sequence": oldest - 1, "gap": gap}
        assert [wire.reply()["exchange"]["prompt"] for _ in range(2)] == ["number 4", "number 5"]


def test_a_place_in_a_database_that_was_before_is_a_gap(daemon: RunningDaemon) -> None:
    with Wire(daemon.socket) as wire:
        done = wire.ask(verb="subscribe", id="s", after=10**9)
        assert done["result"]["gap"] is True
        with daemon.client() as client:
            client.history.save("the first here")
        assert wire.reply()["exchange"]["prompt"] == "the first here"


def test_both_clients_tell_it(daemon: RunningDaemon, oldest: int) -> None:
    async def of_async() -> list[bool]:
        async with AsyncClient(home=daemon.home) as client:
            found: list[bool] = []
            for after in (1, oldest):
                async with client.subscribe(after) as subscription:
                    found.append(subscription.gap)
            return found

    client = daemon.client()
    with client, client.subscribe(1) as early, client.subscribe(oldest) as late:
        assert [early.gap, late.gap] == [True, False]
        assert next(early).exchange.prompt == "number 4"
    assert asyncio.run(of_async()) == [True, False]
