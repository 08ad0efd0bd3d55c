"""The analyser: what a prompt is about, how hard it is, and which stage of work it belongs to.

It is deterministic, looks at words and not at meaning, and is quick enough to run on everything.
What a person says about an exchange always wins over what is guessed here. The words are data in
``tables``; labels come from the configuration.
"""

import hashlib
import re
from bisect import bisect_right
from collections.abc import Callable

import msgspec
from msgspec import Struct

from steno_schema.config import Settings
from stenod.analysis import tables
from stenod.analysis.prose import FENCE, LINE_END, Prompt, split_code, take_apart
from stenod.analysis.rules import HINTS, make_rules

VERSION = "2"
"""Changed with every change of rules: what was guessed before is then guessed again."""

LOOKED_AT_CHARS = 4000
KEYWORDS_MAX = 8
KEYWORD_CHARS = range(3, 31)
SUMMARY_MAX_CHARS = 200

_PUNCTUATION = ".,:;!?\"'()[]{}*_~@…“”‘’«»<>#"
_ENDS = frozenset(".!?:;,)-")
_SENTENCE_END = re.compile(r"[.!?](?=\s)|[\u3002\uff01\uff1f]")
_WORD = re.compile(r"[(\"'*_]*[a-z][a-z'-]*[a-z][)\"'*_.,:;!?…]*")
_LETTER = re.compile(r"[^\W\d_]")
_MARKUP = re.compile(r"[#>*`\s]+")
_TAIL_CHARS = 100
_AFTER_QUESTION = " \t\r\n*_`\"')"
_CORRECTS = re.compile(
    r"[\s.]*+(?:(?:hm+|ok|okay|oh|sorry|actually|well|wait|but|and|yes)[\s,.!]++)*+(?:"
    r"no\b(?! (?:problem|worries|need|rush|thanks))|nope\b|nono\b|wrong\b|undo\b|revert\b|stop\b"
    r"|(?:that|this|it)(?:'?s| is)\s+(?:still\s+)?(?:not|wrong|incorrect|broken|the same|failing)\b"
    r"|(?:(?:that|this|it)\s+)?still\s+(?:not|fail|broken|doesn|isn|the same|wrong|get|see)"
    r"|(?:(?:that|this|it)\s+)?(?:doesn't|does not|didn't|did not|isn't|is not)"
    r"\s+(?:work|right|correct|what)"
    r"|not (?:what|like that|right|correct|working)\b"
    r"|you (?:forgot|missed|broke|didn't|did not|haven't|have not)\b"
    r"|i (?:said|meant|told you|didn't ask|did not ask)\b|why did you\b)"
)
"""How prompts begin that correct; others may do so too, but this is clear."""
_IDEOGRAPHS_FROM = "\u2e80"
_ENOUGH_POINTS = 2
_ENOUGH_STAGE_POINTS = 3
_WORD_COUNTS = (17, 25, 110)
"""More words than this, more work: a point each."""
_CONCERN_COUNTS = (2, 4)
_ITEM_COUNTS = (3, 7)
_MANY_REQUESTS = 3
_RANKS = (2, 4, 7)
"""From so many points on a prompt is moderate, complex, advanced."""
_MANY_PASTED_LINES = 20


class Analysis(Struct, frozen=True, kw_only=True):
    """A guess; None where there is nothing to go by, or no label for it in the configuration."""

    category: str | None = None
    complexity: str | None = None
    technique: str | None = None
    stage: str | None = None
    keywords: list[str] = []
    response_summary: str | None = None
    follow_up: bool | None = None
    """True where the output ends by asking the person something."""
    corrects: bool = False
    """Whether the prompt says that what was done before it is wrong."""


class _Seen(Struct):
    """What the words of a prompt say, added up."""

    scores: list[int]
    words: int
    requests: int
    is_question: bool
    says_something: bool
    """Whether there is a word of prose; a key of a menu, a path or a link is none."""
    counts: dict[str, int]
    """How often each word stands in it that may be a keyword."""


