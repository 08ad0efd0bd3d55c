"""The writer when something is not as it should be, one case at a time."""

import functools
import os
import random
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import apsw
import pytest

from faults.vfs import Disk, Fault
from faults.workload import Work
from steno_schema.config import Settings
from steno_schema.ids import uuid7
from steno_schema.limits import FREE_SPACE_FLOOR_BYTES
from steno_schema.records import Exchange, Message
from steno_schema.replies import AnyReply, Appended, Error
from steno_schema.requests import Admin, Append, Delete, SourceProgress
from stenod import writer
from stenod.followers import fulltext
from stenod.followers.analysis import AnalysisFollower
from stenod.inbox import Job
from stenod.store.compression import decompress
from stenod.store.packs import WHOLE_TEXT
from stenod.writer import Writer
from support.running import RunningDaemon
from support.wire import Wire


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Work]:
    """A writer that the test drives, on a disk that it may break."""
    with Disk() as disk:
        work = Work(tmp_path, disk, random.Random(1))
        work.open()
        yield work
        disk.mend()
        work.close()


def ask(work: Work, *requests: Any) -> list[AnyReply]:
    """Have one batch done; return the replies in the order of the requests."""
    replies: dict[int, AnyReply] = {}
    jobs = [
        Job(request, 100, functools.partial(replies.__setitem__, number))
        for number, request in enumerate(requests)
    ]
    work.writer.take_in(jobs)
    return [replies[number] for number in range(len(requests))]


def exchange(prompt: str) -> Exchange:
    return Exchange(id=uuid7(), prompt=prompt, created_at="2026-01-01T00:00:00Z")


def stored(work: Work) -> list[str]:
    rows = work.writer._connection.execute(
        "SELECT content FROM message WHERE role = 'user' ORDER BY id"
    )
    return [row[0] for row in rows]


