"""What goes wrong is told by one sentence, without the insides that found it out."""

import traceback
from collections.abc import Callable
from typing import Any

import pytest

from steno.errors import Misuse, StenoError, Unreachable
from support.faces import Face
from support.fake_daemon import FakeDaemon, Trick

Call = Callable[[Face], Any]


async def _next_event(subscription: Any) -> Any:
    async with subscription:
        return await anext(subscription)


def subscribed(face: Face) -> Any:
    if face.colour == "async":
        return face.result(_next_event(face.client.subscribe()))
    return face.client.subscribe()


def words(**given: Any) -> Any:
    """Return keyword arguments that no type checker would let through."""
    return given


AWAY: dict[str, Call] = {
    "a question": lambda face: face.result(face.client.history.recent()),
    "a save": lambda face: face.result(face.open(spool=False).history.save("p")),
    "a change": lambda face: face.result(face.client.history.update("1", rating=1)),
    "sql": lambda face: face.result(face.client.sql("SELECT 1")),
    "ping": lambda face: face.result(face.client.ping()),
    "a subscription": subscribed,
}
MISUSED: dict[str, Call] = {
    "a word": lambda face: face.result(face.client.history.save("p", **words(nothing=1))),
    "a value": lambda face: face.result(face.client.history.save("p", **words(rating="high"))),
    "half a character": lambda face: face.result(face.client.metadata.set("k", "\ud800")),
    "tokens": lambda face: face.result(face.client.history.save("p", tokens={"input": -1})),
    "a filter": lambda face: face.result(face.client.history.recent(**words(colour="red"))),
    "a time": lambda face: face.result(face.client.costs.total(since="soon")),
}


def told(call: Call, face: Face, kind: type[StenoError]) -> str:
    with pytest.raises(kind) as raised:
        call(face)
    lines = traceback.format_exception(raised.value)
    text = "".join(lines)
    assert text.count("Traceback (most recent call last)") == 1, text
    return str(raised.value)


@pytest.mark.parametrize("what", AWAY)
def test_a_daemon_that_is_away(face: Face, what: str) -> None:
    sentence = told(AWAY[what], face, Unreachable)
    assert sentence.endswith("Start it with 'steno up'.")


@pytest.mark.parametrize("what", MISUSED)
def test_a_wrong_call(face: Face, what: str) -> None:
    told(MISUSED[what], face, Misuse)


def test_a_daemon_that_does_not_answer(face: Face, daemon: FakeDaemon) -> None:
    daemon.misbehave(*[Trick.SILENT] * 9)
    client = face.open(timeout_s=0.05)
    told(lambda face: face.result(client.history.recent()), face, Unreachable)


def test_a_spool_that_cannot_be_written(face: Face, home: Any) -> None:
    (home / "spool").write_text("no folder")
    told(lambda face: face.result(face.client.history.save("p")), face, StenoError)


@pytest.mark.parametrize("trick", [Trick.DROP, Trick.LOSE_REPLY, Trick.NOISE, Trick.GARBAGE])
def test_a_daemon_that_fails_under_way(face: Face, daemon: FakeDaemon, trick: Trick) -> None:
    daemon.misbehave(*[trick] * 9)
    told(lambda face: face.result(face.client.history.recent()), face, StenoError)
