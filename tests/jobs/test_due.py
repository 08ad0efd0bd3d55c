"""When jobs are due, whatever the clocks do: set forward or back, asleep, another zone."""

import time
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stenod.jobs.due import (
    LOOK_MAX_S,
    LOOK_MIN_S,
    OVERDUE_S,
    RETRY_S,
    LastRun,
    Plan,
    due,
    next_look_s,
    on_own_clock,
)

HOUR_S = 3600.0
DAY_S = 24 * HOUR_S
JOBS = [
    Plan("often", HOUR_S / 2, needs_idle=False),
    Plan("daily", DAY_S),
    Plan("weekly", 7 * DAY_S),
]
YEARS_S = 3 * 365 * DAY_S
EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("awake"), st.floats(1, HOUR_S * 8)),
        st.tuples(st.just("asleep"), st.floats(1, 20 * DAY_S)),
        st.tuples(st.just("set"), st.floats(-YEARS_S, YEARS_S)),
        st.tuples(st.just("restart"), st.just(0.0)),
        st.tuples(st.just("busy"), st.just(0.0)),
        st.tuples(st.just("quiet"), st.just(0.0)),
    ),
    max_size=30,
)


@dataclass
class World:
    """A machine: how much time truly passed, what its clock shows, and what ran when."""

    true_s: float = 1e9
    wall_ahead_s: float = 0.0
    idle: bool = True
    looks: int = 0

    def __post_init__(self) -> None:
        self.noted_wall_s: dict[str, float] = {}
        self.began_s = {job.name: self.true_s for job in JOBS}
        self.restart()

    @property
    def wall_s(self) -> float:
        return self.true_s + self.wall_ahead_s

    def restart(self) -> None:
        """Begin anew with what was noted; what never ran is due."""
        self.of_this_process: set[str] = set()
        self.last = {
            job.name: LastRun(
                on_own_clock(self.noted_wall_s[job.name], job.every_s, self.wall_s, self.true_s)
                if job.name in self.noted_wall_s
                else self.true_s - job.every_s
            )
            for job in JOBS
        }

    def run_until(self, end_s: float) -> None:
        """Live on, awake: look, run what is due, wait as long as one may."""
        while self.true_s < end_s:
            for name in due(JOBS, self.last, self.true_s, idle=self.idle):
                self.start(name)
            wait_s = next_look_s(JOBS, self.last, self.true_s, idle=self.idle)
            assert LOOK_MIN_S <= wait_s <= LOOK_MAX_S
            self.looks += 1
            self.true_s += wait_s

    def start(self, name: str) -> None:
        every_s = next(job.every_s for job in JOBS if job.name == name)
        if name in self.of_this_process:
            assert self.true_s - self.began_s[name] >= every_s, f"{name} came too soon"
        self.began_s[name] = self.true_s
        self.of_this_process.add(name)
        self.noted_wall_s[name] = self.wall_s
        self.last[name] = LastRun(self.true_s)


@given(EVENTS)
def test_every_job_comes_in_time_and_never_too_soon(events: list[tuple[str, float]]) -> None:
    world = World()
    for kind, amount in events:
        if kind == "awake":
            world.run_until(world.true_s + amount)
        elif kind == "asleep":
            world.true_s += amount
        elif kind == "set":
            world.wall_ahead_s += amount
        elif kind == "restart":
            world.restart()
        else:
            world.idle = kind == "quiet"
    world.true_s += 9 * DAY_S  # asleep; then long enough awake for whatever waits for quiet
    world.run_until(world.true_s + OVERDUE_S + 2 * LOOK_MAX_S)
    for job in JOBS:
        waited_s = world.true_s - world.began_s[job.name]
        assert waited_s <= job.every_s + OVERDUE_S + 4 * LOOK_MAX_S, f"{job.name} was forgotten"


def test_the_zone_and_its_daylight_saving_are_of_no_interest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A day is 24 hours of time that passed, also where the clock is put forward at night."""
    before_the_change_s = 1_774_735_200.0  # 2026-03-28T22:00Z, Europe's change is that night
    for zone in ("UTC", "Europe/Berlin", "Pacific/Auckland"):
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        last = {
            job.name: LastRun(
                on_own_clock(before_the_change_s, job.every_s, before_the_change_s + DAY_S, 0.0)
            )
            for job in JOBS
        }
        assert due(JOBS, last, -1.0, idle=True) == ["often"], zone
        assert due(JOBS, last, 0.0, idle=True) == ["often", "daily"], zone
    monkeypatch.undo()
    time.tzset()


def test_a_clock_that_was_set_back_makes_a_job_due_rather_than_never() -> None:
    assert on_own_clock(2e9, DAY_S, 1e9, 50.0) == 50.0 - DAY_S
    assert on_own_clock(1e9, DAY_S, 1e9 + 10, 50.0) == 40.0


def test_what_waits_longest_comes_first() -> None:
    last = {"often": LastRun(9000.0), "daily": LastRun(-90_000.0), "weekly": LastRun(9000.0)}
    assert due(JOBS, last, 11_000.0, idle=True) == ["daily", "often"]


def test_a_job_that_would_be_felt_waits_for_quiet_but_not_for_ever() -> None:
    last = {job.name: LastRun(0.0) for job in JOBS}
    assert "daily" not in due(JOBS, last, DAY_S + 60, idle=False)
    assert "daily" in due(JOBS, last, DAY_S + 60, idle=True)
    assert "daily" in due(JOBS, last, DAY_S + OVERDUE_S, idle=False)


@pytest.mark.parametrize("succeeded", [True, False])
def test_what_failed_is_tried_again_sooner(succeeded: bool) -> None:
    last = {job.name: LastRun(0.0, succeeded) for job in JOBS}
    again = due(JOBS, last, RETRY_S, idle=True)
    assert again == (["often"] if succeeded else ["often", "daily", "weekly"])


def test_a_daemon_with_nothing_to_do_looks_once_an_hour() -> None:
    assert next_look_s([], {}, 0, idle=True) == LOOK_MAX_S
    world = World()
    for job in JOBS:
        world.start(job.name)
    world.run_until(world.true_s + DAY_S - 1)
    assert world.looks <= 48
