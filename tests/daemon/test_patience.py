"""What takes long holds up nobody: flushes that wait, uploads that take time to be redacted."""

import threading
from pathlib import Path
from typing import Any

import msgspec
import pytest

from steno_schema.ids import uuid7
from steno_schema.requests import AnyRequest
from stenod import dispatch, redact
from support.inprocess import serving
from support.wire import Wire


def test_flushes_that_wait_hold_up_no_question(tmp_path: Path) -> None:
    """The index never catches up here; more wait for it than there are readers."""
    with serving(tmp_path / "home") as daemon:
        daemon.writer.progress.followed("fulltext", 5)
        with Wire(daemon.paths.socket) as waiting, Wire(daemon.paths.socket) as wire:
            for number in range(5):
                waiting.say(verb="admin", id=number, action="flush")
            assert wire.ask(verb="list", id=1)["reply"] == "exchanges"
            assert wire.ask(verb="sql", id=2, query="SELECT 1")["rows"] == [[1]]
            assert waiting.is_silent(), "answered before the flushes, not after them"
            daemon.writer.progress.followed("fulltext", 0)
            assert {reply["reply"] for reply in waiting.replies(5)} == {"done"}


def test_a_search_says_how_far_the_index_is_behind(tmp_path: Path) -> None:
    with serving(tmp_path / "home") as daemon, Wire(daemon.paths.socket) as wire:
        daemon.writer.progress.followed("fulltext", 5)
        reply = wire.ask(verb="search", id=1, query="anything")
        assert (reply["complete"], reply["behind"]) == (False, 5)
        daemon.writer.progress.followed("fulltext", 0)
        assert wire.ask(verb="search", id=2, query="anything").get("complete", True)


def test_redacting_much_holds_up_nobody_and_keeps_the_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a large append is redacted others are served, and none of its client overtakes it."""
    entered, go_on = threading.Event(), threading.Event()
    redact_request = redact.redact_request

    def slowly(request: AnyRequest) -> None:
        entered.set()
        assert go_on.wait(60)
        redact_request(request)

    monkeypatch.setattr(dispatch, "redact_request", slowly)
    large: dict[str, Any] = {"type": "exchange", "id": uuid7(), "prompt": "large"}
    large["output"] = "x" * (dispatch.REDACT_AT_ONCE_MAX_BYTES + 1)
    amend = {"verb": "amend", "id": 2, "target": large["id"], "set": {"rating": 1}}
    with serving(tmp_path / "home") as daemon:
        with Wire(daemon.paths.socket) as slow, Wire(daemon.paths.socket) as other:
            lines = [{"verb": "append", "id": 1, "records": [large]}, amend]
            slow.send(b"".join(msgspec.json.encode(line) + b"\n" for line in lines))
            assert entered.wait(60)
            assert other.ask(verb="list", id=1)["items"] == []
            go_on.set()
            first, second = slow.replies(2)
        assert (first["id"], first["outcomes"][0]["outcome"]) == (1, "created")
        assert (second["id"], second["changed"]) == (2, 1)
