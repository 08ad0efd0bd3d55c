"""When a job is due: pure functions of when it last began, of the time, and of whether it is quiet.

Time is that of a clock which nobody sets and which goes on while the machine sleeps. Of what an
earlier process ran only the time of day is known; ``on_own_clock`` translates that once, at the
start, so that setting the clock matters then at most. Zones and daylight saving matter nowhere.
"""

import time
from collections.abc import Mapping, Sequence

from msgspec import Struct

IDLE_S = 60.0
"""Nobody has written for this long: jobs that would be felt may begin."""
RETRY_S = 3600.0
"""What failed is tried again after this, if its turn does not come sooner."""
OVERDUE_S = 86_400.0
"""A job that waits for an idle moment is done without one when it is this late."""
LOOK_MIN_S = 60.0
LOOK_MAX_S = 3600.0
"""A timer stands still while the machine sleeps; what became due then is seen this much later."""


class Plan(Struct, frozen=True):
    """What the decision needs to know of a job; ``every_s`` from one start to the next."""

    name: str
    every_s: float
    needs_idle: bool = True


class LastRun(Struct, frozen=True):
    """When a job last began, on the clock of ``clock_s``, and how that ended."""

    began_s: float
    succeeded: bool = True


def clock_s() -> float:
    """Return the seconds of a clock that nobody sets and that counts the machine's sleep."""
    boot: int | None = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boot is None else time.clock_gettime(boot)


def on_own_clock(began_wall_s: float, every_s: float, now_wall_s: float, now_s: float) -> float:
    """Return when a run of an earlier process began, on this process's clock.

    A run that lies in the future was noted before the clock was set back: nobody knows when it
    was, and its job is due now rather than never.
    """
    passed_s = now_wall_s - began_wall_s
    return now_s - (every_s if passed_s < 0 else passed_s)


def due(
    jobs: Sequence[Plan], last_runs: Mapping[str, LastRun], now_s: float, *, idle: bool
) -> list[str]:
    """Return the names of the jobs to do now, the one that waits longest first.

    Every job must have a last run; for one that never ran say one that makes it due.
    """
    late_s = {job.name: -left_s(job, last_runs[job.name], now_s) for job in jobs}
    chosen = [
        job
        for job in jobs
        if late_s[job.name] >= 0
        and (idle or not job.needs_idle or late_s[job.name] >= _patience_s(job))
    ]
    return [job.name for job in sorted(chosen, key=lambda job: -late_s[job.name])]


def next_look_s(
    jobs: Sequence[Plan], last_runs: Mapping[str, LastRun], now_s: float, *, idle: bool
) -> float:
    """Return how long nothing can become due; never less than a minute, so that idle is idle."""
    nearest_s = LOOK_MAX_S
    for job in jobs:
        wait_s = left_s(job, last_runs[job.name], now_s)
        if wait_s <= 0 and job.needs_idle and not idle:
            wait_s = min(IDLE_S, _patience_s(job) + wait_s)
        nearest_s = min(nearest_s, wait_s)
    return max(nearest_s, LOOK_MIN_S)


def left_s(job: Plan, last: LastRun, now_s: float) -> float:
    """Return the seconds until a job's turn; 0 or less when it has come."""
    every_s = job.every_s if last.succeeded else min(job.every_s, RETRY_S)
    return every_s - (now_s - last.began_s)


def _patience_s(job: Plan) -> float:
    return min(job.every_s, OVERDUE_S)
