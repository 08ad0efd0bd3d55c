"""Logs as llm keeps them, in both generations of its tables; everything in them is made up."""

import json
import sqlite3
from pathlib import Path
from typing import Any

BEGAN_MS = 1_790_000_000_000
_DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"

OLDER = """
CREATE TABLE conversations (id TEXT PRIMARY KEY, name TEXT, model TEXT);
CREATE TABLE responses (id TEXT PRIMARY KEY, model TEXT, prompt TEXT, system TEXT,
  prompt_json TEXT, options_json TEXT, response TEXT, response_json TEXT, conversation_id TEXT,
  duration_ms INTEGER, datetime_utc TEXT, input_tokens INTEGER, output_tokens INTEGER,
  token_details TEXT, schema_id TEXT, resolved_model TEXT, reasoning TEXT);
CREATE TABLE attachments (id TEXT PRIMARY KEY, type TEXT, path TEXT, url TEXT, content BLOB);
CREATE TABLE prompt_attachments (response_id TEXT, attachment_id TEXT, "order" INTEGER);
CREATE TABLE fragments (id INTEGER PRIMARY KEY, hash TEXT, content TEXT, datetime_utc TEXT,
  source TEXT);
CREATE TABLE prompt_fragments (response_id TEXT, fragment_id INTEGER, "order" INTEGER);
CREATE TABLE system_fragments (response_id TEXT, fragment_id INTEGER, "order" INTEGER);
CREATE TABLE tool_calls (id INTEGER PRIMARY KEY, response_id TEXT, tool_id INTEGER, name TEXT,
  arguments TEXT, tool_call_id TEXT);
CREATE TABLE tool_results (id INTEGER PRIMARY KEY, response_id TEXT, tool_id INTEGER, name TEXT,
  output TEXT, tool_call_id TEXT, instance_id INTEGER, exception TEXT);
"""
NEWER = """
CREATE TABLE threads (id TEXT PRIMARY KEY, name TEXT, tip_message_hash TEXT, forked_from TEXT,
  datetime_utc TEXT);
CREATE TABLE turns (id TEXT PRIMARY KEY, thread_id TEXT, parent_message_hash TEXT,
  tip_message_hash TEXT, model TEXT, resolved_model TEXT, options_json TEXT, schema_id TEXT,
  input_tokens INTEGER, output_tokens INTEGER, token_details TEXT, duration_ms INTEGER,
  datetime_utc TEXT);
CREATE TABLE messages (hash TEXT PRIMARY KEY, parent_hash TEXT, role TEXT, provider_metadata TEXT);
CREATE TABLE parts (id INTEGER PRIMARY KEY, message_hash TEXT, position INTEGER, type TEXT,
  tool_name TEXT, text TEXT, payload TEXT);
"""


def ulid(number: int) -> str:
    """Return the id of what happened a number of milliseconds after the beginning."""
    value, characters = ((BEGAN_MS + number) << 80) + number, ""
    for _ in range(26):
        value, digit = divmod(value, 32)
        characters = _DIGITS[digit] + characters
    return characters


def when(number: int) -> str:
    """Return a time as the log writes it: microseconds and an offset."""
    seconds, rest = divmod(BEGAN_MS + number, 1000)
    days = (seconds - 1_789_948_800) // 3600
    assert 0 <= days < 24
    minutes, second = divmod(seconds % 3600, 60)
    return f"2026-09-21T{days:02}:{minutes:02}:{second:02}.{rest:03}250+00:00"


class Logged:
    """A log that calls are added to."""

    def __init__(self, path: Path, *, older: bool = True, newer: bool = False) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.connection = sqlite3.connect(path, isolation_level=None)
        self.connection.execute("PRAGMA synchronous=OFF")
        self.connection.executescript(OLDER * older + NEWER * newer)

    def close(self) -> None:
        self.connection.close()

    def insert(self, table: str, **values: Any) -> None:
        given = {
            name: json.dumps(value) if isinstance(value, dict) else value
            for name, value in values.items()
        }
        columns = ", ".join(f'"{name}"' for name in given)
        marks = ", ".join("?" * len(given))
        self.connection.execute(
            f"INSERT OR REPLACE INTO {table} ({columns}) VALUES ({marks})", tuple(given.values())
        )

    def has(self, table: str, key: str) -> bool:
        found = self.connection.execute(f"SELECT 1 FROM {table} WHERE id = ?", (key,))
        return found.fetchone() is not None

    def response(self, number: int, prompt: str, response: str, key: str, **more: Any) -> str:
        """Log a call as versions up to 0.31 do; return its id."""
        if not self.has("conversations", key):
            self.insert("conversations", id=key, name=prompt or key, model="wren")
        self.insert(
            "responses",
            **{
                "id": ulid(number), "model": "wren", "prompt": prompt, "response": response,
                "conversation_id": key, "duration_ms": 5, "datetime_utc": when(number),
                "input_tokens": 10, "output_tokens": 4,
            } | more,
        )  # fmt: skip
        return ulid(number)

    def message(self, hash_: str, parent: str | None, role: str, *parts: dict[str, Any]) -> str:
        self.insert("messages", hash=hash_, parent_hash=parent, role=role)
        self.connection.execute("DELETE FROM parts WHERE message_hash = ?", (hash_,))
        for position, part in enumerate(parts):
            self.insert("parts", message_hash=hash_, position=position, **part)
        return hash_

    def turn(self, number: int, key: str, parent: str, tip: str, **more: Any) -> str:
        """Log a call as versions from 0.32 on do; return its id."""
        if not self.has("threads", key):
            self.insert("threads", id=key, name="Thread")
        self.insert(
            "turns",
            **{
                "id": ulid(number), "thread_id": key, "parent_message_hash": parent,
                "tip_message_hash": tip, "model": "wren", "input_tokens": 10, "output_tokens": 4,
                "duration_ms": 5, "datetime_utc": when(number),
            } | more,
        )  # fmt: skip
        return ulid(number)


def text(said: str) -> dict[str, Any]:
    return {"type": "text", "text": said}
