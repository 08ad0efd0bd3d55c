"""What ``steno`` shows of opencode's sessions is what is known to be in them."""

import json
import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from capture.instance import json_of, status_of
from capture.parsing import sources_row
from support.running import RunningDaemon

EXPORTS = "opencode/savekirk+session-bridge"
DATABASE = "opencode/richardaiand+aiand-portfolio-web"

NOT_ON_DISK = {
    "aux_calls": "the call that makes a session's title is charged and stands nowhere",
    "failed calls": "a call that failed or was cut and retried leaves no usage",
    "cache_write_5m, cache_write_1h": "only their sum is kept",
    "cache_write of stub-large": "its interface has no field for it",
}
"""What a scenario's truth knows and opencode never wrote: it is not compared."""
NOT_AS_TOLD = {"s19_oddpath": "/home/dev/src/My Shop.v2 ünï_x"}
"""The truth names the project of all scenarios here; the run was in a folder of its own."""

Session = tuple[dict[str, Any], list[tuple[dict[str, Any], list[dict[str, Any]]]]]
"""A session, and its messages each with its parts."""


def exported(folder: Path) -> Iterator[Session]:
    for path in sorted(folder.glob("export/*.json")):
        known = json.loads(path.read_text("utf-8"))
        yield known["info"], [(each["info"], each["parts"]) for each in known["messages"]]


def stored(folder: Path) -> Iterator[Session]:
    uri = f"file:{folder / 'opencode.db'}?mode=ro&immutable=1"
    with closing(sqlite3.connect(uri, uri=True)) as connection:
        parts: dict[str, list[dict[str, Any]]] = {}
        for message, data in connection.execute("SELECT message_id, data FROM part ORDER BY id"):
            parts.setdefault(message, []).append(json.loads(data))
        for key, parent in connection.execute("SELECT id, parent_id FROM session").fetchall():
            rows = connection.execute(
                "SELECT id, data FROM message WHERE session_id = ? ORDER BY id", (key,)
            )
            messages = [(json.loads(data), parts.get(identity, [])) for identity, data in rows]
            yield {"id": key, "parentID": parent}, messages


def write_tree(folder: Path, sessions: Iterable[Session]) -> None:
    """Write exported sessions as the files they were exported from."""

    def write(path: str, document: dict[str, Any]) -> None:
        file = folder / "storage" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(document, indent=2))

    for info, messages in sessions:
        write(f"session/{info['projectID']}/{info['id']}.json", info)
        for message, parts in messages:
            write(f"message/{info['id']}/{message['id']}.json", message)
            for part in parts:
                write(f"part/{message['id']}/{part['id']}.json", part)


def is_typed(parts: list[dict[str, Any]]) -> bool:
    return any(part["type"] == "text" and not part.get("synthetic") for part in parts)


def counted(sessions: Iterable[Session]) -> Counter[str]:
    """Count what is there, by the rules of the format alone."""
    found = Counter[str]()
    for info, messages in sessions:
        found["sessions"] += 1
        for message, parts in messages:
            found[f"{message['role']} messages"] += 1
            found["tool_calls"] += sum(part["type"] == "tool" for part in parts)
            if message["role"] == "user":
                found["human_prompts"] += is_typed(parts) and not info.get("parentID")
                continue
            tokens = message["tokens"]
            found["input"] += tokens["input"]
            found["output"] += tokens["output"] + tokens["reasoning"]
            found["reasoning"] += tokens["reasoning"]
            found["cache_read"] += tokens["cache"]["read"]
            found["cache_write"] += tokens["cache"]["write"]
            found["cost in microdollars"] += round(message["cost"] * 10**6)
    return found


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[RunningDaemon]:
    """An instance that reads the folder ``opencode`` beside it."""
    folder = tmp_path / "opencode"
    folder.mkdir()
    daemon = RunningDaemon(tmp_path / "home", environ={"OPENCODE_DB": str(folder / "opencode.db")})
    yield daemon
    daemon.stop()


@pytest.mark.parametrize("name", [EXPORTS, DATABASE])
def test_a_set_is_counted_as_it_is_known(
    name: str, shared_transcripts: Path, instance: RunningDaemon, tmp_path: Path
) -> None:
    source, folder = shared_transcripts / name, tmp_path / "opencode"
    sessions = list(exported(source) if name == EXPORTS else stored(source))
    if name == EXPORTS:
        write_tree(folder, sessions)
    else:
        shutil.copyfile(source / "opencode.db", folder / "opencode.db")
    truth = counted(sessions)
    assert sources_row(shared_transcripts, name) == (
        truth.pop("user messages"), truth.pop("assistant messages"), truth["tool_calls"],
    )  # fmt: skip
    instance.start()
    instance.captured()
    status = status_of(instance)
    costs = json_of(instance, "sql", "SELECT sum(cost_usd) AS usd FROM cost_tracking")
    if name == EXPORTS:
        assert truth.pop("cost in microdollars") == 0
    else:
        ours = round(costs[0]["usd"] * 10**6)
        assert abs(ours - truth.pop("cost in microdollars")) < status["model_calls"]
    ours = Counter(
        {
            "sessions": status["files"] - (name == DATABASE),
            "human_prompts": status["human_prompts"],
            "tool_calls": status["tool_calls"],
            **{field: status["tokens"][field] for field in truth.keys() & status["tokens"].keys()},
        }
    )
    assert ours == +truth
    assert status["lines_not_understood"] == 0
    used = [
        item for item in json_of(instance, "list", "--limit", "100")["items"] if item["tokens"]
    ]
    # One was a subscription, which costs nothing a call: what it would cost is reckoned instead.
    assert {item["cost_source"] for item in used} == {
        "computed" if name == EXPORTS else "reported"
    }
    assert all(item["cost_usd"] > 0 for item in used)


