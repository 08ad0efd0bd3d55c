"""The examples of the API reference are true: they run as they stand, against a real daemon."""

import asyncio
from ast import PyCF_ALLOW_TOP_LEVEL_AWAIT
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import steno
import steno.tracking
import steno_schema.requests
from steno.middleware import ASGIMiddleware, WSGIMiddleware
from steno_schema.ids import uuid7
from steno_schema.records import Metric
from support.reference import reference_maker
from support.running import RunningDaemon

MAKER = reference_maker()
PARTS = {part.title: part for part in MAKER.PARTS}
EXCHANGES = 45
"""Some examples speak of exchange 42."""


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDaemon]:
    """A daemon with what the examples speak of."""
    daemon = RunningDaemon(tmp_path_factory.mktemp("reference") / "home")
    daemon.start("--no-capture")
    with daemon.client() as client:
        with client.batch() as batch:
            for number in range(EXCHANGES):
                batch.history.save(f"Why is the sky blue? {number}", "Rayleigh.", tags=["scratch"])
        client.sessions.create("release 1.2")
        client.conversations.create("pr-7", session="release 1.2")
    yield daemon
    assert daemon.stop() == 0


@pytest.fixture
def around(
    filled: RunningDaemon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """The surroundings of a program: its instance, its folder; tracking of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STENO_HOME", str(filled.home))
    monkeypatch.setenv("HOME", str(tmp_path))
    steno.tracking.configure()
    yield
    monkeypatch.undo()
    steno.tracking.configure(tmp_path / "nowhere")


@pytest.mark.parametrize("title", PARTS)
def test_the_examples_run_as_they_stand(title: str, around: None) -> None:
    part = PARTS[title]
    docs = [MAKER.class_doc(part), *(each.doc for each in MAKER.described(part))]
    codes = [code for doc in docs if (code := MAKER.example(doc))]
    assert codes
    asyncio.run(_run(codes, is_async=title.startswith("Async")))


async def _run(codes: list[str], *, is_async: bool) -> None:
    """Run the examples of one part one after the other; what one defines the next may use."""
    names = _names(is_async=is_async)
    for code in codes:
        scope = dict(names)
        made = eval(compile(code, "<example>", "exec", flags=PyCF_ALLOW_TOP_LEVEL_AWAIT), scope)
        if asyncio.iscoroutine(made):
            await made
        # A client of its own, which it may have closed, stays with its example.
        names |= {name: scope[name] for name in scope if name not in {"client", "history"}}
    for name in ("subscription", "history", "client"):
        closing = names[name].close() if name in names else None
        if asyncio.iscoroutine(closing):
            await closing


def _names(*, is_async: bool) -> dict[str, Any]:
    """Return what an example may take for granted."""
    with steno.Client() as client:
        message_id = client.messages.add("pr-7", "user", "Is it done?").id
        run = client.agents.start("reviewer", "Review the diff", conversation="pr-7")
    created = SimpleNamespace(create=lambda **words: words)
    return {
        **{name: getattr(steno, name) for name in steno.__all__},
        "ASGIMiddleware": ASGIMiddleware,
        "WSGIMiddleware": WSGIMiddleware,
        "Metric": Metric,
        "__name__": "__main__",
        "client": steno.AsyncClient() if is_async else steno.Client(),
        "history": steno.PromptHistory(),
        "message_id": message_id,
        "model": "gpt-5",
        "openai_client": SimpleNamespace(chat=SimpleNamespace(completions=created)),
        "run": run,
        "steno": steno,
        "steno_schema": steno_schema,
        "thread": "pr-7",
        "tracker": steno.Tracker(),
        "uuid7": uuid7,
    }
