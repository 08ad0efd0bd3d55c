"""``steno tail`` over the end of a daemon: nothing lost, nothing twice, and gaps are told."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from steno.cli.following import follow
from steno.client import Client, Subscription
from steno.errors import Unreachable
from steno_schema.replies import Event
from support.changelog import cut
from support.running import RunningDaemon

PROGRAM = """
import signal, sys
from steno.cli.main import main
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.exit(main())
"""
"""Listens to Ctrl-C also where the tests themselves run in the background."""


@contextmanager
def tail(daemon: RunningDaemon, *words: str) -> Iterator["subprocess.Popen[str]"]:
    """Follow as a person would, and leave with Ctrl-C."""
    process = subprocess.Popen(
        [sys.executable, "-u", "-c", PROGRAM, "tail", "--json", *words],
        env=daemon.environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130


def prompts(process: "subprocess.Popen[str]", count: int) -> list[str]:
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(count)]
    return [json.loads(line)["exchange"]["prompt"] for line in lines]


def test_a_restart_loses_and_repeats_nothing(daemon: RunningDaemon) -> None:
    with daemon.client() as client:
        client.history.save("before")
        with tail(daemon, "--after", "0") as process:
            assert prompts(process, 1) == ["before"]
            for kind in ("killed", "stopped"):
                client.history.save(f"seen by the {kind}")
                assert prompts(process, 1) == [f"seen by the {kind}"]
                daemon.kill() if kind == "killed" else daemon.stop()
                assert client.history.save(f"spooled, {kind}").stored == "spool"
                daemon.start("--no-capture")
                client.history.save(f"after the {kind}")
                assert set(prompts(process, 2)) == {f"spooled, {kind}", f"after the {kind}"}
            assert process.stderr is not None
            said = [process.stderr.readline() for _ in range(4)]
    assert [line.split()[0:3] for line in said] == [
        ["The", "daemon", "went"],
        ["The", "daemon", "is"],
    ] * 2


class Leaving:
    """A client whose connections break after so many events."""

    def __init__(self, client: Client, *events: int) -> None:
        self._client = client
        self._events = iter(events)

    def subscribe(self, after: int | None, **words: Any) -> "LeavingSubscription":
        return LeavingSubscription(self._client.subscribe(after, **words), next(self._events))


class LeavingSubscription:
    def __init__(self, subscription: Subscription, events: int) -> None:
        self._subscription = subscription
        self._left = events

    def __getattr__(self, name: str) -> Any:
        return getattr(self._subscription, name)

    def __iter__(self) -> Iterator[Event]:
        for _ in range(self._left):
            yield next(self._subscription)
        self._subscription.close()
        raise Unreachable("It broke.")


def test_a_break_within_a_commit_repeats_nothing(
    daemon: RunningDaemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The daemon tells a commit anew from its beginning; the person sees each exchange once."""
    monkeypatch.setattr("steno.cli.following._FIRST_WAIT_S", 0.0)
    with daemon.client() as client:
        with client.batch() as batch:
            for number in range(10):
                batch.history.save(f"run {number}")
        client.history.save("the end")
        leaving: Any = Leaving(client, 4, 7, 3, 100)
        seen: list[str] = []
        for event in follow(leaving, 0, {}):
            seen.append(event.exchange.prompt)
            if seen[-1] == "the end":
                break
        assert seen == [*(f"run {number}" for number in range(10)), "the end"]


def test_a_gap_is_told(daemon: RunningDaemon) -> None:
    with daemon.client() as client:
        for number in range(5):
            client.history.save(f"number {number}")
    daemon.stop()
    cut(daemon.database, keep_commits=2)
    daemon.start("--no-capture")
    with tail(daemon, "--after", "1") as process:
        assert prompts(process, 2) == ["number 3", "number 4"]
        assert process.stderr is not None
        assert "missing here" in process.stderr.readline()


def test_without_a_daemon_it_does_not_wait(daemon: RunningDaemon) -> None:
    daemon.stop()
    assert daemon.steno("tail").returncode == 3
    assert not os.path.exists(daemon.socket)
