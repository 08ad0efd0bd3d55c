"""Seeded episodes: nothing is lost and nothing is there twice, and broken readers are caught."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import apsw
import msgspec
import pytest

from capture.episodes import Broken, Episode
from capture.inprocess import InProcess
from steno.capture.source import Identity
from steno.capture.tail import Tail
from steno_schema.replies import AnyReply, Done
from steno_schema.requests import Admin, Append

EPISODES = 120
"""Small here; the same episodes run by the ten thousand on demand."""


def run(seed: int, root: Path) -> Counter[str]:
    folder = root / str(seed)
    folder.mkdir()
    episode = Episode(seed, folder)
    with episode.store:
        try:
            episode.run()
        except Exception as error:
            error.add_note(f"Repeat it with Episode({seed}, folder).")
            raise
    return episode.counts


def run_all(root: Path) -> Counter[str]:
    counts = Counter[str]()
    for seed in range(EPISODES):
        counts.update(run(seed, root))
    return counts


def test_nothing_is_lost_and_nothing_is_there_twice(tmp_path: Path) -> None:
    counts = run_all(tmp_path)
    print(f"{EPISODES} episodes: {dict(sorted(counts.items()))}")
    happened = {name for name, count in counts.items() if count >= 20}
    assert happened >= {
        *("append", "cut", "truncate", "regrow", "rewrite", "recreate"),
        *("repeat", "rotate", "move", "link", "delete", "scan", "hint", "drop", "lose"),
    }


def identity_is_the_inode(patch: pytest.MonkeyPatch) -> None:
    def is_same(tail: Tail, known: Identity, offset: int) -> bool:
        found = (tail.stat.st_dev, tail.stat.st_ino)
        return found == (known.device, known.inode) and tail.stat.st_size >= offset

    patch.setattr(Tail, "is_same", is_same)


def identity_is_the_size(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Tail, "is_same", lambda tail, _known, offset: tail.stat.st_size >= offset)


def identity_is_the_head(patch: pytest.MonkeyPatch) -> None:
    real = Tail.is_same

    def is_same(tail: Tail, known: Identity, offset: int) -> bool:
        return real(tail, msgspec.structs.replace(known, tail_hash="", tail_bytes=0), offset)

    patch.setattr(Tail, "is_same", is_same)


def cursor_is_stored_before_the_rows(patch: pytest.MonkeyPatch) -> None:
    real = InProcess.append

    def append(store: InProcess, request: Append) -> AnyReply:
        real(store, Append(records=[], mode="merge", source=request.source))
        return real(store, Append(records=request.records, mode="merge"))

    patch.setattr(InProcess, "append", append)


def rows_are_stored_before_the_cursor(patch: pytest.MonkeyPatch) -> None:
    """Whoever comes may move the cursor, wherever it stands: bytes are kept twice."""
    real = InProcess.append

    def append(store: InProcess, request: Append) -> AnyReply:
        progress = request.source
        if progress is not None:
            known = store.request(Admin(action="ledger", arguments={"source": progress.source}))
            assert isinstance(known, Done)
            offset = known.result.get("offset", 0)
            progress.expected_offset, progress.offset = offset, max(offset, progress.offset)
        return real(store, request)

    patch.setattr(InProcess, "append", append)


@pytest.mark.parametrize(
    "break_it",
    [
        identity_is_the_inode,
        identity_is_the_size,
        identity_is_the_head,
        cursor_is_stored_before_the_rows,
        rows_are_stored_before_the_cursor,
    ],
)
def test_a_broken_reader_is_caught(
    break_it: Callable[[pytest.MonkeyPatch], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    break_it(monkeypatch)
    # The database itself refuses to keep a stretch of a file twice.
    with pytest.raises((Broken, apsw.ConstraintError)):
        run_all(tmp_path)
