"""After forget nothing is left of the text: not in a table, the index, the log or a spool file."""

import json
from pathlib import Path
from typing import Any

import anyio
import msgspec
import pytest

from capture import claude_fixtures as claude
from capture.build import append, claude_prompt, claude_reply
from capture.inprocess import InProcess
from steno import Client
from steno_schema.ids import uuid7
from steno_schema.records import Exchange
from steno_schema.replies import Done
from steno_schema.requests import Append, Delete, Filters
from steno_schema.spool import new_name, pack
from stenod import daemon as daemon_module
from stenod.store import forget
from stenod.store.context import Context
from support.inprocess import serving
from support.leftover import places_of
from support.running import RunningDaemon

WORD = "quartzpangolin"
PARENT = "0a551011-0000-4000-8000-0000000000aa"
FORK = "5a551011-0000-4000-8000-0000000000bb"


def _transcript(root: Path) -> None:
    """Write a session that says the word in a prompt, a long tool result and a reply."""
    folder = root / "projects" / "-home-ada-shop"
    folder.mkdir(parents=True)
    ids = [f"11111111-0000-4000-8000-{part:012}" for part in range(5)]
    listing = "\n".join(f"{number} {WORD}" for number in range(300))
    lines = [
        claude.user(ids[0], f"look for {WORD}"),
        claude.assistant(ids[1], "msg_1", claude.tool_use("toolu_1", command=f"ls {WORD}")),
        claude.user(ids[2], [claude.tool_result("toolu_1", listing)]),
        claude.assistant(ids[3], "msg_2", claude.text(f"found {WORD}")),
        claude.user(ids[4], "something else"),
    ]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (folder / f"{claude.SESSION}.jsonl").write_text(text)


def test_nothing_is_left_of_script_and_captured_text(
    daemon_at_rest: RunningDaemon, tmp_path: Path
) -> None:
    daemon = daemon_at_rest
    _transcript(tmp_path / "claude")
    daemon.environ["CLAUDE_CONFIG_DIR"] = str(tmp_path / "claude")
    with daemon.client() as client:
        client.history.save(f"waits in the spool, {WORD}", tags=["gone"])
    assert places_of(daemon.home, WORD), "the spool holds it"
    daemon.start()
    daemon.captured()
    with daemon.client(spool=False) as client:
        client.history.save(f"said by a script: {WORD}", f"{WORD}!", notes=WORD, tags=["gone"])
        assert len(places_of(daemon.home, WORD)) > 3, "the search sees it where it is kept"
        captured = next(each for each in client.history.recent(9) if "look for" in each.prompt)
    for chosen in (["--tag", "gone"], [captured.id]):
        done = daemon.steno("forget", *chosen, "--yes")
        assert done.returncode == 0, done.stderr
    assert daemon.steno("jobs", "run", "merge").returncode == 0
    assert places_of(daemon.home, WORD) == []
    with daemon.client(spool=False) as client:
        assert [each.prompt for each in client.history.recent(9)] == ["something else"]
    daemon.stop()
    assert places_of(daemon.home, WORD) == []


def _forked(store: InProcess, root: Path) -> None:
    """Read a session and a fork whose file repeats it."""
    said: dict[str, Any] = {"second": 1, "key": "told"}
    for session, origin in ((PARENT, None), (FORK, PARENT)):
        marks = {} if origin is None else {"requestSessionId": origin}
        path = root / "projects" / "shop" / f"{session}.jsonl"
        append(path, claude_prompt(f"ask {WORD}", sessionId=session, **said))
        reply = claude_reply(f"told {WORD}", sessionId=session, **said, **marks)
        append(path, reply)
        store.read(path)


def _drop_nothing(_context: Context, _sources: list[tuple[int, int]]) -> int:
    return 0


@pytest.mark.parametrize("is_broken", [False, True])
def test_the_bytes_of_a_fork_that_repeats_it_go_too(
    is_broken: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A forget that leaves the kept bytes of transcripts alone is caught."""
    if is_broken:
        monkeypatch.setattr(forget, "drop_kept_bytes", _drop_nothing)
    home = tmp_path / "home"
    home.mkdir()
    with InProcess(home / "steno.db") as store:
        _forked(store, tmp_path)
        assert store.rows("SELECT count(*) FROM source WHERE kept_bytes > 0") == [(2,)]
        ((uid,),) = store.rows("SELECT lower(hex(uid)) FROM exchange")
        store.request(Delete(target=uid))
    places = places_of(home, WORD)
    assert ("steno.db: source_chunk.data" in places) == is_broken, places


def test_what_waits_in_the_spool_is_forgotten_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def sees_nothing(*_: object) -> None:
        await anyio.sleep_forever()

    monkeypatch.setattr(daemon_module, "watch_spool", sees_nothing)
    home = tmp_path / "home"
    with serving(home), Client(home=home, spool=False) as client:
        record = Exchange(id=uuid7(), prompt=f"waits, {WORD}", tags=["gone"])
        request = msgspec.msgpack.encode(Append(records=[record]))
        (home / "spool" / new_name()).write_bytes(pack(request))
        done = client.request(Delete(filters=Filters(tag=["gone"])))
        assert isinstance(done, Done)
        assert done.changed == 1
        assert list((home / "spool").glob("*.rec")) == []
        assert client.history.recent(9) == []
