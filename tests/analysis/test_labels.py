"""Labels of the configuration: the analyser answers from them, and a save says no others."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from steno import Client, track_prompt
from steno.errors import Misuse, Refused
from steno.tracking import configure, flush
from steno_schema.config import ConfigError, load
from steno_schema.ids import uuid7
from steno_schema.paths import resolve
from steno_schema.requests import Admin
from support.running import RunningDaemon

CONFIG = """
[tracking]
techniques = ["zero_shot", "duck"]

[analysis]
complexity_points = [1, 2, 3]

[[analysis.category]]
name = "music"
words = ["Chord", "bass line"]

[[analysis.category]]
name = "database"
words = ["lakehouse"]

[[analysis.stage]]
name = "mixing"
words = ["mixdown"]
"""


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDaemon]:
    running = RunningDaemon(tmp_path_factory.mktemp("labels") / "home")
    running.home.mkdir()
    (running.home / "config.toml").write_text(CONFIG)
    running.start("--no-capture")
    yield running
    running.stop()


@pytest.fixture
def client(daemon: RunningDaemon) -> Iterator[Client]:
    with daemon.client() as client:
        yield client


def analysed(client: Client, prompt: str) -> tuple[object, ...]:
    saved = client.history.save(prompt)
    client.request(Admin(action="flush"))
    columns = "prompt_category, development_stage, prompt_complexity, prompt_technique"
    return tuple(client.sql(f"SELECT {columns} FROM prompts WHERE uid = ?", [saved.id]).rows[0])


@pytest.mark.parametrize(
    ("prompt", "labels"),
    [
        ("Which chords fit here?", ("music", None, "simple", "zero_shot")),
        ("It needs a bass line", ("music", None, "simple", "zero_shot")),
        ("The bass is in line", ("general", None, "simple", "zero_shot")),
        ("Move it to the lakehouse", ("database", "refactoring", "simple", "zero_shot")),
        ("The mixdown is next", ("general", "mixing", "simple", "zero_shot")),
        ("You are a band", ("general", None, "simple", None)),
        ("Compose " + "one more " * 15, ("general", None, "complex", "zero_shot")),
    ],
)
def test_own_labels_words_and_levels(
    client: Client, prompt: str, labels: tuple[object, ...]
) -> None:
    assert analysed(client, prompt) == labels


@pytest.mark.parametrize("field", ["category", "complexity", "stage", "technique"])
def test_a_label_that_is_not_configured_is_refused(
    client: Client, daemon: RunningDaemon, field: str
) -> None:
    said: Any = {field: "unheard"}
    with pytest.raises(Refused, match=f"'unheard' is no configured {field}.") as raised:
        client.history.save("a prompt", **said)
    assert "config.toml" in raised.value.hint
    saved = client.history.save("a prompt")
    with pytest.raises(Refused, match=f"'unheard' is no configured {field}."):
        client.history.update(saved.id, **said)
    absent = Client(home=daemon.home, socket=daemon.home / "nobody.sock")
    with pytest.raises(Misuse, match=f"'unheard' is no configured {field}."):
        absent.history.save("a prompt", **said)
    assert not list((daemon.home / "spool").glob("*"))


def test_configured_labels_are_taken(client: Client) -> None:
    told: Any = {
        "category": "music",
        "stage": "mixing",
        "technique": "duck",
        "complexity": "advanced",
    }
    saved = client.history.save("a prompt", **told)
    client.history.update(saved.id, category="database")
    view = client.history.get(saved.id)
    assert (view.category, view.stage, view.technique) == ("database", "mixing", "duck")


def test_the_command_line_says_what_there_is(daemon: RunningDaemon) -> None:
    done = daemon.steno("save", "a prompt", "--category", "musik")
    assert done.returncode == 2
    assert "'musik' is no configured category." in done.stderr
    assert "database, frontend" in done.stderr
    assert "music" in done.stderr


def test_what_was_stored_once_comes_back_under_any_configuration(
    client: Client, daemon: RunningDaemon
) -> None:
    record = {"type": "exchange", "id": str(uuid7()), "prompt": "p", "category": "gone by now"}
    done = daemon.steno("import", "-", stdin=json.dumps(record))
    assert done.returncode == 0, done.stderr
    assert client.history.get(record["id"]).category == "gone by now"


def test_a_tracked_prompt_is_kept_and_the_label_with_it(
    client: Client, daemon: RunningDaemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STENO_HOME", str(daemon.home))
    configure()
    uid = track_prompt("which label is it?", category="unheard", stage="mixing")
    assert uid is not None
    assert flush(60)
    view = client.history.get(uid)
    assert (view.metadata, view.stage) == ({"category": "unheard"}, "mixing")
    assert view.category != "unheard"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[[analysis.category]]\nname = 'a'", "missing required field `words`"),
        ("[[analysis.category]]\nname = 'a'\nwords = ['b c d']", "'b c d' of 'a' is not one word"),
        ("[[analysis.stage]]\nname = 'a'\nwords = []", "length >= 1"),
        (2 * "[[analysis.stage]]\nname = 'a'\nwords = ['b']\n", "'a' stands there twice"),
        ("[analysis]\ncomplexity_points = [1, 2]", "4 levels need 3 numbers, not 2"),
        ("[analysis]\ncomplexity_points = [1, 3, 2]", "must be larger than the one before"),
        ("[analysis]\nplugin = 'os.system'", "'os.system' is not written as package.module:"),
        ("[analysis]\ncategories = ['a']", "unknown field `categories`"),
    ],
)
def test_what_does_not_fit_is_said_with_its_line(tmp_path: Path, text: str, problem: str) -> None:
    (tmp_path / "config.toml").write_text(text + "\n")
    with pytest.raises(ConfigError) as raised:
        load(resolve(home=tmp_path), {})
    assert problem in str(raised.value)
    assert "config.toml, line " in str(raised.value)
    assert "\n" not in str(raised.value)


def test_lists_of_the_environment_count(tmp_path: Path) -> None:
    lists = {"STENO_CATEGORIES": "x, y", "STENO_COMPLEXITY_LEVELS": "low,high"}
    tracking = load(resolve(home=tmp_path), lists).settings.tracking
    assert (tracking.categories, tracking.complexity_levels) == (("x", "y"), ("low", "high"))
