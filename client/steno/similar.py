"""Prompts that are like another, by their words: which to search for, and how alike two are."""

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from steno_schema.limits import SEARCH_TEXT_MAX_BYTES
from steno_schema.replies import SearchResult

_WORD = re.compile(r"[^\W_]+")
_FIRST_CJK = "\u2e80"
_TERMS_MAX = 16
_SHOWN_CHARS = 500
"""As much of a prompt as a search result carries."""


def query_of(text: str) -> str:
    """Return a search for any of the words of ``text`` that are likely to be rare: the longest.

    >>> query_of("Fix the login of the login page")
    '"login" OR "page" OR "fix" OR "the" OR "of"'
    """
    words = sorted(dict.fromkeys(_words(text)), key=len, reverse=True)[:_TERMS_MAX]
    query = ""
    for word in words:
        longer = f'{query} OR "{word}"' if query else f'"{word}"'
        if len(longer.encode()) <= SEARCH_TEXT_MAX_BYTES:
            query = longer
    return query


def by_likeness(text: str, results: Sequence[SearchResult]) -> list[SearchResult]:
    """Return the results, the most alike first; ``score`` becomes the likeness, 0 to 1.

    It is the cosine of the sets of words, each weighed by how few of the results have it; 1 means
    the same words. What has no word in common is left out.
    """
    wanted = set(_words(text[:_SHOWN_CHARS]))
    prompts = [set(_words(result.prompt)) for result in results]
    having = Counter(word for words in prompts for word in words)
    weights = {word: _weight(having[word], len(prompts)) for word in having.keys() | wanted}
    scored = [
        replace(result, score=round(_likeness(wanted, words, weights), 4))
        for result, words in zip(results, prompts, strict=True)
        if wanted & words
    ]
    return sorted(scored, key=lambda result: (-result.score, -result.number))


def _weight(having: int, of: int) -> float:
    return math.log((of + 1) / (having + 1)) + 1


def _likeness(one: set[str], other: set[str], weights: dict[str, float]) -> float:
    def weigh(words: Iterable[str]) -> float:
        return math.fsum(weights[word] for word in words)

    return weigh(one & other) / math.sqrt(weigh(one) * weigh(other))


def _words(text: str) -> list[str]:
    """Return the words of a text; of CJK text, which has no blanks, each two neighbours."""
    words: list[str] = []
    for word in _WORD.findall(text.casefold()):
        if len(word) > 1 and any(character >= _FIRST_CJK for character in word):
            words += [word[start : start + 2] for start in range(len(word) - 1)]
        else:
            words.append(word)
    return words
