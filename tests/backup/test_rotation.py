"""Which backups stay: the newest few, and one a week for some weeks."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from stenod.backup.rotation import backup_name, moment_of, outdated

START = datetime(2026, 1, 1, tzinfo=UTC)


def names(days: list[float]) -> list[str]:
    return [backup_name(START + timedelta(days=day)) for day in days]


@given(st.lists(st.floats(0, 400), max_size=60), st.integers(1, 10), st.integers(0, 10))
def test_what_is_kept_is_what_was_promised(days: list[float], keep: int, weekly: int) -> None:
    made = sorted(set(names(days)))
    gone = outdated(made, keep, weekly)
    kept = [name for name in made if name not in gone]
    assert set(made[-keep:]) <= set(kept), "the newest stay"
    older = made[:-keep]
    weeks = {moment_of(name).isocalendar()[:2] for name in older}
    assert len(kept) == min(len(made), keep) + min(len(weeks), weekly)
    assert outdated(kept, keep, weekly) == [], "what stays, stays"


def test_daily_backups_over_a_year() -> None:
    kept: list[str] = []
    for day in range(365):
        kept += names([day])
        gone = outdated(kept, keep=7, weekly=4)
        kept = [name for name in kept if name not in gone]
    ages = [(START + timedelta(days=364) - moment_of(name)).days for name in reversed(kept)]
    assert ages[:7] == [0, 1, 2, 3, 4, 5, 6]
    assert len(ages) == 11
    assert 21 <= ages[-1] <= 42
