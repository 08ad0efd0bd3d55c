"""``client.history.export`` and ``import_``, blocking and awaited, against a real daemon."""

import csv
import io
import json
from pathlib import Path

import pytest

from steno.errors import Misuse
from steno_schema.ids import uuid7
from support.live import Live


def test_history_is_exported_in_every_format(live: Live, tmp_path: Path) -> None:
    history, tag = live.client.history, live.key("out")
    live.call(history.save("Why is it blue?", "Rayleigh.", tags=[tag], session=tag))
    live.call(history.save("And red?", "Dust.", tags=[tag], session=f"{tag}-2"))
    stored = live.rows("SELECT prompt, output FROM history WHERE tags LIKE ?", f"%{tag}%")

    def exported(name: str, style: str | None = None) -> str:
        path = tmp_path / name
        count = live.call(history.export(path, style, tag=tag))
        assert count == (6 if name.endswith(".jsonl") and style is None else 2), name
        return path.read_text("utf-8")

    told = json.loads(exported("all.json"))
    assert [(item["prompt"], item["output"]) for item in told] == stored[::-1]
    rows = list(csv.DictReader(io.StringIO(exported("all.csv"))))
    assert [(row["prompt"], row["output"]) for row in rows] == stored[::-1]
    assert exported("all.md").count("### Prompt") == 2
    lines = [json.loads(line) for line in exported("all.jsonl").splitlines()]
    assert [line["type"] for line in lines].count("exchange") == 2
    chats = [json.loads(line) for line in exported("chat.jsonl", "chat").splitlines()]
    said = [[message["content"] for message in chat["messages"]] for chat in chats]
    assert sorted(said) == sorted([prompt, output] for prompt, output in stored)


def test_an_export_goes_into_anything_that_writes(live: Live) -> None:
    history, tag = live.client.history, live.key("out")
    for number in range(3):
        live.call(history.save(f"number {number}", tags=[tag]))
    out = io.StringIO()
    seen: list[int] = []
    assert live.call(history.export(out, tag=tag, limit=2, progress=seen.append)) == 2
    assert [item["prompt"] for item in json.loads(out.getvalue())] == ["number 2", "number 1"]
    assert seen == [2]


def test_an_export_replaces_only_when_told(live: Live, tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    path.write_text("mine")
    with pytest.raises(Misuse, match="exists"):
        live.call(live.client.history.export(path))
    assert path.read_text() == "mine"
    live.call(live.client.history.export(path, overwrite=True, tag="nobody has this"))
    assert path.read_text() == "[]\n"
    database = live.daemon.database
    with pytest.raises(Misuse, match="a file of steno itself"):
        live.call(live.client.history.export(database, "json", overwrite=True))
    for wrong in ({"format": "xml"}, {"limit": 0}):
        with pytest.raises(Misuse):
            live.call(live.client.history.export(tmp_path / "x", **wrong))


def test_what_was_exported_is_imported(live: Live, tmp_path: Path) -> None:
    history, tag = live.client.history, live.key("in")
    live.call(history.save("Once more", "Gladly.", tags=[tag], cost_usd=0.5, session=tag))
    path = tmp_path / "all.jsonl"
    live.call(history.export(path, tag=tag))
    again = live.call(history.import_(path))
    assert (again.records, again.existed, again.taken) == (3, 3, 3)
    other = path.read_text().replace(tag, f"{tag}-b")
    for line in other.splitlines()[1:]:
        other = other.replace(json.loads(line)["id"], uuid7())
    done = live.call(history.import_(io.BytesIO(other.encode())))
    assert (done.created, done.left_out) == (3, 0)
    row = live.row("SELECT prompt, output, cost, tags FROM history WHERE tags = ?", f"{tag}-b")
    assert row == ("Once more", "Gladly.", 0.5, f"{tag}-b")


def test_what_cannot_be_imported_is_told_by_its_line(live: Live, tmp_path: Path) -> None:
    path = tmp_path / "mixed.jsonl"
    path.write_text('{"prompt": "fine"}\n{"prompt": 5}\n\nnot JSON\n{"prompt": "too"}\n')
    done = live.call(live.client.history.import_(path))
    assert (done.created, done.left_out, done.records) == (2, 2, 4)
    assert [problem.line for problem in done.problems] == [2, 4]
    for problem in (tmp_path / "none.jsonl", tmp_path):
        with pytest.raises(Misuse, match="cannot be read"):
            live.call(live.client.history.import_(problem))
