"""Connections are kept, replaced when they broke, and never shared over a fork."""

import asyncio
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from steno import wire
from steno.aclient import AsyncClient
from steno.client import Client
from steno.errors import Misuse, Refused, TimedOut, Unreachable
from steno_schema.errors import ErrorCode
from steno_schema.paths import Paths
from steno_schema.records import Exchange
from steno_schema.replies import Done, Pong, Welcome
from steno_schema.requests import Admin, Hello, Ping, Subscribe
from support.faces import Face
from support.fake_daemon import FakeDaemon, Trick


def test_one_connection_serves_request_after_request(face: Face, daemon: FakeDaemon) -> None:
    for _ in range(5):
        face.result(face.client.ping())
    assert daemon.connections == 1
    assert len(daemon.of(Hello)) == 1


def test_a_restarted_daemon_is_found_again(
    face: Face, start_daemon: Callable[[], FakeDaemon]
) -> None:
    with start_daemon():
        face.result(face.client.ping())
    with start_daemon():
        face.result(face.client.ping())
    with pytest.raises(Unreachable, match="steno up"):
        face.result(face.client.ping())


def test_a_request_survives_a_broken_connection(face: Face, daemon: FakeDaemon) -> None:
    daemon.misbehave(Trick.DROP)
    face.result(face.client.ping())
    assert len(daemon.of(Ping)) == 2


def test_what_an_admin_asks_is_not_asked_twice(face: Face, daemon: FakeDaemon) -> None:
    daemon.answer(Admin, Done())
    face.result(face.client.request(Admin(action="vacuum")))
    daemon.misbehave(Trick.LOSE_REPLY)
    with pytest.raises(Unreachable):
        face.result(face.client.request(Admin(action="vacuum")))
    assert len(daemon.of(Admin)) == 2


def test_an_answer_that_nobody_waits_for_ends_a_connection(face: Face, daemon: FakeDaemon) -> None:
    daemon.misbehave(Trick.NOISE, Trick.NOISE)
    with pytest.raises(Unreachable):
        face.result(face.client.ping())
    face.result(face.client.ping())
    assert daemon.connections == 3


def test_another_protocol_is_refused_with_a_sentence(face: Face, daemon: FakeDaemon) -> None:
    newer = Welcome(protocol=2, server="stenod", version="9", features=[], pid=1)
    daemon.answer(Hello, newer)
    with pytest.raises(Refused, match="speaks protocol 2, this client 1"):
        face.result(face.client.ping())


def test_a_closed_client_says_so(face: Face, daemon: FakeDaemon) -> None:
    face.result(face.client.ping())
    face.result(face.client.close())
    face.result(face.client.close())
    with pytest.raises(Misuse, match="closed"):
        face.result(face.client.ping())


def test_somebody_elses_socket_gets_nothing(
    face: Face, daemon: FakeDaemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    stranger = os.geteuid() + 1
    monkeypatch.setattr(os, "geteuid", lambda: stranger)
    with pytest.raises(Unreachable, match="belongs to user"):
        face.result(face.client.ping())
    assert daemon.requests == []


def test_a_file_that_is_no_socket_is_no_daemon(face: Face, paths: Paths) -> None:
    paths.socket.write_text("not a socket")
    with pytest.raises(Unreachable, match="No daemon answers"):
        face.result(face.client.ping())


def test_a_daemon_too_busy_to_accept_is_waited_for(face: Face, paths: Paths) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(paths.socket))
        listener.listen(0)
        waiting: list[socket.socket] = []
        while (taken := wire.try_connect(paths.socket)) is not None:
            waiting.append(taken)
        with pytest.raises(TimedOut):
            face.result(face.open(timeout_s=0.02).ping())
        for taken in waiting:
            taken.close()


def test_a_client_without_close_leaves_no_warning(home: Path, daemon: FakeDaemon) -> None:
    Client(home).ping()


def test_an_async_client_serves_one_loop_after_the_other(home: Path, daemon: FakeDaemon) -> None:
    client = AsyncClient(home)

    async def ask() -> None:
        await asyncio.gather(*(client.ping() for _ in range(40)))

    asyncio.run(ask())
    asyncio.run(ask())
    asyncio.run(client.close())


