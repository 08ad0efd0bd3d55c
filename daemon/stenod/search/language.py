"""The query language: whatever a person types is a question, and punctuation is text.

Words must all occur; ``"exact phrase"``, ``pre*``, ``-without``, ``this OR that``, and filter
words such as ``agent:codex since:7d tag:"two words"``. A word with punctuation or an underscore
inside is a phrase of its parts. CJK text is found by any two characters or more of a run.
"""

import math
import re
from typing import Any

import msgspec
from msgspec import Struct

from steno_schema.errors import bad_request
from steno_schema.limits import SEARCH_PREFIXES_MAX, SEARCH_TERMS_MAX, SEARCH_TEXT_MAX_BYTES
from steno_schema.requests import Filters
from stenod.search.moments import parse_moment
from stenod.search.text import Term
from stenod.search.words import CJK_RUN, WORD, bigrams, fold, tokenise

__all__ = ["Query", "parse", "parse_moment"]

PREFIX_MIN_CHARS = 2

_LISTS = (
    *("agent", "project", "tag", "model", "framework", "session", "conversation", "user"),
    *("role", "category", "complexity", "stage", "origin"),
)
_TIMES = ("since", "until")
_NUMBERS = {"rating": "min_rating", "cost": "min_cost"}
_KEYS = "|".join((*_LISTS, *_TIMES, *_NUMBERS))
_ITEM = re.compile(
    rf'(?P<key>(?i:{_KEYS})):(?:"(?P<quoted>[^"]+)"?|(?P<value>[^\s"]+))'
    r'|(?P<minus>-(?![-\s]))?(?:"(?P<phrase>[^"]*)"?|(?P<word>[^\s"]+))'
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_STEM_MIN_CHARS = 3
_ENDINGS = (
    *("ing", "ings", "ingly", "ed", "edly", "ion", "ions", "ional", "ation", "ations", "ational"),
    *("ative", "ator", "ators", "ement", "ements", "ment", "ments", "ness", "fully", "fulness"),
    *("able", "ible", "ably", "ance", "ence", "er", "ers", "or", "ors", "ly", "ive", "iveness"),
    *("ity", "ities", "ize", "izes", "izing", "izer", "ization", "ous", "ously", "ism", "ists"),
    *("al", "ally", "ality", "es", "ies", "ied"),
)
"""Endings that stemming takes off; see ``_stems_below``."""


class Query(Struct, frozen=True, kw_only=True):
    """A question to the index.

    ``match`` and ``excluded`` are full-text expressions over ``body``, ``parts`` and ``tags``:
    ``match`` already leaves out what ``excluded`` names, ``excluded`` is given only where there
    is no word that must occur. ``dropped``: a limit cut something off.
    """

    match: str | None
    excluded: str | None
    terms: tuple[Term, ...]
    filters: Filters
    is_empty: bool
    only_punctuation: bool
    dropped: bool


class _Item(Struct, frozen=True):
    text: str
    negated: bool = False
    quoted: bool = False

    @property
    def is_or(self) -> bool:
        return self.text == "OR" and not self.negated and not self.quoted


class _Budget(Struct):
    tokens: int = SEARCH_TERMS_MAX
    prefixes: int = SEARCH_PREFIXES_MAX
    dropped: bool = False

    def take(self, wanted: int) -> int:
        """Return how many of the ``wanted`` tokens there is room for, and use it up."""
        granted = min(wanted, self.tokens)
        self.tokens -= granted
        self.dropped = self.dropped or granted < wanted
        return granted

    def take_prefix(self) -> bool:
        if not self.prefixes:
            self.dropped = True
            return False
        self.prefixes -= 1
        return True


class _Expression(Struct, frozen=True):
    match: str
    terms: tuple[Term, ...]


def parse(text: str, filters: Filters) -> Query:
    """Return the question that ``text`` asks, with its filter words added to ``filters``.

    Raises ``bad_request`` for text longer than ``SEARCH_TEXT_MAX_BYTES`` and for a filter word
    whose number cannot be read; nothing else a person types is an error.
    """
    size_bytes = len(text.encode("utf-8", "replace"))
    if size_bytes > SEARCH_TEXT_MAX_BYTES:
        raise bad_request(
            f"The query has {size_bytes} bytes; {SEARCH_TEXT_MAX_BYTES} is the most.",
            "Search for fewer words.",
        )
    items, words = _items(_CONTROL.sub(" ", text))
    budget = _Budget()
    groups, excluded = _groups(items, budget)
    required = " AND ".join(_any_of([e.match for e in group]) for group in groups)
    without = " OR ".join(dict.fromkeys(excluded))
    match = f"({required}) NOT ({without})" if required and without else required
    return Query(
        match=match or None,
        excluded=without if without and not required else None,
        terms=tuple(dict.fromkeys(t for group in groups for e in group for t in e.terms)),
        filters=_merged(filters, words),
        is_empty=not text.strip(),
        only_punctuation=bool(text.strip()) and not (required or without or words),
        dropped=budget.dropped,
    )


def _items(text: str) -> tuple[list[_Item], list[tuple[str, str]]]:
    items: list[_Item] = []
    words: list[tuple[str, str]] = []
    for found in _ITEM.finditer(text):
        key = found["key"]
        if key is not None:
            words.append((key.lower(), found["quoted"] or found["value"]))
            continue
        quoted = found["phrase"] is not None
        inner = found["phrase"] if quoted else found["word"]
        items.append(_Item(inner, found["minus"] is not None, quoted))
    return items, words


def _groups(items: list[_Item], budget: _Budget) -> tuple[list[list[_Expression]], list[str]]:
    """Return groups of alternatives, of which each group must be met, and what must not be."""
    groups: list[list[_Expression]] = []
    excluded: list[str] = []
    joined = False
    for index, item in enumerate(items):
        if item.is_or and groups and _is_positive(items[index - 1 : index], items[index + 1 :]):
            joined = True
            continue
        expression = _expression(item, budget)
        if expression is None:
            continue
        if item.negated:
            excluded.append(expression.match)
        elif joined:
            groups[-1].append(expression)
        else:
            groups.append([expression])
        joined = False
    return groups, excluded


def _is_positive(before: list[_Item], after: list[_Item]) -> bool:
    """Tell whether an ``OR`` has a term on either side; else it is a word."""
    return bool(before and after) and not (before[0].negated or after[0].negated)


def _expression(item: _Item, budget: _Budget) -> _Expression | None:
    """Return the expression for one word or phrase; None for mere punctuation."""
    segments = _segments(item.text)
    found: list[_Expression] = []
    for index, segment in enumerate(segments):
        if CJK_RUN.match(segment):
            expression = _cjk(segment, budget)
        else:
            last = index == len(segments) - 1
            open_ended = last and not item.quoted and item.text.endswith("*")
            expression = _words(segment.rstrip("*"), open_ended, budget)
        if expression is not None:
            found.append(expression)
    if not found:
        return None
    match = " AND ".join(e.match for e in found)
    terms = tuple(term for e in found for term in e.terms)
    return _Expression(f"({match})" if len(found) > 1 else match, terms)


def _segments(text: str) -> list[str]:
    """Return text as it is, but with CJK runs in it these and the single words between them.

    Words that touch a run are no tokens of their own in the text, so no phrase can hold them.
    """
    if CJK_RUN.search(text) is None:
        return [text]
    return [
        segment
        for word in WORD.findall(text)
        for segment in re.split(f"({CJK_RUN.pattern})", word)
        if segment
    ]


def _words(segment: str, open_ended: bool, budget: _Budget) -> _Expression | None:
    words = WORD.findall(segment)
    if not words or not tokenise(segment):
        return None
    granted = budget.take(len(words))
    if not granted:
        return None
    open_ended = open_ended and granted == len(words) and len(words[-1]) >= PREFIX_MIN_CHARS
    if granted < len(words):
        segment = " ".join(words[:granted])
    tokens = tokenise(segment)
    if not open_ended or not budget.take_prefix():
        return _Expression(_quoted(segment), (Term(tuple(tokens)),))
    typed = fold(words[-1])
    alternatives = [_quoted(segment) + "*"]
    if len(tokens) == 1:
        alternatives += [_quoted(stem) for stem in _stems_below(typed)]
    return _Expression(_any_of(alternatives), (Term((*tokens[:-1], typed), prefix=True),))


def _stems_below(prefix: str) -> list[str]:
    """Return what words with ``prefix`` may be in the index as, shorter than the prefix itself.

    ``connecti*`` means *connection*, whose stem is *connect*.
    """
    return [
        prefix[:size]
        for size in range(_STEM_MIN_CHARS, len(prefix))
        if any(ending.startswith(prefix[size:]) for ending in _ENDINGS)
    ]


def _cjk(run: str, budget: _Budget) -> _Expression | None:
    if not tokenise(run):
        return None
    granted = budget.take(max(1, len(run) - 1))
    if not granted:
        return None
    run = run[: granted + 1]
    terms = (Term(characters=run),)
    if len(run) == 1:
        return _Expression(_quoted(run) + ("*" if budget.take_prefix() else ""), terms)
    if len(run) == 2:
        return _Expression(_quoted(run), terms)
    pairs = _quoted(" ".join(bigrams(run)))
    return _Expression(f"({_quoted(run)} OR parts : {pairs})", terms)


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _any_of(alternatives: list[str]) -> str:
    return alternatives[0] if len(alternatives) == 1 else f"({' OR '.join(alternatives)})"


def _merged(filters: Filters, words: list[tuple[str, str]]) -> Filters:
    changes: dict[str, Any] = {}
    for key, value in words:
        if key in _NUMBERS:
            changes[_NUMBERS[key]] = _number(key, value)
        elif key in _TIMES:
            changes[key] = value
        else:
            changes.setdefault(key, list(getattr(filters, key))).append(value)
    return msgspec.structs.replace(filters, **changes)


def _number(key: str, value: str) -> float:
    try:
        number = float(value.lstrip(">=$").rstrip("+"))
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise bad_request(f"{value[:40]!r} is no number for {key}; write {key}:4 or {key}:0.5.")
    return number
