"""Every filter through a real daemon: lists, searches and statistics choose what the views show."""

import itertools
from datetime import date
from typing import Any

import pytest

from steno_schema.ids import uuid7
from steno_schema.records import Exchange, Tokens
from steno_schema.requests import Admin
from support.live import Live

DAYS = ("2026-01-01T23:59:59Z", "2026-01-02T00:00:00Z", "2026-01-03T12:00:00Z")
CATEGORIES = ("api", "testing")
COMPLEXITIES = ("simple", "complex")

H, P = "history", "prompts"
FILTERS: list[tuple[dict[str, Any], str, str]] = [
    ({"since": "2026-01-02"}, H, "timestamp >= '2026-01-02T00:00:00.000Z'"),
    ({"until": date(2026, 1, 2)}, H, "date(timestamp) <= '2026-01-02'"),
    ({"since": DAYS[1], "until": DAYS[1]}, H, "timestamp = '2026-01-02T00:00:00.000Z'"),
    ({"tag": "odd"}, H, "',' || tags || ',' LIKE '%,odd,%'"),
    ({"tag": ["odd", "third"]}, H, "tags LIKE 'odd,%' AND tags LIKE '%,third'"),
    ({"model": "m0"}, H, "model = 'm0'"),
    ({"model": ["m0", "m1"]}, H, "model IN ('m0', 'm1')"),
    ({"framework": "flask"}, H, "framework_used = 'flask'"),
    ({"agent": "robot"}, H, "id IN (SELECT id FROM exchange WHERE agent = 'robot')"),
    ({"category": "api"}, P, "prompt_category = 'api'"),
    ({"complexity": "complex"}, P, "prompt_complexity = 'complex'"),
    ({"stage": "testing"}, P, "development_stage = 'testing'"),
    ({"min_rating": 3}, P, "success_rating >= 3"),
    ({"min_cost": 0.25}, H, "cost >= 0.25"),
    ({"model": "m1", "tag": "odd", "min_cost": 0.25}, H, "model = 'm1' AND cost >= 0.25"),
]  # fmt: skip
SESSION_FILTERS = ("session", "user", "project", "conversation")


@pytest.fixture
def key(live: Live) -> str:
    """A tag on some exchanges that differ in everything that can be filtered by."""
    key = live.key("set")
    mixed = itertools.product(DAYS, (0, 1), (0, 1))
    records = [
        Exchange(
            id=uuid7(), prompt=f"quince {number}", output="answer", created_at=day,
            tags=[key, *(["odd"] if number % 2 else []), *(["third"] if number % 3 == 0 else [])],
            model=f"m{number % 4}", framework="flask" if left else None,
            agent="robot" if right else "python", session=f"{key}-s{left}", user=f"{key}-u{right}",
            project=f"/{key}/{'a' if left else 'b'}", conversation=f"{key}-c{left}",
            category=CATEGORIES[left], complexity=COMPLEXITIES[right], stage="testing",
            rating=number / 2, cost_usd=number / 20, tokens=Tokens(input=number),
        )
        for number, (day, left, right) in enumerate(mixed)
    ]  # fmt: skip
    live.call(live.client.append(records))
    live.call(live.client.request(Admin(action="flush")))
    return key


def chosen(live: Live, key: str, words: dict[str, Any]) -> set[str]:
    """Return what lists, searches and statistics agree on."""
    history = live.client.history
    words = {**words, "tag": [key, *_listed(words.get("tag", []))]}
    listed = {each.id for each in live.call(history.recent(100, **words))}
    found = {each.id for each in live.call(history.search("quince", limit=100, **words))}
    filtered = {each.id for each in live.call(history.search("", limit=100, **words))}
    assert listed == found == filtered
    assert live.call(history.stats(**words)).totals["exchanges"] == len(listed)
    return listed


def _listed(words: str | list[str]) -> list[str]:
    return [words] if isinstance(words, str) else words


@pytest.mark.parametrize(("words", "view", "condition"), FILTERS)
def test_a_filter_chooses_what_it_says(
    live: Live, key: str, words: dict[str, Any], view: str, condition: str
) -> None:
    query = f"SELECT uid FROM {view} WHERE ',' || tags || ',' LIKE ? AND ({condition})"
    expected = {uid for (uid,) in live.rows(query, f"%,{key},%")}
    assert chosen(live, key, words) == expected
    assert 0 < len(expected) < 12 or words == {"stage": "testing"}


@pytest.mark.parametrize("name", SESSION_FILTERS)
def test_whose_and_where(live: Live, key: str, name: str) -> None:
    columns = {
        "session": "s.key",
        "user": "e.user",
        "project": "e.project",
        "conversation": "c.key",
    }
    values = {"session": f"{key}-s1", "user": f"{key}-u1", "project": f"/{key}/a",
              "conversation": f"{key}-c1"}  # fmt: skip
    query = (
        "SELECT h.uid FROM history AS h JOIN exchange AS e ON e.id = h.id"
        " JOIN conversation AS c ON c.id = e.conversation_id"
        f" JOIN session AS s ON s.id = c.session_id WHERE {columns[name]} = ?"
    )
    expected = {uid for (uid,) in live.rows(query, values[name])}
    assert chosen(live, key, {name: values[name]}) == expected
    assert len(expected) == 6
    if name == "project":
        assert len(chosen(live, key, {"project": f"/{key}"})) == 12


def test_a_role_chooses_by_who_said_it(live: Live) -> None:
    history, word = live.client.history, live.key("medlar").replace("-", "")
    asked = live.call(history.save(f"a {word}", "yes")).id
    told = live.call(history.save("a fruit?", f"the {word}")).id
    for role, expected in (("user", {asked}), ("assistant", {told})):
        found = live.call(history.search(word, role=role))
        assert {each.id for each in found} == expected
    query = (
        "SELECT count(DISTINCT conversation_id) FROM messages WHERE content LIKE ? AND role = ?"
    )
    assert live.row(query, f"%{word}%", "user") == (1,)
    assert live.call(history.search(word, role="tool")) == []


def test_latency_by_day_model_and_user(live: Live) -> None:
    history, tag = live.client.history, live.key("tag")
    for number, day in enumerate(DAYS * 2):
        live.call(
            history.save(
                "p", tags=[tag], created_at=day, model=f"m{number % 2}", user=f"u{number // 3}",
                response_time_ms=100.0 * (number + 1), rating=number,
            )
        )  # fmt: skip
    live.call(history.save("untimed", tags=[tag], created_at=DAYS[0], model="m0", user="u0"))
    columns = {"day": "date(p.created_at)", "model": "h.model", "user": "e.user"}
    for by, column in columns.items():
        groups = live.call(history.stats(by=by, tag=tag)).groups
        told = {
            group["name"]: (group["timed"], group["mean_response_ms"], group["mean_rating"])
            for group in groups
        }
        query = (
            f"SELECT {column}, count(p.response_time_estimate), avg(p.response_time_estimate),"
            " avg(p.success_rating) FROM prompts AS p JOIN history AS h ON h.id = p.id"
            " JOIN exchange AS e ON e.id = p.id WHERE p.tags = ? GROUP BY 1"
        )
        assert told == {name: tuple(rest) for name, *rest in live.rows(query, tag)}
