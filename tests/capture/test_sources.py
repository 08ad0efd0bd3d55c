"""Whatever grows otherwise than line by line becomes a log of lines all the same."""

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from capture.build import claude_prompt, claude_reply
from capture.content import Content, differences
from capture.inprocess import CLAUDE, InProcess
from steno.capture.agent import Agent, Parser
from steno.capture.compression import decompress
from steno.capture.container import Container, Member
from steno.capture.document import Document
from steno.capture.snapshot import Parts, json_line, unit_of
from steno.capture.source import Look, Reader
from steno.capture.tree import Tree

TURNS = [claude_prompt("One"), claude_reply("First"), claude_prompt("Two"), claude_reply("Second")]
LONG_AGO_NS = 1_700_000_000_000_000_000


class Toy(Agent):
    """Claude's records in files that are written otherwise."""

    name = "toy"
    parser_version = "1"
    variables: Sequence[str] = ()

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def roots(self, environ: Any) -> Sequence[Path]:
        return ()

    def is_transcript(self, path: Path) -> bool:
        return path.suffix in {".json", ".db"} and "part" not in path.parts

    def reader(self, path: Path) -> Reader:
        return self._reader

    def parser(self, path: Path, state: bytes = b"") -> Parser:
        return CLAUDE.parser(path, state)


def cut(data: bytes) -> Parts:
    lines = json.loads(data)
    return Parts(
        lines[0]["sessionId"] if lines else "empty",
        [unit_of(line["uuid"], json_line(json.dumps(line).encode())) for line in lines],
    )


DOCUMENT = Toy(Document(cut))


