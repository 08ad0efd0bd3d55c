"""search, list, show, thread, stats, cost, tail and sql against a client of straw."""

import json
from typing import Any

import pytest

from cli.support import HOSTILE, StubClient, exchange, message, only_harmless, run
from steno.cli.sql import parameters
from steno.errors import Refused
from steno_schema.replies import (
    Event,
    Exchanges,
    Messages,
    Reply,
    Results,
    Rows,
    SearchResult,
    Statistics,
    Table,
)
from steno_schema.requests import Filters, Get, List, Sql, Stats


def result(number: int = 1, **fields: Any) -> SearchResult:
    given: dict[str, Any] = {
        "id": f"uid-{number}",
        "message_id": f"m-{number}",
        "conversation_id": "c1",
        "session_id": "s1",
        "agent": "codex",
        "project": "/home/me/steno",
        "role": "assistant",
        "created_at": "2026-01-02T03:04:05.678Z",
        "snippet": "the \ue000token\ue001 refresh",
        "score": 1.5,
        "number": number,
    }
    return SearchResult(**(given | fields))


def answering(reply: Reply) -> StubClient:
    return StubClient(lambda _: reply)


def test_search_json_is_what_programs_rely_on() -> None:
    client = StubClient(lambda _: Results(results=[result()], next_cursor="c"))
    code, out = run("search", "token", "-flaky", "--json", "--limit", "1", client=client)
    told = json.loads(out)
    assert code == 0
    assert told["next_cursor"] == "c"
    assert told["complete"] is True
    assert {"id", "message_id", "conversation_id", "session_id", "agent", "project", "role",
            "created_at", "snippet", "score"} <= set(told["results"][0])  # fmt: skip
    assert "\\ue000" in out
    assert client.asked[0].query == "token  -flaky"


def test_search_lines_in_a_pipe_and_on_a_terminal() -> None:
    client = StubClient(lambda _: Results(results=[result()]))
    assert run("search", "x", client=client)[1] == (
        "uid-1\tcodex\tsteno\t2026-01-02T03:04:05.678Z\tthe token refresh\n"
    )
    shown = run("search", "x", client=client, terminal=True, colour="always")[1]
    assert "\x1b[1;31mtoken\x1b[0m" in shown
    assert "steno" in shown
    assert "ago" in shown


