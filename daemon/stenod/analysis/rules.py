"""The tables made ready: one lookup a word tells everything it says."""

from collections.abc import Iterator, Mapping

from msgspec import Struct

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


def make_rules(categories: tuple[str, ...], stages: tuple[str, ...]) -> Rules:
    """Return the rules of the tables; a label that they do not know is found by its own name."""
    subjects = tables.SUBJECTS | _by_name(categories, {*tables.SUBJECTS, "other"})
    of_stages = tables.STAGES | _by_name(
        stages, {*tables.STAGES, *tables.STAGE_OF_CATEGORY.values(), tables.STAGE_OF_REQUEST}
    )
    rules = Rules({}, tuple(subjects), tuple(of_stages))
    _add(rules.words, subjects, tables.REQUESTS, 0)
    _add(rules.words, of_stages, tables.STAGE_REQUESTS, len(subjects))
    for slot, words in enumerate(HINTS.values(), len(subjects) + len(of_stages)):
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
                said = words.setdefault(second, Said())
                said.after[first] = (*said.after.get(first, ()), (slots[label], count))
            else:
                words.setdefault(word, Said()).anywhere += ((slots[label], count),)
    for label, points in asked.items():
        for word, count in _forms(points):
            words.setdefault(word, Said()).asked += ((slots[label], count),)


def _forms(points: Points) -> Iterator[tuple[str, int]]:
    """Yield each word with what it counts, also in the plural where that is no word of its own."""
    listed = {word: count for count, words in points.items() for word in words.split()}
    yield from listed.items()
    for word, count in listed.items():
        if not word.endswith("s") and f"{word}s" not in listed:
            yield f"{word}s", count
