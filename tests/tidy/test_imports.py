"""Who may import whom, and what ``import steno`` costs."""

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tidy.tree import PACKAGES, name, python_files, text

ALLOWED_BEYOND_STDLIB = {
    "schema": {"steno_schema", "msgspec"},
    "client": {"steno", "steno_schema", "msgspec"},
    "daemon": {"stenod", "steno_schema", "msgspec", "apsw", "anyio", "backports", "watchfiles"},
}
"""Top-level modules each package may import, wherever in the file."""

ALLOWED_BELOW = {
    ("client", "steno/capture/"): {"backports", "compression", "watchfiles"},
    ("daemon", "stenod/store/"): {"compression"},
}
"""What one folder may import besides."""


def imported(source: str) -> Iterator[str]:
    """Yield the top-level name of every absolute import in ``source``, at any depth."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module.split(".")[0]
        elif isinstance(node, ast.Call) and _is_import_call(node):
            first = node.args[0] if node.args else None
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                yield first.value.split(".")[0]


def _is_import_call(call: ast.Call) -> bool:
    function = call.func
    called = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    return called in {"import_module", "__import__"}


def forbidden(package: str, path: Path) -> set[str]:
    """Return what ``path`` imports and its package must not."""
    allowed = set(ALLOWED_BEYOND_STDLIB[package])
    inside = path.relative_to(PACKAGES[package].parent).as_posix()
    for (owner, folder), more in ALLOWED_BELOW.items():
        if owner == package and inside.startswith(folder):
            allowed |= more
    return set(imported(text(path))) - allowed - sys.stdlib_module_names


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_imports_only_what_it_may(package: str) -> None:
    paths = [path for path in python_files() if path.is_relative_to(PACKAGES[package])]
    assert paths, f"{PACKAGES[package]} holds no Python file"
    found = {name(path): forbidden(package, path) for path in paths}
    assert {path: names for path, names in found.items() if names} == {}


@pytest.mark.parametrize(
    "source",
    [
        "import stenod",
        "from stenod.store import open",
        "def f():\n    import stenod.server",
        "import importlib\nimportlib.import_module('stenod.server')",
        "__import__('stenod')",
    ],
)
def test_the_walk_finds_an_import_however_it_is_written(source: str) -> None:
    assert "stenod" in set(imported(source))


def third_party_after(statement: str) -> set[str]:
    """Return the top-level modules from outside of the standard library, in a fresh process."""
    code = f"{statement}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"
    run = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": ":".join(str(path.parent) for path in PACKAGES.values())},
        capture_output=True,
        check=True,
        text=True,
    )
    modules = {module.split(".")[0] for module in json.loads(run.stdout)}
    return modules - sys.stdlib_module_names - {"__main__"}


def test_import_steno_loads_msgspec_and_nothing_more() -> None:
    bare = third_party_after("pass")
    msgspec = third_party_after("import msgspec, msgspec.json, msgspec.msgpack, msgspec.structs")
    assert third_party_after("import steno") - bare - msgspec <= {"steno", "steno_schema"}


def test_import_steno_starts_no_heavy_part_of_the_standard_library() -> None:
    code = "import sys, steno; print(*sorted(sys.modules))"
    run = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": ":".join(str(path.parent) for path in PACKAGES.values())},
        capture_output=True,
        check=True,
        text=True,
    )
    assert {"asyncio", "argparse", "sqlite3", "subprocess"} & set(run.stdout.split()) == set()
