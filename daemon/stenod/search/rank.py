"""Scores for candidates: how often the words occur, how long the text is, who said it, when.

A bounded set of the newest matches is scored (``SEARCH_CANDIDATES``), because visiting every
match of a common word takes seconds on a million messages; see ARCHITECTURE.md, "Search".
"""

import math
from typing import Any

import apsw

from stenod.store.keys import DAY_MS

SATURATION = 1.2
"""BM25's k1: how soon another occurrence stops counting."""
LENGTH_WEIGHT = 0.5
"""BM25's b, weaker than usual: a long prompt is not a worse prompt."""
TYPICAL_TOKENS = 120.0
RECENCY_HALF_LIFE_DAYS = 30.0
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


def occurrence_score(api: apsw.FTS5ExtensionApi, *arguments: Any) -> float:
    """FTS5 auxiliary function: BM25 without document frequencies, for one row.

    The argument is how many facets were required: each occurs once, and says nothing.
    """
    occurrences: int = api.inst_count - arguments[0]
    length = api.column_size(-1)
    norm = 1 - LENGTH_WEIGHT + LENGTH_WEIGHT * length / TYPICAL_TOKENS
    return occurrences / (occurrences + SATURATION * norm)


def register(connection: apsw.Connection) -> None:
    """Make ``occurrence_score`` known to a connection that searches."""
    connection.register_fts5_function("occurrence_score", occurrence_score)


class Blend:
    """The final score of a candidate: how well it matches, who said it, and how long ago.

    The time is the day in its number. Called a thousand times a search, so what depends on the
    day alone is computed once a day.
    """

    def __init__(self, now_ms: int) -> None:
        self._today = now_ms / DAY_MS
        self._recency: dict[int, float] = {}

    def __call__(self, score: float, role: str, kind: str, day: int) -> float:
        boost = self._recency.get(day)
        if boost is None:
            age_days = max(self._today - day, 0)
            boost = 1 + RECENCY_WEIGHT * math.exp2(-age_days / RECENCY_HALF_LIFE_DAYS)
            self._recency[day] = boost
        return score * WEIGHTS.get((role, kind), OTHER_WEIGHT) * boost