class Analyser:
    """Guesses by the rules, with the labels of the configuration."""

    def __init__(self, settings: Settings) -> None:
        tracking = settings.tracking
        self._categories = frozenset(tracking.categories)
        self._has_all = self._categories.issuperset(tables.SUBJECTS)
        self._levels = tracking.complexity_levels
        self._stages = frozenset(tracking.stages)
        self._techniques = frozenset(tracking.techniques)
        self._ranks = settings.analysis.complexity_points or _RANKS
        self._rules = make_rules(settings)
        labels = (tracking.categories, self._levels, tracking.stages, tracking.techniques)
        own = settings.analysis
        told = msgspec.json.encode((labels, own.category, own.stage, own.complexity_points))
        self.version = f"{VERSION}:{hashlib.blake2b(told, digest_size=8).hexdigest()}"

    def analyse(self, prompt: str, output: str) -> Analysis:
        """Return what the first ``LOOKED_AT_CHARS`` of a prompt and of its output tell."""
        taken = take_apart(prompt[:LOOKED_AT_CHARS].lower())
        seen = self._see(taken)
        scores = self._category_scores(taken, seen)
        fallback = "general" if seen.says_something else "other"
        stage = self._stage(seen, _best(scores, _ENOUGH_POINTS) or fallback)
        return Analysis(
            category=self._category(scores, fallback),
            complexity=self._complexity(taken, seen),
            technique=self._technique(taken),
            stage=stage,
            keywords=_keywords(seen.counts),
            response_summary=_summary(output[:LOOKED_AT_CHARS]),
            follow_up=output[-_TAIL_CHARS:].rstrip(_AFTER_QUESTION).endswith(("?", "\uff1f"))
            or None,
            corrects=_CORRECTS.match(taken.prose) is not None,
        )

    def _see(self, taken: Prompt) -> _Seen:
        """Go once through the words; each adds its points once, a request each time."""
        find = self._rules.words.get
        scores = [0] * self._rules.slots
        counts: dict[str, int] = {}
        counted: set[str] = set()
        requests = 0
        begins = True
        before = ""
        tokens = taken.prose.split()
        for token in tokens:
            word = token.strip(_PUNCTUATION)
            said = find(word)
            if said is None:
                counts[word] = counts.get(word, 0) + 1
                begins = False
            else:
                if not said.is_stop_word:
                    counts[word] = counts.get(word, 0) + 1
                if word not in counted:
                    counted.add(word)
                    for slot, points in said.anywhere:
                        scores[slot] += points
                for slot, points in said.after.get(before, ()):
                    scores[slot] += points
                if begins and said.asked:
                    requests += 1
                    for slot, points in said.asked:
                        scores[slot] += points
                begins = (begins and said.leads_in) or said.opens or before in said.opens_after
            if token is not word and token[-1] in _ENDS:
                begins = True
            before = word
        speaks = _speaks(tokens, find)
        asks = speaks and _asks(taken.prose, tokens)
        return _Seen(scores, len(tokens), requests, asks, speaks, counts)

    def _category_scores(self, taken: Prompt, seen: _Seen) -> dict[str, int]:
        scores = dict(zip(self._rules.categories, seen.scores, strict=False))
        for label in {tables.FILE_ENDINGS.get(each) for each in taken.files}:
            if label is not None:
                scores[label] += tables.FILE_POINTS
        if taken.has_error:
            scores[tables.URGENT] += tables.ERROR_POINTS
        if seen.is_question:
            scores["general"] += tables.QUESTION_POINTS
            scores["feature_request"] = 0
        if scores[tables.URGENT] >= tables.URGENT_POINTS:
            scores.update(dict.fromkeys(tables.PARTS, 0))
        return scores

    def _category(self, scores: dict[str, int], fallback: str) -> str | None:
        """Return the best of the configured labels."""
        if not self._has_all:
            scores = {label: count for label, count in scores.items() if label in self._categories}
        best = _best(scores, _ENOUGH_POINTS) or fallback
        return best if best in self._categories else None

    def _stage(self, seen: _Seen, category: str) -> str | None:
        first = len(self._rules.categories)
        scores = dict(zip(self._rules.stages, seen.scores[first:], strict=False))
        stage = _best(scores, _ENOUGH_STAGE_POINTS) or tables.STAGE_OF_CATEGORY.get(category)
        if stage is None and seen.requests and category not in tables.TALK:
            stage = tables.STAGE_OF_REQUEST
        return stage if stage in self._stages else None

    def _complexity(self, taken: Prompt, seen: _Seen) -> str | None:
        levels = self._levels
        if not levels:
            return None
        scope, concern, deep, part = seen.scores[-len(HINTS) :]
        score = (
            bisect_right(_WORD_COUNTS, seen.words)
            + min(scope + 1, 3) * bool(scope)
            + bisect_right(_CONCERN_COUNTS, concern)
            + bisect_right(_ITEM_COUNTS, taken.list_items)
            + min(2 * deep, 6)
            + (taken.pasted_lines > _MANY_PASTED_LINES)
            + min(part, 2)
            + (seen.requests >= _MANY_REQUESTS)
            - seen.is_question
        )
        rank = bisect_right(self._ranks, score)
        return levels[(rank * (len(levels) - 1) + 1) // len(self._ranks)]

    def _technique(self, taken: Prompt) -> str | None:
        technique = _technique(taken)
        return technique if technique in self._techniques else None


def _best(scores: dict[str, int], enough: int) -> str | None:
    """Return the label with most points, the earliest of equals, if they are enough."""
    best = max(scores, key=scores.__getitem__, default=None)
    return best if best is not None and scores[best] >= enough else None


def _speaks(tokens: list[str], find: Callable[[str], object]) -> bool:
    """Tell whether tokens hold a word of prose."""
    for token in tokens:
        word = token.strip(_PUNCTUATION)
        if find(word) is not None or (len(word) > 2 and _WORD.fullmatch(token)):
            return True
    return any(not token.isascii() for token in tokens)


def _asks(prose: str, tokens: list[str]) -> bool:
    """Tell whether a prompt is a question, and not "can you" do something."""
    if not tokens:
        return False
    first = tokens[0]
    if first in tables.QUESTION_WORDS:
        return not (first in tables.POLITE and len(tokens) > 1 and tokens[1] in tables.ASKED)
    return prose.rstrip().endswith("?")


def _technique(taken: Prompt) -> str | None:
    if not _LETTER.search(taken.prose):
        return None
    prose = taken.prose
    if "\n" in prose:
        prose = " ".join(prose.replace(LINE_END, " ").split())
    prose = f" {prose} "
    for name, signs in tables.TECHNIQUES.items():
        if any(sign in prose for sign in signs):
            return name
    listed = taken.list_items >= tables.LISTED_FROM_ITEMS
    return tables.LISTED_TECHNIQUE if listed else tables.DEFAULT_TECHNIQUE


def _keywords(counts: dict[str, int]) -> list[str]:
    """Return the words that occur most, the earlier ones first among equals."""
    keywords: list[str] = []
    for word in sorted(counts, key=counts.__getitem__, reverse=True):
        if (
            len(word) in KEYWORD_CHARS
            and word.replace("-", "").isalpha()
            and word < _IDEOGRAPHS_FROM
        ):
            keywords.append(word)
            if len(keywords) == KEYWORDS_MAX:
                break
    return keywords


def _summary(output: str) -> str | None:
    """Return the first sentence of an output's prose, a heading only where there is no more."""
    prose = split_code(output)[0] if FENCE in output else output
    heading = None
    for line in prose.splitlines():
        if _LETTER.search(line) is None:
            continue
        if not line.startswith("#"):
            return _first_sentence(line)
        heading = heading or line
    return None if heading is None else _first_sentence(heading)


def _first_sentence(line: str) -> str:
    end = _SENTENCE_END.search(line)
    sentence = _MARKUP.sub(" ", line if end is None else line[: end.end()]).strip()
    if len(sentence) <= SUMMARY_MAX_CHARS:
        return sentence
    return sentence[: SUMMARY_MAX_CHARS - 1].rstrip() + "…"
