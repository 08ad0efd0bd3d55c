"""Small transcripts made by hand: turns of Claude Code and of Codex, as lines to be written.

A turn is a prompt and its reply, each on a line of its own with an identity of its own; what is
said in it is chosen by the test, so that it can be found again.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from capture import codex_lines
from steno_schema.ids import uuid8
from steno_schema.times import format_ms, parse_ms

SESSION = "5e551011-0000-4000-8000-0000000000aa"
FOLDER = "/home/ada/shop"
START_MS = parse_ms("2026-03-01T10:00:00.000Z")


def claude_line(kind: str, key: str, second: int = 0, **fields: Any) -> bytes:
    """Return a line of Claude Code; ``key`` names it within everything."""
    common = {
        "type": kind,
        "uuid": uuid8("line", key),
        "sessionId": SESSION,
        "timestamp": format_ms(START_MS + second * 1000),
        "cwd": FOLDER,
        "version": "2.1.329",
        "isSidechain": False,
    }
    return json.dumps(common | fields, ensure_ascii=False).encode() + b"\n"


def claude_prompt(text: str, *, key: str | None = None, **fields: Any) -> bytes:
    message = {"role": "user", "content": text}
    return claude_line("user", f"prompt {key or text}", message=message, **fields)


def claude_reply(text: str, *, key: str | None = None, **fields: Any) -> bytes:
    message = {
        "id": uuid8("call", key or text),
        "model": "claude-sonnet-5-5",
        "role": "assistant",
        "content": [{"type": "text", "text": text}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 7, "output_tokens": 11, "cache_read_input_tokens": 13},
    }
    return claude_line("assistant", f"reply {key or text}", message=message, **fields)


def claude_turn(words: str, **fields: Any) -> bytes:
    """Return a prompt that says ``words`` and a reply that says them too."""
    return claude_prompt(f"Ask {words}", **fields) + claude_reply(f"Answer {words}", **fields)


def codex_thread(key: str, *turns: str, folder: str = FOLDER) -> bytes:
    """Return a rollout: its head, then a prompt and a reply for each of ``turns``."""
    lines = [codex_lines.meta(key, cwd=folder)]
    for second, words in enumerate(turns, 1):
        lines += codex_turn(words, second)
    return joined(lines)


def codex_turn(words: str, second: int) -> list[bytes]:
    return [
        codex_lines.marked(f"Ask {words}", second),
        codex_lines.user_completed(f"Ask {words}", second),
        codex_lines.message("assistant", f"Answer {words}", second),
        codex_lines.token_count((10 * second, 2 * second, 3 * second, second), second),
    ]


def joined(lines: Iterable[bytes]) -> bytes:
    return b"".join(line.rstrip(b"\n") + b"\n" for line in lines)


def append(path: Path, data: bytes) -> None:
    """Write at the end of a file as an agent does, making folders and file where needed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        file.write(data)
