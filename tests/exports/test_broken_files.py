"""Files that were cut, mixed up or never were an export: one sentence, and nothing is lost.

``STENO_BROKEN=2000`` breaks that many files, ``STENO_SEED`` others.
"""

import io
import json
import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from exports.instances import Line, exported, settled
from exports.test_lossless import fill
from steno.errors import Misuse
from steno.transfer.taking import Imported
from support.running import RunningDaemon

COUNT = int(os.environ.get("STENO_BROKEN", "60"))
SEED = int(os.environ.get("STENO_SEED", "1"))
JUNK = (b"\x00", b"\xff\xfe", b"{", b"}", b"[", b"]", b'"', b"\\", b"\n", b",", b"null", b"1e999",
        b'{"type":', b"\xed\xa0\x80", b'"\\ud800"', b"[" * 300, b"\r", b"'=")  # fmt: skip
Break = Callable[[random.Random, bytes], bytes]


def cut(dice: random.Random, data: bytes) -> bytes:
    return data[: dice.randrange(len(data))]


def without(dice: random.Random, data: bytes) -> bytes:
    start = dice.randrange(len(data))
    return data[:start] + data[start + dice.randrange(1, 400) :]


def with_junk(dice: random.Random, data: bytes) -> bytes:
    for _ in range(dice.randrange(1, 6)):
        place = dice.randrange(len(data))
        data = data[:place] + dice.choice(JUNK) + data[place:]
    return data


def flipped(dice: random.Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(dice.randrange(1, 20)):
        changed[dice.randrange(len(changed))] ^= 1 << dice.randrange(8)
    return bytes(changed)


def other_types(dice: random.Random, data: bytes) -> bytes:
    """Give fields of some lines values of another type."""
    lines = data.splitlines()
    for number in dice.sample(range(len(lines)), min(5, len(lines))):
        try:
            fields = json.loads(lines[number])
        except ValueError:
            continue
        if isinstance(fields, dict):
            name = dice.choice(list(fields))
            fields[name] = dice.choice((None, 5, -1, 1e308, "x" * 600, [], {}, True, [[]], "\x00"))
            lines[number] = json.dumps(fields).encode()
    return b"\n".join(lines)


def shuffled(dice: random.Random, data: bytes) -> bytes:
    lines = data.splitlines()
    dice.shuffle(lines)
    return b"\n".join(lines)


STAYS = {"prompt", "output", "content", "rating", "notes", "category", "model",
         "tokens", "cost_usd", "exchange", "role", "kind", "position"}  # fmt: skip
"""What no file may change once it is told."""
BREAKS: tuple[Break, ...] = (cut, without, with_junk, flipped, other_types, shuffled)


def files_of(daemon: RunningDaemon, folder: Path) -> list[bytes]:
    exported(daemon, folder / "all.jsonl")
    for style in ("json", "csv"):
        assert daemon.steno("export", "-o", str(folder / f"all.{style}")).returncode == 0
    return [(folder / f"all.{style}").read_bytes() for style in ("jsonl", "json", "csv")]


def test_a_broken_file_is_told_and_nothing_is_lost(
    daemon: RunningDaemon, empty: RunningDaemon, tmp_path: Path
) -> None:
    fill(daemon)
    before = exported(daemon, tmp_path / "before.jsonl")
    files = files_of(daemon, tmp_path)
    dice = random.Random(SEED)
    with empty.client(spool=False) as target, daemon.client(spool=False) as source:
        for number in range(COUNT):
            data = dice.choice(BREAKS)(dice, dice.choice(files))
            for client in (target, source):
                try:
                    done = client.history.import_(io.BytesIO(data))
                except Misuse as refusal:
                    assert str(refusal).endswith("."), f"seed {SEED}, file {number}"
                    assert "\n" not in str(refusal)
                else:
                    check(done)
    settled(daemon)
    after = {name_of(line): line for line in exported(daemon, tmp_path / "after.jsonl")}
    assert [line for line in before if name_of(line) not in after] == [], f"seed {SEED}"
    told = [(line, after[name_of(line)]) for line in before]
    changed = [
        (name, line[name], now.get(name))
        for line, now in told
        for name in STAYS & line.keys()
        if now.get(name) != line[name]
    ]
    assert changed == [], f"seed {SEED}"


def name_of(line: Line) -> tuple[str, str]:
    """Return what a record is known by; one of which only the key was known may get an id."""
    return line["type"], line["key" if line["type"] in {"session", "conversation"} else "id"]


def check(done: Imported) -> None:
    """What was left out is counted, and told by line and reason."""
    assert bool(done.left_out) == bool(done.problems)
    assert len(done.problems) <= done.left_out
    for problem in done.problems:
        assert problem.line > 0
        assert problem.problem
        assert "\n" not in problem.problem
        assert "Traceback" not in problem.problem


@pytest.mark.parametrize("size", [1, 4096, 1 << 20])
def test_lines_that_do_not_end_are_passed_over(
    size: int, daemon: RunningDaemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("steno.transfer.lines.LINE_MAX_BYTES", 4096)
    good = b'{"prompt":"before"}\n'
    data = good + b'{"prompt":"' + b"x" * size + b"\n" + b'{"prompt":"after"}\n'
    with daemon.client(spool=False) as client:
        done = client.history.import_(io.BytesIO(data))
        assert (done.created, done.left_out) == (2, 1)
        listing = b"[" + good.strip() + b",\n{" + b'"a":[' * size + b"\n]"
        done = client.history.import_(io.BytesIO(listing))
        assert (done.existed, done.left_out) == (1, 1)