def test_a_nearly_full_disk_refuses_records_and_lets_go_of_them(
    work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = exchange("kept")
    ask(work, Append(records=[kept]))
    blocks = FREE_SPACE_FLOOR_BYTES // 4096 - 1
    full = SimpleNamespace(f_bavail=blocks, f_frsize=4096)
    monkeypatch.setattr(os, "statvfs", lambda _path: full)
    for _ in range(3):
        (refused,) = ask(work, Append(records=[exchange("refused")]))
        assert isinstance(refused, Error)
        assert (refused.code, refused.retryable) == ("disk_full", True)
    (gone,) = ask(work, Delete(target=kept.id))
    assert not isinstance(gone, Error)
    full.f_bavail += 1
    assert isinstance(ask(work, Append(records=[exchange("again")]))[0], Appended)
    assert stored(work) == ["again"]


def test_what_existed_does_not_vouch_for_what_is_new(work: Work) -> None:
    """A failed commit took the new record with it, though the other one is there."""
    old, new = exchange("old"), exchange("new")
    ask(work, Append(records=[old]))
    for records in ([new, old], [old, new]):
        work.disk.fault = Fault(0, apsw.SQLITE_IOERR, kind="sync")
        work.writer._failed_commits = 0
        (reply,) = ask(work, Append(records=list(records)))
        assert isinstance(reply, Error)
        assert (reply.code, reply.retryable) == ("unknown_outcome", True)
        assert stored(work) == ["old"]
    (reply,) = ask(work, Append(records=[new, old]))
    assert isinstance(reply, Appended)
    assert [each.outcome for each in reply.outcomes] == ["created", "existed"]


def test_kept_bytes_hold_no_texts_of_an_attempt_that_was_undone(work: Work) -> None:
    text = "tool output " * 200
    told = Message(id=uuid7(), conversation="c", role="tool", kind="tool_result", content=text)
    progress = SourceProgress(
        source=uuid7(),
        agent="codex",
        path="f",
        expected_offset=0,
        offset=5,
        chunk=b"line\n",
        codec="none",
    )
    read = Append(records=[told], mode="merge", source=progress)
    _, refused = ask(work, read, Append(records=[Exchange(id="no id", prompt="p")]))
    assert isinstance(refused, Error)
    connection = work.writer._connection
    data, codec, size = connection.execute("SELECT data, codec, kept_size FROM source_chunk").get
    assert decompress(data, codec)[:size] == b"line\n"
    whole = f"SELECT {WHOLE_TEXT} FROM message AS m"
    assert connection.execute(whole).get == text


def test_a_defect_met_by_maintenance_is_in_the_log(
    work: Work, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(writer, "maintain", None)
    (refused,) = ask(work, Admin(action="probe"))
    assert isinstance(refused, Error)
    assert refused.code == "internal"
    assert "Admin failed: TypeError" in caplog.text


def test_two_failed_commits_in_a_row_end_the_daemon(
    work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends: list[str] = []
    monkeypatch.setattr(writer, "give_up", lambda: ends.append("end"))
    for expected in ([], ["end"]):
        work.disk.fault = Fault(0, apsw.SQLITE_IOERR, kind="sync")
        ask(work, Append(records=[exchange("lost for now")]))
        assert ends == expected
    assert isinstance(ask(work, Append(records=[exchange("fine")]))[0], Appended)
    work.disk.fault = Fault(0, apsw.SQLITE_IOERR, kind="sync")
    ask(work, Append(records=[exchange("once more")]))
    assert ends == ["end"], "one that works in between counts"


def test_a_text_that_upsets_the_index_stops_nothing(
    work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    def upset(text: str) -> str:
        raise ValueError(text)

    monkeypatch.setattr(fulltext, "index_parts", upset)
    ask(work, Append(records=[exchange("upsetting")]))
    work.step("follow")
    found = work.writer._connection.execute(
        "SELECT count(*) FROM message_index WHERE message_index MATCH 'upsetting'"
    ).get
    assert found == 1


def test_a_follower_that_fails_rests_and_goes_on_later(
    work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    background = work.writer.background

    def fail(*_arguments: Any) -> None:
        raise RuntimeError("defect")

    with monkeypatch.context() as broken:
        broken.setattr(AnalysisFollower, "put", fail)
        ask(work, Append(records=[exchange("one")]))
        work.step("follow")
        rest_s = background.patience_s(in_pause=True)
        assert rest_s, "it does not spin"
        work.step("follow")
        longer_s = background.patience_s(in_pause=True)
        assert longer_s
        assert longer_s > rest_s
        assert isinstance(ask(work, Append(records=[exchange("two")]))[0], Appended)
    work.step("follow")
    assert work.writer.progress.behind == dict.fromkeys(work.writer.progress.behind, 0)
    assert work.writer._connection.execute("SELECT count(*) FROM analysis").get == 2


def test_a_writer_that_cannot_go_on_ends_the_daemon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rather than leaving a daemon that takes requests and never answers."""
    ended = threading.Event()
    monkeypatch.setattr(writer, "give_up", ended.set)
    broken = Writer(tmp_path / "steno.db", Settings())

    def fail(_jobs: list[Job]) -> None:
        raise RuntimeError("defect")

    monkeypatch.setattr(broken, "take_in", fail)
    broken.start()
    broken.inbox.put(Job(Append(records=[]), 1, lambda _reply: None))
    assert ended.wait(60)
    broken.close()


def test_a_commit_that_fails_is_told_and_can_be_repeated(daemon_at_rest: RunningDaemon) -> None:
    points = {"STENO_FAILPOINTS": "writer.before_commit=raise:2"}
    daemon_at_rest.start("--no-capture", environ=points)
    with Wire(daemon_at_rest.socket) as wire:
        wire.ask(verb="append", id=1, records=[{"type": "exchange", "id": uuid7(), "prompt": "a"}])
        record = {"type": "exchange", "id": uuid7(), "prompt": "b"}
        refused = wire.ask(verb="append", id=2, records=[record])
        assert (refused["code"], refused["retryable"]) == ("unknown_outcome", True)
        assert wire.ask(verb="get", id=3, target=record["id"])["code"] == "not_found"
        again = wire.ask(verb="append", id=4, records=[record])
        assert again["outcomes"][0]["outcome"] == "created"
        assert wire.ask(verb="search", id=5, query="b")["results"][0]["id"] == record["id"]


def test_settings_that_only_a_new_file_takes_are_taken(tmp_path: Path) -> None:
    Writer(tmp_path / "steno.db", Settings()).close()
    before = (tmp_path / "steno.db").read_bytes()
    opened = Writer(tmp_path / "steno.db", Settings())
    assert opened._connection.pragma("auto_vacuum") == 2
    assert opened._connection.pragma("synchronous") == 2
    opened.close()
    assert (tmp_path / "steno.db").read_bytes() == before, "opening writes nothing"
