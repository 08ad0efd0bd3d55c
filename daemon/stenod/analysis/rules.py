"""The tables made ready: one lookup a word tells everything it says."""

from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct

from steno_schema.config import Settings
from steno_schema.labels import OwnLabel
from stenod.analysis import tables
from stenod.analysis.tables import Points

BY_NAME_POINTS = 3
"""What the name of a label counts that has no words of its own."""

HINTS = {
    "scope": tables.SCOPE_WORDS,
    "concern": tables.CONCERN_WORDS,
    "deep": tables.DEEP_WORDS,
    "part": tables.PART_WORDS,
}
"""What makes a prompt harder; a point for each word."""

Weights = tuple[tuple[int, int], ...]
"""Slots, and how much a word adds to each."""


class Said(Struct):
    """What one word says: anywhere, where a request begins, and after certain other words."""

    anywhere: Weights = ()
    asked: Weights = ()
    after: dict[str, Weights] = {}
    leads_in: bool = False
    opens: bool = False
    opens_after: frozenset[str] = frozenset()
    is_stop_word: bool = False


class Rules(Struct, frozen=True):
    """Words, and the slots their points are added up in: categories, stages, then hints."""

    words: dict[str, Said]
    categories: tuple[str, ...]
    stages: tuple[str, ...]

    @property
    def slots(self) -> int:
        return len(self.categories) + len(self.stages) + len(HINTS)


def make_rules(settings: Settings) -> Rules:
    """Return the rules of the tables, and a person's own.

    A label that the tables do not know is found by its own name too. Of equals it comes first.
    """
    tracking, own = settings.tracking, settings.analysis
    known_stages = {*tables.STAGES, *tables.STAGE_OF_CATEGORY.values(), tables.STAGE_OF_REQUEST}
    subjects = _by_name(tracking.categories, {*tables.SUBJECTS, "other"}) | tables.SUBJECTS
    stages = _by_name(tracking.stages, known_stages) | tables.STAGES
    for name in (label.name for label in own.stage):
        stages.setdefault(name, {})
    rules = Rules({}, tuple(subjects), tuple(stages))
    _add(rules.words, subjects, tables.REQUESTS, 0)
    _add(rules.words, stages, tables.STAGE_REQUESTS, len(subjects))
    _add_own(rules.words, own.category, rules.categories, 0)
    _add_own(rules.words, own.stage, rules.stages, len(subjects))
    for slot, words in enumerate(HINTS.values(), len(subjects) + len(stages)):
        for word in words:
            rules.words.setdefault(word, Said()).anywhere += ((slot, 1),)
    for word in tables.LEAD_INS:
        rules.words.setdefault(word, Said()).leads_in = True
    for word in tables.OPENERS:
        rules.words.setdefault(word, Said()).opens = True
    for pair in tables.OPENING_PAIRS:
        first, _, second = pair.partition("_")
        said = rules.words.setdefault(second, Said())
        said.opens_after |= {first}
    for word in tables.STOP_WORDS:
        rules.words.setdefault(word, Said()).is_stop_word = True
    return rules


def _by_name(labels: tuple[str, ...], known: set[str]) -> dict[str, Points]:
    return {
        label: {BY_NAME_POINTS: label.lower().replace("-", "_").replace(" ", "_")}
        for label in labels
        if label not in known
    }


def _add(
    words: dict[str, Said],
    anywhere: Mapping[str, Points],
    asked: Mapping[str, Points],
    first_slot: int,
) -> None:
    slots = {label: slot for slot, label in enumerate(anywhere, first_slot)}
    for label, points in anywhere.items():
        for word, count in _forms(points):
            first, joined, second = word.partition("_")
            if joined:
                _add_pair(words, first, second, (slots[label], count))
            else:
                words.setdefault(word, Said()).anywhere += ((slots[label], count),)
    for label, points in asked.items():
        for word, count in _forms(points):
            words.setdefault(word, Said()).asked += ((slots[label], count),)


def _add_own(
    words: dict[str, Said], own: Iterable[OwnLabel], labels: tuple[str, ...], first_slot: int
) -> None:
    for label in own:
        weight = (first_slot + labels.index(label.name), label.points)
        for phrase in {phrase.lower() for phrase in label.words}:
            *first, word = phrase.split()
            for form in {word, word if word.endswith("s") else f"{word}s"}:
                if first:
                    _add_pair(words, first[0], form, weight)
                else:
                    words.setdefault(form, Said()).anywhere += (weight,)


def _add_pair(words: dict[str, Said], first: str, second: str, weight: tuple[int, int]) -> None:
    said = words.setdefault(second, Said())
    said.after[first] = (*said.after.get(first, ()), weight)


def _forms(points: Points) -> Iterator[tuple[str, int]]:
    """Yield each word with what it counts, also in the plural where that is no word of its own."""
    listed = {word: count for count, words in points.items() for word in words.split()}
    yield from listed.items()
    for word, count in listed.items():
        if not word.endswith("s") and f"{word}s" not in listed:
            yield f"{word}s", count
