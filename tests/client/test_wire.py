"""Whatever a server sends, the client raises one of its own errors and nothing else."""

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steno.errors import StenoError, Unreachable
from steno.wire import Wire
from steno_schema.framing import Codec, Encoding
from steno_schema.limits import REPLY_FRAME_MAX_BYTES
from steno_schema.replies import AnyReply, Error, Pong, Welcome

CODEC: Codec[AnyReply] = Codec(AnyReply)


def wire() -> Wire:
    return Wire(Path("/there/steno.sock"))


def frame(body: bytes) -> bytes:
    return len(body).to_bytes(4, "big") + body


def feed(data: bytes) -> None:
    receiving = wire()
    receiving.feed(data)
    while receiving.next_reply() is not None:
        pass


@given(st.binary(min_size=1))
def test_any_bytes(data: bytes) -> None:
    with contextlib.suppress(StenoError):
        feed(data)


@given(st.binary())
def test_any_frame(body: bytes) -> None:
    with contextlib.suppress(StenoError):
        feed(frame(body))


@given(st.data())
def test_any_damaged_reply(data: st.DataObject) -> None:
    whole = bytearray(CODEC.encode(Error(id=1, code="busy", message="x"), Encoding.MSGPACK))
    place = data.draw(st.integers(0, len(whole) - 1))
    whole[place] = data.draw(st.integers(0, 255))
    with contextlib.suppress(StenoError):
        feed(bytes(whole))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"HTTP/1.1 400 Bad Request",
        (REPLY_FRAME_MAX_BYTES + 1).to_bytes(4, "big"),
        frame(b"\x91" * 100_000),
        frame(b"\x81\xa5reply\xa7unknown"),
        frame(b"\x81\xa5reply\xa2\xff\xff"),
        b'{"reply": "pong", "id": NaN}\n',
    ],
    ids=["end", "http", "too long", "nested", "unknown reply", "no text", "bad json"],
)
def test_hostile_answers(data: bytes) -> None:
    with pytest.raises(Unreachable):
        feed(data)


def test_replies_are_told_apart_by_id() -> None:
    receiving = wire()
    welcome = Welcome(id="hello", protocol=1, server="s", version="1", features=[], pid=1)
    for reply in (welcome, Pong(id=3), Pong(id=4)):
        receiving.feed(CODEC.encode(reply, Encoding.MSGPACK))
    assert receiving.reply_to(4) == Pong(id=4)
    assert receiving.reply_to(4) is None


def test_an_error_without_id_ends_the_request() -> None:
    receiving = wire()
    error = Error(id=0, code="too_large", message="Too large.")
    receiving.feed(CODEC.encode(error, Encoding.MSGPACK))
    assert receiving.reply_to(9) == error
