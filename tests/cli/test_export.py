"""Files that are there whole or not at all, and nothing written that was not asked for."""

import os
import stat
from pathlib import Path

import pytest

from steno.errors import Misuse
from steno.transfer.formats import format_of
from steno.transfer.outfile import OutFile
from steno_schema.paths import resolve


@pytest.mark.parametrize(
    ("path", "style"),
    [("a.csv", "csv"), ("a.MD", "md"), ("a.ndjson", "jsonl"), ("a", "json"), ("", "json")],
)
def test_the_format_follows_the_ending(path: str, style: str) -> None:
    assert format_of(path) == style


def test_a_file_is_private_whole_and_never_overwritten_unasked(tmp_path: Path) -> None:
    file = tmp_path / "out.json"
    with OutFile(file) as out:
        out.write("whole")
        assert not file.exists()
        out.commit()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with pytest.raises(Misuse, match="exists"):
        OutFile(file)
    with OutFile(file, overwrite=True) as out:
        out.write("new")
        out.commit()
    assert file.read_text() == "new"
    assert os.listdir(tmp_path) == ["out.json"]


def test_without_commit_nothing_is_left(tmp_path: Path) -> None:
    with OutFile(tmp_path / "out.json") as out:
        out.write("half")
        assert os.listdir(tmp_path) != []
    assert os.listdir(tmp_path) == []


def test_a_file_that_appears_meanwhile_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "out.json"
    with OutFile(file) as out:
        out.write("mine")
        file.write_text("theirs")
        with pytest.raises(Misuse, match="exists"):
            out.commit()
    assert file.read_text() == "theirs"
    assert os.listdir(tmp_path) == ["out.json"]


@pytest.mark.parametrize("overwrite", [False, True])
def test_what_is_behind_a_link_stays(tmp_path: Path, overwrite: bool) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_text("mine")
    link.symlink_to(target)
    with pytest.raises(Misuse, match="is a link"):
        OutFile(link, overwrite=overwrite)
    with OutFile(tmp_path / "hard", overwrite=overwrite) as out:
        os.link(target, tmp_path / "other name")
        out.write("new")
        out.commit()
    assert target.read_text() == "mine"


@pytest.mark.parametrize("name", ["steno.db", "steno.db-wal", "config.toml", "spool/1.spool"])
def test_what_is_stenos_own_is_not_overwritten(tmp_path: Path, name: str) -> None:
    paths = resolve({}, home=tmp_path)
    (tmp_path / "spool").mkdir()
    (tmp_path / name).write_text("mine")
    with pytest.raises(Misuse, match="a file of steno itself"):
        OutFile(tmp_path / "spool" / ".." / name, paths, overwrite=True)
    assert (tmp_path / name).read_text() == "mine"


@pytest.mark.parametrize("path", ["/dev/full", "/nowhere/at/all.json", "/"])
def test_what_cannot_be_written_is_one_sentence(path: str) -> None:
    def write() -> None:
        with OutFile(Path(path)) as out:
            out.write("x")
            out.commit()

    with pytest.raises(Misuse) as raised:
        write()
    assert str(raised.value).startswith(path)
    assert str(raised.value).endswith(".")
