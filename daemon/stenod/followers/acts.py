"""What tool calls did, a row for each file and command, beside the messages that tell of it."""

import json
import logging

import apsw

from stenod.acts import RESULT_SEEN_CHARS, Act, Result, acts_of
from stenod.store.changes import Kind
from stenod.store.packs import WHOLE_TEXT
from stenod.store.rows import Row, fetch_all
from stenod.traces import place_of

log = logging.getLogger("stenod.acts")

_CALLS = f"""
SELECT m.id, m.exchange_id, m.call_id, m.tool_name, {WHOLE_TEXT} FROM message AS m
WHERE m.kind = 'tool_call' AND (m.id BETWEEN ?1 AND ?2 OR m.id IN
  (SELECT c.id FROM message AS c WHERE c.kind = 'tool_call'
     AND c.exchange_id IN (SELECT exchange_id FROM message
       WHERE id BETWEEN ?1 AND ?2 AND kind = 'tool_result')
     AND c.call_id IN (SELECT call_id FROM message
       WHERE id BETWEEN ?1 AND ?2 AND kind = 'tool_result')))
"""
"""Those in a range, and those whose results are: a result tells whether a file was new."""
_RESULTS = """
SELECT exchange_id, call_id, substr(content, 1, ?), is_error FROM message
WHERE kind = 'tool_result' AND exchange_id IN (SELECT value FROM json_each(?))
  AND call_id IN (SELECT value FROM json_each(?))
"""


class Acts:
    """Keeps ``act`` in step with ``message``."""

    name = "acts"
    version = "2"
    table = "message"
    kinds: frozenset[Kind] = frozenset({"message"})

    def reset(self, connection: apsw.Connection) -> None:
        connection.execute("DELETE FROM act")

    def put(self, connection: apsw.Connection, first_id: int, last_id: int) -> None:
        rows = fetch_all(connection, _CALLS, (first_id, last_id))
        if not rows:
            return
        answers = _answers(connection, rows)
        connection.executemany("DELETE FROM act WHERE message_id = ?", [(row[0],) for row in rows])
        connection.executemany(
            "INSERT INTO act (message_id, number, kind, what) VALUES (?, ?, ?, ?)",
            [
                (row[0], number, act.kind, act.what)
                for row in rows
                for number, act in enumerate(_acts(row, answers))
            ],
        )

    def gone(self, connection: apsw.Connection, first_id: int, last_id: int) -> None:
        """Nothing to do: rows go with their message."""


def _answers(connection: apsw.Connection, calls: list[Row]) -> dict[Row, Result]:
    """Return what is known of the calls' results, by exchange and call id."""
    exchanges = json.dumps(sorted({call[1] for call in calls if call[1] is not None}))
    call_ids = json.dumps(sorted({call[2] for call in calls if call[2] is not None}))
    found = fetch_all(connection, _RESULTS, (RESULT_SEEN_CHARS, exchanges, call_ids))
    return {(row[0], row[1]): Result(row[2], bool(row[3])) for row in found}


def _acts(call: Row, answers: dict[Row, Result]) -> list[Act]:
    _, exchange_id, call_id, tool, content = call
    try:
        return acts_of(tool or "", content, answers.get((exchange_id, call_id), Result()))
    except Exception as error:
        # A call that nobody thought of must not stop the others.
        log.error("a tool call was not read: %s", place_of(error))
        return []
