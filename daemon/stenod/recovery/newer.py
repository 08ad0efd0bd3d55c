"""Records of a damaged database that its backup does not have yet, added to a copy of the backup.

Ids of rows mean the same in both, but a number may have been given anew since: such a row gets
another one, and whatever points at it follows. Capture's ledger stays that of the backup, so the
watcher reads again what came since; its records are the same and are merged.
"""

from collections.abc import Iterator
from typing import Any

import apsw

from stenod.backup.verify import tables
from stenod.recovery.reading import Table
from stenod.recovery.salvage import in_slices
from stenod.store.packs import WHOLE_TEXT, drop_kept
from stenod.store.rows import Row, fetch_all, fetch_one

_LEDGER = frozenset({"source", "source_chunk"})
_TAGS = ("exchange_tag", "sighting")
_FORGETTABLE = ("exchange", "message", "usage", "conversation", "session")


class Newer:
    """Adds to ``base`` (no triggers, no references checked) what only ``damaged`` has."""

    def __init__(self, damaged: apsw.Connection, base: apsw.Connection) -> None:
        self._damaged = damaged
        self._base = base
        self._renumbered: dict[str, dict[int, int]] = {}
        self._exchanges: set[int] = set()
        self.added: dict[str, int] = {}
        self.missing: dict[str, int | None] = {}

    def add(self) -> None:
        """Add newer records, take over newer versions of others, and forget what was forgotten."""
        names = [name for name in tables(self._base) if name not in _LEDGER]
        with_uid = [
            name for name in names if {"id", "uid"} <= set(Table(self._base, name).columns)
        ]
        with self._base:
            self._take_tombstones()
            fresh = {name: self._of_table(name) for name in with_uid}
            for name, rows in fresh.items():
                self._renumber(name, rows)
            for name, rows in fresh.items():
                self._insert(name, rows)
            for name in _TAGS:
                self._insert_tags(name)
            self._forget()
            self._base.execute("DELETE FROM follower")

    def _take_tombstones(self) -> None:
        for rows in in_slices(Table(self._damaged, "tombstone").rows()):
            self._base.executemany("INSERT OR IGNORE INTO tombstone VALUES (?, ?)", rows)

    def _of_table(self, name: str) -> list[dict[str, Any]]:
        """Return the rows that ``base`` does not have, or has otherwise."""
        table = Table(self._damaged, name)
        gone = {row[0] for row in fetch_all(self._base, "SELECT uid FROM tombstone")}
        query = f'SELECT {table.list_of_columns} FROM "{name}" WHERE uid = ?'
        found: dict[bytes, dict[str, Any]] = {}
        for values in table.rows():
            row = dict(zip(table.columns, values, strict=True))
            if row["uid"] in gone:
                continue
            if name == "exchange":
                self._exchanges.add(row["id"])
            known = fetch_one(self._base, query, (row["uid"],))
            if known is None or _differ(row, dict(zip(table.columns, known, strict=True))):
                found[row["uid"]] = row
        if table.is_damaged and table.missing != 0:
            self.missing[name] = table.missing
        return list(found.values())

    def _renumber(self, name: str, rows: list[dict[str, Any]]) -> None:
        """Find other numbers for rows whose number is another record's by now."""
        taken: dict[int, bytes] = dict(fetch_all(self._base, f'SELECT id, uid FROM "{name}"'))
        following = max([0, *taken, *(row["id"] for row in rows)]) + 1
        changes: dict[int, int] = {}
        for row in rows:
            if taken.get(row["id"], row["uid"]) != row["uid"]:
                changes[row["id"]] = following
                following += 1
        self._renumbered[name] = changes

    def _insert(self, name: str, rows: list[dict[str, Any]]) -> None:
        before = fetch_all(self._base, f'SELECT count(*) FROM "{name}"')[0][0]
        references = self._references(name)
        for row in rows:
            row["id"] = self._renumbered[name].get(row["id"], row["id"])
            if name == "message":
                row.update(self._whole(row))
            self._follow_numbers(row, references)
            columns = ", ".join(f'"{column}"' for column in row)
            marks = ", ".join("?" * len(row))
            self._base.execute(f'DELETE FROM "{name}" WHERE uid = ?', (row["uid"],))
            self._base.execute(
                f'INSERT OR IGNORE INTO "{name}" ({columns}) VALUES ({marks})', list(row.values())
            )
        after = fetch_all(self._base, f'SELECT count(*) FROM "{name}"')[0][0]
        self.added[name] = after - before

    def _insert_tags(self, name: str) -> None:
        """Take over the tags of every exchange that could be read, if they can be read too."""
        table = Table(self._damaged, name)
        place = table.columns.index("exchange_id")
        rows = list(table.rows())
        if table.is_damaged:
            return
        numbers = {old: self._renumbered["exchange"].get(old, old) for old in self._exchanges}
        self._base.executemany(
            f'DELETE FROM "{name}" WHERE exchange_id = ?', [(new,) for new in numbers.values()]
        )
        marks = ", ".join("?" * len(table.columns))
        self._base.executemany(
            f'INSERT OR IGNORE INTO "{name}" VALUES ({marks})',
            [
                (*row[:place], numbers[row[place]], *row[place + 1 :])
                for row in rows
                if row[place] in numbers
            ],
        )

    def _references(self, name: str) -> list[Row]:
        return fetch_all(
            self._base, 'SELECT "from", "table" FROM pragma_foreign_key_list(?)', (name,)
        )

    def _follow_numbers(self, row: dict[str, Any], references: list[Row]) -> None:
        for column, parent in references:
            row[column] = self._renumbered.get(parent, {}).get(row[column], row[column])

    def _whole(self, row: dict[str, Any]) -> dict[str, Any]:
        """Return a message's text by itself: its chunk is not that of the backup."""
        if row["pack_id"] is None:
            return {}
        query = f"SELECT {WHOLE_TEXT} FROM message AS m WHERE m.uid = ?"
        try:
            content = self._damaged.execute(query, (row["uid"],)).get
        except Exception:  # the chunk is damaged in any way there is; the head is left
            content = None
        return {
            "content": row["content"] if content is None else content,
            "pack_id": None,
            "pack_start": None,
            "pack_size": None,
        }

    def _forget(self) -> None:
        """What was forgotten since the backup stays forgotten, its kept bytes too."""
        for source_id in self._sources_of_forgotten():
            drop_kept(self._base, source_id)
            self._base.execute(
                "UPDATE source SET kept_bytes = 0, sample = NULL WHERE id = ?", (source_id,)
            )
        for name in _FORGETTABLE:
            self._base.execute(f"DELETE FROM {name} WHERE uid IN (SELECT uid FROM tombstone)")

    def _sources_of_forgotten(self) -> Iterator[int]:
        query = (
            "SELECT DISTINCT o.id FROM source AS o JOIN session AS s ON s.key = o.session_key"
            " JOIN conversation AS c ON c.session_id = s.id"
            " LEFT JOIN exchange AS e ON e.conversation_id = c.id"
            " WHERE s.uid IN (SELECT uid FROM tombstone) OR c.uid IN (SELECT uid FROM tombstone)"
            " OR e.uid IN (SELECT uid FROM tombstone)"
        )
        for (source_id,) in fetch_all(self._base, query):
            yield source_id


def _differ(row: dict[str, Any], other: dict[str, Any]) -> bool:
    """Tell whether a record changed; where the rest of its text is kept is no change."""
    return any(row[name] != other.get(name) for name in row if not name.startswith("pack_"))
