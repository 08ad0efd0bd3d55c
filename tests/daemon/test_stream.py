"""Requests that take more than one frame, and replies that go on: uploads and subscriptions."""

from typing import Any

import msgspec
import pytest

from steno_schema.framing import Encoding
from steno_schema.ids import uuid7
from steno_schema.limits import (
    BULK_FRAME_MAX_BYTES,
    MIB,
    RECORD_TEXT_MAX_BYTES,
    REPLY_BUFFER_MAX_BYTES,
)
from steno_schema.records import Exchange
from steno_schema.requests import Append, List, Ping, Stage, Subscribe
from support.running import RunningDaemon
from support.wire import Wire

PART_BYTES = 3 * MIB


@pytest.fixture
def frames(shared_daemon: RunningDaemon) -> Any:
    with Wire(shared_daemon.socket, Encoding.MSGPACK) as wire:
        yield wire


def exchange(prompt: str, output: str = "", **fields: Any) -> Exchange:
    return Exchange(id=uuid7(), prompt=prompt, output=output, **fields)


def save(wire: Wire, *prompts: str) -> int:
    """Store exchanges in one append; return the sequence of its commit."""
    wire.request(Append(id="save", records=[exchange(prompt) for prompt in prompts]))
    reply = wire.reply()
    assert len(reply["outcomes"]) == len(prompts)
    return int(reply["sequence"])


def test_an_append_larger_than_a_frame_goes_up_in_parts(frames: Wire) -> None:
    records: list[Any] = [
        exchange(f"part {n}", "large " * 200_000, session="large") for n in range(8)
    ]
    whole = msgspec.msgpack.encode(Append(records=records))
    assert len(whole) > 2 * BULK_FRAME_MAX_BYTES
    parts = [whole[start : start + PART_BYTES] for start in range(0, len(whole), PART_BYTES)]
    for number, part in enumerate(parts, 1):
        frames.request(Stage(id=number, token="t", data=part, last=number == len(parts)))
        reply = frames.reply()
        assert reply["id"] == number
    assert [each["outcome"] for each in reply["outcomes"]] == ["created"] * len(records)
    listed = []
    cursor = None
    while True:
        request = List(limit=1000, cursor=cursor)
        request.filters.session = ["large"]
        frames.request(request)
        page = frames.reply()
        listed += [item["prompt"] for item in page["items"]]
        cursor = page.get("next_cursor")
        if cursor is None:
            break
    assert sorted(listed) == [f"part {n}" for n in range(8)], "pages that fit frames"


def test_another_upload_forgets_the_parts_of_the_one_before(frames: Wire) -> None:
    whole = msgspec.msgpack.encode(Append(records=[exchange("staged")]))
    frames.request(Stage(id=1, token="a", data=whole[:10]))
    frames.request(Stage(id=2, token="b", data=whole, last=True))
    frames.request(Stage(id=3, token="a", data=whole[10:], last=True))
    replies = frames.replies(3)
    assert {reply["id"]: reply["reply"] for reply in replies} == {
        1: "pong",
        2: "appended",
        3: "error",
    }


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xc1",
        msgspec.msgpack.encode(Ping()),
        msgspec.msgpack.encode(Stage(token="x", data=b"y")),
    ],
)
def test_only_an_append_goes_up_in_parts(frames: Wire, data: bytes) -> None:
    frames.request(Stage(id=1, token="t", data=data, last=True))
    assert frames.reply()["code"] == "bad_request"
    frames.request(Ping(id=2))
    assert frames.reply()["reply"] == "pong"


def test_an_upload_without_end_is_refused(frames: Wire) -> None:
    data = bytes(BULK_FRAME_MAX_BYTES - 1000)
    for number in range(1, 100):
        frames.request(Stage(id=number, token="t", data=data))
        reply = frames.reply()
        if reply["reply"] == "error":
            break
    assert reply["code"] == "too_large"
    assert number == 17
    frames.request(Stage(id=100, token="t", data=data))
    assert frames.reply()["reply"] == "pong", "what was there is forgotten"


