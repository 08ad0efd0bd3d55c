"""Out and back in: nothing is lost, nothing is written that was not asked for."""

import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.support import StubClient, exchange, message, run
from steno.cli.command import Failed
from steno.cli.export import style_of
from steno.cli.importfile import read_records, record_of
from steno.cli.importing import batches
from steno.cli.jsontext import plain, to_json
from steno.cli.outfile import OutFile
from steno.errors import Refused
from steno_schema.records import Conversation, Exchange, Message, Session, Tokens
from steno_schema.replies import Appended, Exchanges, Messages, Outcome, Reply, Rows
from steno_schema.requests import Append, Get, List

SESSION = {
    "id": 3,
    "session_id": "s1",
    "user_id": "me",
    "project_id": "/p",
    "created_at": "2026-01-02T03:04:05.678Z",
    "status": "active",
    "duration_hours": 1.5,
    "metadata_json": '{"k":1}',
    "uid": "01890000-0000-7000-a000-000000000001",
}
CONVERSATION = {
    "id": 4,
    "session_id": "s1",
    "conversation_id": "c1",
    "title": "t",
    "metadata_json": None,
    "uid": "01890000-0000-7000-a000-000000000002",
}


def database(request: Any) -> Reply:
    """A database with two exchanges, a session, a conversation and three messages."""
    assert isinstance(request, List)
    if request.type == "exchange":
        return Exchanges(items=[exchange(1), exchange(2)])
    if request.type == "session":
        return Rows(items=[SESSION])
    if request.type == "conversation":
        return Rows(items=[CONVERSATION])
    own_text = message(1, id=exchange(1).prompt_message_id, exchange_id=exchange(1).id)
    tool = message(2, role="tool", kind="tool_result", exchange_id=exchange(1).id)
    return Messages(items=[own_text, tool, message(3, exchange_id="another")])


def lines_of(*words: str) -> list[dict[str, Any]]:
    _, out = run("export", "--format", "jsonl", *words, client=StubClient(database))
    return [json.loads(line) for line in out.splitlines()]


def test_json_lines_carry_every_kind() -> None:
    told = lines_of()
    assert [line["type"] for line in told] == [
        *("exchange", "exchange", "session", "conversation", "message", "message", "message")
    ]


def test_filters_choose_what_belongs_to_the_exchanges() -> None:
    told = lines_of("--agent", "codex")
    assert [line["type"] for line in told] == [
        *("exchange", "exchange", "session", "conversation", "message", "message")
    ]


def test_json_is_a_list_and_an_empty_one_too() -> None:
    _, out = run("export", client=StubClient(database))
    assert [item["number"] for item in json.loads(out)] == [1, 2]
    empty = StubClient(lambda _: Exchanges(items=[]))
    assert json.loads(run("export", "--json", client=empty)[1]) == []


def test_what_comes_back_in(tmp_path: Path) -> None:
    file = tmp_path / "all.jsonl"
    run("export", "-o", str(file), client=StubClient(database))
    records = list(read_records(file))
    assert [type(record) for record in records] == [
        *(Exchange, Exchange, Session, Conversation, Message, Message)
    ]
    first, _, session, conversation, tool, _ = records
    assert isinstance(first, Exchange)
    assert first.id == exchange(1).id
    assert first.tokens == Tokens(input=3, output=4)
    assert (first.session, first.conversation, first.metadata) == ("s1", "c1", {"run": 7})
    assert isinstance(session, Session)
    assert (session.id, session.key, session.metadata) == (SESSION["uid"], "s1", {"k": 1})
    assert isinstance(conversation, Conversation)
    assert (conversation.key, conversation.session) == ("c1", "s1")
    assert isinstance(tool, Message)
    assert tool.exchange == exchange(1).id


def test_lists_pages_and_foreign_names(tmp_path: Path) -> None:
    file = tmp_path / "list.json"
    item = {"prompt": "p", "timestamp": "2026-01-02", "tags": "a, b", "tokens": 5, "cost": 1}
    for text in (json.dumps([item], indent=2), json.dumps({"items": [item]}), json.dumps(item)):
        file.write_text(f"\n{text}\n")
        (record,) = read_records(file)
        assert isinstance(record, Exchange)
        assert (record.tags, record.tokens, record.cost_usd) == (["a", "b"], Tokens(total=5), 1)
        assert record.id == record_of(dict(item)).id


@pytest.mark.parametrize(
    "line", ['{"prompt": 5}', "{", "5", '{"type":"robot"}', '{"type":["x"]}', "[1]", "\xff", "{}"]
)
def test_a_bad_line_is_named(line: str, tmp_path: Path) -> None:
    file = tmp_path / "bad.jsonl"
    file.write_bytes(line.encode("latin-1"))
    with pytest.raises(Failed, match=r"bad\.jsonl"):
        list(read_records(file))


def test_import_counts_and_survives_conflicts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stored = {exchange(1).id: exchange(1), exchange(2).id: exchange(2, prompt="another")}

    def answer(request: Any) -> Reply:
        if isinstance(request, Get):
            return Exchanges(items=[stored[request.target]])
        assert isinstance(request, Append)
        if any(record.id in stored for record in request.records):
            raise Refused("conflict", "It exists with other content.")
        return Appended(outcomes=[Outcome(id=r.id, outcome="created") for r in request.records])

    file = tmp_path / "x.jsonl"
    whole = [to_json({"type": "exchange", **plain(exchange(number))}) for number in (1, 2, 3)]
    file.write_text("\n".join(whole))
    code, out = run("import", str(file), client=StubClient(answer))
    assert code == 0
    assert out == "3 records: 1 conflict, 1 created, 1 existed.\n"
    assert "left as they are" in capsys.readouterr().err


def test_batches_are_bounded() -> None:
    def records(size: int) -> Iterator[Exchange]:
        for _ in range(500):
            yield Exchange(id="x", prompt="p" * size)

    assert [len(batch) for batch in batches(records(1))] == [200, 200, 100]
    assert max(len(batch) for batch in batches(records(1 << 20))) == 1


@pytest.mark.parametrize(
    ("path", "style"),
    [("a.csv", "csv"), ("a.MD", "md"), ("a.ndjson", "jsonl"), ("a", "json"), (None, "json")],
)
def test_the_format_follows_the_ending(path: str | None, style: str) -> None:
    assert style_of(path) == style


def test_a_file_is_private_whole_and_never_overwritten_unasked(tmp_path: Path) -> None:
    file = tmp_path / "out.json"
    with OutFile(file) as out:
        out.write("whole")
        assert not file.exists()
        out.commit()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with pytest.raises(Failed, match="exists"):
        OutFile(file)
    with OutFile(file, force=True) as out:
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
        with pytest.raises(Failed, match="exists"):
            out.commit()
    assert file.read_text() == "theirs"
    assert os.listdir(tmp_path) == ["out.json"]


@pytest.mark.parametrize("path", ["/dev/full", "/nowhere/at/all.json", "/"])
def test_what_cannot_be_written_is_one_sentence(path: str) -> None:
    def write() -> None:
        with OutFile(Path(path)) as out:
            out.write("x")
            out.commit()

    with pytest.raises(Failed) as raised:
        write()
    assert str(raised.value).startswith(path)
    assert str(raised.value).endswith(".")
