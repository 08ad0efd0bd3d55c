"""``steno import`` of what is no export: one sentence that says what would be one."""

from pathlib import Path

import pytest

from steno.cli.command import Failed
from steno.cli.importfile import read_records


@pytest.mark.parametrize(
    ("data", "said", "hint"),
    [
        (b"id,prompt\n1,x\n", "does not begin with JSON", "--format jsonl"),
        (b"# Exchanges\n\ntext", "does not begin with JSON", "--format jsonl"),
        (b"\x89PNG\r\n\x1a\n", "does not begin with JSON", "--format jsonl"),
        (b"\n\n  plain text", "does not begin with JSON", "--format jsonl"),
        (b'{"id": ', "line 1 is no record: it is not JSON", "import again"),
        (b'{"prompt":"x"}\nid,prompt\n', "line 2 is no record: it is not JSON", "import again"),
    ],
)
def test_what_is_no_export(tmp_path: Path, data: bytes, said: str, hint: str) -> None:
    file = tmp_path / "file"
    file.write_bytes(data)
    with pytest.raises(Failed, match=said) as raised:
        list(read_records(file))
    assert str(file) in str(raised.value)
    assert hint in raised.value.hint


def test_an_empty_file_holds_no_record(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"\n")
    assert list(read_records(tmp_path / "file")) == []
