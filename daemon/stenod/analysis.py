"""The analyser: what a prompt is about, how hard it is, and which stage of work it belongs to.

It is deterministic, looks at words and not at meaning, and is quick enough to run on everything.
What a person says about an exchange always wins over what is guessed here. The words are data in
``analysis_rules``; labels come from the configuration.
"""

import re
from bisect import bisect_left, bisect_right
from collections import Counter
from functools import lru_cache
from itertools import pairwise

from msgspec import Struct

from steno_schema.config import Tracking
from stenod.analysis_rules import (
    CATEGORIES,
    CONCERN_WORDS,
    DEEP_WORDS,
    DEFAULT_TECHNIQUE,
    FILE_ENDINGS,
    LEAD_INS,
    LISTED_TECHNIQUE,
    SCOPE_WORDS,
    STAGES,
    STOP_WORDS,
    TECHNIQUES,
)

ANALYSER_VERSION = "1"
"""Changed with every change of rules: what was guessed before is then guessed again."""

LOOKED_AT_CHARS = 4000
KEYWORDS_MAX = 8
SUMMARY_MAX_CHARS = 200

_WORD = re.compile(r"(?<![\w./])[a-z][a-z0-9'+#-]*+(?![\w/(]|\.\w)")
"""A word of prose; what touches a dot, a slash, an underscore or a bracket belongs to code."""
_FILE_ENDING = re.compile(r"\.([a-z]{2,6})\b")
_LIST_ITEM = re.compile(r"[ \t]{0,8}(?:[-*]|[0-9]{1,2}[.)]) ")
_SENTENCE_END = re.compile(r"[.!?](?=\s)|[\u3002\uff01\uff1f]")
_LETTER = re.compile(r"[^\W\d_]")
_FENCE = "```"
_MARKUP = re.compile(r"[#>*`\s]+")
_LONG_CODE_LINES = 20
_FALLBACKS = ("general", "other")
_BY_NAME_POINTS = 3
_FILE_POINTS = 2
_ENOUGH_POINTS = 2
_WORD_COUNTS = (8, 40, 150)
"""More words than this, more work: a point each."""
_CONCERN_COUNTS = (3, 6)
_ITEM_COUNTS = (3, 7)
"""From so many things to take care of, or items in lists: a point each."""
_RANKS = (2, 4, 7)
"""From so many points on a prompt is moderate, complex, advanced."""


class Analysis(Struct, frozen=True, kw_only=True):
    """A guess; None where there is nothing to go by, or no label for it in the configuration."""

    category: str | None = None
    complexity: str | None = None
    technique: str | None = None
    stage: str | None = None
    keywords: list[str] = []
    response_summary: str | None = None


class _Prompt(Struct, frozen=True):
    """The beginning of a prompt, taken apart."""

    prose: str
    words: list[str]
    terms: set[str]
    """The words, also two at a time, and all of them without a last ``s``."""
    verb: str
    files: list[str]
    list_items: int
    code_lines: int


class _Rules(Struct, frozen=True):
    """A table made ready: what each word counts for which labels, and the labels in order."""

    points: dict[str, list[tuple[str, int]]]
    labels: tuple[str, ...]


def analyse(prompt: str, output: str, settings: Tracking) -> Analysis:
    """Return what the first ``LOOKED_AT_CHARS`` characters of a prompt and its output tell."""
    seen = _take_apart(prompt[:LOOKED_AT_CHARS].lower())
    return Analysis(
        category=_category(seen, settings.categories),
        complexity=_complexity(seen, settings.complexity_levels),
        technique=_technique(seen),
        stage=_stage(seen, settings.stages),
        keywords=_keywords(seen.words),
        response_summary=_summary(output[:LOOKED_AT_CHARS]),
    )


def _take_apart(text: str) -> _Prompt:
    """Split prose from code: what a program is made of says little about what is asked."""
    prose, code = _split_code(text)
    files: list[str] = _FILE_ENDING.findall(prose)
    files += [block.partition("\n")[0].strip() for block in code]
    words: list[str] = _WORD.findall(prose)
    terms = {*words, *map("_".join, pairwise(words))}
    terms.update([term[:-1] for term in terms if term[-1] == "s"])
    verb = next((word for word in words if word not in LEAD_INS), "")
    items = sum(1 for line in prose.splitlines() if _LIST_ITEM.match(line))
    code_lines = sum(block.count("\n") for block in code)
    return _Prompt(prose, words, terms, verb, files, items, code_lines)


