"""Hashes of prompts from before there were any; those of new exchanges are made as they come."""

import apsw

from stenod.store.changes import Kind
from stenod.store.rows import fetch_all
from stenod.store.sameness import prompt_hash

_WITHOUT = """
SELECT p.content, e.id FROM exchange AS e JOIN message AS p ON p.id = e.prompt_id
WHERE e.id BETWEEN ? AND ? AND e.prompt_hash IS NULL
"""


class PromptHash:
    """Goes once through all exchanges; another way to normalise would be another version."""

    name = "prompt_hash"
    version = "1"
    table = "exchange"
    kinds: frozenset[Kind] = frozenset()

    def reset(self, connection: apsw.Connection) -> None:
        connection.execute("UPDATE exchange SET prompt_hash = NULL WHERE prompt_hash IS NOT NULL")

    def put(self, connection: apsw.Connection, first_id: int, last_id: int) -> None:
        rows = fetch_all(connection, _WITHOUT, (first_id, last_id))
        connection.executemany(
            "UPDATE exchange SET prompt_hash = ? WHERE id = ?",
            [(prompt_hash(content), exchange_id) for content, exchange_id in rows],
        )

    def gone(self, connection: apsw.Connection, first_id: int, last_id: int) -> None:
        """Nothing to do: the hash goes with its row."""
