"""What redaction took out, by kind: placeholders in the messages, counted, never quoted."""

import re
from collections import Counter
from typing import Any

import apsw

NEWEST_MAX = 20_000
"""Messages that are looked at, the newest first: the word itself may stand in any of them."""
_PLACEHOLDER = re.compile(r"\[redacted:([a-z0-9-]{1,40})\]")
_MESSAGES = """
SELECT m.content FROM message_index CROSS JOIN message AS m ON m.id = message_index.rowid
WHERE message_index MATCH 'body : redacted' ORDER BY message_index.rowid DESC LIMIT ?
"""


def redactions(connection: apsw.Connection) -> dict[str, Any]:
    """Return how many placeholders of each kind there are, and in how many messages."""
    kinds: Counter[str] = Counter()
    messages = looked_at = 0
    for (content,) in connection.execute(_MESSAGES, (NEWEST_MAX,)):
        looked_at += 1
        found = _PLACEHOLDER.findall(content)
        kinds.update(found)
        messages += bool(found)
    return {
        "kinds": dict(kinds.most_common()),
        "messages": messages,
        "complete": looked_at < NEWEST_MAX,
    }
