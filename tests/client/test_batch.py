"""A batch lands in one transaction or not at all."""

from typing import Any

import pytest

from steno.client import Client
from steno.errors import Misuse
from steno.results import Saved
from steno_schema.limits import MIB
from steno_schema.requests import Append
from support.faces import Face
from support.fake_daemon import FakeDaemon


def fill(face: Face, *prompts: str, error: Exception | None = None) -> list[Saved]:
    """Save prompts in one batch, then raise; return what the batch says of them."""
    client = face.client
    if isinstance(client, Client):
        with client.batch() as batch:
            _save(batch, prompts, error)
        return batch.saved

    async def run() -> list[Saved]:
        async with client.batch() as batch:
            _save(batch, prompts, error)
        return batch.saved

    return face.result(run())


def _save(batch: Any, prompts: tuple[str, ...], error: Exception | None) -> None:
    for count, prompt in enumerate(prompts, 1):
        saved = batch.history.save(prompt)
        assert saved.stored == "batch"
        assert len(batch) == count
    if error is not None:
        raise error


def test_it_is_one_append(face: Face, daemon: FakeDaemon) -> None:
    saved = fill(face, "a", "b", "c")
    assert [one.outcome for one in saved] == ["created"] * 3
    (append,) = daemon.of(Append)
    assert [record.id for record in append.records] == [one.id for one in saved]


def test_an_exception_sends_nothing(face: Face, daemon: FakeDaemon) -> None:
    with pytest.raises(KeyError):
        fill(face, "a", error=KeyError("why"))
    assert daemon.requests == []


def test_an_empty_one_sends_nothing(face: Face, daemon: FakeDaemon) -> None:
    assert fill(face) == []
    assert daemon.requests == []


def test_without_a_daemon_it_is_spooled_whole(face: Face, spooled: Any) -> None:
    assert [one.stored for one in fill(face, "a", "b")] == ["spool", "spool"]
    (append,) = spooled()
    assert len(append.records) == 2


def test_more_than_a_bulk_frame_fails_before_it_is_sent(face: Face, daemon: FakeDaemon) -> None:
    with pytest.raises(Misuse, match=r"This batch is 5\.1 MiB; at most 4 MiB"):
        fill(face, *["x" * MIB] * 5)
    assert daemon.requests == []


def test_a_record_that_breaks_a_rule_fails_where_it_is_made(face: Face) -> None:
    batch = face.client.batch()
    with pytest.raises(Misuse):
        batch.history.save("p", rating=11)
    assert len(batch) == 0


def test_questions_are_not_for_a_batch(face: Face) -> None:
    with pytest.raises(Misuse, match="only takes plain writes"):
        face.client.batch().history.recent()
    with pytest.raises(Misuse, match="only takes plain writes"):
        face.client.batch().append([], duplicate_check="all")
