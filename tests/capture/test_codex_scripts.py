"""Code mode of Codex: the command that ran, and how it ended, in the place of the JavaScript."""

import json
from pathlib import Path
from typing import Any

import pytest

from capture import codex_lines as codex
from capture.inprocess import CODEX, InProcess

SCRIPT = 'const r = await tools.exec_command({cmd: "make test"});\ntext(r.output);'
PATCH = 'await tools.apply_patch("*** Begin Patch\\n*** Add File: a\\n*** End Patch")'


def _call(script: str, call: str = "call_1", second: float = 2) -> bytes:
    return codex.item(
        second, type="custom_tool_call", id=f"ctc_{call}", call_id=call, name="exec", input=script
    )


def _ran(command: Any, exit_code: Any, key: str = "exec-1", second: float = 3) -> bytes:
    item = {"type": "CommandExecution", "id": key, "command": command, "exit_code": exit_code}
    return codex.event("item_completed", second, item=item)


def _output(text: str, call: str = "call_1", second: float = 4) -> bytes:
    parts = [{"type": "input_text", "text": f"Script completed\nOutput:\n{text}"}]
    return codex.item(
        second, type="custom_tool_call_output", id=f"o_{call}", call_id=call, output=parts
    )


def _tools(tmp_path: Path, lines: list[bytes], *, stretches: int = 1) -> list[tuple[Any, ...]]:
    """Return the tool calls and results that a rollout gives, read in one go or in stretches."""
    path = tmp_path / codex.FILE.name
    head = [codex.meta(), codex.marked("test it", 1)]
    with InProcess(tmp_path / f"{stretches}.db") as store:
        path.write_bytes(b"")
        whole = [*head, *lines]
        size = -(-len(whole) // stretches)
        for start in range(0, len(whole), size):
            with path.open("ab") as file:
                file.write(b"".join(line + b"\n" for line in whole[start : start + size]))
            store.read(path, CODEX)
        rows = store.rows(
            "SELECT kind, content, call_id, is_error, metadata ->> 'exit_code' FROM message"
            " WHERE kind IN ('tool_call', 'tool_result') ORDER BY position"
        )
        return [(row[0], row[1], row[2], bool(row[3]), row[4]) for row in rows]


SHELL = ["/bin/bash", "-lc", "make test"]


@pytest.mark.parametrize("stretches", [1, 2, 5])
@pytest.mark.parametrize("exit_code", [0, 2])
def test_a_command_stands_in_the_place_of_its_script(
    tmp_path: Path, stretches: int, exit_code: int
) -> None:
    lines = [_call(SCRIPT), _ran(SHELL, exit_code), _output("all is well")]
    call, result = _tools(tmp_path, lines, stretches=stretches)
    assert json.loads(call[1]) == {"command": SHELL}
    assert call[2] == result[2] == "call_1"
    assert result[1].endswith("all is well")
    assert (result[3], result[4]) == (exit_code != 0, exit_code)


def test_further_commands_of_a_script_are_calls_of_their_own(tmp_path: Path) -> None:
    lines = [
        _call("two commands"),
        _ran(["ls"], 0, "exec-1", 3),
        _ran(["rm", "x"], 1, "exec-2", 4),
        _ran(["true"], 0, "exec-3", 5),
        _output("done", second=6),
        _call("no command", "call_2", 7),
        _output("done", "call_2", 8),
    ]
    tools = _tools(tmp_path, lines)
    commands = [json.loads(tool[1])["command"] for tool in tools[:3]]
    assert commands == [["ls"], ["rm", "x"], ["true"]]
    assert tools[3][3:] == (True, 1)
    assert tools[4][:2] == ("tool_call", "no command")
    assert tools[5][3:] == (False, None)


def test_a_script_that_patches_says_what_it_changed(tmp_path: Path) -> None:
    call, result = _tools(tmp_path, [_call(PATCH), _ran(["ls"], 1), _output("done")])
    assert call[1] == PATCH
    assert result[3:] == (False, None)


def test_a_plain_call_is_not_said_twice(tmp_path: Path) -> None:
    """Models without code mode: the command's id is the call's."""
    lines = [
        codex.item(
            2,
            type="function_call",
            call_id="call_1",
            name="exec_command",
            arguments='{"cmd":"ls"}',
        ),
        _ran(["/bin/bash", "-lc", "ls"], 0, "call_1"),
        codex.item(4, type="function_call_output", call_id="call_1", output="a b"),
    ]
    call, _result = _tools(tmp_path, lines)
    assert call[1] == '{"cmd":"ls"}'


@pytest.mark.parametrize("command", [None, "ls", {"odd": True}, 5])
@pytest.mark.parametrize("exit_code", [None, "2", 10**30, True])
def test_odd_commands_cost_nothing_else(tmp_path: Path, command: Any, exit_code: Any) -> None:
    tools = _tools(tmp_path, [_call(SCRIPT), _ran(command, exit_code), _output("fine")])
    assert [tool[0] for tool in tools] == ["tool_call", "tool_result"]
    assert tools[1][1].endswith("fine")


def test_lines_are_named_by_their_ordinal(tmp_path: Path) -> None:
    """A torn line more or less changes no message: numbers do, ordinals stay."""

    def numbered(line: bytes, ordinal: object) -> bytes:
        return json.dumps(json.loads(line) | {"ordinal": ordinal}).encode()

    lines = [
        numbered(codex.meta(), 0),
        numbered(codex.message("assistant", "first", 1), 1),
        numbered(codex.message("assistant", "again", 2), 1),
        numbered(codex.message("assistant", "odd", 3), "many"),
        numbered(codex.message("assistant", "second", 4), 7),
    ]
    path = tmp_path / codex.FILE.name
    found: list[dict[str, str]] = []
    for number, torn in enumerate(([], [b'{"timestamp":"2026'])):
        path.write_bytes(b"".join(line + b"\n" for line in [*torn, *lines]))
        with InProcess(tmp_path / f"{number}.db") as store:
            store.read(path, CODEX)
            found.append(dict(store.rows("SELECT content, hex(uid) FROM message")))
    assert found[0].keys() == found[1].keys() == {"first", "again", "odd", "second"}
    same = {text for text, uid in found[0].items() if found[1][text] == uid}
    assert same == {"first", "second"}