@pytest.mark.parametrize("words", [("...",), ("nothing",), ("--agent", "codex")])
def test_search_that_finds_nothing(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    client = StubClient(lambda _: Results(results=[]))
    assert run("search", *words, client=client) == (1, "")
    told = capsys.readouterr().err
    assert len(told.splitlines()) == 1
    assert ("punctuation" in told) is (words == ("...",))


def test_search_follows_the_cursor_up_to_the_limit() -> None:
    def answer(request: Any) -> Reply:
        first = int(request.cursor or 0)
        found = [result(first + place) for place in range(request.limit)]
        return Results(results=found, next_cursor=str(first + request.limit))

    client = StubClient(answer)
    _, out = run("search", "x", "--limit", "2500", "--json", client=client)
    told = json.loads(out)
    assert [asked.limit for asked in client.asked] == [1000, 1000, 500]
    assert len({each["id"] for each in told["results"]}) == 2500
    assert told["next_cursor"] == "2500"


@pytest.mark.parametrize("command", ["list", "today", "week"])
def test_lists(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    client = StubClient(lambda _: Exchanges(items=[exchange(1), exchange(2)]))
    code, out = run(command, "--agent", "codex", "--json", client=client)
    told = json.loads(out)
    assert code == 0
    assert [item["number"] for item in told["items"]] == [1, 2]
    assert told["items"][0]["tokens"]["cache_read"] == 0
    assert (client.asked[0].filters.since is None) is (command == "list")
    empty = StubClient(lambda _: Exchanges(items=[]))
    assert run(command, client=empty) == (1, "")
    assert capsys.readouterr().err == "Nothing found.\n"


def test_a_list_on_a_terminal_fits_it() -> None:
    client = StubClient(lambda _: Exchanges(items=[exchange(1, prompt="word " * 100)]))
    _, out = run("list", client=client, terminal=True, width=60)
    assert all(len(line) <= 60 for line in out.splitlines())


@pytest.mark.parametrize("terminal", [True, False])
def test_nothing_hostile_reaches_the_output(terminal: bool) -> None:
    evil = exchange(1, prompt=HOSTILE, output=HOSTILE, agent=HOSTILE, project=HOSTILE, model=HOSTILE,
                    session_id=HOSTILE, tags=[HOSTILE], notes=HOSTILE,
                    metadata={HOSTILE: HOSTILE}, created_at=HOSTILE)  # fmt: skip
    said = message(1, content=HOSTILE, role=HOSTILE, kind="tool_result", tool_name=HOSTILE)
    found = result(1, snippet=HOSTILE, agent=HOSTILE, project=HOSTILE, created_at=HOSTILE)
    rows: list[list[Any]] = [[HOSTILE, HOSTILE]]
    group = {"name": HOSTILE, "exchanges": 1, "tokens": 1, "cost_usd": None}
    cases: list[tuple[tuple[str, ...], Reply]] = [
        (("list",), Exchanges(items=[evil])),
        (("show", "1"), Exchanges(items=[evil])),
        (("export", "--format", "csv"), Exchanges(items=[evil])),
        (("export", "--format", "md"), Exchanges(items=[evil])),
        (("export", "--format", "json"), Exchanges(items=[evil])),
        (("thread", "c1"), Messages(items=[said])),
        (("search", "x"), Results(results=[found])),
        (("sql", "x"), Table(columns=[HOSTILE, "b"], rows=rows)),
        (("sql", "--schema"), Table(columns=["name", "sql"], rows=rows)),
        (("sql", "x", "--format", "csv"), Table(columns=[HOSTILE, "b"], rows=rows)),
        (("stats", "--by", "tag"), Statistics(totals={"first_at": HOSTILE}, groups=[group])),
        (("cost",), Statistics(totals={"cost_usd": None}, groups=[group])),
    ]
    for words, reply in cases:
        _, out = run(*words, client=answering(reply), terminal=terminal)
        assert out, words
        assert only_harmless(out), words
    client = StubClient()
    client.events = [Event(sequence=1, exchange=evil)]
    assert only_harmless(run("tail", client=client, terminal=terminal)[1])


def test_show_json_is_one_exchange() -> None:
    client = StubClient(lambda _: Exchanges(items=[exchange(7, output="the answer")]))
    _, out = run("show", "7", "--json", client=client)
    told = json.loads(out)
    assert told["output"] == "the answer"
    assert told["tokens"]["complete"] is True
    assert client.asked == [Get(target="7")]
    shown = run("show", "7", client=client)[1]
    assert "the answer" in shown
    assert "$0.25" in shown


def test_a_thread_by_key_by_id_and_by_exchange() -> None:
    def answer(request: Any) -> Reply:
        if isinstance(request, List):
            known = request.filters.conversation == ["c1"]
            return Messages(items=[message(1)] if known else [])
        if request.type == "conversation" and request.target != "uid":
            raise Refused("not_found", "There is none.")
        if request.type == "conversation":
            return Rows(items=[{"conversation_id": "c1"}])
        return Exchanges(items=[exchange(1)])

    for target in ("c1", "uid", "42"):
        code, out = run("thread", target, client=StubClient(answer))
        assert code == 0
        assert "message 1" in out


def test_long_tool_results_are_shortened_unless_asked() -> None:
    long = "\n".join(f"line {number}" for number in range(50))
    said = message(1, role="tool", kind="tool_result", content=long)
    client = StubClient(lambda _: Messages(items=[said]))
    short = run("thread", "c1", client=client)[1]
    assert "line 5" in short
    assert "line 30" not in short
    assert "44 more lines" in short
    assert "line 30" in run("thread", "c1", "--full", client=client)[1]


def test_cost_leaves_the_unknown_blank() -> None:
    groups = [
        {"name": "gpt-5", "exchanges": 2, "input_tokens": 5, "cost_usd": 0.5},
        {"name": "", "exchanges": 1, "input_tokens": 1, "cost_usd": None},
    ]
    totals = {"exchanges": 3, "input_tokens": 6, "cost_usd": 0.5}
    client = StubClient(lambda _: Statistics(totals=totals, groups=groups))
    _, out = run("cost", "--week", client=client)
    lines = [line.split("\t") for line in out.splitlines()]
    assert lines[1][-1] == "$0.5000"
    assert lines[2][0] == "-"
    assert lines[2][-1] == ""
    assert lines[3][0] == "total"
    assert json.loads(run("cost", "--json", client=client)[1])["groups"][1]["cost_usd"] is None
    assert client.asked[0].by == "model"


def test_stats_draws_bars_on_a_terminal_only() -> None:
    groups = [{"name": "a", "exchanges": 4}, {"name": "b", "exchanges": 1}]
    client = StubClient(lambda _: Statistics(totals={"exchanges": 5}, groups=groups))
    assert "█" * 24 in run("stats", "--by", "agent", client=client, terminal=True)[1]
    assert "█" not in run("stats", "--by", "agent", client=client)[1]
    assert client.asked[0] == Stats(filters=Filters(), by="agent", limit=50)
    tables = StubClient(lambda _: Statistics(totals={"exchanges": 5, "by_agent": groups}))
    assert "agent\texchanges" in run("stats", client=tables)[1]


def test_sql_formats() -> None:
    table = Table(columns=["a", "b"], rows=[[1, None], [2, "=x"]])
    client = StubClient(lambda _: table)
    assert run("sql", "q", "--json", client=client)[1] == '[{"a":1,"b":null},{"a":2,"b":"=x"}]\n'
    assert run("sql", "q", "--format", "csv", client=client)[1] == "a,b\n1,\n2,'=x\n"
    assert run("sql", "q", client=client)[1].splitlines()[0].split() == ["a", "b"]
    assert client.asked[0] == Sql(query="q")


def test_sql_parameters() -> None:
    assert parameters(["1", "-2.5", "007", "text", "1e3"]) == [1, -2.5, "007", "text", 1000.0]
    assert parameters([":a=1", "@b=x=y"]) == {"a": 1, "b": "x=y"}
    assert parameters([]) == []
    assert parameters([str(2**63)]) == [float(2**63)]


def test_sql_that_is_refused_exits_4(capsys: pytest.CaptureFixture[str]) -> None:
    def refuse(_: Any) -> Reply:
        raise Refused("bad_request", "Only reading is allowed here.", "One SELECT.")

    assert run("sql", "DELETE", client=StubClient(refuse)) == (4, "")
    assert capsys.readouterr().err == "steno: Only reading is allowed here. One SELECT.\n"


def test_tail_prints_each_event() -> None:
    client = StubClient()
    client.events = [
        Event(sequence=5, exchange=exchange(1)),
        Event(sequence=6, exchange=exchange(2)),
    ]
    _, out = run("tail", "--agent", "codex", "--after", "4", "--json", client=client)
    assert [json.loads(line)["sequence"] for line in out.splitlines()] == [5, 6]
    assert client.subscribed["agent"] == ["codex"]
    assert client.subscribed["after"] == 4
    assert run("tail", client=client)[1].count("\n") == 2
