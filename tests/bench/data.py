"""Seeded exchanges: words drawn from a Zipf distribution, as text has it."""

import itertools
import random

from steno_schema.ids import uuid7
from steno_schema.records import Exchange, Tokens
from steno_schema.times import format_ms

VOCABULARY = 30_000
PROMPT_WORDS, OUTPUT_WORDS = 26, 77
"""About 200 and 600 bytes."""
_YEAR_MS = 365 * 86_400_000


class Texts:
    """An endless source of prompts and outputs."""

    def __init__(self, seed: int) -> None:
        vocabulary = random.Random(1)
        letters = "abcdefghijklmnopqrstuvwxyz"
        self.words = [
            "".join(vocabulary.choices(letters, k=vocabulary.randint(3, 10)))
            for _ in range(VOCABULARY)
        ]
        self._weights = list(itertools.accumulate(1 / (rank + 1) for rank in range(VOCABULARY)))
        self.rng = random.Random(seed)

    def text(self, words: int) -> str:
        return " ".join(self.rng.choices(self.words, cum_weights=self._weights, k=words))

    def exchange(self, number: int, total: int, end_ms: int) -> Exchange:
        """Return exchange ``number`` of ``total``, spread over the year before ``end_ms``."""
        moment = end_ms - _YEAR_MS + number * _YEAR_MS // total
        return Exchange(
            id=uuid7(moment),
            prompt=self.text(PROMPT_WORDS),
            output=self.text(OUTPUT_WORDS),
            created_at=format_ms(moment),
            model=f"model-{number % 7}",
            tokens=Tokens(input=200, output=600),
            cost_usd=0.01,
            tags=[f"tag-{number % 50}", "bench"],
            session=f"session-{number // 500}",
            project=f"/project/{number % 20}",
        )
