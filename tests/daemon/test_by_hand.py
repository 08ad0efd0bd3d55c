"""The protocol as a person types it: lines of JSON on the socket, nothing but a newline after."""

import re
from typing import Any

import msgspec
import pytest

from steno_schema import PROTOCOL
from steno_schema.limits import IN_FLIGHT_MAX
from support.running import ROOT, RunningDaemon
from support.wire import Wire

ID = "0199f7a2-0000-7000-8000-000000000001"
TYPED = (
    b'{"verb":"hello","id":1,"protocol":1,"client":"me"}\n',
    (
        b'{"verb":"append","id":2,"records":[{"type":"exchange",'
        b'"id":"0199f7a2-0000-7000-8000-000000000001","prompt":"What is a wren?",'
        b'"output":"A small brown bird."}]}\n'
    ),
    b'{"verb":"search","id":3,"query":"wren"}\n',
)
ANSWERED = ("welcome", "appended", "results")


def from_readme() -> tuple[bytes, ...]:
    """Return the requests of README's section "By hand", if there is one here."""
    readme = ROOT / "README.md"
    text = readme.read_text(encoding="utf-8") if readme.exists() else ""
    section = re.search(r"<!-- by-hand -->(.*?)<!-- /by-hand -->", text, flags=re.DOTALL)
    lines = section[1].splitlines() if section else []
    return tuple(line.encode() + b"\n" for line in lines if line.startswith('{"verb"'))


@pytest.mark.parametrize("typed", [TYPED, from_readme()], ids=["here", "readme"])
@pytest.mark.parametrize("slowly", [False, True], ids=["fast", "slow"])
def test_each_line_is_answered_by_a_line(
    daemon: RunningDaemon, typed: tuple[bytes, ...], slowly: bool
) -> None:
    replies = []
    with Wire(daemon.socket) as wire:
        for line in typed:
            for part in [bytes([byte]) for byte in line] if slowly else [line]:
                wire.send(part)
            replies.append(wire.reply())
    assert [reply["reply"] for reply in replies] == list(ANSWERED[: len(typed)])
    assert [reply["id"] for reply in replies] == list(range(1, len(typed) + 1))
    if typed:
        assert replies[0]["protocol"] == PROTOCOL
        assert [outcome["outcome"] for outcome in replies[1]["outcomes"]] == ["created"]
        assert replies[2]["results"][0]["prompt"] == "What is a wren?"


def test_several_lines_at_once_are_each_answered(wire: Wire) -> None:
    wire.send(b"\n\r\n" + TYPED[0] + b"  " + TYPED[1])
    assert [reply["reply"] for reply in wire.replies(2)] == ["welcome", "appended"]
    wire.send(TYPED[2] + TYPED[2])
    assert [reply["results"][0]["id"] for reply in wire.replies(2)] == [ID, ID]


def test_who_stops_talking_is_still_answered(wire: Wire) -> None:
    """``printf … | nc -U -N`` closes its end at once."""
    wire.send(TYPED[1].replace(b"000001", b"000002"))
    wire.no_more()
    assert wire.reply()["outcomes"][0]["outcome"] == "created"
    assert wire.ended()


WRONG: list[tuple[bytes, str, Any, str]] = [
    (b'{"verb":"frobnicate","id":7}', "unknown_verb", 7, "'frobnicate'"),
    (b'{"id":7}', "bad_request", 7, "verb"),
    (b'{"verb":"ping","id":7', "bad_request", 0, "truncated"),
    (b'{"verb":"ping","id":7}}', "bad_request", 0, "trailing"),
    (b'{"verb":"get","id":"a","target":5}', "bad_request", "a", "`$.target`"),
    (b'{"verb":"list","id":7,"limit":0}', "bad_request", 7, "`$.limit`"),
    (b'{"verb":"list","id":7,"type":"cabbage"}', "bad_request", 7, "cabbage"),
    (b'{"verb":"ping","id":[1]}', "bad_request", 0, "`$.id`"),
    (b'{"verb":"hello","id":7,"protocol":99}', "incompatible", 7, "99"),
    (b'{"verb":"append","id":7}', "bad_request", 7, "records"),
    (b'{"verb":"append","id":7,"records":[{"type":"cabbage"}]}', "bad_request", 7, "cabbage"),
    (b'{"verb":"get","id":7,"target":"nothing"}', "not_found", 7, "'nothing'"),
    (b'{"verb":"delete","id":7}', "bad_request", 7, "what to forget"),
    (b'{"verb":"search","id":7}', "bad_request", 7, "Nothing to search for"),
    (b'{"verb":"get","id":7,"target":"\xff"}', "bad_request", 7, "utf-8"),
]


