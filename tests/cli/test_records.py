"""The records of work on the command line, all of them, against a real daemon."""

import inspect
import json
import shlex
from collections.abc import Iterator
from typing import Any

import pytest

from cli.support import steno
from steno.cli.records import RECORDS
from steno.client import Client
from steno_schema.requests import Admin
from support.running import RunningDaemon

ACTIONS = [(name, word) for name, kind in RECORDS.items() for word in kind.actions]


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDaemon]:
    """One daemon in which every example was typed, in the order of the table."""
    running = RunningDaemon(tmp_path_factory.mktemp("records") / "home")
    running.start("--no-capture")
    yield running
    assert running.stop() == 0


def of(daemon: RunningDaemon, line: str) -> Any:
    code, out = steno(daemon, f"{line} --json")
    assert code == 0, out
    return json.loads(out)


@pytest.fixture(scope="module")
def typed(daemon: RunningDaemon) -> dict[tuple[str, str], str]:
    """Type every example of the table; return what each printed, by record and action."""
    printed: dict[tuple[str, str], str] = {}
    for name, word in sorted(ACTIONS, key=lambda action: action[1] == "delete"):
        line = RECORDS[name].actions[word].example.replace(f"{word} 12", f"{word} 1")
        code, printed[(name, word)] = steno(daemon, line)
        assert code == 0, line
    for name in ("preferences", "metadata"):  # what was deleted, once more
        assert steno(daemon, RECORDS[name].actions["set"].example)[0] == 0
    return printed


@pytest.mark.parametrize(("name", "word"), ACTIONS)
def test_an_action_is_a_verb_with_these_keywords(name: str, word: str) -> None:
    kind = RECORDS[name]
    action = kind.actions[word]
    with Client(home="/nowhere") as client:
        verb = getattr(getattr(client, kind.namespace), action.verb)
    parameters = inspect.signature(verb).parameters
    offered = [option.name for option in (*action.arguments, *action.options)]
    assert len(offered) == len(set(offered))
    assert set(offered) <= set(parameters)
    needed = {p.name for p in parameters.values() if p.default is p.empty and p.name != "self"}
    required = action.arguments[: len(action.arguments) - action.optional]
    assert needed <= {option.name for option in required}


@pytest.mark.parametrize("name", RECORDS)
def test_the_columns_are_those_of_the_view(
    daemon: RunningDaemon, typed: object, name: str
) -> None:
    kind = RECORDS[name]
    code, shown = steno(daemon, f"steno {name}", terminal=True)
    items = of(daemon, f"steno {name}")["items"]
    assert code == 0
    columns = {column.removesuffix("_json") for column in kind.columns}
    assert columns <= set(items[0])
    headers = shown.splitlines()[0]
    assert all(column.replace("_", " ")[:6] in headers for column in columns)


@pytest.mark.parametrize("name", [name for name, kind in RECORDS.items() if kind.has_show])
def test_show_by_number_and_by_id(daemon: RunningDaemon, typed: object, name: str) -> None:
    item = of(daemon, f"steno {name}")["items"][0]
    for target in (item["number"], item["id"], item["id"][:18]):
        assert of(daemon, f"steno {name} show {target}") == item
    shown = steno(daemon, f"steno {name} show {item['id']}", terminal=True)[1]
    assert item["id"] in shown


def test_what_was_typed_is_what_is_stored(daemon: RunningDaemon, typed: object) -> None:
    task = of(daemon, "steno tasks show login")
    assert (task["specialist"], task["estimation_hours"], task["duration_hours"]) == (
        "backend",
        2,
        3.5,
    )
    error = of(daemon, "steno errors --severity 8")["items"][0]
    assert (error["message"], error["command"]) == ("The build broke.", "make")
    assert of(daemon, "steno commands --command /review")["items"][0]["success"] == 1
    run = of(daemon, "steno interactions show 1")
    assert (run["status"], run["result_summary"]) == ("cancelled", "The tests do not start.")
    assert of(daemon, "steno measurements")["items"][0]["labels"] == {"model": "gpt-5"}
    assert of(daemon, "steno workflow get")["data"] == {"step": 3}
    assert of(daemon, "steno sessions show 'release 1.2'")["status"] == "completed"
    handoff = of(daemon, "steno handoffs")["items"][0]
    assert handoff["open_tasks"] == ["write the tests"]


def test_what_verbs_print(typed: dict[tuple[str, str], str]) -> None:
    assert typed[("preferences", "get")] == "terse\n"
    assert typed[("tasks", "complete")] == "changed\n"
    assert len(typed[("tasks", "add")].strip()) == 36
    assert "backend\t1\t1\t2\t3.5\t1.75" in typed[("tasks", "stats")]
    assert "gpt-5\t1\t1\t0\t5200" in typed[("commands", "stats")]


def test_pages_lead_to_every_record_once(daemon: RunningDaemon) -> None:
    for number in range(5):
        assert steno(daemon, f"steno errors add 'number {number}' --command paged")[0] == 0
    seen: list[str] = []
    cursor = ""
    while True:
        page = of(daemon, f"steno errors --command paged --limit 2 {cursor}")
        seen += [item["message"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"--cursor {page['next_cursor']}"
    assert seen == [f"number {number}" for number in (4, 3, 2, 1, 0)]


def test_a_list_that_goes_on_says_so_beside_the_pipe(
    daemon: RunningDaemon, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(3):
        steno(daemon, f"steno measurements add many {number}")
    capsys.readouterr()
    _, out = steno(daemon, "steno measurements --metric many --limit 2")
    said = capsys.readouterr().err
    assert out.count("\n") == 3
    assert "There is more." in said
    assert "--cursor" in said
    assert (
        "--cursor" in steno(daemon, "steno measurements --metric many --limit 2", terminal=True)[1]
    )


@pytest.mark.parametrize(
    "line",
    [
        "steno tasks --specialist nobody",
        "steno preferences get nothing --user ada",
        "steno metadata delete nothing",
        "steno handoffs latest --to nobody",
        "steno routing summary --since 2020-01-01 --until 2020-01-02",
    ],
)
def test_nothing_found_is_exit_1(
    daemon: RunningDaemon, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert steno(daemon, line) == (1, "")
    assert capsys.readouterr().err == "Nothing found.\n"


def test_a_record_that_is_not_there_and_values_that_do_not_fit(daemon: RunningDaemon) -> None:
    for line, code in {
        "tasks show nothing": 1,
        "sessions end nothing": 1,
        "errors add x --severity 11": 2,
        "patterns add a b --confidence 2": 2,
        "workflow set --data [1]": 2,
        "measurements add m nan": 2,
        "measurements add m 1 --label x": 2,
        "preferences get tone": 2,
        "tasks complete login --completed-at whenever": 2,
        "sessions set x --status nothing": 2,
        "tasks list extra": 2,
    }.items():
        done = daemon.steno(*shlex.split(line))
        assert done.returncode == code, (line, done.stderr)
        assert done.stderr.count("\n") == 1
        assert "Traceback" not in done.stderr


def test_an_add_without_a_daemon_is_spooled_and_found_later(daemon_at_rest: RunningDaemon) -> None:
    done = daemon_at_rest.steno("tasks", "add", "later", "--json")
    assert json.loads(done.stdout)["stored"] == "spool"
    daemon_at_rest.start("--no-capture")
    with daemon_at_rest.client() as client:
        client.request(Admin(action="drain_spool", arguments={"wait": True}))
    assert json.loads(daemon_at_rest.steno("tasks", "--json").stdout)["items"][0]["task_id"] == (
        "later"
    )
