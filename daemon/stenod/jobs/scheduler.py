"""The scheduler: one wake-up at the next due time, one job at a time, every run noted."""

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio
import anyio.to_thread
import apsw
import msgspec

from steno_schema.errors import ErrorCode, RequestError, bad_request
from steno_schema.jobsettings import Daily, seconds_of
from steno_schema.times import format_ms
from stenod import failpoints
from stenod.jobs import runs
from stenod.jobs.beside import Beside
from stenod.jobs.due import IDLE_S, LastRun, Plan, clock_s, due, left_s, next_look_s, on_own_clock
from stenod.jobs.on_writer import forgotten_text_is_left
from stenod.jobs.runs import Result, Run
from stenod.jobs.slices import Interrupted, OnWriter, Slices, Task
from stenod.jobs.table import JOBS, SLICE_S, Job
from stenod.store.connection import is_damage, open_reader, sqlite_error
from stenod.traces import place_of

if TYPE_CHECKING:
    from stenod.daemon import Daemon

SETTLE_S = 60.0
"""A start is for those who wait for it: jobs come later."""

log = logging.getLogger("stenod.jobs")
Told = Callable[[Run], None]


class Scheduler:
    """Does what is due, and what is asked for; lives on the event loop."""

    def __init__(self, daemon: "Daemon") -> None:
        self._daemon = daemon
        self._wake = anyio.Event()
        self._asked: list[tuple[str, dict[str, Any], Told]] = []
        self._newest: dict[str, Run] = {}
        self._last: dict[str, LastRun] = {}
        self._done_at_write: dict[str, int] = {}
        self._writes = 0
        self._written_s = clock_s()
        self._sleeps_until_written = False
        self._stopping = threading.Event()
        self.running: str | None = None
        connection = open_reader(daemon.paths.database)
        self._recall(connection)
        connection.close()

    # ----- what others say

    def written(self) -> None:
        """Note that something was committed; called on the event loop after every commit."""
        self._writes += 1
        self._written_s = clock_s()
        if self._sleeps_until_written:
            self._sleeps_until_written = False
            self._wake.set()

    def forgotten(self) -> None:
        """Have the index merged as soon as nobody writes: forgotten words are still in it."""
        self._due_from_now(JOBS["merge"])

    def reconfigured(self) -> None:
        """Look at the cadences again."""
        self._wake.set()

    def ask(self, name: str, arguments: dict[str, Any], told: Told) -> None:
        """Run a job as soon as no other one runs; ``told`` hears of its end."""
        if name not in JOBS:
            raise bad_request(f"There is no job {name[:40]!r}.", f"Say one of {', '.join(JOBS)}.")
        self._asked.append((name, arguments, told))
        self._wake.set()

    def report(self) -> list[dict[str, Any]]:
        """Return every job with its cadence, its last run and the time it is due next."""
        return [self._told_of(job) for job in JOBS.values()]

    def _told_of(self, job: Job) -> dict[str, Any]:
        settings, newest = self._settings(job.name), self._newest.get(job.name)
        return {
            "name": job.name,
            "summary": job.summary,
            "enabled": settings.enabled,
            "every": settings.every,
            "running": self.running == job.name,
            "last": None if newest is None else described(newest),
            "next": self._next_time(job),
        }

    def _next_time(self, job: Job) -> str | None:
        every_s = self._every_s(job)
        if every_s is None:
            return None
        plan, now_s = Plan(job.name, every_s), time.time()
        wait_s = left_s(plan, self._last[job.name], clock_s())
        return format_ms(int((now_s + max(wait_s, 0)) * 1000))

    # ----- the loop

    async def run(self) -> None:
        """Do jobs for as long as the daemon lives."""
        try:
            settled_s = clock_s() + SETTLE_S
            while True:
                if clock_s() >= settled_s:
                    for name in self._due():
                        await self._do_asked()
                        await self._do(JOBS[name])
                await self._do_asked()
                await self._sleep(settled_s)
        finally:
            self._stopping.set()

    async def _do_asked(self) -> None:
        asked, self._asked = self._asked, []
        for name, arguments, told in asked:
            job = JOBS[name]
            if arguments:
                # A person's own affair, and no turn of the job.
                run, problem = await self._attempt(job, arguments)
                told(run)
                self._suspect(job, problem)
            else:
                await self._do(job, told)

    def _recall(self, connection: apsw.Connection) -> None:
        """Read what earlier processes did; what they had begun was stopped by their end."""
        for job in JOBS.values():
            self._due_from_now(job)
        for run in runs.newest(connection):
            self._newest[run.job] = run
            if run.job in JOBS:
                every_s = self._every_s(JOBS[run.job]) or 0
                began_s = on_own_clock(run.started_at / 1000, every_s, time.time(), clock_s())
                self._last[run.job] = LastRun(began_s, run.result == "done")
        if forgotten_text_is_left(connection):
            self.forgotten()

    def _due_from_now(self, job: Job) -> None:
        self._last[job.name] = LastRun(clock_s() - (self._every_s(job) or 0))
        self._done_at_write.pop(job.name, None)

    async def _sleep(self, settled_s: float) -> None:
        plans = self._plans()
        self._sleeps_until_written = len(plans) < len(self._plans(all_of_them=True))
        wait_s = next_look_s(plans, self._last, clock_s(), idle=self._is_idle())
        with anyio.move_on_after(max(wait_s, settled_s - clock_s())):
            if not self._asked:
                await self._wake.wait()
        self._wake = anyio.Event()

    def _due(self) -> list[str]:
        return due(self._plans(), self._last, clock_s(), idle=self._is_idle())

    def _is_idle(self) -> bool:
        return clock_s() - self._written_s >= IDLE_S

    def _plans(self, *, all_of_them: bool = False) -> list[Plan]:
        """Return the jobs that have a cadence, and something to do."""
        return [
            Plan(job.name, every_s, job.needs_idle)
            for job in JOBS.values()
            if (every_s := self._every_s(job)) is not None
            and (all_of_them or not job.after_writes or self._has_news(job.name))
        ]

    def _has_news(self, name: str) -> bool:
        return self._done_at_write.get(name) != self._writes

    def _settings(self, name: str) -> Daily:
        found = getattr(self._daemon.settings.jobs, name)
        assert isinstance(found, Daily)
        return found

    def _every_s(self, job: Job) -> int | None:
        settings = self._settings(job.name)
        return seconds_of(settings.every) if settings.enabled else None

    # ----- one run

    async def _do(self, job: Job, told: Told = lambda _run: None) -> None:
        """Run a job in its turn, and note that it did."""
        self._done_at_write[job.name] = self._writes
        began_s = clock_s()
        self._last[job.name] = LastRun(began_s)
        row_id: int | None = None
        try:
            row_id = (await self._on_writer(runs.begin(_begun(job))))["id"]
        except Exception as error:
            log.error("the run of %s could not be noted: %s", job.name, place_of(error))
        run, problem = await self._attempt(job, {})
        self._last[job.name] = LastRun(began_s, run.result == "done")
        self._newest[job.name] = run
        told(run)
        self._suspect(job, problem)
        if row_id is not None:
            await self._note_end(row_id, run)

    async def _attempt(self, job: Job, arguments: dict[str, Any]) -> tuple[Run, Exception | None]:
        """Run a job; return how it went, and the exception that ended it if one did."""
        self.running = job.name
        problem: Exception | None = None
        run, began_s = _begun(job), clock_s()
        try:
            failpoints.hit(f"job.{job.name}")
            detail = await self._carry_out(job, arguments)
            result: Result = "done"
        except Exception as error:
            result, detail = _failure(job, error)
            problem = error
        finally:
            self.running = None
        duration_ms = round((clock_s() - began_s) * 1000, 1)
        ended = msgspec.structs.replace(run, duration_ms=duration_ms, result=result, detail=detail)
        return ended, problem

    def _suspect(self, job: Job, error: Exception | None) -> None:
        """Have damage looked into: at once, or by a check where a copy may be the damaged one."""
        if error is None:
            return
        found = isinstance(error, RequestError) and error.code is ErrorCode.CORRUPT
        if is_damage(error) or (found and job.name == "check"):
            self._daemon.damaged(f"job {job.name}", error)
        elif found:
            self._due_from_now(JOBS["check"])

    async def _note_end(self, row_id: int, run: Run) -> None:
        try:
            await self._on_writer(runs.finish(row_id, run))
        except Exception as error:
            log.error("the run of %s could not be noted: %s", run.job, place_of(error))

    async def _carry_out(self, job: Job, arguments: dict[str, Any]) -> dict[str, Any]:
        if job.on_writer is not None:
            return await self._on_writer(job.on_writer, job.slice_s)
        assert job.beside is not None
        at_hand = Beside(self._daemon.paths, self._daemon.settings, arguments, self._stopping)
        try:
            return await anyio.to_thread.run_sync(
                partial(job.beside, at_hand), abandon_on_cancel=True
            )
        except apsw.InterruptError:
            raise Interrupted from None

    async def _on_writer(
        self, start: Callable[[OnWriter], Slices], slice_s: float = SLICE_S
    ) -> dict[str, Any]:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[dict[str, Any]] = loop.create_future()

        def settle(result: dict[str, Any] | None, error: Exception | None) -> None:
            if answer.done():
                return
            if error is None:
                answer.set_result(result or {})
            else:
                answer.set_exception(error)

        def told(result: dict[str, Any] | None = None, error: Exception | None = None) -> None:
            self._daemon.outbox.put(partial(settle, result, error))

        self._daemon.writer.give(Task(start, slice_s, told))
        return await answer


def _begun(job: Job) -> Run:
    return Run(job.name, time.time_ns() // 1_000_000)


def _failure(job: Job, error: Exception) -> tuple[Result, dict[str, Any]]:
    """Return how a run ended and what is told of it; never what a prompt said."""
    if isinstance(error, Interrupted):
        return "stopped", {"error": "It was interrupted; it begins again at its next turn."}
    log.error("job %s failed: %s", job.name, place_of(error))
    refusal = sqlite_error(error)
    return "failed", {"error": refusal.message, "hint": refusal.hint, "code": refusal.code.value}


def described(run: Run) -> dict[str, Any]:
    """Return a run as it goes over the wire."""
    return {
        "job": run.job,
        "started_at": format_ms(run.started_at),
        "duration_ms": run.duration_ms,
        "result": run.result,
        "detail": run.detail,
    }
