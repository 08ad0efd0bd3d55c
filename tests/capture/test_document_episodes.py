"""Seeded episodes of rewritten documents: nothing is lost or there twice; broken readers are caught."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from capture.document_episodes import Broken, DocumentEpisode
from steno.capture import document, ingest, snapshot
from steno.capture.ledger import Entry
from steno.capture.snapshot import Parts, Snapshot, Unit
from steno.capture.source import Identity, Look

EPISODES = 40
"""Small here; the same episodes run by the ten thousand on demand."""


def run_all(root: Path) -> Counter[str]:
    counts = Counter[str]()
    for seed in range(EPISODES):
        episode = DocumentEpisode(seed, root / str(seed))
        with episode.store:
            try:
                episode.run()
            except Exception as error:
                error.add_note(f"Repeat it with DocumentEpisode({seed}, folder).")
                raise
        counts.update(episode.counts)
    return counts


def test_nothing_is_lost_and_nothing_is_there_twice(tmp_path: Path) -> None:
    counts = run_all(tmp_path)
    print(f"{EPISODES} episodes: {dict(sorted(counts.items()))}")
    happened = {name for name, count in counts.items() if count >= 20}
    assert happened >= {
        *("grow", "change", "rewind", "bring_back", "tear", "repeat", "replace"),
        *("move", "link", "delete", "scan", "hint", "kill", "drop", "lose"),
    }


def a_unit_is_known_by_its_key(patch: pytest.MonkeyPatch) -> None:
    """What changes is not said again."""
    patch.setattr(snapshot, "token_of", lambda _data: b"token")


def what_is_gone_is_remembered(patch: pytest.MonkeyPatch) -> None:
    """A unit that comes back as it was is not said again, and not noted when it goes again."""
    real = snapshot._encode
    everything: dict[str, bytes] = {}

    def encode(known: dict[str, bytes]) -> bytes:
        everything.update(known)
        return real(everything)

    patch.setattr(snapshot, "_encode", encode)


def a_torn_document_is_an_empty_one(patch: pytest.MonkeyPatch) -> None:
    real = document.Document._parts

    def parts(reader: document.Document, path: Path) -> Parts:
        try:
            return real(reader, path)
        except OSError:
            return Parts("", ())

    patch.setattr(document.Document, "_parts", parts)


def a_look_is_a_size(patch: pytest.MonkeyPatch) -> None:
    real = ingest._is_unchanged

    def is_unchanged(entry: Entry, look: Look) -> bool:
        return real(entry, look) or (entry.size_bytes == look.size_bytes and entry.offset > 0)

    patch.setattr(ingest, "_is_unchanged", is_unchanged)


def whoever_is_in_the_file_is_the_same(patch: pytest.MonkeyPatch) -> None:
    def is_same(_snapshot: Snapshot, _known: Identity, _offset: int) -> bool:
        return True

    patch.setattr(Snapshot, "is_same", is_same)


def what_was_seen_is_noted_before_it_is_stored(patch: pytest.MonkeyPatch) -> None:
    """The note of all units goes with the first of several stretches."""
    real = Snapshot._differences

    def differences(
        source: Snapshot, known: dict[str, bytes]
    ) -> tuple[list[tuple[Unit, bytes]], dict[str, None]]:
        changed, gone = real(source, known)
        known.update({unit.key: unit.token for unit, _ in changed})
        return changed, gone

    patch.setattr(Snapshot, "_differences", differences)
    patch.setattr(snapshot, "BATCH_BYTES", 300)


@pytest.mark.parametrize(
    "break_it",
    [
        a_unit_is_known_by_its_key,
        what_is_gone_is_remembered,
        a_torn_document_is_an_empty_one,
        a_look_is_a_size,
        whoever_is_in_the_file_is_the_same,
        what_was_seen_is_noted_before_it_is_stored,
    ],
)
def test_a_broken_reader_is_caught(
    break_it: Callable[[pytest.MonkeyPatch], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    break_it(monkeypatch)
    with pytest.raises(Broken):
        run_all(tmp_path)
