"""Hostile frames: the daemon neither ends nor hangs nor swells, and others are served throughout.

Frames are made up, or real ones with something changed; the seed is printed.
"""

import os
import random
from pathlib import Path

import msgspec
import pytest

from protocol.make_golden import load
from steno_schema.limits import MIB
from support.running import RunningDaemon
from support.wire import Wire

FRAMES = int(os.environ.get("STENO_TEST_HOSTILE_FRAMES", "600"))
SEARCHES = int(os.environ.get("STENO_TEST_HOSTILE_SEARCHES", "150"))
SEED = int(os.environ.get("STENO_TEST_SEED", "20261121"))
GROWTH_MAX_BYTES = 64 * MIB
GOLDEN = load()
REAL = [data for golden in GOLDEN for data in (golden.frame, golden.line)]
BOMBS = [
    b"\x00\x00\x00\x05\xdd\xff\xff\xff\xff",
    b"\x00\x00\x00\x05\xdf\xff\xff\xff\xff",
    b"\x00\x00\x00\x05\xc6\xff\xff\xff\xff",
    b"\x00\xff\xff\xff" + b"x" * 1000,
    b"\x00\x03\x00\x00" + b"\x91" * 0x30000,
    b"\x00\x03\x00\x00" + b"\x81\xa0" * 0x18000,
    b'{"verb":"sql","query":"","parameters":' + b"[" * 100_000 + b"\n",
    b'{"verb":"append","records":[' + b"{}," * 100_000 + b"{}]}\n",
    b'{"verb":"ping","id":' + b"9" * 5000 + b"}\n",
    b'{"verb":"ping","id":99999999999999999999}\n',
    b'{"verb":"ping","id":"' + b"i" * (3 * MIB) + b'"}\n',
    b'{"verb":"ping","id":1e999}\n',
    b'{"verb":"get","target":"\\ud800"}\n',
    b'{"verb":"get","target":"\x00\xff"}\n',
    b'{"verb":"admin","action":"rescan","arguments":{"path":"a\\nscan 1"}}\n',
    b'{"verb":"admin","action":"ledger","arguments":{"after":"x"}}\n',
    b'{"verb":"admin","action":"ledger","arguments":{"after":99999999999999999999}}\n',
    b'{"verb":"admin","action":"ledger","arguments":{"source":"x"}}\n',
    b'{"verb":"admin","action":"rederive","arguments":{"follower":"x"}}\n',
    b'{"verb":"admin","action":"capture_report","arguments":{"done":true,"x":[[]]}}\n',
    b'{"verb":"list","cursor":"-ffffffffffffffffff.1"}\n',
    b'{"verb":"list","type":"message","cursor":"1.2.3.4"}\n',
    b'{"verb":"search","query":"a","cursor":"7f.-1.zz"}\n',
    b'{"verb":"search","query":"a","cursor":"-1.-1.-1"}\n',
    b'{"verb":"stats","filters":{"since":"99999999999d"}}\n',
    b'{"verb":"subscribe","id":"s","after":9007199254740992}\n',
    b"{" * 100_000,
    b"\n" * 100_000,
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    b"",
]


def changed(chance: random.Random, data: bytes) -> bytes:
    """Return a message with some bytes changed, cut out or put in."""
    result = bytearray(data)
    for _ in range(chance.randint(1, 5)):
        at = chance.randint(0, len(result))
        result[at : at + chance.randint(0, 8)] = chance.randbytes(chance.randint(0, 8))
    return bytes(result)


def harmless(data: bytes) -> bool:
    """Leave out the one request that may rightly end the daemon."""
    return b"shutdown" not in data


def hostile(chance: random.Random) -> bytes:
    """Return the bytes of one hostile conversation."""
    kind = chance.randrange(6)
    if kind == 0:
        return chance.choice(BOMBS)
    if kind == 1:
        return chance.randbytes(chance.randint(1, 300))
    if kind == 2:
        body = chance.randbytes(chance.randint(0, 300))
        return len(body).to_bytes(4, "big") + body
    if kind == 3:
        return b"{" + chance.randbytes(chance.randint(0, 300)) + b"\n"
    parts = [changed(chance, chance.choice(REAL)) for _ in range(chance.randint(1, 3))]
    return b"".join(parts) if kind == 4 else parts[0] * chance.randint(2, 30)


