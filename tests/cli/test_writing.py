"""save, rate, tag, note and forget: what they send, and what they refuse."""

import io
import json
import sys
from typing import Any

import pytest

from cli.support import StubClient, run
from steno.cli.annotate import split_tags
from steno.cli.command import WrongUse
from steno_schema.records import Tokens
from steno_schema.replies import Done
from steno_schema.requests import Amend, Delete, Filters


def stdin(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))


def test_every_flag_of_save_reaches_its_field() -> None:
    client = StubClient()
    code, out = run(
        *("save", "why?", "--output", "so", "--model", "m", "--input-tokens", "5"),
        *("--output-tokens", "6", "--cost", "0.5", "--tag", "a", "--tag", "b"),
        *("--framework", "f", "--template", "t", "--category", "api", "--technique", "cot"),
        *("--stage", "testing", "--phase", "p", "--file", "a.py", "--rating", "9"),
        *("--follow-up", "--session", "s", "--conversation", "c", "--user", "u"),
        *("--project", "/p", "--metadata", '{"k": [1]}'),
        client=client,
    )
    assert (code, out) == (0, "01890000-0000-7000-8000-000000000001\n")
    assert client.history.saved == [
        (
            "why?",
            "so",
            {
                "model": "m",
                "framework": "f",
                "template": "t",
                "category": "api",
                "technique": "cot",
                "stage": "testing",
                "phase": "p",
                "current_file": "a.py",
                "session": "s",
                "conversation": "c",
                "user": "u",
                "project": "/p",
                "tags": ["a", "b"],
                "cost_usd": 0.5,
                "rating": 9.0,
                "follow_up": True,
                "metadata": {"k": [1]},
                "tokens": Tokens(input=5, output=6),
            },
        )
    ]


def test_a_total_is_only_a_total() -> None:
    client = StubClient()
    run("save", "why?", "--tokens", "11", client=client)
    assert client.history.saved == [("why?", "", {"tokens": Tokens(total=11)})]


def test_save_reads_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    client = StubClient()
    for words in (("save",), ("save", "-")):
        stdin(monkeypatch, "größe\n".encode())
        run(*words, client=client)
    stdin(monkeypatch, b"the answer\n\n")
    run("save", "why?", "--output", "-", client=client)
    assert [saved[:2] for saved in client.history.saved] == [
        ("größe", ""),
        ("größe", ""),
        ("why?", "the answer\n"),
    ]


def test_save_says_where_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    client = StubClient()
    client.history.stored = "spool"
    _, out = run("save", "why?", "--json", client=client)
    assert json.loads(out)["stored"] == "spool"
    run("save", "why?", client=client)
    assert "spool" in capsys.readouterr().err


def test_annotations() -> None:
    client = StubClient(lambda _: Done(changed=1, result={"id": "x"}))
    assert run("rate", "42", "8.5", client=client) == (0, "changed\n")
    assert json.loads(run("note", "42", "good", "idea", "--json", client=client)[1]) == {
        "changed": 1,
        "id": "x",
    }
    run("note", "42", "", client=client)
    assert client.asked == [
        Amend(target="42", set={"rating": 8.5}),
        Amend(target="42", set={"notes": "good idea"}),
        Amend(target="42", set={"notes": None}),
    ]


def test_tags_on_and_off() -> None:
    assert split_tags(["+a", "b", " -c", "-d"]) == (["a", "b"], ["c", "d"])
    with pytest.raises(WrongUse):
        split_tags(["-"])


def test_forget_sends_what_was_said() -> None:
    client = StubClient(lambda _: Done(changed=3))
    assert run("forget", "--tag", "x", "--yes", "--json", client=client)[1] == (
        '{"count":3,"forgotten":true}\n'
    )
    assert run("forget", "--tag", "x", "--dry-run", "--json", client=client)[1] == (
        '{"count":3,"forgotten":false}\n'
    )
    run("forget", "42", "--type", "session", "--yes", client=client)
    assert client.asked == [
        Delete(filters=Filters(tag=["x"])),
        Delete(filters=Filters(tag=["x"]), dry_run=True),
        Delete(target="42", type="session"),
    ]


@pytest.mark.parametrize("words", [("--since", "7d", "--dry-run"), ("--since", "7d", "--yes")])
def test_forget_that_finds_nothing(words: tuple[str, ...], capsys: Any) -> None:
    client = StubClient(lambda _: Done())
    assert run("forget", *words, client=client) == (1, "")
    assert "Nothing found" in capsys.readouterr().err
