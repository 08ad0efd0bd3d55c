"""A filter that matches nothing at all is said so, with what was perhaps meant."""

from collections.abc import Iterator

import pytest

from cli.support import steno
from support.running import RunningDaemon


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDaemon]:
    running = RunningDaemon(tmp_path_factory.mktemp("near") / "home")
    running.start("--no-capture")
    with running.client() as client:
        for agent, model, project, tag in (
            ("claude-code", "claude-sonnet-4-5", "/home/ada/api-server", "auth"),
            ("codex", "gpt-5", "/home/ada/web", "Cache"),
        ):
            client.history.save(
                "find me", agent=agent, model=model, project=project, tags=[tag], category="api"
            )
    yield running
    assert running.stop() == 0


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("list --agent claude", "Nothing has the agent 'claude'. Did you mean claude-code?"),
        ("list --agent Codex", "Did you mean codex?"),
        ("list --model gpt5", "Nothing has the model 'gpt5'. Did you mean gpt-5?"),
        ("list --tag cache", "Did you mean Cache?"),
        ("list --project api", "Did you mean /home/ada/api-server?"),
        ("list --category apis", "Did you mean api?"),
        ("list --agent zzz", "There is claude-code, codex."),
        ("search find --agent claude", "Did you mean claude-code?"),
        ("search 'find agent:claude'", "Did you mean claude-code?"),
        ("search 'find model:\"gpt5\" tag:auht'", "Did you mean auth?"),
        ("stats --agent claude", "Did you mean claude-code?"),
        ("cost --model gpt-55", "Did you mean gpt-5?"),
        ("forget --tag auht --yes", "Did you mean auth?"),
        ("today --agent claud", "Did you mean claude-code?"),
    ],
)
def test_what_was_perhaps_meant(
    daemon: RunningDaemon, line: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out = steno(daemon, f"steno {line}")
    assert said in capsys.readouterr().err
    assert code == (0 if line.startswith(("stats", "cost")) else 1)
    assert "Did you mean" not in out


@pytest.mark.parametrize(
    "line",
    [
        "list --agent codex --tag auth",
        "list --project /home/ada --until 2020-01-01",
        "search nothing --agent codex",
        "list --agent claude --json",
    ],
)
def test_words_that_do_stand_somewhere_are_no_misses(
    daemon: RunningDaemon, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert steno(daemon, f"steno {line}")[0] == 1
    assert "Nothing has" not in capsys.readouterr().err
