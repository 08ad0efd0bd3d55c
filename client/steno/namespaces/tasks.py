"""``client.tasks``: pieces of work, the time they were meant to take and the time they took."""

from typing import Any

from msgspec import Struct

from steno.filters import When, bound, now_text, time_text
from steno.results import Saved
from steno.rows import amended, only, select, typed
from steno.verbs import Namespace, Runner, Steps, ask, store_one, verb
from steno_schema.ids import uuid7
from steno_schema.records import Task as TaskRecord
from steno_schema.replies import Rows
from steno_schema.requests import Get
from steno_schema.times import parse_ms

_MS_PER_HOUR = 3_600_000
_STATS = """
SELECT specialist, count(*) AS tasks, count(completed_at) AS completed,
  coalesce(sum(estimation_hours), 0) AS estimation_hours,
  coalesce(sum(duration_hours), 0) AS duration_hours,
  sum(duration_hours) FILTER (WHERE estimation_hours IS NOT NULL)
    / nullif(sum(estimation_hours) FILTER (WHERE duration_hours IS NOT NULL), 0)
    AS duration_per_estimate
FROM tasks
WHERE (:session IS NULL OR session_id = :session)
  AND (:since IS NULL OR created_at >= :since) AND (:until IS NULL OR created_at <= :until)
GROUP BY specialist ORDER BY tasks DESC, specialist
"""


class Task(Struct, frozen=True, kw_only=True):
    """A row of ``tasks``: ``id`` is its UUID, ``number`` the view's integer, times in hours."""

    id: str
    number: int
    task_id: str
    session_id: str | None
    specialist: str | None
    type: str | None
    complexity: str | None
    started_at: str | None
    completed_at: str | None
    duration_hours: float | None
    estimation_hours: float | None
    created_at: str


class SpecialistStats(Struct, frozen=True, kw_only=True):
    """A specialist's tasks; times in hours.

    ``duration_per_estimate`` compares the tasks that have both: 1.5 means that they took half as
    long again as estimated.
    """

    specialist: str | None
    tasks: int
    completed: int
    estimation_hours: float
    duration_hours: float
    duration_per_estimate: float | None


class Tasks(Namespace[Runner]):
    """Create tasks, complete them, compare estimates with what came of them."""

    @verb
    def create(
        self,
        key: str | None = None,
        *,
        specialist: str | None = None,
        task_type: str | None = None,
        complexity: str | None = None,
        estimation_hours: float | None = None,
        session: str | None = None,
        started_at: When | None = None,
        id: str | None = None,
    ) -> Steps[Saved]:
        """Record a task that begins now, or at ``started_at``; its id is its key without one.

        The estimate is in hours. The session defaults to the settings, then to this process's
        own. Raises ``Misuse`` for a value that breaks a rule; without a daemon it is spooled like
        any save.

        Example::

            client.tasks.create("login", specialist="backend", estimation_hours=2)
        """
        record_id, now = id or uuid7(), now_text()
        record = TaskRecord(
            id=record_id,
            key=key or record_id,
            session=session or self._context.session(),
            specialist=specialist,
            task_type=task_type,
            complexity=complexity,
            started_at=now if started_at is None else time_text(started_at),
            estimation_hours=estimation_hours,
            created_at=now,
        )
        return (yield from store_one(record))

    @verb
    def complete(
        self,
        task: str | int,
        *,
        duration_hours: float | None = None,
        completed_at: When | None = None,
    ) -> Steps[int]:
        """Mark a task completed, now or at ``completed_at``. Returns how many tasks changed.

        Without ``duration_hours`` it took from its start until then. Of several tasks with one
        key the newest is meant. Raises ``Refused`` if there is none, ``Misuse`` for a time that
        is none, ``Unreachable`` without a daemon.

        Example::

            client.tasks.complete("login", duration_hours=3.5)
        """
        completed = bound(completed_at) or now_text()
        changes: dict[str, Any] = {"completed_at": completed, "duration_hours": duration_hours}
        target: str | int = task
        if duration_hours is None:
            known = yield from _get(task)
            began = parse_ms(known.started_at or known.created_at)
            took = max(parse_ms(completed) - began, 0)
            changes["duration_hours"] = took / _MS_PER_HOUR
            target = known.id
        return (yield from amended("task", target, changes))

    @verb
    def get(self, task: str | int) -> Steps[Task]:
        """Return a task by its key, its UUID, a unique prefix of one, or its number.

        Of several tasks with one key it is the newest. Raises ``Refused`` (``not_found``) if
        there is none, ``Unreachable`` without a daemon.

        Example::

            print(client.tasks.get("login").duration_hours)
        """
        return (yield from _get(task))

    @verb
    def stats(
        self,
        *,
        session: str | None = None,
        since: When | None = None,
        until: When | None = None,
    ) -> Steps[list[SpecialistStats]]:
        """Return each specialist's tasks: how many, estimated and actual hours.

        Raises ``Misuse`` for a time that is none, ``Unreachable`` without a daemon.

        Example::

            for stats in client.tasks.stats(since="30d"):
                print(stats.specialist, stats.tasks, stats.duration_per_estimate)
        """
        period = {"since": bound(since), "until": bound(until, end=True)}
        return (yield from select(_STATS, {"session": session, **period}, SpecialistStats))


def _get(task: str | int) -> Steps[Task]:
    reply = yield from ask(Get(target=str(task), type="task"), Rows)
    return typed(only(reply, "task", task), Task)
