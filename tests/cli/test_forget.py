"""``steno forget`` as a person meets it: it shows what would go and asks."""

import io
import json
from collections.abc import Iterator

import pytest

from cli.support import steno
from support.running import RunningDaemon

MANY = 7


class Keyboard(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDaemon]:
    running = RunningDaemon(tmp_path_factory.mktemp("forget") / "home")
    running.start("--no-capture")
    yield running
    assert running.stop() == 0


@pytest.fixture
def tag(daemon: RunningDaemon, request: pytest.FixtureRequest) -> str:
    """A tag that seven exchanges have, of this test alone."""
    tag = f"of-{request.node.name}"[:60]
    with daemon.client() as client:
        for number in range(MANY):
            client.history.save(f"\x1b[2Jsecret {number}", tags=[tag])
    return tag


def left(daemon: RunningDaemon, tag: str) -> int:
    with daemon.client() as client:
        return len(client.history.recent(100, tag=tag))


def answer(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr("sys.stdin", Keyboard(text))


@pytest.mark.parametrize("text", ["", "\n", "n\n", "no\n", "maybe\n"])
def test_anything_but_yes_forgets_nothing(
    daemon: RunningDaemon, tag: str, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer(monkeypatch, text)
    assert steno(daemon, f"steno forget --tag '{tag}'", terminal=True)[0] == 1
    assert left(daemon, tag) == MANY


def test_yes_forgets_what_was_shown(
    daemon: RunningDaemon,
    tag: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    answer(monkeypatch, "y\n")
    code, shown = steno(daemon, f"steno forget --tag '{tag}'", terminal=True)
    assert code == 0
    assert "Forget for good? [y/N]" in capsys.readouterr().err
    assert shown.count("secret") == 5, "the newest few"
    assert "… and 2 more" in shown
    assert "7 exchanges would be forgotten" in shown
    assert "\x1b" not in shown
    assert left(daemon, tag) == 0


def test_one_exchange_and_one_session(
    daemon: RunningDaemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    with daemon.client() as client:
        kept = client.history.save("the only one", session="single")
        client.history.save("its neighbour", session="single")
    answer(monkeypatch, "n\n")
    shown = steno(daemon, f"steno forget {kept.id}", terminal=True)[1]
    assert "the only one" in shown
    assert "1 exchange would be forgotten" in shown
    answer(monkeypatch, "yes\n")
    shown = steno(daemon, "steno forget single --type session", terminal=True)[1]
    assert "The session with 2 exchanges would be forgotten" in shown
    assert "forgotten, index" in shown


def test_copies_that_still_hold_it_are_told(
    daemon: RunningDaemon, tag: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert steno(daemon, f"steno forget --tag '{tag}' --dry-run")[0] == 0
    assert "Copies" not in capsys.readouterr().err
    assert daemon.steno("backup").returncode == 0
    for how in ("--dry-run", "--yes"):
        assert steno(daemon, f"steno forget --tag '{tag}' {how}")[0] == 0
        said = capsys.readouterr().err
        assert f"Copies that still hold it: 1 backup in {daemon.home / 'backups'}." in said


def test_away_from_a_terminal_it_needs_yes(daemon: RunningDaemon, tag: str) -> None:
    refused = daemon.steno("forget", "--tag", tag, stdin="y\n")
    assert refused.returncode == 2
    assert "--yes" in refused.stderr
    trial = daemon.steno("forget", "--tag", tag, "--dry-run")
    assert (trial.returncode, trial.stdout.count("\n")) == (0, 7)
    assert left(daemon, tag) == MANY
    done = daemon.steno("forget", "--tag", tag, "--yes", "--json")
    assert json.loads(done.stdout) == {"count": MANY, "forgotten": True}
    assert left(daemon, tag) == 0