@pytest.mark.parametrize(("line", "code", "request_id", "word"), WRONG)
def test_what_is_wrong_gets_a_sentence_and_the_connection_lives(
    wire: Wire, line: bytes, code: str, request_id: Any, word: str
) -> None:
    wire.send(line + b"\n")
    reply = wire.reply()
    assert (reply["reply"], reply["code"]) == ("error", code)
    assert word in reply["message"]
    assert "\n" not in reply["message"]
    assert reply.get("id", 0) == request_id
    assert wire.ask(verb="ping", id="still")["id"] == "still"


def test_the_hint_names_the_verbs_there_are(wire: Wire) -> None:
    hint = wire.ask(verb="frobnicate", id=1)["hint"]
    named = re.findall(r"[a-z]+", hint.partition("known: ")[2].partition(".")[0])
    assert {"append", "search", "stats", "sql", "admin"} <= set(named)
    for verb in named:
        assert wire.ask(verb=verb, id=2, request=0, protocol=1).get("code") != "unknown_verb"


def test_an_unknown_field_is_ignored(wire: Wire) -> None:
    assert wire.ask(verb="ping", id=1, later="release") == {"reply": "pong", "id": 1}


@pytest.mark.parametrize("first", [b"hello\n", b"GET / HTTP/1.1\r\n", b"\x01", b"[1]\n"])
def test_what_is_neither_json_nor_a_frame_is_told_so(wire: Wire, first: bytes) -> None:
    wire.send(first)
    reply = wire.reply()
    assert (reply["code"], "By hand" in reply["message"]) == ("bad_request", True)
    assert wire.ended()


def test_requests_under_way_are_told_apart_by_their_ids(wire: Wire) -> None:
    ids: list[int | str] = [*range(200), "a", "b"]
    wire.send(b"".join(msgspec.json.encode({"verb": "ping", "id": each}) + b"\n" for each in ids))
    assert [reply.get("id", 0) for reply in wire.replies(len(ids))] == ids


ENDLESS = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT max(x) FROM c"
LONG = ENDLESS.replace("FROM c)", "FROM c WHERE x < 30000)")


def test_a_question_can_be_cancelled(wire: Wire) -> None:
    wire.say(verb="sql", id="long", query=ENDLESS)
    wire.say(verb="cancel", id="stop", request="long")
    replies = {reply["id"]: reply for reply in wire.replies(2)}
    assert replies["stop"]["changed"] == 1
    assert replies["long"]["code"] == "cancelled"
    assert wire.ask(verb="cancel", id="again", request="long").get("changed", 0) == 0


def test_answers_that_take_long_hold_up_nobody_else(
    shared_daemon: RunningDaemon, wire: Wire
) -> None:
    """More endless questions than there are readers: others still get theirs at the deadline."""
    with Wire(shared_daemon.socket) as other:
        for number in range(3):
            wire.say(verb="sql", id=number, query=ENDLESS)
        assert other.ask(verb="ping", id=1)["reply"] == "pong"
        assert other.ask(verb="list", id=2)["reply"] == "exchanges"
        assert {reply["code"] for reply in wire.replies(3)} == {"timeout"}


def test_thousands_of_requests_behind_slow_ones_are_all_answered(wire: Wire) -> None:
    """As many slow ones as may be under way at once, and a great many quick ones behind them."""
    slow = [{"verb": "sql", "id": f"slow{n}", "query": LONG} for n in range(IN_FLIGHT_MAX)]
    quick = [{"verb": "ping", "id": n} for n in range(5000)]
    wire.send(b"".join(msgspec.json.encode(each) + b"\n" for each in (*slow, *quick)))
    replies = wire.replies(len(slow) + len(quick))
    assert [reply.get("id", 0) for reply in replies if reply["reply"] == "pong"] == [*range(5000)]
    assert {reply["id"] for reply in replies if reply["reply"] == "table"} == {
        each["id"] for each in slow
    }
