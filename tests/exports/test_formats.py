"""JSON, CSV and Markdown: whole lists, hostile text included, and what can be read back of them."""

import csv
import json
from pathlib import Path

import pytest

from cli.hostile import PIECES
from exports.instances import imported, listed
from support.running import RunningDaemon
from support.samples import EXCHANGE


def fill(daemon: RunningDaemon) -> int:
    with daemon.client(spool=False) as client:
        client.append([EXCHANGE])
        for number, piece in enumerate(PIECES):
            text = piece.replace("\x00", "")
            client.history.save(
                f"{text} {number}", text, tags=[f"p{number}", text[:50], "a,b"], notes=text,
                keywords=[text, "[x]"], metadata={text: [text]}, session=f"s{number}",
                conversation=f"c{number}", tokens={"input": number, "output": 1}, model="gpt-5",
                files_created=[text], rating=number % 10, follow_up=number % 2 == 0,
            )  # fmt: skip
    return len(PIECES) + 1


@pytest.mark.parametrize("style", ["json", "csv"])
def test_lists_come_back_from_json_and_csv(
    style: str, daemon: RunningDaemon, empty: RunningDaemon, tmp_path: Path
) -> None:
    count = fill(daemon)
    file = tmp_path / f"all.{style}"
    done = daemon.steno("export", "-o", str(file))
    assert done.returncode == 0, done.stderr
    assert done.stderr == f"Written to {file}: {count} records.\n"
    assert imported(empty, file) == {"records": count, "created": count}
    assert imported(empty, file) == {"records": count, "existed": count}
    by_id = {item["id"]: item for item in listed(empty)}
    assert [by_id[item["id"]] for item in listed(daemon)] == listed(daemon)


def test_the_same_history_in_every_format(daemon: RunningDaemon, tmp_path: Path) -> None:
    count = fill(daemon)
    shown = listed(daemon)
    told = json.loads(daemon.steno("export").stdout)
    assert [{**item, "number": None} for item in told] == [
        {**item, "number": None} for item in shown
    ]
    with (tmp_path / "out.csv").open("w", newline="") as file:
        file.write(daemon.steno("export", "--format", "csv").stdout)
    with (tmp_path / "out.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["id"] for row in rows] == [item["id"] for item in shown]
    markdown = daemon.steno("export", "--format", "md").stdout
    assert markdown.count("\n### Prompt\n") == count


def test_tables_of_others_are_read_by_their_header(daemon: RunningDaemon, tmp_path: Path) -> None:
    file = tmp_path / "mine.csv"
    file.write_bytes(
        b"\xef\xbb\xbfTimestamp,Prompt,Output,cost,tokens,tags,nonsense\r\n"
        b'2026-01-02,"Two\nlines",yes,0.5,12,"a, b",x\r\n'
        b"2026-01-03,second,,,,,\r\n"
        b",,,,,,\r\n"
        b"not a time,third,,,,,\r\n"
        b"2026-01-04,fourth,,ten,,,\r\n"
        b"2026-01-05,fifth,,,,,,one cell too many\r\n"
    )
    done = daemon.steno("import", str(file))
    assert done.returncode == 4
    assert done.stdout == "5 records: 2 created, 3 left out.\n"
    assert done.stderr == (
        f"{file}: 3 left out (line 6: 'not a time' is no time;"
        " line 7: cost_usd: expected `float | null`, got `str`;"
        " line 8: it has 8 cells for 7 columns)."
        " The rest is stored; correct them and import again.\n"
    )
    second, first = listed(daemon)
    assert (first["prompt"], first["cost_usd"], first["tags"]) == ("Two\nlines", 0.5, ["a", "b"])
    assert first["tokens"]["total"] == 12
    assert (second["prompt"], second["output"]) == ("second", "")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"# Exchanges\n\n## 2026\n", "is neither JSON Lines nor JSON nor CSV"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "is neither JSON Lines nor JSON nor CSV"),
        (b"SQLite format 3\x00" * 100, "is neither JSON Lines nor JSON nor CSV"),
        (b"\n\n  plain text", "is neither JSON Lines nor JSON nor CSV"),
        (b"a,b\n1,2\n", "has no column called prompt"),
        (b'{"id": ', "1 left out (line 1: it does not end)"),
        (b'{"type":"steno","format":99}\n', "is of format 99"),
    ],
)
def test_what_is_no_export_is_one_sentence(
    content: bytes, sentence: str, daemon: RunningDaemon, tmp_path: Path
) -> None:
    file = tmp_path / "file"
    file.write_bytes(content)
    done = daemon.steno("import", str(file))
    assert done.returncode == 4
    assert done.stdout in ("", "1 records: 1 left out.\n")
    assert sentence in done.stderr
    assert done.stderr.count("\n") == 1


def test_nothing_in_means_nothing(daemon: RunningDaemon, tmp_path: Path) -> None:
    for content in ("", "\n\n", "[]", '{"type":"steno","format":1}\n'):
        (tmp_path / "file").write_text(content)
        done = daemon.steno("import", str(tmp_path / "file"))
        assert (done.returncode, done.stdout) == (0, "No records.\n"), content
    assert listed(daemon) == []


def test_without_a_daemon_nothing_is_written(
    daemon_at_rest: RunningDaemon, tmp_path: Path
) -> None:
    daemon_at_rest.home.mkdir()
    done = daemon_at_rest.steno("export", "-o", str(tmp_path / "out.jsonl"))
    assert done.returncode == 3
    assert list(tmp_path.glob("*out*")) == []
