"""The full-text index over messages, and over the tags and notes of exchanges."""

import json
import logging

import apsw

from stenod.search.facets import facets_of
from stenod.search.text import index_parts
from stenod.store.changes import Kind
from stenod.store.packs import WHOLE_TEXT
from stenod.store.rows import fetch_all
from stenod.traces import place_of

log = logging.getLogger("stenod.fulltext")

TOOL_TEXT_MAX_CHARS = 4000
"""Of a tool's call or result only the beginning is searchable: the rest is listings and dumps,
which made two thirds of the index and were never what a person looked for."""
NOT_INDEXED = "injected"
"""What the agent put into the user's mouth repeats instructions and prompts over and over."""

_ROWS = f"""
SELECT m.id, m.kind, iif(m.kind IN ('tool_call', 'tool_result'), substr({WHOLE_TEXT}, 1, ?1),
  {WHOLE_TEXT}),
  (SELECT json_group_array(t.tag) FROM exchange_tag AS t WHERE t.exchange_id = e.id),
  m.id = e.prompt_id, e.notes, e.model, coalesce(e.framework, e.agent), coalesce(e.agent, s.agent),
  coalesce(e.project, s.project)
FROM message AS m
JOIN conversation AS c ON c.id = m.conversation_id
JOIN session AS s ON s.id = c.session_id
LEFT JOIN exchange AS e ON e.id = m.exchange_id
WHERE m.id BETWEEN ?2 AND ?3
"""


class FullText:
    """Keeps ``message_index`` in step with ``message``; a prompt is found by its notes too."""

    name = "fulltext"
    version = "3"
    table = "message"
    kinds: frozenset[Kind] = frozenset({"message", "message_gone"})

    def reset(self, connection: apsw.Connection) -> None:
        connection.execute("INSERT INTO message_index (message_index) VALUES ('delete-all')")

    def put(self, connection: apsw.Connection, first_id: int, last_id: int) -> None:
        rows = fetch_all(connection, _ROWS, (TOOL_TEXT_MAX_CHARS, first_id, last_id))
        connection.executemany(
            "INSERT OR REPLACE INTO message_index (rowid, body, parts, tags, facets)"
            " VALUES (?, ?, ?, ?, ?)",
            [_entry(*row) for row in rows if row[1] != NOT_INDEXED],
        )

    def gone(self, connection: apsw.Connection, first_id: int, last_id: int) -> None:
        connection.execute(
            "DELETE FROM message_index WHERE rowid BETWEEN ? AND ? AND rowid NOT IN"
            " (SELECT id FROM message WHERE id BETWEEN ? AND ?)",
            (first_id, last_id, first_id, last_id),
        )


def _entry(
    row_id: int, _kind: str, content: str, tags: str, is_prompt: int | None, notes: str | None,
    *filed: str | None,
) -> tuple[int, str, str, str, str]:  # fmt: skip
    """Return a message's row of the index; what is said about an exchange goes with its prompt."""
    words: list[str] = [] if tags == "[]" else json.loads(tags)
    facets = facets_of(words, *filed)
    if not is_prompt:
        return row_id, content, _parts(content, None), "", facets
    said = " ".join(words if notes is None else [*words, notes])
    return row_id, content, _parts(content, notes), said, facets


def _parts(text: str, notes: str | None) -> str:
    """Return the parts, or none: a text that nobody thought of must not stop the index."""
    try:
        return index_parts(text if notes is None else f"{text}\n{notes}")
    except Exception as error:
        log.error("a text has no parts: %s", place_of(error))
        return ""
