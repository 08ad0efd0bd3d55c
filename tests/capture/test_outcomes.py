"""What came of a captured exchange: files, commands and signs of success, for every agent alike."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from capture import codex_lines
from capture.build import claude_line, claude_prompt, claude_reply
from capture.instance import instance_of, json_of
from support.running import RunningDaemon


def claude_call(key: str, name: str, second: int, **arguments: Any) -> bytes:
    block = {"type": "tool_use", "id": f"toolu_{key}", "name": name, "input": arguments}
    said = {"id": f"msg_{key}", "model": "m", "role": "assistant", "content": [block]}
    return claude_line("assistant", f"call {key}", second, message=said)


def claude_result(key: str, text: str, second: int, *, is_error: bool = False) -> bytes:
    block = {"type": "tool_result", "tool_use_id": f"toolu_{key}", "content": text}
    said = {"role": "user", "content": [block | {"is_error": is_error}]}
    return claude_line("user", f"result {key}", second, message=said)


CLAUDE = [
    claude_prompt("Add a parser to the shop", second=0),
    claude_call("a", "Read", 1, file_path="/shop/README.md"),
    claude_call("b", "Write", 2, file_path="/shop/parser.py", content="x" * 3000),
    claude_result("b", "File created successfully at: /shop/parser.py", 3),
    claude_call("c", "Write", 4, file_path="/shop/main.py", content="y"),
    claude_result("c", "The file /shop/main.py has been updated", 5),
    claude_call("d", "Edit", 6, file_path="/shop/lost.py", old_string="a", new_string="b"),
    claude_result("d", "String to replace not found", 7, is_error=True),
    claude_call("e", "Bash", 8, command="make test"),
    claude_result("e", "ok", 9),
    claude_reply("Done. Shall I commit it?", second=10),
    claude_prompt("No, that is wrong: it must read two files", second=20),
    claude_reply("Now it does.", second=21),
]
CODEX = [
    codex_lines.meta(),
    codex_lines.user_event("Rename the helper", 1),
    codex_lines.item(
        2,
        type="function_call",
        name="shell",
        call_id="call_1",
        arguments=json.dumps({"command": ["bash", "-lc", "rg helper"]}),
    ),
    codex_lines.item(3, type="function_call_output", call_id="call_1", output="src/a.py"),
    codex_lines.item(
        4,
        type="custom_tool_call",
        name="apply_patch",
        call_id="call_2",
        status="completed",
        input="*** Begin Patch\n*** Update File: src/a.py\n@@\n-a\n+b\n*** End Patch",
    ),
    codex_lines.item(5, type="custom_tool_call_output", call_id="call_2", output="Success."),
    codex_lines.message("assistant", "Renamed.", 6),
    codex_lines.user_event("thanks", 9),
    codex_lines.message("assistant", "You are welcome.", 10),
]
COLUMNS = "current_file, files_created, files_modified, commands_executed, response_time_estimate"


@pytest.fixture(scope="module")
def claude(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDaemon]:
    folder = tmp_path_factory.mktemp("claude")
    daemon = instance_of(folder, "claude")
    transcript = folder / "claude" / "projects" / "-home-ada-shop" / "a.jsonl"
    transcript.parent.mkdir(parents=True)
    # The result of a call may come long after it: the acts are read again then.
    transcript.write_bytes(b"".join(CLAUDE[:5]))
    daemon.start()
    daemon.captured()
    with transcript.open("ab") as file:
        file.write(b"".join(CLAUDE[5:]))
    daemon.captured()
    yield daemon
    daemon.stop()


@pytest.fixture(scope="module")
def codex(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDaemon]:
    folder = tmp_path_factory.mktemp("codex")
    daemon = instance_of(folder, "codex")
    path = folder / "codex" / "sessions" / "2026" / "01" / "02" / codex_lines.FILE.name
    path.parent.mkdir(parents=True)
    path.write_bytes(b"\n".join(CODEX) + b"\n")
    daemon.start()
    daemon.captured()
    yield daemon
    daemon.stop()


def first(daemon: RunningDaemon, columns: str, view: str = "prompts") -> list[Any]:
    with daemon.client() as client:
        rows = client.sql(f"SELECT {columns} FROM {view} ORDER BY id").rows
    return rows[0]


def test_claude_code_in_the_view(claude: RunningDaemon) -> None:
    current, created, modified, commands, took = first(claude, COLUMNS)
    assert (current, json.loads(created)) == ("/shop/main.py", ["/shop/parser.py"])
    assert (json.loads(modified), json.loads(commands)) == (["/shop/main.py"], ["make test"])
    assert took == 10_000


def test_codex_in_the_view(codex: RunningDaemon) -> None:
    assert first(codex, COLUMNS) == ["src/a.py", None, '["src/a.py"]', '["rg helper"]', 5000]


def test_signals_of_success(claude: RunningDaemon, codex: RunningDaemon) -> None:
    columns = "tool_calls, tool_errors, interrupted, corrected"
    assert first(claude, columns, "outcomes") == [5, 1, 0, 1]
    assert first(codex, columns, "outcomes") == [2, 0, 0, 0]
    with claude.client() as client:
        view = client.sql("SELECT success_rating, follow_up_needed FROM prompts ORDER BY id")
    assert view.rows == [[None, 1], [None, None]], "a question is open; nobody rated anything"


def test_show_tells_all_of_it(claude: RunningDaemon) -> None:
    newest, oldest = json_of(claude, "list")["items"]
    shown = json_of(claude, "show", oldest["id"])
    assert shown["files_created"] == ["/shop/parser.py"]
    assert shown["files_modified"] == ["/shop/main.py"]
    assert shown["commands_executed"] == ["make test"]
    assert shown["current_file"] == "/shop/main.py"
    assert (shown["follow_up"], shown["rating"]) == (True, None)
    assert shown["signals"] == {
        "tool_calls": 5,
        "tool_errors": 1,
        "interrupted": False,
        "corrected": True,
    }
    assert json_of(claude, "show", newest["id"])["signals"]["corrected"] is None
    text = claude.steno("show", oldest["id"]).stdout
    assert "5 tool calls, 1 errors, corrected by the next prompt" in text
    assert "/shop/parser.py" in text


def test_what_a_person_says_wins(claude: RunningDaemon) -> None:
    _, oldest = json_of(claude, "list")["items"]
    with claude.client() as client:
        client.history.update(oldest["id"], files_created=["/mine.py"], follow_up=False)
    assert first(claude, "files_created, follow_up_needed") == ['["/mine.py"]', 0]
    with claude.client() as client:
        client.history.update(oldest["id"], files_created=None, follow_up=None)
    assert first(claude, "files_created, follow_up_needed") == ['["/shop/parser.py"]', 1]


def test_read_again_it_is_the_same(claude: RunningDaemon) -> None:
    query = "SELECT kind, what, number FROM act ORDER BY message_id, number"
    with claude.client() as client:
        before = client.sql(query).rows
    assert claude.steno("rederive", "analysis").returncode == 0
    claude.captured()
    with claude.client() as client:
        assert client.sql(query).rows == before
    assert len(before) == 4


def test_forgotten_with_the_exchange(codex: RunningDaemon) -> None:
    assert codex.steno("forget", "--agent", "codex", "--yes").returncode == 0
    with codex.client() as client:
        assert client.sql("SELECT count(*) FROM act").rows == [[0]]
