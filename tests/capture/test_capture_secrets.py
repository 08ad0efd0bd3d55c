"""A secret in a transcript reaches neither a message, nor the kept bytes, nor the file on disk."""

import random
import string
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from capture.build import SESSION, append, claude_line, claude_prompt, claude_turn, codex_thread
from capture.instance import instance_of
from steno.capture.compression import decompress
from steno_schema.limits import MIB
from support.running import RunningDaemon

_CHANCE = random.Random(20)
TOKENS = [
    "ghp_" + "".join(_CHANCE.choices(string.ascii_letters + string.digits, k=36)) for _ in range(8)
]


def claude_lines() -> bytes:
    """Return lines that have a secret each: known ones, an unknown one, torn ones, a long one."""
    prompt, result, unknown, before, torn, long, _, _ = TOKENS
    blocks = [{"type": "tool_result", "tool_use_id": "t1", "content": f"token={result}\n"}]
    whole = claude_turn("whole")
    # Too long to be parsed, and so kept in pieces: a secret stands wherever one may end.
    longest = '","more":"'.join([long] * (18 * MIB // (len(long) + 10)))
    return b"".join(
        (
            claude_prompt(f"Log in with {prompt} please"),
            claude_line("user", "r", message={"role": "user", "content": blocks}, note=result),
            claude_line("never-heard-of", "u", secret=unknown),
            claude_prompt(f"Torn {before}")[:-3] + whole,
            claude_line("user", "long", message={"role": "user", "content": "LONG"}).replace(
                b"LONG", longest.encode()
            ),
            claude_turn("after"),
            claude_prompt(f"Cut {torn}")[:-3],
        )
    )


@pytest.fixture(params=[True, False], ids=["redacted", "as-it-is"])
def captured(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[tuple[bool, RunningDaemon]]:
    daemon = instance_of(tmp_path, "claude")
    daemon.environ |= {"CODEX_HOME": str(tmp_path / "codex")}
    daemon.environ |= {"STENO_REDACTION": "on" if request.param else "off"}
    append(tmp_path / "claude" / "projects" / "shop" / f"{SESSION}.jsonl", claude_lines())
    thread = "019c0000-1111-7222-8333-944444444444"
    name = f"rollout-2026-01-02T03-04-05-{thread}.jsonl"
    append(tmp_path / "codex" / "sessions" / name, codex_thread(thread, *TOKENS[6:]))
    daemon.start()
    daemon.captured()
    daemon.stop()
    yield request.param, daemon
    daemon.stop()


def kept_of(database: Path) -> bytes:
    """Return every stored text and every kept stretch, decompressed."""
    connection = apsw.Connection(str(database), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        texts = [row[0].encode() for row in connection.execute("SELECT content FROM message")]
        samples = connection.execute("SELECT sample FROM source WHERE sample IS NOT NULL")
        texts += [row[0].encode() for row in samples]
        chunks = connection.execute("SELECT data, codec FROM source_chunk ORDER BY id")
        return b"\n".join(texts) + b"".join(decompress(data, codec) for data, codec in chunks)
    finally:
        connection.close()


def test_no_secret_is_kept(captured: tuple[bool, RunningDaemon]) -> None:
    is_redacted, daemon = captured
    kept = kept_of(daemon.database)
    assert b"Answer after" in kept
    assert b"never-heard-of" in kept
    files = b"".join(path.read_bytes() for path in daemon.home.rglob("*") if path.is_file())
    files += daemon.log.read_bytes()
    found = [token for token in TOKENS if token.encode() in kept + files]
    # Without redaction all but the torn line's are there: the check can fail.
    assert found == ([] if is_redacted else [token for token in TOKENS if token != TOKENS[4]])
    assert (b"[redacted:" in kept) is is_redacted
