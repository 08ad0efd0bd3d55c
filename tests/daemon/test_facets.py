"""A filter in the index finds what the same filter finds row by row, after any changes."""

import itertools
import os
import random
from pathlib import Path

import msgspec
import pytest

from steno_schema.ids import uuid8
from steno_schema.records import AnyRecord, Session
from steno_schema.replies import Results
from steno_schema.requests import Amend, AnyRequest, Append, Delete, Filters, Search
from stenod.query.filters import exchange_condition
from stenod.search import rank
from stenod.search.search import search
from stenod.store.rows import fetch_all
from support.store import MODELS, Store, exchange, sighting

STEPS = int(os.environ.get("STENO_TEST_FACET_STEPS", "40"))
WORDS = ("create", "fix", "tests", "hello")
SESSIONS = ("s1", "s2", "main-1", "main-2")
PROJECTS = ("/a", "/b", "/b/c/", "/", "shop")


def _filters(rng: random.Random) -> Filters:
    return Filters(
        tag=rng.choice(([], [], ["x"], ["x", "y"])),
        model=rng.choice(([], [], [MODELS[0] or ""], [MODELS[1] or "", MODELS[2] or ""])),
        agent=rng.choice(([], [], ["python"], ["codex"])),
        framework=rng.choice(([], [], [], ["codex"])),
        project=rng.choice(([], [], ["/"], ["/b"], ["/a", "/b/c"], ["shop"])),
        role=rng.choice(([], [], ["user"])),
    )


def _change(rng: random.Random, known: list[str]) -> AnyRequest:
    kind = rng.randrange(6)
    if kind < 2:
        records: list[AnyRecord] = list(sighting(rng))
        return Append(records=records, mode="merge")
    if kind == 2:
        key = rng.choice(SESSIONS)
        session = Session(id=uuid8("s", key), key=key, agent="codex", project=rng.choice(PROJECTS))
        return Append(records=[session], mode="merge")
    if kind == 3 and known:
        add, remove = rng.choice((["x"], ["y"], [])), rng.choice((["x"], ["z"], []))
        return Amend(target=rng.choice(known), add_tags=add, remove_tags=remove)
    if kind == 4 and known and rng.random() < 0.3:
        return Delete(target=known.pop(rng.randrange(len(known))))
    made = exchange(rng)
    known.append(made.id)
    return Append(records=[made])


def _by_index(store: Store, word: str, filters: Filters) -> set[str]:
    found: set[str] = set()
    cursor = None
    while True:
        page: Results = search(
            store.reader, Search(query=word, filters=filters, limit=50, cursor=cursor)
        )
        found |= {each.id for each in page.results if each.number}
        cursor = page.next_cursor
        if cursor is None:
            return found


def _row_by_row(store: Store, word: str, filters: Filters) -> set[str]:
    condition, values = exchange_condition(msgspec.structs.replace(filters, role=[]))
    role = "AND m.role = 'user'" if filters.role else ""
    rows = fetch_all(
        store.reader,
        "SELECT DISTINCT lower(hex(e.uid)) FROM exchange AS e"
        " JOIN message AS m ON m.exchange_id = e.id"
        " JOIN conversation AS c ON c.id = m.conversation_id"
        f" JOIN session AS s ON s.id = c.session_id WHERE {condition} {role}"
        " AND ' ' || m.content || ' ' LIKE ?",
        (*values, f"% {word} %"),
    )
    return {row[0] for row in rows}


@pytest.mark.parametrize("seed", range(2))
def test_filters_in_the_index_tell_the_same(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    store = Store(tmp_path)
    rank.register(store.reader)
    known: list[str] = []
    compared = 0
    try:
        for _ in range(STEPS):
            store.ask(_change(rng, known))
            if rng.random() < 0.2:
                store.indexed()
                for word, _ in itertools.product(WORDS, range(4)):
                    filters = _filters(rng)
                    by_index = {each.replace("-", "") for each in _by_index(store, word, filters)}
                    assert by_index == _row_by_row(store, word, filters), filters
                    compared += len(by_index)
    finally:
        store.close()
    assert compared, "nothing was ever found: this could not fail"
