"""The tail: whole lines from a cursor on, whatever is written and however it is split."""

import os
import random
import tracemalloc
from pathlib import Path

import pytest

from steno.capture.source import Batch, Unreadable
from steno.capture.tail import BATCH_BYTES, Tail
from steno_schema.limits import MIB, TRANSCRIPT_LINE_MAX_BYTES


def batches_of(path: Path, offset: int = 0, *, in_oversized: bool = False) -> list[Batch]:
    with Tail(path) as tail:
        return list(tail.batches(offset, in_oversized=in_oversized))


@pytest.mark.parametrize(
    ("data", "lines", "end"),
    [
        (b"", [], 0),
        (b"one\ntwo\n", [b"one", b"two"], 8),
        (b"one\n\n  \ntwo\n", [b"one", b"two"], 12),
        (b"one\ntorn", [b"one"], 4),
        (b"torn", [], 0),
        (b'one\n{"a": 1}', [b"one", b'{"a": 1}'], 12),
        (b'one\n{"a": {"b": 1}', [b"one"], 4),
        (b'{"a": 1} x', [], 0),
        (b"\xff\x00\n\x00\n", [b"\xff\x00", b"\x00"], 5),
        (b"a\r\nb\n", [b"a\r", b"b"], 5),
    ],
)
def test_only_whole_lines_are_read(
    tmp_path: Path, data: bytes, lines: list[bytes], end: int
) -> None:
    path = tmp_path / "file"
    path.write_bytes(data)
    found = batches_of(path)
    assert [line for batch in found for line in batch.lines] == lines
    assert (found[-1].end if found else 0) == end


def test_a_file_of_many_blocks_is_read_whole_and_in_order(tmp_path: Path) -> None:
    chance = random.Random(7)
    lines = [b"%d " % number + b"x" * chance.randrange(40_000) for number in range(300)]
    path = tmp_path / "file"
    path.write_bytes(b"\n".join(lines) + b"\n")
    found = batches_of(path)
    assert [line for batch in found for line in batch.lines] == lines
    assert [batch.start for batch in found[1:]] == [batch.end for batch in found[:-1]]
    assert b"".join(batch.data for batch in found) == path.read_bytes()
    assert max(len(batch.data) for batch in found) <= 2 * BATCH_BYTES


def long_line(size: int) -> bytes:
    """Return a line of ``size`` bytes without its newline, with places where it may be cut."""
    body = b'{"type":"user","text":"' + b'word","more":"' * (size // 14 + 1)
    return body[:size]


@pytest.mark.parametrize("before", [0, 3, 700_000])
@pytest.mark.parametrize("extra", [0, 1, 500_000])
def test_a_line_is_too_long_by_its_length_alone(tmp_path: Path, before: int, extra: int) -> None:
    line = long_line(TRANSCRIPT_LINE_MAX_BYTES + extra)
    path = tmp_path / "file"
    path.write_bytes(b"b" * before + b"\n" + line + b"\nafter\n")
    found = batches_of(path)
    parsed = [each for batch in found for each in batch.lines]
    assert parsed[-1] == b"after"
    assert [each for each in parsed if len(each) > MIB] == ([] if extra else [line])
    assert sum(batch.ends_line for batch in found) == (1 if extra else 0)
    assert b"".join(batch.data for batch in found) == path.read_bytes()


def test_a_line_that_is_too_long_is_taken_in_pieces_as_it_grows(tmp_path: Path) -> None:
    line = long_line(18 * MIB)
    path = tmp_path / "file"
    path.write_bytes(b"before\n")
    taken = b""
    in_oversized = False
    for start in range(0, len(line), 5 * MIB + 11):
        with path.open("ab") as file:
            file.write(line[start : start + 5 * MIB + 11])
        for batch in batches_of(path, len(taken), in_oversized=in_oversized):
            in_oversized = bool(batch.oversized_bytes) and not batch.ends_line
            assert not batch.oversized_bytes or len(batch.data) <= BATCH_BYTES
            taken += batch.data
    with path.open("ab") as file:
        file.write(b"\nafter\n")
    rest = batches_of(path, len(taken), in_oversized=in_oversized)
    assert taken + b"".join(batch.data for batch in rest) == path.read_bytes()
    assert [each for batch in rest for each in batch.lines] == [b"after"]


def test_a_long_line_is_cut_where_a_value_ends(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(long_line(TRANSCRIPT_LINE_MAX_BYTES + 3 * MIB) + b"\n")
    pieces = [batch.data for batch in batches_of(path)]
    assert len(pieces) > 10
    assert all(piece.endswith(b'",') for piece in pieces[:-1])


@pytest.mark.parametrize("size", [20 * MIB, 90 * MIB])
def test_memory_does_not_grow_with_the_length_of_a_line(tmp_path: Path, size: int) -> None:
    path = tmp_path / "file"
    with path.open("wb") as file:
        file.write(b'{"text":"')
        file.seek(size)
        file.write(b'"}\nafter\n')
    seen = 0
    tracemalloc.start()
    try:
        with Tail(path) as tail:
            for batch in tail.batches(0):
                seen += len(batch.data)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert seen == path.stat().st_size
    assert peak < 2.5 * TRANSCRIPT_LINE_MAX_BYTES


def test_a_file_is_itself_as_long_as_what_was_read_stands(tmp_path: Path) -> None:
    path = tmp_path / "file"
    data = b"".join(b"line %d\n" % number for number in range(2000))
    path.write_bytes(data)
    offset = len(data)
    with Tail(path) as tail:
        identity = tail.identity(offset)

    def is_same(content: bytes) -> bool:
        path.write_bytes(content)
        with Tail(path) as tail:
            return tail.is_same(identity, offset)

    assert is_same(data)
    assert is_same(data + b"more\n")
    assert not is_same(data[:-1])
    assert not is_same(b"")
    assert not is_same(b"L" + data[1:])
    assert not is_same(data[:-2] + b"X\n")


def test_a_file_nothing_was_read_of_is_itself(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"torn")
    with Tail(path) as tail:
        assert tail.is_same(tail.identity(0), 0)


def test_what_is_no_regular_file_is_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"line\n")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for name in ("link", "folder", "pipe", "none"):
        with pytest.raises(Unreadable):
            Tail(tmp_path / name)
