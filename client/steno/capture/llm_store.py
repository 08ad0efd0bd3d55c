"""Cuts llm's ``logs.db`` into conversations: for each its calls of a model, with all that is in them.

Calls stand in two generations of tables with one space of ids. The older ones hold a call in a row
of ``responses``; the newer ones point from a row of ``turns`` into a tree of messages that
conversations share. A line tells one call with what was new in it, so that it stands for itself.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Any

import msgspec

from steno.capture.container import Member
from steno.capture.database import row_line, rows_of
from steno.capture.snapshot import Parts, Unit, unit_of
from steno.capture.source import Look
from steno.capture.sqlite_copy import tables
from steno_schema.limits import KEY_MAX_CHARS

NEEDED = ("responses", "turns")
CHAIN_MAX = 10_000
"""Messages that are followed upwards; a chain that is longer, or a ring, is cut."""
_DOCUMENTS = ("options_json", "prompt_json", "response_json", "token_details", "payload")
_BELONGS = {
    "responses": "conversation_id",
    "turns": "thread_id",
    "parts": "message_hash",
    "tool_calls": "response_id",
    "tool_results": "response_id",
    "prompt_fragments": "response_id",
    "system_fragments": "response_id",
    "prompt_attachments": "response_id",
}
"""By which column rows belong to what they are part of; none of them is indexed."""

Row = dict[str, Any]


class Log:
    """One snapshot of a database: where its rows are, by what they belong to."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._columns = tables(connection)
        self._rowids = {
            table: self._by(table, column)
            for table, column in _BELONGS.items()
            if column in self._columns.get(table, ())
        }

    def _by(self, table: str, column: str) -> dict[Any, list[int]]:
        found: dict[Any, list[int]] = {}
        for rowid, key in self._connection.execute(f'SELECT rowid, "{column}" FROM "{table}"'):
            found.setdefault(key, []).append(rowid)
        return found

    def members(self) -> Iterator[Member]:
        """Yield the conversations, the one that began first foremost."""
        responses, turns = self._rowids.get("responses", {}), self._rowids.get("turns", {})
        for key in dict.fromkeys([*responses, *turns]):
            if _is_key(key):
                old, new = responses.get(key, []), turns.get(key, [])
                # A row that is written anew gets another number.
                look = Look(size_bytes=len(old) + len(new), mtime_ns=sum(old) + sum(new))
                yield Member(key, look, partial(self._cut, key))

    def _cut(self, key: str) -> Parts:
        return Parts(key, self._units(key))

    def _units(self, key: str) -> Iterator[Unit]:
        for table in ("conversations", "threads"):
            for row in self._where(table, "id", key):
                yield unit_of(table, row_line(table, row))
        turns = self._of("turns", key)
        # Some versions wrote both, under the same id.
        known = {row.get("id") for row in turns}
        old = [row for row in self._of("responses", key) if row.get("id") not in known]
        told = set[Any]()
        calls = [(row, self._response(row)) for row in old] + [
            (row, self._turn(row)) for row in turns
        ]
        for row, beside in sorted(calls, key=lambda each: str(each[0].get("id"))):
            yield from self._fragments(beside.pop("used"), told)
            table = "turns" if "parent_message_hash" in row else "responses"
            line = row_line(table, row, documents=_DOCUMENTS, **beside)
            yield unit_of(f"{table}/{row.get('id')}", line)

    def _fragments(self, used: Iterable[Any], told: set[Any]) -> Iterator[Unit]:
        """Yield fragments once, however many calls were given them."""
        for number in used:
            if number not in told:
                told.add(number)
                for row in self._where("fragments", "id", number):
                    yield unit_of(f"fragment/{number}", row_line("fragments", row))

    # ----- calls

    def _response(self, row: Row) -> Row:
        key = row.get("id")
        return {
            "tool_calls": [_told(each) for each in self._of("tool_calls", key)],
            "tool_results": [_told(each) for each in self._of("tool_results", key)],
            "attachments": [
                _told(found)
                for each in self._of("prompt_attachments", key)
                for found in self._where("attachments", "id", each.get("attachment_id"))
            ],
            "fragments": [each.get("fragment_id") for each in self._of("prompt_fragments", key)],
            "used": [
                each.get("fragment_id")
                for table in ("prompt_fragments", "system_fragments")
                for each in self._of(table, key)
            ],
        }

    def _turn(self, row: Row) -> Row:
        """Return what a turn was given that is new in it, and what came of it."""
        given = self._chain(row.get("parent_message_hash"), None)
        own = _trailing(given, {"user", "tool"})
        system = _trailing(given[: len(given) - len(own)], {"system"})
        made = self._chain(row.get("tip_message_hash"), row.get("parent_message_hash"))
        told = {
            name: [self._message(each) for each in chain]
            for name, chain in (("system", system), ("input", own), ("output", made))
        }
        used = [
            piece.get("fragment")
            for message in [*told["system"], *told["input"]]
            for part in message["parts"]
            for piece in pieces_of(part)
            if piece.get("fragment") is not None
        ]
        return {**told, "used": used}

    def _chain(self, tip: Any, until: Any) -> list[Row]:
        """Return messages from a tip upwards to one that is left out, the oldest first."""
        found: list[Row] = []
        while tip is not None and tip != until and len(found) < CHAIN_MAX:
            rows = self._where("messages", "hash", tip)
            if not rows:
                break
            found.append(rows[0])
            tip = rows[0].get("parent_hash")
            if until is None and rows[0].get("role") == "assistant":
                break
        return found[::-1]

    def _message(self, row: Row) -> Row:
        parts = sorted(
            self._of("parts", row.get("hash")), key=lambda each: str(each.get("position"))
        )
        return {
            "role": row.get("role"),
            "hash": row.get("hash"),
            "parts": [_told(each) for each in parts],
        }

    # ----- rows

    def _of(self, table: str, key: Any) -> list[Row]:
        rowids = self._rowids.get(table, {}).get(key, [])
        return [row for rowid in rowids for row in self._where(table, "rowid", rowid)]

    def _where(self, table: str, column: str, value: Any) -> list[Row]:
        if table not in self._columns:
            return []
        statement = f'SELECT * FROM "{table}" WHERE "{column}" = ?'
        return list(rows_of(self._connection, statement, (value,)))


def members(connection: sqlite3.Connection) -> Iterator[Member]:
    """Yield the conversations of a database."""
    return Log(connection).members()


def pieces_of(part: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what a text is made of where it borrows from fragments."""
    try:
        return msgspec.convert(part.get("payload"), _Payload).text_ref
    except ValueError:
        return []


class _Payload(msgspec.Struct):
    text_ref: list[dict[str, Any]] = []


def _trailing(chain: list[Row], roles: set[str]) -> list[Row]:
    start = len(chain)
    while start and chain[start - 1].get("role") in roles:
        start -= 1
    return chain[start:]


def _told(row: Row) -> Row:
    """Return a row as it stands inside of a line."""
    line: dict[str, Any] = msgspec.json.decode(row_line("", row, documents=_DOCUMENTS))
    told: Row = line["row"]
    return told


def _is_key(key: Any) -> bool:
    return (
        isinstance(key, str) and 0 < len(key) <= KEY_MAX_CHARS and "/" not in key and key[0] != "."
    )
