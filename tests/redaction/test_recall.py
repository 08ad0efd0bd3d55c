"""Redaction finds secrets drawn from published formats, wherever they stand; real text stays whole.

The corpus is drawn here, the same each time: ``vendors`` has the formats, ``contexts`` the places.
"""

import os
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from redaction.contexts import ANYWHERE, NAMED, as_line, in_url, named, survives
from redaction.vendors import BY_FORM, BY_NAME, secret_part
from steno_schema.redaction import redact_line, redact_text
from steno_schema.requests import Admin
from support.running import RunningDaemon

EACH = int(os.environ.get("STENO_TEST_SECRETS", "4"))
"""Secrets for each format and each place of it."""
RECALL = 0.99
RECALL_OF_EACH = 0.9
FALSE_HITS_PER_MB = 1.0


class Case(NamedTuple):
    """A text with a secret in it."""

    vendor: str
    secret: str
    text: str


def corpus(each: int) -> Iterator[Case]:
    r = random.Random("secrets")
    for vendor, draw in BY_FORM.items():
        for place in ANYWHERE:
            for _ in range(each):
                drawn = draw(r)
                yield Case(vendor, secret_part(vendor, drawn), place.format(drawn))
    for vendor, (name, draw) in BY_NAME.items():
        for place in NAMED:
            for _ in range(each):
                secret = draw(r)
                yield Case(vendor, secret, named(place, name, secret))
    password = BY_NAME["password"][1]
    for _ in range(each * len(NAMED)):
        secret = password(r)
        yield Case("password in a URL", secret, in_url(r, secret))


def check(missed: Counter[str], seen: Counter[str]) -> None:
    """Fail where too many secrets are left; print which vendor's."""
    for vendor, count in missed.most_common():
        print(f"{vendor}: {count} of {seen[vendor]} left")
    assert 1 - missed.total() / seen.total() >= RECALL
    assert all(1 - missed[vendor] / seen[vendor] >= RECALL_OF_EACH for vendor in seen)


@pytest.mark.parametrize("as_json", [False, True])
def test_secrets_of_published_formats_are_found(as_json: bool) -> None:
    r = random.Random(as_json)
    missed: Counter[str] = Counter()
    seen: Counter[str] = Counter()
    for case in corpus(EACH):
        if as_json:
            left = redact_line(as_line(r, case.text).encode())[0].decode()
        else:
            left = redact_text(case.text)[0]
        seen[case.vendor] += 1
        missed[case.vendor] += survives(case.secret, left)
    check(missed, seen)


def test_the_measure_sees_what_is_left() -> None:
    """Without redaction everything is left: the count can fail."""
    assert all(survives(case.secret, case.text) for case in corpus(1) if "URL" not in case.vendor)


def test_what_is_stored_holds_none_and_the_doctor_counts_them(daemon: RunningDaemon) -> None:
    cases = list(corpus(1))
    missed: Counter[str] = Counter()
    seen: Counter[str] = Counter()
    with daemon.client() as client:
        for start in range(0, len(cases), 200):
            batch = client.batch()
            with batch:
                for case in cases[start : start + 200]:
                    batch.history.save(case.text, notes=case.text, metadata={"said": case.text})
        rows = client.sql(
            "SELECT prompt, notes, metadata FROM history ORDER BY id", limit=10_000
        ).rows
        client.request(Admin(action="flush"))
    for case, row in zip(cases, rows, strict=True):
        seen[case.vendor] += 1
        missed[case.vendor] += any(survives(case.secret, str(text)) for text in row)
    check(missed, seen)
    told = daemon.steno("doctor").stdout
    (line,) = [line for line in told.splitlines() if "secrets:" in line]
    assert "github-token 30" in line
    assert "[redacted" not in line


@pytest.mark.parametrize("collection", ["shared_transcripts", "shared_transcripts_real"])
def test_real_transcripts_stay_as_they_are(
    collection: str, request: pytest.FixtureRequest
) -> None:
    """Every hit counts as a false one here: the collections were published without secrets."""
    folder: Path = request.getfixturevalue(collection)
    size_bytes = hits = 0
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix in {".jsonl", ".json", ".md"}:
            data = path.read_bytes()
            size_bytes += len(data)
            hits += sum(redact_line(line)[1] for line in data.splitlines())
    print(f"{hits} hits in {size_bytes / 1e6:.0f} MB")
    assert hits <= FALSE_HITS_PER_MB * size_bytes / 1e6
