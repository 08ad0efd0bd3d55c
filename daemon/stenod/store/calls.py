"""Model calls as statistics see them: which an exchange counts, and which stand outside of all.

An exchange of a script that says its tokens or its cost counts nothing else. Every other counts
the calls that name it: a captured one only those of its own conversation, since a fork may go on
with a turn that another session owns. What was found inside another record only is never counted.
"""

CALLS = """
FROM (SELECT *, tokens_complete AS cost_complete, NULL AS project, NULL AS user,
  NULL AS response_time_ms, NULL AS rating FROM usage) AS e
LEFT JOIN conversation AS c ON c.id = e.conversation_id
LEFT JOIN session AS s ON s.id = coalesce(c.session_id, e.session_id)
LEFT JOIN exchange AS x ON x.id = e.exchange_id
"""
"""Calls under the names of exchanges, so that sums and filters of exchanges serve for both."""

INSIDE = "(x.id IS NOT NULL AND (x.origin = 'script' OR x.conversation_id IS e.conversation_id))"
SAYS_ITSELF = "(x.origin = 'script' AND (x.cost_usd IS NOT NULL OR x.input_tokens IS NOT NULL))"
"""Whether exchange ``x`` was saved with tokens or a cost of its own."""
COUNTED = f"(e.nested = 0 AND {INSIDE} AND NOT {SAYS_ITSELF})"
"""Whether call ``e`` is part of the cost of its exchange ``x``."""
OUTSIDE = f"(e.nested = 0 AND NOT {INSIDE})"
"""Whether call ``e`` is part of no exchange."""
OUTSIDE_NAME = """
CASE WHEN c.kind = 'subagent' AND c.key LIKE '%/acompact-%' THEN 'compaction'
  WHEN c.kind = 'subagent' THEN 'subagent' ELSE 'other' END
"""
"""What a call outside of exchanges was for."""

COST = "coalesce(e.cost_usd, e.computed_cost_usd)"
"""What exchange or call ``e`` cost: reported, else computed."""
TOKENS = (
    "coalesce(e.total_tokens,"
    " e.input_tokens + e.output_tokens + e.cache_read_tokens + e.cache_write_tokens)"
)
