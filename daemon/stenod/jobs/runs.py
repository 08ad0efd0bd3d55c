"""What is kept of the runs of jobs: a row each, the newest few of every job."""

from collections.abc import Callable
from typing import Any, Literal

import apsw
import msgspec
from msgspec import Struct

from stenod.jobs.slices import OnWriter, Slices
from stenod.store.rows import fetch_all

RUNS_KEPT = 20
Result = Literal["running", "done", "failed", "stopped"]
_NEWEST = """
SELECT job, started_at, duration_ms, result, detail FROM job_run
WHERE id IN (SELECT max(id) FROM job_run GROUP BY job)
"""


class Run(Struct, frozen=True):
    """One run; ``started_at`` in milliseconds since 1970."""

    job: str
    started_at: int
    duration_ms: float | None = None
    result: Result = "running"
    detail: dict[str, Any] = {}


def newest(connection: apsw.Connection) -> list[Run]:
    """Return the last run of every job that ever ran, as a process finds them at its start."""
    return [
        Run(
            job,
            started_at,
            duration_ms,
            "stopped" if result == "running" else result,
            msgspec.json.decode(detail or "{}"),
        )
        for job, started_at, duration_ms, result, detail in fetch_all(connection, _NEWEST)
    ]


def begin(run: Run) -> Callable[[OnWriter], Slices]:
    """Return the step that notes a run's begin; it returns the ``id`` of its row."""

    def step(work: OnWriter) -> Slices:
        yield
        row_id = work.connection.execute(
            "INSERT INTO job_run (job, started_at, result) VALUES (?, ?, ?) RETURNING id",
            (run.job, run.started_at, run.result),
        ).get
        return {"id": row_id}

    return step


def finish(row_id: int, run: Run) -> Callable[[OnWriter], Slices]:
    """Return the step that notes a run's end, and forgets the oldest runs of that job."""

    def step(work: OnWriter) -> Slices:
        yield
        detail = msgspec.json.encode(run.detail).decode()
        with work.connection:
            work.connection.execute(
                "UPDATE job_run SET result = ?, duration_ms = ?, detail = ?,"
                " finished_at = started_at + CAST(?2 AS INTEGER) WHERE id = ?",
                (run.result, run.duration_ms, detail, row_id),
            )
            work.connection.execute(
                "DELETE FROM job_run WHERE job = ?1 AND id NOT IN (SELECT id FROM job_run"
                " WHERE job = ?1 ORDER BY id DESC LIMIT ?2)",
                (run.job, RUNS_KEPT),
            )
        return {}

    return step
