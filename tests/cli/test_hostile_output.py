"""No hostile text reaches a terminal or a cell raw, whatever the command and the format (R20).

``STENO_HOSTILE=20000`` tries that many payloads and commands, ``STENO_SEED`` chooses others.
"""

import io
import itertools
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.hostile import PIECES, WAYS, Place, Way, payload_of, problems_in, store
from steno.cli.following import follow
from steno.cli.main import COMMANDS, main
from support.running import RunningDaemon

COUNT = int(os.environ.get("STENO_HOSTILE", "200"))
SEED = int(os.environ.get("STENO_SEED", "1"))
PAYLOADS = max(len(PIECES), COUNT // len(WAYS))
PRINTS_NOTHING_OF_OTHERS = {
    "retention", "up", "down", "restart", "completion", "version", "rederive",
    "vacuum", "optimize", "checkpoint", "check", "backup", "restore", "publish", "archive",
    "service", "hook", "hooks",
}  # fmt: skip
CAUGHT_IN = 2 * len(WAYS)


class Stream(io.StringIO):
    def __init__(self, *, terminal: bool) -> None:
        super().__init__()
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDaemon]:
    running = RunningDaemon(tmp_path_factory.mktemp("hostile") / "home")
    running.start("--no-capture")
    (running.home / "config.toml").write_text('[defaults]\nuser = "\\u001b[31m\\u202e"\nx = 1\n')
    yield running
    assert running.stop() == 0


@pytest.fixture(scope="module")
def places(daemon: RunningDaemon) -> list[Place]:
    with daemon.client() as client:
        return [store(client, payload_of(number, SEED), number) for number in range(PAYLOADS)]


@pytest.fixture(autouse=True)
def surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PAGER", "cat")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setattr("sys.stdin", io.StringIO())

    def first(*arguments: Any) -> Iterator[Any]:
        yield from itertools.islice(follow(*arguments), 1)

    monkeypatch.setattr("steno.cli.tail.follow", first)


def combinations(count: int) -> Iterator[tuple[Way, int, bool]]:
    """Yield (way, number of a payload, on a terminal); all ways, then all again with others."""
    for number in range(count):
        turn, place = divmod(number, len(WAYS))
        yield WAYS[place], (place * 7 + turn * 11 + SEED) % PAYLOADS, turn % 2 == 1


def problems(daemon: RunningDaemon, way: Way, place: Place, *, terminal: bool) -> list[str]:
    fields = place._asdict() | {"payload": place.payload.replace("\x00", "")}
    words = [re.sub(r"\{(\w+)\}", lambda m: str(fields[m[1]]), word) for word in way.line]
    words += [] if words[0].startswith("-") else ["--home", str(daemon.home)]
    out, said = Stream(terminal=terminal), Stream(terminal=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdout", out)
        patch.setattr("sys.stderr", said)
        code = main(words)
    found = problems_in(way, place, out.getvalue(), said.getvalue(), terminal=terminal)
    if code not in range(5):
        found.append(f"exit code {code}")
    if "should not have happened" in said.getvalue():
        found.append(said.getvalue())
    where = "on a terminal" if terminal else "in a pipe"
    return [f"{way.line} {where} of {place.payload!r}: {each}" for each in found]


def test_every_command_is_tried() -> None:
    tried = {way.line[0] for way in WAYS} & set(COMMANDS)
    assert set(COMMANDS) - tried <= PRINTS_NOTHING_OF_OTHERS


def test_nothing_hostile_reaches_a_terminal_or_a_cell(
    daemon: RunningDaemon, places: list[Place], tmp_path: Path
) -> None:
    found = [
        problem
        for way, number, terminal in combinations(COUNT)
        for problem in problems(daemon, way, places[number], terminal=terminal)
    ]
    assert found == [], f"STENO_SEED={SEED} STENO_HOSTILE={COUNT}"
    assert list(tmp_path.iterdir()) == [], "no payload became a file"


@pytest.mark.parametrize(
    ("name", "broken"),
    [
        ("steno.cli.screen._HOSTILE", re.compile("(?!)")),
        ("steno.cli.jsontext._HOSTILE", re.compile("(?!)")),
        ("steno.transfer.csvcells._FORMULA_STARTS", ()),
        ("steno.transfer.markdown._block", lambda text: text),
    ],
)
def test_a_broken_variant_is_caught(
    daemon: RunningDaemon,
    places: list[Place],
    name: str,
    broken: object,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(name, broken)
    tried = combinations(CAUGHT_IN)
    assert any(problems(daemon, way, places[n], terminal=tty) for way, n, tty in tried)
