"""A person's own function: its word goes before the rules', and nothing it does harms anybody."""

import json
import os
import select
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from steno_schema.replies import StatusReport
from steno_schema.requests import Admin, Status
from support.running import RunningDaemon

MODULE = """
import os, sys, threading
from pathlib import Path

Path(__file__).with_name("pid").write_text(str(os.getpid()))

def analyse(prompt, output, guess):
    print("noise on the line"); print("noise", file=sys.stderr)
    if "explode" in prompt:
        raise ValueError(prompt)
    if "hang" in prompt:
        Path(__file__).with_name("hangs").touch()
        threading.Event().wait()
    if "die" in prompt:
        os._exit(3)
    if "unheard" in prompt:
        return {"category": "unheard", "stage": "testing"}
    if "odd" in prompt:
        return {"category": 3}
    if "strange" in prompt:
        return {"category": object}
    if "mine" in prompt:
        return {"category": "api", "complexity": "advanced", "technique": "react",
                "stage": "maintenance", "keywords": ["own", output], "follow_up": True}
    if "echo" in prompt:
        return {"keywords": sorted(guess)}

not_callable = 7
"""
CONFIG = '[analysis]\nplugin = "own_rules:{}"\nplugin_deadline_s = {}\n'
COLUMNS = (
    "prompt_category, prompt_complexity, prompt_technique, development_stage, keywords,"
    " follow_up_needed"
)
PROMPT = "Create a database table"
GUESS = ["database", "simple", "zero_shot", "feature_development", '["create","database","table"]']


def instance(home: Path, function: str = "analyse", deadline_s: float = 0.3) -> RunningDaemon:
    daemon = RunningDaemon(home)
    home.mkdir(exist_ok=True)
    (home / "own_rules.py").write_text(MODULE)
    (home / "config.toml").write_text(CONFIG.format(function, deadline_s))
    return daemon


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDaemon]:
    running = instance(tmp_path_factory.mktemp("plugin") / "home")
    running.start("--no-capture")
    yield running
    running.stop()


def analysed(daemon: RunningDaemon, prompt: str, output: str = "", **words: Any) -> list[Any]:
    """Save a prompt, wait for its analysis, and return what the view shows."""
    with daemon.client() as client:
        saved = client.history.save(prompt, output, **words)
        client.request(Admin(action="flush"))
        columns = f"{COLUMNS}, tags"
        return client.sql(f"SELECT {columns} FROM prompts WHERE uid = ?", [saved.id]).rows[0]


def state(daemon: RunningDaemon) -> dict[str, Any]:
    with daemon.client() as client:
        reply = client.request(Status())
    assert isinstance(reply, StatusReport)
    plugin: dict[str, Any] = reply.report["plugin"]
    return plugin


def doctor(daemon: RunningDaemon) -> dict[str, str]:
    """Return what ``steno doctor`` says of the plug-in."""
    checks = json.loads(daemon.steno("doctor", "--json").stdout)["checks"]
    (check,) = (check for check in checks if check["name"] == "plug-in")
    assert isinstance(check, dict)
    return check


