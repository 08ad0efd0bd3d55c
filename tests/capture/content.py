"""What a database holds, so that two of them can be compared whatever way they were filled.

Row ids, the times of storing and the ledger depend on the way; everything else must not.
"""

import json
from pathlib import Path
from typing import Any

import apsw

from stenod.store import packs
from stenod.store.packs import WHOLE_TEXT

_TABLES = {
    "session": """
SELECT hex(uid), key, agent, user, project, title, status, created_at, started_at, ended_at,
  last_active_at, metadata FROM session
""",
    "conversation": """
SELECT hex(c.uid), c.key, s.key, p.key, c.kind, c.user, c.title, c.summary, c.created_at,
  c.started_at, c.ended_at, c.metadata
FROM conversation AS c JOIN session AS s ON s.id = c.session_id
LEFT JOIN conversation AS p ON p.id = c.parent_id
""",
    "exchange": """
SELECT hex(e.uid), c.key, hex(p.uid), hex(o.uid), e.created_at, e.origin, e.status, e.agent,
  e.user, e.project, e.framework, e.model, e.input_tokens, e.output_tokens, e.cache_read_tokens,
  e.cache_write_tokens, e.cache_write_5m_tokens, e.cache_write_1h_tokens, e.reasoning_tokens,
  e.total_tokens, e.tokens_complete, e.cost_usd, e.response_time_ms, e.copied, e.metadata
FROM exchange AS e JOIN conversation AS c ON c.id = e.conversation_id
LEFT JOIN message AS p ON p.id = e.prompt_id LEFT JOIN message AS o ON o.id = e.output_id
""",
    "message": f"""
SELECT hex(m.uid), c.key, hex(e.uid), m.role, m.kind, {WHOLE_TEXT}, m.created_at, m.position,
  m.model, m.tool_name, m.call_id, m.is_error, m.copied, m.metadata
FROM message AS m JOIN conversation AS c ON c.id = m.conversation_id
LEFT JOIN exchange AS e ON e.id = m.exchange_id
""",
    "usage": """
SELECT hex(u.uid), s.key, c.key, hex(e.uid), u.agent, u.model, u.input_tokens, u.output_tokens,
  u.cache_read_tokens, u.cache_write_tokens, u.cache_write_5m_tokens, u.cache_write_1h_tokens,
  u.reasoning_tokens, u.total_tokens, u.tokens_complete, u.cost_usd, u.request_id, u.recorded_at,
  u.position, u.nested, u.copied
FROM usage AS u LEFT JOIN session AS s ON s.id = u.session_id
LEFT JOIN conversation AS c ON c.id = u.conversation_id
LEFT JOIN exchange AS e ON e.id = u.exchange_id
""",
}

Content = dict[str, list[tuple[Any, ...]]]


def content_of(connection: apsw.Connection) -> Content:
    """Return every record by table, ordered by its id."""
    packs.register(connection)
    found = {
        name: [tuple(row) for row in connection.execute(f"{sql} ORDER BY 1")]
        for name, sql in _TABLES.items()
    }
    assert connection.execute("SELECT count(*) FROM pragma_foreign_key_check").get == 0
    return found


def content_of_file(database: Path) -> Content:
    """Return every record of a database that no daemon has open."""
    connection = apsw.Connection(str(database), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        return content_of(connection)
    finally:
        connection.close()


def differences(ours: Content, theirs: Content, most: int = 5) -> str:
    """Describe what only one of two databases has; nothing when they are equal."""
    lines: list[str] = []
    for name in _TABLES:
        here, there = set(ours[name]), set(theirs[name])
        for mark, rows in (("-", here - there), ("+", there - here)):
            chosen = sorted(rows, key=str)[:most]
            lines += [f"{mark} {name} {json.dumps(row, default=str)[:600]}" for row in chosen]
            if len(rows) > most:
                lines.append(f"{mark} {name} and {len(rows) - most} more")
    return "\n".join(lines)