def saved_in_parts(frames: Wire, record: Exchange) -> dict[str, Any]:
    """Save a record that is larger than a frame; return the last reply."""
    whole = msgspec.msgpack.encode(Append(records=[record]))
    parts = [whole[at : at + PART_BYTES] for at in range(0, len(whole), PART_BYTES)]
    for number, data in enumerate(parts, 1):
        frames.request(Stage(id=number, token="t", data=data, last=number == len(parts)))
    return frames.replies(len(parts))[-1]


def test_what_was_saved_in_parts_can_be_fetched_again(frames: Wire) -> None:
    large = exchange("monster", "é" * BULK_FRAME_MAX_BYTES)
    assert saved_in_parts(frames, large)["reply"] == "appended"
    with Wire(frames.path) as wire:
        assert wire.ask(verb="get", id=3, target=large.id)["items"][0]["output"] == large.output


def test_text_that_no_reply_could_carry_is_refused(frames: Wire) -> None:
    refused = saved_in_parts(frames, exchange("monster", "x" * RECORD_TEXT_MAX_BYTES))
    assert (refused["code"], str(RECORD_TEXT_MAX_BYTES) in refused["hint"]) == ("too_large", True)


def test_a_subscriber_gets_what_is_saved_from_now_on(frames: Wire, wire: Wire) -> None:
    save(frames, "before")
    done = wire.ask(verb="subscribe", id="s")
    assert (done["reply"], done["id"]) == ("done", "s")
    sequence = save(frames, "after")
    event = wire.reply()
    assert (event["reply"], event["id"], event["exchange"]["prompt"]) == ("event", "s", "after")
    assert event["sequence"] <= sequence
    assert wire.ask(verb="cancel", id="c", request="s")["changed"] == 1
    save(frames, "unheard")
    assert wire.ask(verb="ping", id="p") == {"reply": "pong", "id": "p"}


def test_filters_choose_the_events(frames: Wire, wire: Wire) -> None:
    wire.ask(verb="subscribe", id="s", filters={"session": ["chosen"]})
    frames.request(Append(records=[exchange("no"), exchange("yes", session="chosen")]))
    assert wire.reply()["exchange"]["prompt"] == "yes"


def test_a_filter_that_means_nothing_is_refused(wire: Wire) -> None:
    refused = wire.ask(verb="subscribe", id="s", filters={"since": "whenever"})
    assert (refused["code"], refused["id"]) == ("bad_request", "s")


def test_who_comes_back_misses_nothing(shared_daemon: RunningDaemon, frames: Wire) -> None:
    """Ten exchanges of one commit, taken by a reader that leaves after every few."""
    start = save(frames, "start")
    prompts = [f"run {n}" for n in range(10)]
    save(frames, *prompts)
    save(frames, "end")
    seen: list[str] = []
    after = start
    for leave_after in (1, 4, 100):
        with Wire(shared_daemon.socket) as wire:
            wire.ask(verb="subscribe", id="s", after=after)
            for _ in range(leave_after):
                event = wire.reply()
                after = event["sequence"]
                seen.append(event["exchange"]["prompt"])
                if seen[-1] == "end":
                    break
    assert set(seen) == {*prompts, "end"}
    assert seen[-11:] == [*prompts, "end"], "in order, the interrupted commit from its beginning"


def test_a_backlog_larger_than_the_buffer_reaches_a_slow_reader(
    daemon: RunningDaemon,
) -> None:
    """Events wait for the reader instead of piling up until it is taken for dead."""
    output = "x" * MIB
    count = 2 * REPLY_BUFFER_MAX_BYTES // MIB
    with daemon.client() as client:
        for number in range(count):
            client.history.save(f"large {number}", output)
    with Wire(daemon.socket) as wire:
        wire.request(Subscribe(id="s", after=0))
        assert wire.reply()["reply"] == "done"
        prompts = [wire.reply()["exchange"]["prompt"] for _ in range(count)]
    assert prompts == [f"large {number}" for number in range(count)]
