"""Whatever is stored through the public face comes back from an export the same.

``STENO_EXPORTED=20000`` tries that many records, ``STENO_SEED`` others.
"""

import os
import random
from pathlib import Path

from exports.instances import differences, exported, imported, listed
from exports.random_records import TYPES, Maker
from steno.client import Client
from steno.errors import Refused
from steno_schema.requests import Append
from support import store
from support.running import RunningDaemon

COUNT = int(os.environ.get("STENO_EXPORTED", "400"))
SEED = int(os.environ.get("STENO_SEED", "1"))


def fill(client: Client) -> int:
    """Store what scripts and transcripts may say, change some of it; return how many were taken."""
    maker, dice = Maker(SEED), random.Random(SEED)
    saved: list[str] = []
    for number in range(COUNT):
        record = maker.record(number)
        try:
            client.append([record], duplicate_check=dice.choice(("off", "session")))
        except Refused as refusal:
            assert refusal.code in ("conflict", "bad_request"), refusal
            continue
        saved.append(record.id)
        if record.__struct_config__.tag == "exchange" and dice.random() < 0.5:
            client.history.update(record.id, add_tags=[maker.text(30)], notes=maker.text(),
                                  rating=dice.choice((None, 5.5)))  # fmt: skip
        if record.__struct_config__.tag == "message" and dice.random() < 0.5:
            client.messages.mark_summarised(record.id, maker.text())
        if number % 5 == 0:
            client.request(Append(records=store.sighting(dice), mode="merge"))
    return len(saved)


def test_whatever_is_stored_comes_back(
    daemon: RunningDaemon, empty: RunningDaemon, tmp_path: Path
) -> None:
    with daemon.client(spool=False) as client:
        assert fill(client) > COUNT * 0.9
    first = exported(daemon, tmp_path / "first.jsonl")
    assert {line["type"] for line in first} == {kind.__struct_config__.tag for kind in TYPES}
    counts = {"records": len(first)}
    became = imported(empty, tmp_path / "first.jsonl")
    # Where conversations are each other's parents, one of them is named before it is told of.
    assert became.keys() <= {"records", "created", "existed", "updated"}
    assert became["records"] == len(first)
    assert differences(first, exported(empty, tmp_path / "second.jsonl")) == [], f"seed {SEED}"
    assert imported(empty, tmp_path / "first.jsonl") == {**counts, "existed": len(first)}
    assert imported(daemon, tmp_path / "first.jsonl") == {**counts, "existed": len(first)}
    assert differences(first, exported(empty, tmp_path / "third.jsonl")) == [], f"seed {SEED}"
    assert listed(daemon) == listed(empty)