def test_a_cancelled_request_takes_its_connection_with_it(home: Path, daemon: FakeDaemon) -> None:
    async def run() -> None:
        async with AsyncClient(home) as client:
            daemon.misbehave(Trick.SILENT)
            task = asyncio.create_task(client.ping())
            await asyncio.to_thread(daemon.wait_until, lambda: bool(daemon.of(Ping)))
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await client.ping()

    asyncio.run(run())
    assert daemon.connections == 2


def test_a_request_may_set_its_own_time(face: Face, daemon: FakeDaemon) -> None:
    daemon.misbehave(Trick.SILENT)
    with pytest.raises(TimedOut, match=r"0\.05 s"):
        face.result(face.client.request(Ping(), timeout_s=0.05))
    daemon.wait_until(lambda: bool(daemon.of(Ping)))
    assert isinstance(face.result(face.client.request(Ping())), Pong)


FORKING = """
import os, sys
from steno import Client
client = Client(sys.argv[1])
client.history.save("before")
child = os.fork()
if child == 0:
    client.history.save("child")
    client.close()
    os._exit(0)
_, status = os.waitpid(child, 0)
client.history.save("after")
sys.exit(os.waitstatus_to_exitcode(status))
"""


def test_a_child_makes_its_own_connection_and_session(home: Path, daemon: FakeDaemon) -> None:
    subprocess.run(
        [sys.executable, "-W", "error", "-c", FORKING, str(home)],
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        timeout=60,
    )
    before, child, after = daemon.exchanges()
    assert (before.prompt, child.prompt, after.prompt) == ("before", "child", "after")
    assert before.session == after.session != child.session
    assert daemon.connections == 2, "the parent's connection goes on after the fork"


def test_a_subscriber_gets_what_is_stored(home: Path, daemon: FakeDaemon) -> None:
    with Client(home) as client, client.subscribe(after=4, agent="codex") as subscription:
        assert subscription.sequence == 4
        for sequence in (5, 6):
            daemon.publish(sequence, Exchange(id="x", prompt=f"p{sequence}"))
        assert [next(subscription).exchange.prompt for _ in range(2)] == ["p5", "p6"]
        assert subscription.sequence == 6
        waiter = threading.Thread(target=list, args=(subscription,))
        waiter.start()
        subscription.close()
        waiter.join()
    assert daemon.of(Subscribe)[0].filters.agent == ["codex"]


def test_an_async_subscriber_gets_what_is_stored(home: Path, daemon: FakeDaemon) -> None:
    async def run() -> list[int]:
        seen: list[int] = []
        async with AsyncClient(home) as client, client.subscribe() as subscription:

            async def listen() -> None:
                async for event in subscription:
                    seen.append(event.sequence)
                    if event.sequence == 2:
                        await subscription.close()

            task = asyncio.create_task(listen())
            daemon.publish(1, Exchange(id="x", prompt="p"))
            daemon.publish(2, Exchange(id="x", prompt="p"))
            await task
        return seen

    assert asyncio.run(run()) == [1, 2]


def test_a_subscription_ends_with_the_daemon(home: Path, daemon: FakeDaemon) -> None:
    with Client(home) as client, client.subscribe() as subscription:
        daemon.hang_up()
        with pytest.raises(Unreachable, match="closed the connection"):
            next(subscription)


def subscribe(face: Face) -> None:
    """Begin a subscription in either colour and end it."""
    client = face.client
    if isinstance(client, Client):
        client.subscribe().close()
        return

    async def begin() -> None:
        async with client.subscribe():
            pass

    face.result(begin())


def test_a_subscription_may_be_refused(face: Face, daemon: FakeDaemon) -> None:
    daemon.refuse(ErrorCode.BUSY)
    with pytest.raises(Refused, match="No"):
        subscribe(face)
    daemon.answer(Subscribe, Pong())
    with pytest.raises(Refused, match="with Pong"):
        subscribe(face)


def test_a_subscription_that_is_not_answered_times_out(face: Face, daemon: FakeDaemon) -> None:
    daemon.misbehave(Trick.SILENT)
    face.client = face.open(timeout_s=0.05)
    with pytest.raises(TimedOut):
        subscribe(face)