def write(path: Path, lines: list[bytes]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(json.dumps([json.loads(line) for line in lines], indent=2).encode())


def at(time_ns: int, path: Path) -> None:
    os.utime(path, ns=(time_ns, time_ns))


def from_lines(lines: list[bytes], folder: Path) -> Content:
    path = folder / "lines.jsonl"
    path.write_bytes(b"".join(lines))
    with InProcess(Path(":memory:")) as store:
        store.read(path)
        return store.content()


def kept(store: InProcess) -> list[list[dict[str, Any]]]:
    """Return the kept lines of each source."""
    logs: list[list[dict[str, Any]]] = []
    for (source,) in store.rows("SELECT id FROM source ORDER BY id"):
        reached, data = 0, b""
        for start, end, codec, chunk, kept_size in store.rows(
            "SELECT start_offset, end_offset, codec, data, kept_size FROM source_chunk"
            " WHERE source_id = ? ORDER BY id",
            (source,),
        ):
            assert start == reached
            reached, data = end, data + decompress(chunk, codec)[:kept_size]
            assert end == len(data)
        logs.append([json.loads(line) for line in data.splitlines()])
    return logs


def test_only_what_changed_of_a_document_is_appended(tmp_path: Path) -> None:
    path = tmp_path / "session.json"
    with InProcess(Path(":memory:")) as store:
        for count in range(1, len(TURNS) + 1):
            write(path, TURNS[:count])
            assert store.read(path, DOCUMENT) > 0
        assert store.read(path, DOCUMENT) == 0
        assert not differences(from_lines(TURNS, tmp_path), store.content())
        assert not differences(store.content(), store.derived(DOCUMENT))
        (log,) = kept(store)
        assert log == [json.loads(line) for line in TURNS]
        (file,) = store.files()
        assert (file["lines"], file["state"]) == (4, "live")


def test_a_unit_that_changes_is_said_again_and_one_that_goes_is_noted(tmp_path: Path) -> None:
    path = tmp_path / "session.json"
    changed = claude_prompt("One, or two?", key="One")
    with InProcess(Path(":memory:")) as store:
        write(path, TURNS)
        store.read(path, DOCUMENT)
        write(path, [changed, TURNS[1]])
        store.read(path, DOCUMENT)
        write(path, [changed, TURNS[1], TURNS[3]])
        store.read(path, DOCUMENT)
        (log,) = kept(store)
        gone = [json.loads(line)["uuid"] for line in TURNS[2:]]
        assert log[4:] == [json.loads(changed), {"$gone": gone}, json.loads(TURNS[3])]
        assert len(store.content()["exchange"]) == 2
        assert store.files()[0]["state"] == "live"
        assert not differences(store.content(), store.derived(DOCUMENT))


def test_another_session_in_the_same_file_has_a_log_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "session.json"
    other = [line.replace(b"5e551011", b"7e551011") for line in [claude_prompt("Else")]]
    with InProcess(Path(":memory:")) as store:
        write(path, TURNS)
        store.read(path, DOCUMENT)
        write(path, other)
        store.read(path, DOCUMENT)
        assert sorted(file["state"] for file in store.files()) == ["live", "replaced"]
        assert [len(log) for log in kept(store)] == [4, 1]
        assert not differences(store.content(), store.derived(DOCUMENT))


def test_a_document_that_moves_keeps_its_log(tmp_path: Path) -> None:
    path = tmp_path / "session.json"
    with InProcess(Path(":memory:")) as store:
        write(path, TURNS[:2])
        store.read(path, DOCUMENT)
        path = path.rename(tmp_path / "archived.json")
        write(path, TURNS)
        store.read(path, DOCUMENT)
        (file,) = store.files()
        assert (file["path"], file["lines"]) == (str(path), 4)


@pytest.mark.parametrize("torn", [b"", b" \n", b'[{"uuid": "a"', b"[1, 2"])
def test_a_torn_document_is_left_for_later(tmp_path: Path, torn: bytes) -> None:
    path = tmp_path / "session.json"
    with InProcess(Path(":memory:")) as store:
        write(path, TURNS[:2])
        store.read(path, DOCUMENT)
        path.write_bytes(torn)
        store.read(path, DOCUMENT)
        assert [file["state"] for file in store.files()] == ["live"]
        at(LONG_AGO_NS, path)
        store.read(path, DOCUMENT)
        expected = "unreadable" if torn.strip() else "live"
        assert [file["state"] for file in store.files()] == [expected]
        write(path, TURNS)
        store.read(path, DOCUMENT)
        assert not differences(from_lines(TURNS, tmp_path), store.content())
        assert [len(log) for log in kept(store)] == [4]


def test_a_large_document_comes_in_batches_and_goes_on_after_any(tmp_path: Path) -> None:
    path = tmp_path / "session.json"
    lines = [claude_prompt(f"P{number} " + "x" * 400_000) for number in range(8)]
    write(path, lines)
    with InProcess(Path(":memory:")) as store:
        store.fault = lambda _append: "lose" if len(store.appends) == 1 else None
        with pytest.raises(Exception, match="killed"):
            store.read(path, DOCUMENT)
        store.fault = lambda _append: None
        store.restart()
        store.read(path, DOCUMENT)
        assert not differences(from_lines(lines, tmp_path), store.content())
        (log,) = kept(store)
        assert log == [json.loads(line) for line in lines]


def tree_files(path: Path) -> Iterator[tuple[str, Path]]:
    yield "", path
    for file in sorted((path.parent / "part").glob("*.json")):
        yield file.stem, file


def tree_line(_key: str, data: bytes) -> bytes:
    return json_line(data)


def test_a_tree_of_files_is_one_log(tmp_path: Path) -> None:
    tree = Toy(Tree(tree_files, tree_line))
    root = tmp_path / "tree"
    (root / "part").mkdir(parents=True)
    with InProcess(Path(":memory:")) as store:
        (root / "session.json").write_bytes(TURNS[0])
        store.rescan(root, tree)
        for number, line in enumerate(TURNS[1:]):
            file = root / "part" / f"{number}.json"
            file.write_bytes(line[: len(line) // 2])
            store.rescan(root, tree)
            file.write_bytes(line)
            store.rescan(root, tree)
        assert not differences(from_lines(TURNS, tmp_path), store.content())
        for file in root.rglob("*.json"):
            at(LONG_AGO_NS, file)
        store.rescan(root, tree)
        before = len(store.appends)
        store.rescan(root, tree)
        assert len(store.appends) == before
        assert [file["path"] for file in store.files()] == [str(root / "session.json")]
        shutil.rmtree(root)
        assert not differences(store.content(), store.derived(tree))


class Shelf:
    """A container that is a file of lists of lines, and counts how often it was opened."""

    def __init__(self) -> None:
        self.opened = 0

    def look(self, path: Path) -> Look:
        found = path.lstat()
        return Look(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)

    @contextmanager
    def members(self, path: Path) -> Iterator[list[Member]]:
        self.opened += 1
        sessions: dict[str, list[Any]] = json.loads(path.read_bytes())
        yield [self._member(name, lines) for name, lines in sessions.items()]

    def _member(self, name: str, lines: list[Any]) -> Member:
        data = json.dumps(lines).encode()
        return Member(name, Look(size_bytes=len(data), mtime_ns=1), lambda: cut(data))


def fill(path: Path, **sessions: list[bytes]) -> None:
    lists = {name: [json.loads(line) for line in lines] for name, lines in sessions.items()}
    path.write_text(json.dumps(lists))


def test_each_session_of_a_container_is_a_source_of_its_own(tmp_path: Path) -> None:
    shelf = Shelf()
    agent = Toy(Container(shelf.look, shelf.members))
    path = tmp_path / "all.db"
    other = [line.replace(b"5e551011", b"7e551011") for line in [claude_prompt("Else")]]
    with InProcess(Path(":memory:")) as store:
        fill(path, a=TURNS[:2], b=other)
        at(LONG_AGO_NS, path)
        store.rescan(tmp_path, agent)
        store.rescan(tmp_path, agent)
        assert shelf.opened == 1
        fill(path, a=TURNS, b=other)
        before = len(store.appends)
        store.rescan(tmp_path, agent)
        assert len(store.appends) - before == 2
        fill(path, a=TURNS)
        store.rescan(tmp_path, agent)
        store.restart()
        store.rescan(tmp_path, agent)
        files = {Path(file["path"]).name: (file["state"], file["lines"]) for file in store.files()}
        assert files == {"all.db": ("live", 0), "a": ("live", 4), "b": ("gone", 1)}
        path.unlink()
        store.rescan(tmp_path, agent)
        assert {file["state"] for file in store.files()} == {"gone"}
        assert len(store.content()["exchange"]) == 3
        assert not differences(store.content(), store.derived(agent))
