"""What the analyser says of each exchange, as the views show it; what the user says goes first."""

import json
from typing import Any

from steno_schema.requests import Admin
from support.running import RunningDaemon

COLUMNS = (
    "prompt_category, prompt_complexity, development_stage, prompt_technique, keywords,"
    " response_summary"
)
PROMPT = "Fix the login bug in the authentication module of the billing service, step by step"
OUTPUT = "The session cookie was never renewed. I renewed it on each request."


def shown(daemon: RunningDaemon, uid: str) -> list[Any]:
    with daemon.client() as client:
        client.request(Admin(action="flush"))
        return client.sql(f"SELECT {COLUMNS} FROM prompts WHERE uid = ?", [uid]).rows[0]


def test_every_exchange_is_analysed(daemon: RunningDaemon) -> None:
    with daemon.client() as client:
        uid = client.history.save(PROMPT, OUTPUT).id
        again = client.history.save(PROMPT, OUTPUT).id
    category, complexity, stage, technique, keywords, summary = shown(daemon, uid)
    assert (category, stage) == ("bug_fix", "bug_fixing")
    assert complexity in {"simple", "moderate", "complex", "advanced"}
    assert technique
    assert "login" in json.loads(keywords)
    assert summary.startswith("The session cookie was never renewed.")
    assert shown(daemon, again) == shown(daemon, uid)


def test_what_the_user_says_wins(daemon: RunningDaemon) -> None:
    said: dict[str, Any] = {"category": "api", "complexity": "advanced", "stage": "testing", "keywords": ["mine"],
            "response_summary": "Renewed."}  # fmt: skip
    with daemon.client() as client:
        uid = client.history.save(PROMPT, OUTPUT, **said).id
        guessed = client.history.save(PROMPT, OUTPUT).id
        category, complexity, stage, _, keywords, summary = shown(daemon, uid)
        assert [category, complexity, stage, summary] == ["api", "advanced", "testing", "Renewed."]
        assert json.loads(keywords) == ["mine"]
        client.request(Admin(action="rederive", arguments={"follower": "analysis"}))
        assert shown(daemon, uid)[:3] == ["api", "advanced", "testing"]
        client.history.update(uid, category=None)
        assert shown(daemon, uid)[0] == shown(daemon, guessed)[0] == "bug_fix"
