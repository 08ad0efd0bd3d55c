"""How often the rules say what a person says of real prompts, on both halves of the labels."""

from collections import Counter
from pathlib import Path

import pytest

from analysis.labelled import Labelled, labels, texts
from steno_schema.config import Settings
from steno_schema.labels import CATEGORIES, COMPLEXITY_LEVELS, STAGES
from stenod.analysis.analyser import Analyser

FLOORS = {"category": 0.65, "complexity": 0.80, "technique": 0.95, "stage": 0.62}
"""Reached with a margin by the half that the rules were never tuned on."""


@pytest.fixture(scope="module")
def rows() -> list[Labelled]:
    return labels()


@pytest.fixture(scope="module")
def guesses(shared_transcripts: Path, rows: list[Labelled]) -> dict[str, dict[str, str | None]]:
    """What the rules say of each prompt, by hash and field."""
    analyser = Analyser(Settings())
    found = texts(shared_transcripts, rows)
    assert len(found) == len(rows), "a labelled prompt is not in the collection"
    guessed = {digest: analyser.analyse(text, "") for digest, text in found.items()}
    return {
        digest: {field: getattr(guess, field) for field in FLOORS}
        for digest, guess in guessed.items()
    }


def test_labels_are_many_valid_and_split_in_halves(rows: list[Labelled]) -> None:
    assert len(rows) == len({each.sha256 for each in rows}) > 200
    assert {each.category for each in rows} <= set(CATEGORIES)
    assert {each.complexity for each in rows} <= set(COMPLEXITY_LEVELS)
    assert {each.stage for each in rows} <= {*STAGES, ""}
    held_out = sum(each.held_out for each in rows)
    assert 0.4 < held_out / len(rows) < 0.6


@pytest.mark.parametrize("field", FLOORS)
def test_agreement(
    field: str, rows: list[Labelled], guesses: dict[str, dict[str, str | None]]
) -> None:
    shares = {}
    for held_out in (False, True):
        half = [row for row in rows if row.held_out == held_out and getattr(row, field)]
        said = Counter(getattr(row, field) for row in half)
        agreed = Counter(
            getattr(row, field)
            for row in half
            if guesses[row.sha256][field] == getattr(row, field)
        )
        shares[held_out] = agreed.total() / said.total()
        print(f"\n{field}, {'held out' if held_out else 'tuned on'}: {shares[held_out]:.2f}")
        for label, count in said.most_common():
            print(f"  {label:20} {agreed[label]:3} of {count:3}")
    assert shares[True] >= FLOORS[field]
