"""Records that appear in the spool while the daemon runs are noticed, by whatever means."""

from pathlib import Path
from typing import Any

import anyio
import pytest

from steno_schema.spool import new_name
from stenod import spoolwatch


def appear(folder: Path) -> None:
    name = folder / new_name()
    name.with_suffix(".tmp").write_bytes(b"record")
    name.with_suffix(".tmp").rename(name)


def watched(folder: Path, *, until: int) -> None:
    """Watch until woken that many times."""

    async def run() -> None:
        woken = 0
        with anyio.fail_after(60):
            async with anyio.create_task_group() as group:

                def wake() -> None:
                    nonlocal woken
                    woken += 1
                    if woken >= until:
                        group.cancel_scope.cancel()

                group.start_soon(spoolwatch.watch_spool, folder, wake)
                await anyio.lowlevel.checkpoint()
                appear(folder)

    anyio.run(run)


def test_a_record_that_appears_wakes(tmp_path: Path) -> None:
    watched(tmp_path, until=1)


def test_where_nothing_can_be_watched_the_folder_is_looked_at_anyway(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_watches_left(*_arguments: Any, **_words: Any) -> Any:
        raise OSError("OS file watch limit reached")

    monkeypatch.setattr(spoolwatch, "awatch", no_watches_left)
    monkeypatch.setattr(spoolwatch, "LOOK_ANYWAY_S", 0)
    watched(tmp_path, until=3)


def test_a_folder_that_is_gone_is_no_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spoolwatch, "LOOK_ANYWAY_S", 0)

    async def run() -> None:
        woken = anyio.Event()
        with anyio.fail_after(60):
            async with anyio.create_task_group() as group:
                group.start_soon(spoolwatch.watch_spool, tmp_path / "spool", woken.set)
                await woken.wait()
                group.cancel_scope.cancel()

    anyio.run(run)
