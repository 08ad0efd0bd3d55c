"""Moments as people write them."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steno_schema.errors import RequestError
from stenod.search.language import parse_moment

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 4, 1, 12, 30, tzinfo=BERLIN)
"""A Wednesday, three days after the clocks went forward."""


def ms(*parts: int) -> int:
    year, month, day, hour, minute, second = (*parts, 0, 0, 0)[:6]
    moment = datetime(year, month, day, hour, minute, second, tzinfo=BERLIN)
    return int(moment.timestamp() * 1000)


@pytest.mark.parametrize(
    ("text", "begin", "end"),
    [
        ("2026-03-29", ms(2026, 3, 29), ms(2026, 3, 30) - 1),
        ("today", ms(2026, 4, 1), ms(2026, 4, 2) - 1),
        ("Yesterday", ms(2026, 3, 31), ms(2026, 4, 1) - 1),
        ("week", ms(2026, 3, 30), ms(2026, 4, 6) - 1),
        ("now", ms(2026, 4, 1, 12, 30), ms(2026, 4, 1, 12, 30)),
        ("30m", ms(2026, 4, 1, 12), ms(2026, 4, 1, 12)),
        ("12h", ms(2026, 4, 1, 0, 30), ms(2026, 4, 1, 0, 30)),
        ("2026-01-02T03:04", ms(2026, 1, 2, 3, 4), ms(2026, 1, 2, 3, 4)),
        (" 2026-01-02 03:04:05 ", ms(2026, 1, 2, 3, 4, 5), ms(2026, 1, 2, 3, 4, 5)),
        ("2026-01-02T03:04:05.678Z", 1767323045678, 1767323045678),
        ("1970-01-01T00:00:00+00:00", 0, 0),
    ],
)
def test_reads(text: str, begin: int, end: int) -> None:
    assert parse_moment(text, NOW, end_of_day=False) == begin
    assert parse_moment(text, NOW, end_of_day=True) == end


def test_days_ago_are_so_many_times_24_hours() -> None:
    now = int(NOW.timestamp() * 1000)
    assert parse_moment("7d", NOW, end_of_day=False) == now - 7 * 86_400_000
    assert parse_moment("2w", NOW, end_of_day=True) == now - 14 * 86_400_000


def test_a_day_with_a_change_of_clocks_has_23_hours() -> None:
    begin = parse_moment("2026-03-29", NOW, end_of_day=False)
    assert parse_moment("2026-03-29", NOW, end_of_day=True) - begin == 23 * 3_600_000 - 1


@pytest.mark.parametrize(
    "text",
    [
        "2026-02-30",
        "",
        "soon",
        "7 d",
        "-7d",
        "999999999d",
        "7y",
        "2026",
        "2026-13-01",
        "\uff19d",
        "d",
    ],
)
def test_refuses_in_one_sentence(text: str) -> None:
    with pytest.raises(RequestError, match="is no date; write 2026-02-28, ") as caught:
        parse_moment(text, NOW, end_of_day=False)
    assert repr(text[:40]) in str(caught.value)


@given(st.text(max_size=30), st.booleans())
def test_any_text_is_a_moment_or_refused(text: str, end_of_day: bool) -> None:
    for zone in (UTC, timezone(timedelta(hours=14)), BERLIN):
        try:
            parse_moment(text, NOW.astimezone(zone), end_of_day)
        except RequestError:
            continue


@given(st.dates(), st.booleans())
def test_any_date_is_a_moment_or_refused(day: object, end_of_day: bool) -> None:
    """The last day of the calendar has no end that can be told."""
    try:
        parse_moment(str(day), NOW, end_of_day)
    except RequestError:
        assert str(day) in {"9999-12-31", "0001-01-01"}