def ended(pid: int) -> bool:
    """Wait for the end of a process that is not ours."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([handle], [], [], 60)[0])
    finally:
        os.close(handle)


def test_its_word_stands_in_the_place_of_the_guess(daemon: RunningDaemon) -> None:
    *labels, tags = analysed(daemon, "is it mine?", "an output", tags=["auto"])
    assert labels == ["api", "advanced", "react", "maintenance", '["own","an output"]', 1]
    assert tags == "api,auto"
    with daemon.client() as client:
        assert len(client.history.search("tag:api")) == 1


def test_what_it_leaves_out_stays_the_guess(daemon: RunningDaemon) -> None:
    assert analysed(daemon, PROMPT)[:5] == GUESS
    told = analysed(daemon, f"echo: {PROMPT}")
    assert told[0] == "database"
    assert json.loads(told[4]) == ["category", "complexity", "keywords", "stage", "technique"]


def test_the_person_has_the_last_word(daemon: RunningDaemon) -> None:
    assert analysed(daemon, "mine again", category="testing", stage="testing")[:4] == [
        "testing", "advanced", "react", "testing",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("word", "failure"),
    [
        ("explode", "ValueError at "),
        ("strange", "TypeError at "),
        ("odd", "its answer has fields of a wrong type"),
        ("unheard", "its answer has a category that is not configured"),
        ("hang", "it took longer than 0.3 s"),
        ("die", "its process ended with 3"),
    ],
)
def test_where_it_fails_the_rules_answer(daemon: RunningDaemon, word: str, failure: str) -> None:
    failed = state(daemon)["failed"]
    told = analysed(daemon, f"{PROMPT} and {word} with secretword")
    assert told[:3] == GUESS[:3]
    assert told[3] == ("testing" if word == "unheard" else GUESS[3])
    now = state(daemon)
    assert now["failed"] == failed + 1
    assert now["last_failure"].startswith(failure)
    check = doctor(daemon)
    assert (check["state"], failure in check["finding"]) == ("warn", True)
    assert "steno rederive analysis" in check["mend"]
    assert "secretword" not in check["finding"] + daemon.log.read_text()
    assert analysed(daemon, "mine, after that")[0] == "api", "it goes on"


def test_saves_and_searches_do_not_wait_for_it(tmp_path: Path) -> None:
    daemon = instance(tmp_path / "home", deadline_s=60)
    daemon.start("--no-capture")
    with daemon.client(spool=False) as client:
        client.history.save("hang for a long time")
        while not (daemon.home / "hangs").exists():
            client.request(Status())
        client.history.save("another prompt about tables")
        assert client.history.search("tables")
        shown = client.sql("SELECT prompt_category FROM prompts ORDER BY id LIMIT 1").rows
        assert shown == [["general"]], "the rules have answered meanwhile"
    pid = int((daemon.home / "pid").read_text())
    assert daemon.stop() == 0
    assert ended(pid)


def test_it_does_not_outlive_a_daemon_that_was_killed(tmp_path: Path) -> None:
    daemon = instance(tmp_path / "home", deadline_s=60)
    daemon.start("--no-capture")
    with daemon.client() as client:
        client.history.save("hang")
        while not (daemon.home / "hangs").exists():
            client.request(Status())
    daemon.kill()
    assert ended(int((daemon.home / "pid").read_text()))
    (daemon.home / "own_rules.py").write_text(MODULE.replace('"hang" in prompt', "False"))
    daemon.start("--no-capture")
    with daemon.client() as client:
        client.request(Admin(action="flush"))
    assert (state(daemon)["waiting"], state(daemon)["answered"]) == (0, 1), "asked again"
    daemon.stop()


@pytest.mark.parametrize("function", ["missing", "not_callable"])
def test_one_that_is_not_there_is_told(tmp_path: Path, function: str) -> None:
    daemon = instance(tmp_path / "home", function)
    daemon.start("--no-capture")
    assert analysed(daemon, PROMPT)[:5] == GUESS
    daemon.wait_for_log("cannot be loaded")
    check = doctor(daemon)
    assert check["state"] == "fail"
    assert "own_rules" in check["finding"]
    assert daemon.stop() == 0


def test_all_of_history_is_taken_to_it(tmp_path: Path) -> None:
    daemon = RunningDaemon(tmp_path / "home")
    daemon.start("--no-capture")
    with daemon.client() as client, client.batch() as batch:
        for number in range(100):
            batch.history.save(f"mine {number}")
    daemon.stop()
    instance(daemon.home)
    daemon.start("--no-capture")
    query = "SELECT prompt_category, count(*) FROM prompts GROUP BY 1"
    with daemon.client() as client:
        client.request(Admin(action="flush"))
        assert client.sql(query).rows == [["api", 100]]
    (daemon.home / "own_rules.py").write_text(MODULE.replace('"api"', '"backend"'))
    daemon.stop()
    daemon.start("--no-capture")
    with daemon.client() as client:
        client.request(Admin(action="flush"))
        assert client.sql(query).rows == [["api", 100]], "not asked again about the same texts"
    done = daemon.steno("rederive", "analysis", "--wait")
    assert (done.returncode, done.stdout) == (0, "100 exchanges are analysed anew.\n")
    with daemon.client() as client:
        assert client.sql(query).rows == [["backend", 100]]
    assert doctor(daemon)["finding"] == "own_rules:analyse answered 100 times"
    daemon.stop()


def test_without_one_nothing_is_said(tmp_path: Path) -> None:
    daemon = RunningDaemon(tmp_path / "home")
    daemon.start("--no-capture")
    checks = json.loads(daemon.steno("doctor", "--json").stdout)["checks"]
    assert "plug-in" not in {check["name"] for check in checks}
    assert daemon.steno("rederive", "analysis", "--wait").stdout.startswith("0 exchanges")
    daemon.stop()
