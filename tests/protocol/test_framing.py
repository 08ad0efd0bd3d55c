"""Bytes come in any pieces; payloads come out whole, in order, within their limit, or not at all."""

from itertools import pairwise
from typing import Any

import pytest

from protocol.make_golden import LENGTH_BYTES, Golden, load
from steno_schema.framing import Encoding, FrameBuffer, ProtocolError
from steno_schema.limits import BULK_FRAME_MAX_BYTES

GOLDEN = load()
SMALL = 64
each_encoding = pytest.mark.parametrize("encoding", Encoding)


def wire(golden: Golden, encoding: Encoding) -> bytes:
    return golden.frame if encoding is Encoding.MSGPACK else golden.line


def payload(golden: Golden, encoding: Encoding) -> bytes:
    return golden.frame[LENGTH_BYTES:] if encoding is Encoding.MSGPACK else golden.line.rstrip()


def drain(buffer: FrameBuffer) -> list[bytes]:
    return list(iter(buffer.next_payload, None))


def frame(body: bytes) -> bytes:
    return len(body).to_bytes(LENGTH_BYTES, "big") + body


@each_encoding
def test_a_message_split_at_every_byte_comes_out_whole(encoding: Encoding) -> None:
    for golden in GOLDEN:
        data = wire(golden, encoding)
        for cut in range(1, len(data)):
            buffer = FrameBuffer()
            buffer.feed(data[:cut])
            assert buffer.next_payload() is None
            assert buffer.pending_bytes == cut
            buffer.feed(data[cut:])
            assert buffer.next_payload() == payload(golden, encoding)
            assert buffer.next_payload() is None
            assert buffer.pending_bytes == 0


@each_encoding
@pytest.mark.parametrize("piece_bytes", [1, 2, 3, 7, 1000, 10**9])
def test_a_stream_in_pieces_of_any_size_gives_every_message_in_order(
    encoding: Encoding, piece_bytes: int
) -> None:
    stream = b"".join(wire(golden, encoding) for golden in GOLDEN)
    buffer = FrameBuffer()
    found: list[bytes] = []
    cuts = [*range(0, len(stream), piece_bytes), len(stream)]
    for start, end in pairwise(cuts):
        buffer.feed(stream[start:end])
        found += drain(buffer)
    assert found == [payload(golden, encoding) for golden in GOLDEN]
    assert buffer.encoding is encoding


@pytest.mark.parametrize("first", range(256))
def test_the_first_byte_decides(first: int) -> None:
    buffer = FrameBuffer()
    known = {0: Encoding.MSGPACK, ord("{"): Encoding.JSON_LINES}
    if first in known:
        buffer.feed(bytes([first]))
        assert buffer.encoding is known[first]
    else:
        with pytest.raises(ProtocolError, match="neither a frame nor a line of JSON"):
            buffer.feed(bytes([first]))


def test_the_first_byte_of_every_frame_is_zero() -> None:
    assert BULK_FRAME_MAX_BYTES < 1 << 24
    assert {golden.frame[0] for golden in GOLDEN} == {0}
    assert {golden.line[:1] for golden in GOLDEN} == {b"{"}


def test_nothing_fed_decides_nothing() -> None:
    buffer = FrameBuffer()
    buffer.feed(b"")
    assert buffer.encoding is None
    assert buffer.next_payload() is None


def test_blank_lines_and_carriage_returns_are_no_part_of_a_message() -> None:
    buffer = FrameBuffer()
    buffer.feed(b'{"a":1}\r\n\n  \r\n{"b":2}\n')
    assert drain(buffer) == [b'{"a":1}', b'{"b":2}']


def test_a_frame_at_the_limit_is_taken_and_one_byte_more_is_refused_by_its_length() -> None:
    buffer = FrameBuffer(max_bytes=SMALL)
    buffer.feed(frame(b"x" * SMALL))
    assert buffer.next_payload() == b"x" * SMALL
    buffer.feed((SMALL + 1).to_bytes(LENGTH_BYTES, "big"))
    with pytest.raises(ProtocolError, match=f"frame of {SMALL + 1} bytes; at most {SMALL}"):
        buffer.next_payload()


def test_a_line_that_does_not_end_is_refused_at_the_limit() -> None:
    buffer = FrameBuffer(max_bytes=SMALL)
    buffer.feed(b"{" + b"x" * (SMALL - 1))
    assert buffer.next_payload() is None
    buffer.feed(b"x")
    with pytest.raises(ProtocolError, match=f"line longer than {SMALL} bytes"):
        buffer.next_payload()


def test_a_long_line_is_refused_though_it_came_in_one_piece() -> None:
    buffer = FrameBuffer(max_bytes=SMALL)
    buffer.feed(b"{" + b"x" * SMALL + b"\n")
    with pytest.raises(ProtocolError, match=f"line longer than {SMALL} bytes"):
        buffer.next_payload()


@each_encoding
def test_taken_bytes_are_let_go(encoding: Encoding) -> None:
    """A connection that lives for a year holds what is pending, not what it has said."""
    buffer: Any = FrameBuffer()
    for golden in GOLDEN:
        buffer.feed(wire(golden, encoding))
        drain(buffer)
        assert len(buffer._buffer) == 0
