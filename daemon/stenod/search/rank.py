"""Scores for candidates: how often the words occur, how long the text is, who said it, when.

A bounded set of the newest matches is scored (``SEARCH_CANDIDATES``), because visiting every
match of a common word takes seconds on a million messages; see ARCHITECTURE.md, "Search".
"""

import math
from typing import Any

import apsw

SATURATION = 1.2
"""BM25's k1: how soon another occurrence stops counting."""
LENGTH_WEIGHT = 0.5
"""BM25's b, weaker than usual: a long prompt is not a worse prompt."""
TYPICAL_TOKENS = 120.0
RECENCY_HALF_LIFE_MS = 30 * 86_400_000
RECENCY_WEIGHT = 0.5
"""A match of today counts half as much again as one of long ago."""
WEIGHTS = {
    ("user", "text"): 1.4,
    ("assistant", "text"): 1.0,
    ("system", "text"): 0.6,
    ("assistant", "thinking"): 0.6,
    ("assistant", "tool_call"): 0.5,
    ("tool", "tool_result"): 0.4,
}
OTHER_WEIGHT = 0.5


def occurrence_score(api: apsw.FTS5ExtensionApi, *_arguments: Any) -> float:
    """FTS5 auxiliary function: BM25 without document frequencies, for one row."""
    occurrences = api.inst_count
    length = api.column_size(-1)
    norm = 1 - LENGTH_WEIGHT + LENGTH_WEIGHT * length / TYPICAL_TOKENS
    return occurrences / (occurrences + SATURATION * norm)


def register(connection: apsw.Connection) -> None:
    """Make ``occurrence_score`` known to a connection that searches."""
    connection.register_fts5_function("occurrence_score", occurrence_score)


def blend(score: float, role: str, kind: str, age_ms: int) -> float:
    """Return the final score of a candidate."""
    recency = math.exp2(-max(age_ms, 0) / RECENCY_HALF_LIFE_MS)
    weight = WEIGHTS.get((role, kind), OTHER_WEIGHT)
    return score * weight * (1 + RECENCY_WEIGHT * recency)
