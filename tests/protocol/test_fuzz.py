"""Hostile bytes: two kinds of refusal, and nothing else escapes."""

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from protocol.make_golden import LENGTH_BYTES, load
from steno_schema.framing import Codec, Encoding, FrameBuffer, ProtocolError
from steno_schema.replies import AnyReply
from steno_schema.requests import AnyRequest

GOLDEN = load()
CODECS: list[Codec[Any]] = [Codec(AnyRequest), Codec(AnyReply)]
DEEP = 200_000
LIMIT_BYTES = 256

encodings = st.sampled_from(Encoding)
wires = st.sampled_from([data for golden in GOLDEN for data in (golden.frame, golden.line)])


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A golden message with some bytes changed, cut out or put in."""
    data = bytearray(draw(wires))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data)))
        removed = draw(st.integers(0, 8))
        data[at : at + removed] = draw(st.binary(max_size=8))
    return bytes(data)


def decode_or_refuse(payload: bytes, encoding: Encoding) -> None:
    for codec in CODECS:
        try:
            codec.decode(payload, encoding)
        except ValueError as error:
            assert str(error)
            assert "\n" not in str(error)
            assert len(str(error)) <= 300


@given(st.binary(max_size=400), encodings)
@example(b"[" * DEEP, Encoding.JSON_LINES)
@example(b'{"verb":' * DEEP, Encoding.JSON_LINES)
@example(b'{"verb":"sql","query":"","parameters":' + b"[" * DEEP, Encoding.JSON_LINES)
@example(b"\x91" * DEEP, Encoding.MSGPACK)
@example(b"\xdd\xff\xff\xff\xff", Encoding.MSGPACK)
@example(b"\xdf\xff\xff\xff\xff", Encoding.MSGPACK)
@example(b"\xc6\xff\xff\xff\xff", Encoding.MSGPACK)
@example(b'{"verb":"get","target":"\xff"}', Encoding.JSON_LINES)
@example(b'{"verb":"get","target":"\\ud800"}', Encoding.JSON_LINES)
@example(b'{"verb":"ping","id":1e999}', Encoding.JSON_LINES)
@example(b'{"verb":"ping","id":' + b"9" * 5000 + b"}", Encoding.JSON_LINES)
def test_any_payload_is_a_message_or_a_sentence(payload: bytes, encoding: Encoding) -> None:
    decode_or_refuse(payload, encoding)


@given(mutated())
def test_a_damaged_message_is_a_message_or_a_sentence(data: bytes) -> None:
    decode_or_refuse(data[LENGTH_BYTES:], Encoding.MSGPACK)
    decode_or_refuse(data, Encoding.JSON_LINES)


@given(st.lists(st.one_of(st.binary(max_size=60), mutated()), max_size=12))
@example([b"\xff"])
@example([b"\x00\xff\xff\xff"])
@example([b"{", b"\n" * 300, b"x" * 300])
def test_any_stream_gives_payloads_within_the_limit_or_ends(pieces: list[bytes]) -> None:
    buffer = FrameBuffer(max_bytes=LIMIT_BYTES)
    try:
        for piece in pieces:
            buffer.feed(piece)
            for payload in iter(buffer.next_payload, None):
                assert len(payload) <= LIMIT_BYTES
    except ProtocolError as error:
        assert str(error)


@given(st.lists(st.binary(min_size=1, max_size=60), max_size=8), st.data())
def test_however_a_stream_is_cut_it_says_the_same(
    bodies: list[bytes], data: st.DataObject
) -> None:
    stream = b"".join(len(body).to_bytes(LENGTH_BYTES, "big") + body for body in bodies)
    buffer = FrameBuffer()
    found: list[bytes] = []
    while stream:
        size_bytes = data.draw(st.integers(1, len(stream)))
        buffer.feed(stream[:size_bytes])
        stream = stream[size_bytes:]
        found += iter(buffer.next_payload, None)
    assert found == bodies


def test_the_fuzz_would_notice() -> None:
    """A decoder that lets something else through fails the check above."""

    class Careless(Codec[Any]):
        def decode(self, payload: bytes, encoding: Encoding) -> Any:
            raise RecursionError(payload, encoding)

    CODECS.append(Careless(AnyRequest))
    try:
        with pytest.raises(RecursionError):
            decode_or_refuse(b"", Encoding.MSGPACK)
    finally:
        CODECS.pop()