def _split_code(text: str) -> tuple[str, list[str]]:
    """Return the prose of a text, and its blocks of code without their fences."""
    if _FENCE not in text:
        return text, []
    stretches = text.split(_FENCE)
    return "\n".join(stretches[::2]), stretches[1::2]


@lru_cache(maxsize=8)
def _category_rules(labels: tuple[str, ...]) -> _Rules:
    return _rules(CATEGORIES, labels)


@lru_cache(maxsize=8)
def _stage_rules(labels: tuple[str, ...]) -> _Rules:
    return _rules(STAGES, labels)


def _rules(table: dict[str, dict[int, str]], labels: tuple[str, ...]) -> _Rules:
    """Return the rules for the configured labels; one without rules is found by its own name."""
    points: dict[str, list[tuple[str, int]]] = {}
    own = [label for label in labels if label not in table and label not in _FALLBACKS]
    order = (*(label for label in table if label in labels), *own)
    for label in order:
        by_name = {_BY_NAME_POINTS: label.lower().replace("-", "_")}
        for count, words in table.get(label, by_name).items():
            for word in words.split():
                points.setdefault(word, []).append((label, count))
    return _Rules(points, order)


def _category(seen: _Prompt, labels: tuple[str, ...]) -> str | None:
    rules = _category_rules(labels)
    scores = _scores(seen, rules)
    for label in {FILE_ENDINGS[name] for name in seen.files if name in FILE_ENDINGS}:
        scores[label] += _FILE_POINTS
    fallback = "general" if _LETTER.search(seen.prose) else "other"
    return _best(scores, rules) or (fallback if fallback in labels else None)


def _stage(seen: _Prompt, labels: tuple[str, ...]) -> str | None:
    rules = _stage_rules(labels)
    return _best(_scores(seen, rules), rules)


def _scores(seen: _Prompt, rules: _Rules) -> Counter[str]:
    """Add up what the words count, each once; the verb a request begins with counts twice."""
    scores: Counter[str] = Counter()
    for term in rules.points.keys() & seen.terms:
        for label, count in rules.points[term]:
            scores[label] += 2 * count if term == seen.verb else count
    return scores


def _best(scores: Counter[str], rules: _Rules) -> str | None:
    best = max(rules.labels, key=lambda label: scores[label], default=None)
    return best if best is not None and scores[best] >= _ENOUGH_POINTS else None


def _complexity(seen: _Prompt, levels: tuple[str, ...]) -> str | None:
    if not levels:
        return None
    distinct = set(seen.words)
    scope = len(distinct & SCOPE_WORDS)
    score = (
        bisect_left(_WORD_COUNTS, len(seen.words))
        + min(scope + 1, 3) * bool(scope)
        + bisect_right(_CONCERN_COUNTS, len(distinct & CONCERN_WORDS))
        + bisect_right(_ITEM_COUNTS, seen.list_items)
        + min(2 * len(distinct & DEEP_WORDS), 6)
        + (seen.code_lines > _LONG_CODE_LINES)
    )
    rank = bisect_right(_RANKS, score)
    return levels[(rank * (len(levels) - 1) + 1) // len(_RANKS)]


def _technique(seen: _Prompt) -> str | None:
    if not seen.words:
        return None
    prose = f" {' '.join(seen.prose.split())} "
    for name, signs in TECHNIQUES.items():
        if any(sign in prose for sign in signs):
            return name
    return LISTED_TECHNIQUE if seen.list_items > 1 else DEFAULT_TECHNIQUE


def _keywords(words: list[str]) -> list[str]:
    """Return the words that occur most, the earlier ones first among equals."""
    counts = Counter(word for word in words if len(word) > 2 and word not in STOP_WORDS)
    return [word for word, _ in counts.most_common(KEYWORDS_MAX)]


def _summary(output: str) -> str | None:
    """Return the first sentence of an output's prose, a heading only where there is no more."""
    lines = [line for line in _split_code(output)[0].splitlines() if _LETTER.search(line)]
    if not lines:
        return None
    line = next((line for line in lines if not line.startswith("#")), lines[0])
    text = _MARKUP.sub(" ", line).strip()
    end = _SENTENCE_END.search(text)
    sentence = text[: end.end()] if end is not None else text
    if len(sentence) <= SUMMARY_MAX_CHARS:
        return sentence
    return sentence[: SUMMARY_MAX_CHARS - 1].rstrip() + "…"
