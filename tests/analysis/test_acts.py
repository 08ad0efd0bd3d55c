"""Tool calls read as acts, whatever agent made them: the names and arguments agents use."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stenod.acts import ACTS_MAX, COMMAND_MAX_CHARS, Act, Result, acts_of

PATCH = """*** Begin Patch
*** Add File: docs/new one.md
+hello
*** Update File: src/a.py
*** Move to: src/b.py
@@
-*** Add File: not/this.py
*** Delete File: old.py
*** End Patch
"""
PATCHED = [("created", "docs/new one.md"), ("modified", "src/a.py"), ("created", "src/b.py")]


def of(tool: str, arguments: Any, result: Result | None = None) -> list[tuple[str, str]]:
    content = arguments if isinstance(arguments, str) else json.dumps(arguments)
    return [(act.kind, act.what) for act in acts_of(tool, content, result or Result())]


@pytest.mark.parametrize(
    ("tool", "arguments", "acts"),
    [
        # Claude Code
        ("Write", {"file_path": "/a.py", "content": "x"}, [("created", "/a.py")]),
        ("Edit", {"file_path": "/a.py", "old_string": "x"}, [("modified", "/a.py")]),
        ("Edit", {"file_path": "/a.py", "old_string": ""}, [("created", "/a.py")]),
        ("MultiEdit", {"file_path": "/a.py", "edits": []}, [("modified", "/a.py")]),
        ("NotebookEdit", {"notebook_path": "/a.ipynb"}, [("modified", "/a.ipynb")]),
        ("Read", {"file_path": "/a.py", "limit": 3}, [("read", "/a.py")]),
        ("Bash", {"command": "make test", "timeout": 3}, [("ran", "make test")]),
        ("Grep", {"pattern": "x", "path": "/src"}, []),
        ("TodoWrite", {"todos": []}, []),
        # Codex
        ("shell", {"command": ["bash", "-lc", "ls -l"]}, [("ran", "ls -l")]),
        ("shell", {"command": ["/bin/zsh", "-c", "ls"]}, [("ran", "ls")]),
        ("shell", {"command": ["git", "log", "a b"]}, [("ran", "git log 'a b'")]),
        ("shell_command", {"command": "ls", "workdir": "/"}, [("ran", "ls")]),
        ("exec_command", {"cmd": "ls"}, [("ran", "ls")]),
        ("apply_patch", PATCH, PATCHED),
        ("apply_patch", {"input": PATCH}, PATCHED),
        ("shell", {"command": ["bash", "-lc", f"apply_patch <<'E'\n{PATCH}E"]}, PATCHED),
        ("shell", {"command": ["apply_patch", PATCH]}, PATCHED),
        ("exec", "print(1)", [("ran", "print(1)")]),
        ("exec", 'const r = await tools.exec_command({cmd: "ls \\"a\\""});', [("ran", 'ls "a"')]),
        ("exec", "tools.exec_command({workdir: '/', cmd: `ls`}); go()", [("ran", "ls")]),
        ("exec", f"await tools.apply_patch({json.dumps(PATCH)})", PATCHED),
        ("exec", f"await tools.apply_patch(`{PATCH}`)", PATCHED),
        ("exec", "tools.update_plan({plan: []})", [("ran", "tools.update_plan({plan: []})")]),
        # Gemini CLI, Qwen, opencode, Cline, Copilot and others
        ("write_file", {"file_path": "a.py", "content": ""}, [("created", "a.py")]),
        ("replace", {"file_path": "a.py", "old_string": "x"}, [("modified", "a.py")]),
        ("run_shell_command", {"command": "ls"}, [("ran", "ls")]),
        ("read_file", {"absolute_path": "/a.py"}, [("read", "/a.py")]),
        ("edit", {"filePath": "a.py", "oldString": "x"}, [("modified", "a.py")]),
        ("execute_command", {"command": "ls"}, [("ran", "ls")]),
        ("replace_in_file", {"path": "a.py", "diff": ""}, [("modified", "a.py")]),
        ("str_replace_editor", {"command": "create", "path": "a"}, [("created", "a")]),
        ("str_replace_editor", {"command": "view", "path": "a"}, [("read", "a")]),
        ("mcp__files__write_file", {"path": "file:///a"}, [("created", "/a")]),
        ("run_in_terminal", {"command": " "}, []),
        ("teleport", {"path": "/moon", "command": "go"}, []),
    ],
)
def test_a_call_is_read(tool: str, arguments: Any, acts: list[tuple[str, str]]) -> None:
    assert of(tool, arguments) == acts


def test_the_result_tells_whether_a_file_was_new() -> None:
    arguments = {"file_path": "/a.py"}
    assert of("Write", arguments, Result("File created successfully")) == [("created", "/a.py")]
    updated = Result("The file /a.py has been updated successfully")
    assert of("Write", arguments, updated) == [("modified", "/a.py")]


def test_what_failed_changed_nothing_but_was_run() -> None:
    failed = Result("no such file", is_error=True)
    assert of("Edit", {"file_path": "/a.py"}, failed) == []
    assert of("apply_patch", PATCH, failed) == []
    assert of("Bash", {"command": "false"}, failed) == [("ran", "false")]


def test_lengths_are_bounded() -> None:
    (long,) = of("Bash", {"command": "x" * 10_000})
    assert len(long[1]) == COMMAND_MAX_CHARS
    patch = "*** Begin Patch\n" + "".join(f"*** Add File: {n}\n" for n in range(1000))
    assert len(of("apply_patch", patch)) == ACTS_MAX


JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.just("path"), inner),
    max_leaves=5,
)
TOOLS = st.sampled_from(["Write", "edit", "shell", "apply_patch", "Read", ""]) | st.text()


@given(TOOLS, JSON.map(json.dumps) | st.text(), st.booleans())
def test_any_call_is_read_without_harm(tool: str, content: str, is_error: bool) -> None:
    for act in acts_of(tool, content, Result("", is_error)):
        assert isinstance(act, Act)
        assert act.what
