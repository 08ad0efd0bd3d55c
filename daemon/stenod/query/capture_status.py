"""What capture has read, and what came of it, agent by agent."""

from collections.abc import Sequence
from typing import Any

import apsw

from steno_schema.times import format_ms
from stenod.query.meter import by_source, by_version
from stenod.store import alarms

_FILES = """
SELECT agent, sum(now), sum(size_bytes * now), sum(offset * now), sum(lines * now),
  sum(lines_skipped * now), sum(lines_not_understood * now), sum(redactions), sum(kept_bytes),
  sum(state = 'gone'), sum(state = 'unreadable'), max(last_event_at), max(last_read_at),
  sum(1 - now), sum(is_away)
FROM (SELECT *, state <> 'replaced' AS now FROM source) GROUP BY agent
"""
_PROMPTS = "SELECT agent, origin, count(*) FROM exchange WHERE origin <> 'script' GROUP BY 1, 2"
_MESSAGES = """
SELECT s.agent, sum(m.kind = 'tool_call'),
  sum(m.kind = 'text' AND m.role = 'assistant'), count(*)
FROM session AS s JOIN conversation AS c ON c.session_id = s.id
JOIN message AS m ON m.conversation_id = c.id
WHERE s.agent IN (SELECT DISTINCT agent FROM source)
  AND coalesce(m.metadata ->> 'nested', 0) = 0
GROUP BY s.agent
"""
_USAGE = """
SELECT agent, nested, count(*), sum(input_tokens), sum(output_tokens), sum(cache_read_tokens),
  sum(cache_write_tokens), sum(cache_write_5m_tokens), sum(cache_write_1h_tokens),
  sum(reasoning_tokens), min(tokens_complete)
FROM usage WHERE agent IN (SELECT DISTINCT agent FROM source) GROUP BY agent, nested
"""
_BUCKETS = (
    "input",
    "output",
    "cache_read",
    "cache_write",
    "cache_write_5m",
    "cache_write_1h",
    "reasoning",
)
_WITHOUT_SESSION = """
SELECT agent, count(*) FROM source
WHERE state <> 'replaced' AND session_key IS NULL AND offset > 0 GROUP BY agent
"""
_WITHOUT_MESSAGES = """
SELECT s.agent, count(*) FROM session AS s
WHERE s.agent IN (SELECT DISTINCT agent FROM source) AND NOT EXISTS (
  SELECT 1 FROM conversation AS c JOIN message AS m ON m.conversation_id = c.id
  WHERE c.session_id = s.id)
GROUP BY s.agent
"""
_ONLY_HERE = """
SELECT agent, count(*) FROM (
  SELECT agent, session_key FROM source WHERE session_key IS NOT NULL
  GROUP BY agent, session_key HAVING max(state IN ('live', 'unreadable')) = 0)
GROUP BY agent
"""
_COUNTED = {
    "files_without_session": _WITHOUT_SESSION,
    "sessions_without_messages": _WITHOUT_MESSAGES,
    "sessions_only_here": _ONLY_HERE,
}
_FILE_ROWS = """
SELECT id, agent, path, iif(is_away, 'away', state), size_bytes, offset, lines, lines_skipped, lines_not_understood, sample,
  redactions, records, kept_bytes, parser, session_key, last_read_at, last_event_at
FROM source ORDER BY last_read_at DESC
"""


def capture_status(connection: apsw.Connection, *, files: bool) -> dict[str, Any]:
    """Return one entry an agent and, with ``files``, one row a source file."""
    agents = {row[0]: _agent(row) for row in connection.execute(_FILES)}
    for agent, origin, count in connection.execute(_PROMPTS):
        entry = agents.get(agent)
        if entry is not None:
            entry[_ORIGIN_NAMES.get(origin, f"{origin}_prompts")] = count
    for agent, tool_calls, texts, messages in connection.execute(_MESSAGES):
        agents[agent] |= {"tool_calls": tool_calls, "messages": messages}
        agents[agent]["assistant_messages"] = texts
    for row in connection.execute(_USAGE):
        _add_usage(agents[row[0]], row)
    for name, sql in _COUNTED.items():
        for agent, count in connection.execute(sql):
            agents[agent][name] = count
    for agent, versions in by_version(connection).items():
        agents[agent]["versions"] = versions
    result: dict[str, Any] = {"agents": [agents[name] for name in sorted(agents)]}
    result["alarms"] = alarms.standing(connection)
    if files:
        kinds = by_source(connection)
        result["files"] = [
            _file(row) | {"kinds": kinds.get(number, [])}
            for number, *row in connection.execute(_FILE_ROWS)
        ]
    return result


_ORIGIN_NAMES = {
    "human": "human_prompts",
    "queued": "queued_prompts",
    "command": "slash_commands",
    "plan": "plan_handoffs",
}


def _agent(row: tuple[Any, ...]) -> dict[str, Any]:
    return {
        "agent": row[0],
        "files": row[1],
        "source_bytes": row[2] or 0,
        "read_bytes": row[3],
        "lines": row[4],
        "lines_skipped": row[5],
        "lines_not_understood": row[6],
        "redactions": row[7],
        "kept_bytes": row[8],
        "files_gone": row[9],
        "files_unreadable": row[10],
        "files_replaced": row[13],
        "files_away": row[14],
        "last_event_at": None if row[11] is None else format_ms(row[11]),
        "last_read_at": format_ms(row[12]),
        **dict.fromkeys(_COUNTED, 0),
        "versions": [],
        "human_prompts": 0,
        "queued_prompts": 0,
        "slash_commands": 0,
        "plan_handoffs": 0,
        "assistant_messages": 0,
        "tool_calls": 0,
        "messages": 0,
        "model_calls": 0,
        "tokens": dict.fromkeys(_BUCKETS, 0) | {"complete": True},
        "nested": {"model_calls": 0, "tokens": dict.fromkeys(_BUCKETS, 0)},
    }


def _add_usage(entry: dict[str, Any], row: tuple[Any, ...]) -> None:
    """Claude Code's messages are its model calls: one message is many lines and blocks."""
    _agent_name, nested, calls, *sums, complete = row
    tokens = dict(zip(_BUCKETS, sums, strict=True))
    if nested:
        entry["nested"] = {"model_calls": calls, "tokens": tokens}
        return
    entry["model_calls"] = calls
    entry["tokens"] = tokens | {"complete": bool(complete)}
    if entry["agent"] == "claude-code":
        entry["assistant_messages"] = calls


def _file(row: Sequence[Any]) -> dict[str, Any]:
    return {
        "agent": row[0],
        "path": row[1],
        "state": row[2],
        "size_bytes": row[3],
        "read_bytes": row[4],
        "lines": row[5],
        "lines_skipped": row[6],
        "lines_not_understood": row[7],
        "sample": row[8],
        "redactions": row[9],
        "records": row[10],
        "kept_bytes": row[11],
        "parser": row[12],
        "session_id": row[13],
        "last_read_at": format_ms(row[14]),
        "last_event_at": None if not row[15] else format_ms(row[15]),
    }