def resident_bytes(pid: int) -> int:
    """Return the memory a process holds."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def send_and_leave(daemon: RunningDaemon, data: bytes, chance: random.Random) -> None:
    """Send bytes, then leave at once, or stop talking and read to the end."""
    with Wire(daemon.socket) as wire:
        try:
            wire.send(data)
            if chance.random() < 0.5 and b"subscribe" not in data:
                wire.no_more()
                while wire.socket.recv(65536):
                    pass
        except (BrokenPipeError, ConnectionResetError):
            pass


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read from /proc")
def test_hostile_frames_harm_nobody(daemon: RunningDaemon) -> None:
    print(f"seed {SEED}")
    chance = random.Random(SEED)
    assert daemon.process is not None
    with Wire(daemon.socket) as healthy:
        for data in (*BOMBS, *REAL):
            if harmless(data):
                send_and_leave(daemon, data, chance)
        assert healthy.ask(verb="ping", id=1)["reply"] == "pong"
        before = resident_bytes(daemon.process.pid)
        for number in range(FRAMES):
            data = hostile(chance)
            if harmless(data):
                send_and_leave(daemon, data, chance)
            assert healthy.ask(verb="ping", id=number).get("id", 0) == number
        grown = resident_bytes(daemon.process.pid) - before
        assert grown < GROWTH_MAX_BYTES
        assert healthy.ask(verb="list", id="end")["reply"] == "exchanges"
        checked = healthy.ask(verb="admin", action="integrity_check")["result"]
        assert checked["ok"], checked
    assert daemon.stop() == 0
    log = daemon.log.read_text()
    assert "Traceback" not in log
    assert "Fatal error" not in log


FTS_SYNTAX = [
    '"', "*", "^", "NEAR(", "NEAR(a b, 5)", "AND", "OR", "NOT", "a AND", "-", "--", "-a", '-"',
    "body:", "body : a", "{a b}:c", "a*b*", "(((", ")", "+", "a + b", "tag:", "since:never",
    "tag:a tag:b", "model:x agent:y", "'; DROP TABLE message; --", "\x00", "a\x00b", "\u202e",
    "é" * 600, "東京", "東", "🎉", "﷽", "\ufeff", "\ue000\ue001",
    "x" * 10_240, "a " * 5_000, '"a" ' * 200, "a* " * 100, "-a " * 100, "OR " * 300,
]  # fmt: skip


def searched(chance: random.Random) -> str:
    """Return some text that somebody might search for."""
    kind = chance.randrange(4)
    if kind == 0:
        return chance.choice(FTS_SYNTAX)
    if kind == 1:
        return "".join(chance.choices(FTS_SYNTAX[:28], k=chance.randint(2, 8)))
    if kind == 2:
        return chance.randbytes(chance.randint(1, 400)).decode("latin-1")
    codes = [chance.choice((chance.randint(1, 0xD7FF), chance.randint(0xE000, 0x10FFFF)))
             for _ in range(chance.randint(1, 60))]  # fmt: skip
    return "".join(map(chr, codes))


def test_any_search_is_answered(shared_daemon: RunningDaemon, wire: Wire) -> None:
    print(f"seed {SEED}")
    chance = random.Random(SEED)
    for number in range(20):
        record = {"type": "exchange", "id": f"0199f7a2-0000-7000-8000-{number:012}"}
        text = f"{searched(chance)} a b x 東京"
        wire.ask(verb="append", records=[record | {"prompt": text}])
    ranks = ("best", "recent", "exact")
    answered = refused = 0
    for number, text in enumerate([*FTS_SYNTAX, *(searched(chance) for _ in range(SEARCHES))]):
        line = {"verb": "search", "id": number, "query": text, "rank": chance.choice(ranks)}
        wire.send(msgspec.json.encode(line) + b"\n")
        reply = wire.reply()
        assert reply.get("id", 0) == number
        if reply["reply"] == "results":
            answered += 1
        else:
            refused += 1
            assert reply["code"] in {"bad_request", "too_large", "timeout"}, (text, reply)
            assert len(reply["message"]) < 500
    assert answered > refused
