"""What model calls cost, through a real daemon: sums of ``cost_tracking``."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

import pytest

from steno.errors import Misuse
from steno_schema.records import Tokens
from steno_schema.requests import Admin
from support.live import Live

CALLS = [
    ("m1", 10, 1, 0.5, "2026-01-02T10:00:00Z"),
    ("m1", 20, 2, None, "2026-01-03T10:00:00Z"),
    ("m2", 30, 3, 2.0, "2026-01-03T23:59:59.999Z"),
]


@pytest.fixture
def session(live: Live) -> str:
    """A session with three calls."""
    key = live.key("session")
    for model, sent, received, cost, when in CALLS:
        live.call(
            live.client.costs.add(
                model,
                input_tokens=sent,
                output_tokens=received,
                cost_usd=cost,
                recorded_at=when,
                session=key,
            )
        )
    return key


def test_the_total_counts_what_told_no_cost_apart(live: Live, session: str) -> None:
    total = live.call(live.client.costs.total(session=session))
    assert (total.name, total.calls, total.unpriced_calls) == (None, 3, 1)
    query = (
        "SELECT SUM(input_tokens), SUM(output_tokens), SUM(cost_usd) FROM cost_tracking"
        " WHERE session_id = ?"
    )
    assert live.row(query, session) == (60, 6, 2.5)
    assert (total.input_tokens, total.output_tokens, total.cost_usd) == (60, 6, 2.5)


def test_by_model(live: Live, session: str) -> None:
    dearest, other = live.call(live.client.costs.by_model(session=session))
    assert (dearest.name, dearest.calls, dearest.cost_usd) == ("m2", 1, 2.0)
    assert (other.name, other.calls, other.cost_usd, other.unpriced_calls) == ("m1", 2, 0.5, 1)
    query = "SELECT model, COUNT(*) FROM cost_tracking GROUP BY model"
    everything = {cost.name: cost.calls for cost in live.call(live.client.costs.by_model())}
    assert everything == dict(live.rows(query))


def test_by_day(live: Live, session: str) -> None:
    days = live.call(live.client.costs.by_day(session=session))
    query = (
        "SELECT DATE(recorded_at), COUNT(*) FROM cost_tracking WHERE session_id = ?"
        " GROUP BY 1 ORDER BY 1 DESC"
    )
    assert [(day.name, day.calls) for day in days] == live.rows(query, session)
    assert [day.name for day in days] == ["2026-01-03", "2026-01-02"]
    (newest,) = live.call(live.client.costs.by_day(session=session, limit=1))
    assert newest == days[0]


def test_by_session(live: Live, session: str) -> None:
    live.call(live.client.costs.add("m1", cost_usd=9.0, session=live.key("dear")))
    sums = {cost.name: cost.cost_usd for cost in live.call(live.client.costs.by_session())}
    query = "SELECT session_id, SUM(cost_usd) FROM cost_tracking GROUP BY session_id"
    assert sums == dict(live.rows(query))
    assert list(sums.values()) == sorted(sums.values(), reverse=True)
    (alone,) = live.call(live.client.costs.by_session(session=session, model="m1"))
    assert (alone.name, alone.calls) == (session, 2)


@pytest.mark.parametrize(
    ("period", "calls"),
    [
        ({"since": "2026-01-03T00:00:00Z"}, 2),
        ({"until": "2026-01-02T23:59:59Z"}, 1),
        ({"since": "2026-01-02T10:00:00Z", "until": "2026-01-02T10:00:00Z"}, 1),
        ({"until": "2026-01-03T23:59:59.999Z"}, 3),
        ({"since": "1h"}, 0),
        ({"model": "m2"}, 1),
        ({"model": "m3"}, 0),
    ],
)
def test_a_stretch_of_time(live: Live, session: str, period: dict[str, str], calls: int) -> None:
    total = live.call(live.client.costs.total(session=session, **period))
    assert total.calls == calls
    assert (total.cost_usd is None) == (calls == 0)


def test_a_date_is_a_whole_local_day(live: Live) -> None:
    costs, key = live.client.costs, live.key("session")
    for hour in (0, 12, 23):
        live.call(
            costs.add(recorded_at=datetime.fromisoformat(f"2026-01-03T{hour:02}:30"), session=key)
        )
    days = [(date(2026, 1, day), date(2026, 1, day)) for day in (2, 3, 4)]
    totals = [live.call(costs.total(session=key, since=a, until=b)) for a, b in days]
    assert [total.calls for total in totals] == [0, 3, 0]


SAVES: list[dict[str, Any]] = [
    {"model": "m1", "cost_usd": 0.25, "tokens": Tokens(input=7, output=2, cache_read=90)},
    {"model": "gpt-5", "tokens": Tokens(input=1_000_000)},
    {"model": "m1", "cost_usd": 0.5},
    {"model": "of-nobody", "tokens": Tokens(total=12)},
    {"model": "m1"},
]


def test_what_was_saved_is_a_cost_once(live: Live) -> None:
    history, costs, key = live.client.history, live.client.costs, live.key("session")
    when = "2026-02-03T10:00:00Z"
    ids = [
        live.call(history.save("p", "o", session=key, created_at=when, **words)).id
        for words in SAVES
    ]
    # The first says its own cost, so this call is none beside it; the last says nothing.
    live.call(costs.add("m1", cost_usd=9.0, session=key, exchange=ids[0], recorded_at=when))
    live.call(costs.add("m2", cost_usd=1.0, session=key, exchange=ids[4], recorded_at=when))
    live.call(live.client.request(Admin(action="flush")))
    query = "SELECT uid, model, input_tokens, output_tokens, cost_usd FROM cost_tracking"
    rows = set(
        live.rows(f"{query} WHERE session_id = ? AND uid IN (SELECT uid FROM history)", key)
    )
    assert rows == {
        (ids[0], "m1", 7, 2, 0.25),
        (ids[1], "gpt-5", 1_000_000, 0, 1.25),
        (ids[2], "m1", 0, 0, 0.5),
        (ids[3], "of-nobody", 0, 0, None),
    }
    totals = live.call(history.stats(session=key)).totals
    assert (totals["cost_usd"], totals["unknown_costs"], totals["outside"]) == (3.0, 1, [])
    total = live.call(costs.total(session=key))
    assert (total.cost_usd, total.calls, total.unpriced_calls) == (3.0, 5, 1)
    (by_session,) = live.call(costs.by_session(session=key))
    (by_day,) = live.call(costs.by_day(session=key))
    assert (by_session.name, by_session.cost_usd) == (key, 3.0)
    assert (by_day.name, by_day.cost_usd) == ("2026-02-03", 3.0)
    models = {cost.name: cost.cost_usd for cost in live.call(costs.by_model(session=key))}
    assert models == {"m1": 0.75, "m2": 1.0, "gpt-5": 1.25, "of-nobody": None}
    numbers = live.row(
        "SELECT count(*), count(DISTINCT id), count(DISTINCT uid) FROM cost_tracking"
    )
    assert len(set(numbers)) == 1


def test_cache_reasoning_and_request_are_kept(live: Live) -> None:
    tokens = Tokens(input=1, output=9, cache_read=2, cache_write=7, cache_write_1h=3, reasoning=4)
    saved = live.call(live.client.costs.add("m", tokens=tokens, request_id="req_1"))
    query = (
        "SELECT input_tokens, output_tokens, cache_read_tokens, cache_write_tokens,"
        " cache_write_1h_tokens, reasoning_tokens, request_id FROM usage WHERE uid = ?"
    )
    assert live.row(query, UUID(saved.id).bytes) == (1, 9, 2, 7, 3, 4, "req_1")


def test_a_time_that_is_none(live: Live) -> None:
    with pytest.raises(Misuse, match="is no date"):
        live.call(live.client.costs.total(since="soon"))
