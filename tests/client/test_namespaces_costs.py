"""What model calls cost, through a real daemon: sums of ``cost_tracking``."""

from datetime import date, datetime

import pytest

from steno.errors import Misuse
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


def test_a_time_that_is_none(live: Live) -> None:
    with pytest.raises(Misuse, match="is no date"):
        live.call(live.client.costs.total(since="soon"))