# What opencode wrote for scripted tasks


def buckets(sent: dict[str, Any]) -> dict[str, int]:
    """Return usage as it went over the wire in disjoint buckets, as far as opencode keeps them."""
    if "prompt_tokens" in sent:
        cached = sent["prompt_tokens_details"]["cached_tokens"]
        return {
            "input": sent["prompt_tokens"] - cached,
            "output": sent["completion_tokens"],
            "cache_read": cached,
            "cache_write": 0,
            "reasoning": sent["completion_tokens_details"]["reasoning_tokens"],
        }
    return {
        "input": sent["input_tokens"],
        "output": sent["output_tokens"],
        "cache_read": sent["cache_read_input_tokens"],
        "cache_write": sent["cache_creation_input_tokens"],
        "reasoning": sent["output_tokens_details"]["thinking_tokens"],
    }


def used_calls(calls: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [call for call in calls if call["usage"]]


def summed(calls: list[dict[str, Any]]) -> dict[str, int]:
    tokens = Counter[str]()
    for call in calls:
        tokens.update(buckets(call["usage_raw"]))
    return dict(tokens)


def known_exchanges(scenario: str, truth: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for turn in (turn for session in truth["sessions"].values() for turn in session["turns"]):
        calls = used_calls(turn["api_calls"])
        yield {
            "prompt": turn["prompt"],
            "output": turn["replies"][-1]["text"] if turn["replies"] else "",
            "model": calls[-1]["model"] if calls else None,
            "session_id": turn["agent_session_id"],
            "project": NOT_AS_TOLD.get(scenario, truth["project_dir"]),
            "tokens": summed(calls),
            "status": "completed" if calls else "failed",
        }


@pytest.fixture(scope="module")
def scenarios(
    shared_transcripts_real: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[RunningDaemon, dict[str, dict[str, Any]]]]:
    """One instance that reads the databases of all scenarios, and what is known of each."""
    folder = tmp_path_factory.mktemp("scenarios")
    home = folder / "home"
    truths: dict[str, dict[str, Any]] = {}
    for path in sorted((shared_transcripts_real / "opencode").iterdir()):
        shutil.copytree(path / "home" / ".local" / "share" / "opencode", folder / path.name)
        truths[path.name] = json.loads((path / "truth.json").read_text("utf-8"))
    home.mkdir()
    roots = json.dumps([str(folder / name) for name in truths])
    (home / "config.toml").write_text(f"[capture.roots]\nopencode = {roots}\n")
    daemon = RunningDaemon(home)
    daemon.start()
    daemon.captured()
    yield daemon, truths
    daemon.stop()


Scenarios = tuple[RunningDaemon, dict[str, dict[str, Any]]]


def test_scenarios_are_shown_as_they_went(scenarios: Scenarios) -> None:
    daemon, truths = scenarios
    known = [each for name, truth in truths.items() for each in known_exchanges(name, truth)]
    shown = json_of(daemon, "list", "--limit", "1000")["items"]
    ours = [{field: item[field] for field in known[0]} for item in shown]
    for each in ours:
        fields = known[0]["tokens"] if each["tokens"] else ()
        each["tokens"] = {field: each["tokens"].get(field, 0) for field in fields}

    def by_prompt(exchange: dict[str, Any]) -> str:
        return str(exchange["prompt"])

    assert sorted(ours, key=by_prompt) == sorted(known, key=by_prompt)


def test_scenarios_are_counted_as_they_went(scenarios: Scenarios) -> None:
    """Sub-agents' work too, and the copies of a fork once."""
    daemon, truths = scenarios
    status = status_of(daemon)
    tools, calls = 0, list[dict[str, Any]]()
    for truth in truths.values():
        turns = [turn for session in truth["sessions"].values() for turn in session["turns"]]
        for turn in turns:
            tools += len(turn["tool_calls"])
            calls += used_calls(turn["api_calls"])
        for agent in truth["subagent_prompts"]:
            tools += sum(len(reply["tool_calls"] or ()) for reply in agent["replies"])
            calls += used_calls(agent["api_calls"])
    assert status["tool_calls"] == tools
    assert status["model_calls"] == len(calls)
    assert {field: status["tokens"][field] for field in summed(calls)} == summed(calls)
    assert status["lines_not_understood"] == 0


def test_nothing_beside_the_databases_changed(
    scenarios: Scenarios, shared_transcripts_real: Path
) -> None:
    daemon, truths = scenarios
    for name in truths:
        original = shared_transcripts_real / "opencode" / name / "home/.local/share/opencode"
        for path in (daemon.home.parent / name).rglob("*"):
            if path.is_file():
                known = original / path.relative_to(daemon.home.parent / name)
                assert path.read_bytes() == known.read_bytes()
