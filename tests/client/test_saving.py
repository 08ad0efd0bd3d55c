"""A save is acknowledged by the daemon or kept on disk; it is never lost and never twice."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from steno.aclient import AsyncClient
from steno.aconnection import CONNECTIONS_MAX
from steno.errors import Misuse, Refused, TimedOut, Unreachable
from steno_schema.errors import RETRYABLE, ErrorCode
from steno_schema.ids import is_id, uuid7
from steno_schema.limits import BULK_FRAME_MAX_BYTES, STAGED_MAX_BYTES
from steno_schema.records import AnyRecord, Exchange, Metric, Preference
from steno_schema.replies import Appended, Pong
from steno_schema.requests import Append, Ping, Stage
from support.faces import Face
from support.fake_daemon import FakeDaemon, Trick

Spooled = Callable[[], list[Append]]


def test_a_save_is_committed_and_says_so(face: Face, daemon: FakeDaemon) -> None:
    saved = face.result(face.client.history.save("Why is the sky blue?", "Rayleigh.", model="m"))
    assert (saved.stored, saved.outcome) == ("daemon", "created")
    assert is_id(saved.id)
    assert str(saved) == saved.id
    record = daemon.exchanges()[0]
    assert (record.id, record.prompt, record.output) == (
        saved.id,
        "Why is the sky blue?",
        "Rayleigh.",
    )
    assert record.created_at is not None


def test_the_same_id_with_other_content_is_refused(face: Face, daemon: FakeDaemon) -> None:
    saved = face.result(face.client.history.save("one"))
    with pytest.raises(Refused) as refusal:
        face.result(face.client.history.save("two", id=saved.id))
    assert refusal.value.code == ErrorCode.CONFLICT
    assert not refusal.value.retryable


def test_without_a_daemon_a_save_is_spooled(face: Face, spooled: Spooled) -> None:
    saved = face.result(face.client.history.save("kept", "for later"))
    assert (saved.stored, saved.outcome) == ("spool", None)
    (append,) = spooled()
    (record,) = append.records
    assert isinstance(record, Exchange)
    assert (record.id, record.prompt) == (saved.id, "kept")
    assert record.created_at is not None, "a spooled record arrives late, so it carries its time"


def test_without_a_spool_it_raises(face: Face, spooled: Spooled) -> None:
    client = face.open(spool=False)
    with pytest.raises(Unreachable, match="steno up"):
        face.result(client.history.save("lost, and told so"))
    assert spooled() == []


@pytest.mark.parametrize("code", sorted(RETRYABLE - {ErrorCode.SHUTTING_DOWN}))
def test_a_retryable_refusal_is_spooled(
    code: ErrorCode, face: Face, daemon: FakeDaemon, spooled: Spooled
) -> None:
    daemon.refuse(code)
    assert face.result(face.client.history.save("later")).stored == "spool"
    assert len(spooled()) == 1


def test_after_a_daemon_that_stops_the_next_one_is_asked(
    face: Face, daemon: FakeDaemon, spooled: Spooled
) -> None:
    daemon.refuse(ErrorCode.SHUTTING_DOWN)
    assert face.result(face.client.history.save("now")).stored == "daemon"
    assert spooled() == []


def test_a_final_refusal_is_raised(face: Face, daemon: FakeDaemon, spooled: Spooled) -> None:
    daemon.refuse(ErrorCode.BAD_REQUEST)
    with pytest.raises(Refused, match=r"No\."):
        face.result(face.client.history.save("never"))
    assert spooled() == []


@pytest.mark.parametrize("trick", [Trick.LOSE_REPLY, Trick.HALF_REPLY])
def test_a_lost_reply_is_asked_for_again_with_the_same_id(
    trick: Trick, face: Face, daemon: FakeDaemon
) -> None:
    daemon.misbehave(trick)
    saved = face.result(face.client.history.save("once"))
    assert (saved.stored, saved.outcome) == ("daemon", "existed")
    first, second = daemon.of(Append)
    assert first.records == second.records
    assert list(daemon.records) == [saved.id]


def test_a_connection_that_breaks_twice_leads_to_the_spool(
    face: Face, daemon: FakeDaemon, spooled: Spooled
) -> None:
    daemon.misbehave(Trick.LOSE_REPLY, Trick.DROP)
    saved = face.result(face.client.history.save("both ways"))
    assert saved.stored == "spool"
    assert spooled()[0].records == list(daemon.records.values()), "the daemon sees one record"


@pytest.mark.parametrize("trick", [Trick.NOISE, Trick.GARBAGE])
def test_a_server_that_talks_nonsense_counts_as_none(
    trick: Trick, face: Face, daemon: FakeDaemon, spooled: Spooled
) -> None:
    daemon.misbehave(trick, trick, trick, trick)
    assert face.result(face.client.history.save("careful")).stored == "spool"
    with pytest.raises(Unreachable, match="understood"):
        face.result(face.client.ping())
    assert len(spooled()) == 1


def test_a_silent_daemon_is_waited_for_until_the_deadline(
    face: Face, daemon: FakeDaemon, spooled: Spooled
) -> None:
    client = face.open(timeout_s=0.1)
    daemon.misbehave(Trick.SILENT, Trick.SILENT)
    with pytest.raises(TimedOut, match=r"within 0\.1 s"):
        face.result(client.ping())
    assert face.result(client.history.save("patience")).stored == "spool"
    assert len(spooled()) == 1
    daemon.wait_until(lambda: len(daemon.of(Ping)) + len(daemon.of(Append)) == 2)
    assert face.result(client.request(Ping(), timeout_s=30)) == Pong(id=1), "a new connection"


@pytest.mark.parametrize(
    "fields",
    [
        {"rating": 11},
        {"cost_usd": float("nan")},
        {"tags": [""]},
        {"status": "done"},
        {"id": 7},
        {"metadata": {"object": object()}},
        {"tokens": {"input": -1}},
        {"tokens": {"inputs": 1}},
        {"colour": "red"},
        {"created_at": 7},
        {"keywords": 7},
        {"notes": "\ud800"},
        {"session": "k" * 501},
    ],
)
def test_what_the_daemon_would_never_take_is_refused_here(
    fields: dict[str, object], face: Face, spooled: Spooled
) -> None:
    client: Any = face.client
    with pytest.raises(Misuse):
        face.result(client.history.save("prompt", **fields))
    assert spooled() == [], "it would never leave the spool"


def test_half_characters_do_not_cost_the_prompt(face: Face, daemon: FakeDaemon) -> None:
    face.result(face.client.history.save("a\ud800b", "\U0001f600 fine"))
    assert daemon.exchanges()[0].prompt == "a\ufffdb"
    assert daemon.exchanges()[0].output == "\U0001f600 fine"


def test_records_of_any_type_go_together(face: Face, daemon: FakeDaemon) -> None:
    records: list[AnyRecord] = [
        Metric(id=uuid7(), metric="latency", value=1.5),
        Preference(id=uuid7(), user="u", key="editor", value="vi"),
    ]
    saved = face.result(face.client.append(records))
    assert [one.id for one in saved] == [record.id for record in records]
    assert len(daemon.of(Append)) == 1


def test_an_append_larger_than_a_frame_goes_up_in_stages(face: Face, daemon: FakeDaemon) -> None:
    prompt = "x" * (2 * BULK_FRAME_MAX_BYTES)
    saved = face.result(face.client.history.save(prompt))
    assert saved.outcome == "created"
    assert daemon.exchanges()[0].prompt == prompt
    stages = daemon.of(Stage)
    assert [stage.last for stage in stages] == [False, False, True]
    assert len({stage.token for stage in stages}) == 1


def test_stages_start_again_on_a_new_connection(face: Face, daemon: FakeDaemon) -> None:
    daemon.misbehave(Trick.DROP)
    face.result(face.client.history.save("x" * (BULK_FRAME_MAX_BYTES + 1)))
    assert len(daemon.of(Stage)) == 3
    assert len(daemon.exchanges()) == 1


def test_a_refused_stage_is_the_last(face: Face, daemon: FakeDaemon) -> None:
    daemon.refuse(ErrorCode.TOO_LARGE)
    with pytest.raises(Refused):
        face.result(face.client.history.save("x" * (2 * BULK_FRAME_MAX_BYTES)))
    assert len(daemon.of(Stage)) == 1


def test_more_than_may_be_staged_is_misuse(face: Face, spooled: Spooled) -> None:
    with pytest.raises(Misuse, match=r"64\.1 MiB; at most 64 MiB"):
        face.result(face.client.history.save("x" * STAGED_MAX_BYTES))
    assert spooled() == []


def test_secrets_do_not_reach_the_spool(face: Face, spooled: Spooled) -> None:
    key = "AKIA" + "Q7RT2WX9KLMN4BVC"
    face.result(face.client.history.save(f"use {key} please"))
    (record,) = spooled()[0].records
    assert isinstance(record, Exchange)
    assert key not in record.prompt


def test_redaction_can_be_switched_off(
    face: Face, spooled: Spooled, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STENO_REDACTION", "off")
    key = "AKIA" + "Q7RT2WX9KLMN4BVC"
    face.result(face.client.history.save(f"use {key} please"))
    (record,) = spooled()[0].records
    assert isinstance(record, Exchange)
    assert key in record.prompt


def test_an_answer_that_fits_nothing_is_an_error(face: Face, daemon: FakeDaemon) -> None:
    daemon.answer(Append, Pong())
    with pytest.raises(Refused, match="Pong"):
        face.result(face.client.history.save("strange"))
    daemon.answer(Append, Appended(outcomes=[]))
    with pytest.raises(Unreachable, match="does not fit"):
        face.result(face.client.history.save("stranger"))


def test_threads_share_a_client(face: Face, daemon: FakeDaemon) -> None:
    if face.colour == "async":
        _tasks_share_a_client(face, daemon)
        return
    client = face.client
    threads = [
        threading.Thread(
            target=lambda: [face.result(client.history.save(f"p{n}")) for n in range(20)]
        )
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(daemon.exchanges()) == 160


def _tasks_share_a_client(face: Face, daemon: FakeDaemon) -> None:
    client = face.client
    assert isinstance(client, AsyncClient)

    async def save_all() -> None:
        await asyncio.gather(*(client.history.save(f"p{n}") for n in range(160)))

    face.result(save_all())
    assert len(daemon.exchanges()) == 160
    assert daemon.connections <= CONNECTIONS_MAX
