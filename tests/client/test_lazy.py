"""``import steno`` costs next to nothing, and a client only what it uses."""

import os
import subprocess
import sys

import pytest

import steno

HEAVY = {
    "anyio",
    "apsw",
    "argparse",
    "asyncio",
    "concurrent.futures",
    "csv",
    "dataclasses",
    "logging",
    "sqlite3",
    "stenod",
    "subprocess",
    "tomllib",
    "watchfiles",
}


def loaded_by(statement: str) -> set[str]:
    """Return the modules that a new interpreter has after ``statement``."""
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\n{statement}\nprint(*sys.modules)"],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        timeout=60,
    )
    return set(done.stdout.split())


def test_the_package_alone_loads_its_version_and_no_more() -> None:
    ours = {name for name in loaded_by("import steno") if name.startswith("steno")}
    assert ours == {"steno", "steno_schema", "steno_schema._version"}


def test_the_blocking_client_loads_nothing_heavy() -> None:
    modules = loaded_by("import steno; steno.Client(); steno.PromptHistory")
    assert not HEAVY & modules
    assert "steno.client" in modules
    assert not {"steno.cli", "steno.capture", "steno.aclient"} & modules
    assert not {"steno.namespaces.agents", "steno.prompt_context", "steno.similar"} & modules


def test_the_async_client_loads_asyncio_alone() -> None:
    modules = loaded_by("import steno; steno.AsyncClient()")
    assert "asyncio" in modules
    assert not {"anyio", "apsw", "watchfiles", "tomllib"} & modules


def test_every_public_name_is_there() -> None:
    assert dir(steno) == sorted(steno.__all__)
    for name in steno.__all__:
        assert getattr(steno, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = steno.Nothing


def test_verbs_keep_their_names_and_promises() -> None:
    client = steno.Client()
    assert client.history.save.__name__ == "save"
    assert "Record one exchange" in (client.history.save.__doc__ or "")
    assert "Record one exchange" in (type(client.history).save.__doc__ or "")
