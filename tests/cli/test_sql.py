"""``steno sql`` as cli.md promises it: formats, parameters, the views with a line on each."""

import csv
import io
import json
from collections.abc import Iterator

import pytest

from cli.support import steno
from steno.cli.views import HOLDS
from support.running import RunningDaemon


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDaemon]:
    running = RunningDaemon(tmp_path_factory.mktemp("sql") / "home")
    running.start("--no-capture")
    with running.client() as client:
        client.history.save("=1+1", "two\nlines", model="gpt-5")
        client.history.save("plain", model=None)
    yield running
    assert running.stop() == 0


def test_every_view_has_a_line(daemon: RunningDaemon) -> None:
    listed = json.loads(steno(daemon, "steno sql --schema --json")[1])
    assert {view["view"] for view in listed} == set(HOLDS)
    for view in listed:
        assert view["holds"]
        query = f"SELECT {view['columns']} FROM {view['view']} LIMIT 1"
        assert steno(daemon, f'steno sql "{query}"')[0] == 0
    piped = steno(daemon, "steno sql --schema")[1].splitlines()
    assert len(piped) == len(HOLDS)
    assert all(line.count("\t") == 2 for line in piped)
    shown = steno(daemon, "steno sql --schema", terminal=True)[1]
    assert all(f"{name}: {holds}\n" in shown for name, holds in HOLDS.items())


QUERY = "SELECT prompt, output, model, tokens FROM history ORDER BY id"


def test_formats(daemon: RunningDaemon) -> None:
    table = steno(daemon, f'steno sql "{QUERY}"')[1].splitlines()
    assert [line.split()[0] for line in table] == ["prompt", "=1+1", "plain"]
    told = json.loads(steno(daemon, f'steno sql "{QUERY}" --format json')[1])
    assert told[0] == {"prompt": "=1+1", "output": "two\nlines", "model": "gpt-5", "tokens": None}
    rows = list(csv.reader(io.StringIO(steno(daemon, f'steno sql "{QUERY}" --format csv')[1])))
    assert rows == [
        ["prompt", "output", "model", "tokens"],
        ["'=1+1", "two\nlines", "gpt-5", ""],
        ["plain", "", "", ""],
    ]


@pytest.mark.parametrize(
    ("flags", "found"),
    [
        ("--param plain", [["plain"]]),
        ("--param :p=plain", [["plain"]]),
        ("--param =1+1", [["=1+1"]]),
        ("--param 7", []),
    ],
)
def test_parameters(daemon: RunningDaemon, flags: str, found: list[list[str]]) -> None:
    place = ":p" if ":p" in flags else "?"
    line = f'steno sql "SELECT prompt FROM history WHERE prompt = {place}" {flags} --json'
    assert [list(row.values()) for row in json.loads(steno(daemon, line)[1])] == found


def test_numbers_are_bound_as_numbers(daemon: RunningDaemon) -> None:
    line = "steno sql 'SELECT typeof(?), typeof(?), typeof(?), ? + ?' --format csv"
    out = steno(daemon, f"{line} --param 1 --param 1.5 --param 007 --param 2 --param 3")[1]
    assert out.splitlines()[1] == "integer,real,text,5"
