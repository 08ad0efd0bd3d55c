"""``client.admin``: care of the database, done by the daemon while it goes on serving."""

from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from steno.verbs import Namespace, Runner, Steps, ask, verb
from steno_schema.replies import Done
from steno_schema.requests import Admin as AdminRequest

TIMEOUT_S = 600.0
"""Care of a large database takes its time."""
Outcome = TypeVar("Outcome", bound=Struct)


class Vacuumed(Struct, frozen=True, kw_only=True):
    """Size of the database before and after, in pages of ``page_size`` bytes (see ``status``)."""

    pages_before: int
    pages_after: int
    duration_ms: float


class Optimized(Struct, frozen=True, kw_only=True):
    """How long it took."""

    duration_ms: float


class Checkpointed(Struct, frozen=True, kw_only=True):
    """How many pages the log held and how many of them are in the database file now."""

    pages: int
    copied: int
    duration_ms: float


class Integrity(Struct, frozen=True, kw_only=True):
    """``ok``, or what is wrong: SQLite's findings and rows that name a row that is not there."""

    ok: bool
    problems: list[str]
    broken_references: int


class JobRun(Struct, frozen=True, kw_only=True):
    """One run of a job: its begin as ISO-8601 text, its length, how it ended, and figures of it.

    ``result`` is ``done``, ``failed`` (``detail["error"]`` says why), ``stopped`` (the daemon
    ended, it begins again) or ``running``.
    """

    job: str
    started_at: str
    duration_ms: float | None
    result: str
    detail: dict[str, Any] = {}


class Copied(Struct, frozen=True, kw_only=True):
    """A verified copy of the database: where it is, how large, and what it holds."""

    path: str
    size_bytes: int
    exchanges: int
    messages: int
    duration_ms: float


class PolicyRun(Struct, frozen=True, kw_only=True):
    """What one policy of the settings removed, or would: ``count`` rows with ``bytes`` of text."""

    policy: str
    count: int
    bytes: int


class RetentionRun(Struct, frozen=True, kw_only=True):
    """What retention did, or would do: sessions archived, and what went by policy."""

    sessions_archived: int
    policies: list[PolicyRun]


class Job(Struct, frozen=True, kw_only=True):
    """A job of the daemon: ``every`` as in the settings, ``next`` the time it is due.

    ``next`` is ``None`` for a job that only runs when it is asked for.
    """

    name: str
    summary: str
    enabled: bool
    every: str
    running: bool
    last: JobRun | None
    next: str | None


class Admin(Namespace[Runner]):
    """Make the database smaller, faster, or sure of itself."""

    @verb
    def vacuum(self, *, timeout_s: float = TIMEOUT_S) -> Steps[Vacuumed]:
        """Write the database anew without its free pages; writes wait meanwhile.

        It needs room for the database once more, in memory and on the disk. Raises ``Refused`` if
        the disk is full, ``TimedOut`` after ``timeout_s`` seconds (it goes on all the same).

        Example::

            print(client.admin.vacuum().pages_after)
        """
        return (yield from _do(AdminRequest(action="vacuum"), Vacuumed, timeout_s))

    @verb
    def optimize(self, *, timeout_s: float = TIMEOUT_S) -> Steps[Optimized]:
        """Merge pieces of the search index and renew the query planner's statistics.

        Both work in the pauses between writes. Raises ``TimedOut`` after ``timeout_s`` seconds
        (it goes on all the same).

        Example::

            print(client.admin.optimize().duration_ms)
        """
        merged = yield from self._run("merge", timeout_s)
        optimized = yield from self._run("optimize", timeout_s)
        total_ms = (merged.duration_ms or 0) + (optimized.duration_ms or 0)
        return Optimized(duration_ms=total_ms)

    @verb
    def checkpoint(self, *, timeout_s: float = TIMEOUT_S) -> Steps[Checkpointed]:
        """Move the write-ahead log into the database file and empty it.

        Nothing depends on it: what was acknowledged is safe in either. Raises ``Refused``
        (``busy``) while readers hold on to the log, ``TimedOut`` after ``timeout_s`` seconds.

        Example::

            client.admin.checkpoint()
        """
        return (yield from _do(AdminRequest(action="checkpoint"), Checkpointed, timeout_s))

    @verb
    def jobs(self) -> Steps[list[Job]]:
        """Return the daemon's regular jobs: how often each runs, how it last went, when it is due.

        Raises ``Unreachable`` without a daemon.

        Example::

            for job in client.admin.jobs():
                print(job.name, job.every, job.next)
        """
        done = yield from ask(AdminRequest(action="jobs"), Done)
        return msgspec.convert(done.result["jobs"], list[Job])

    @verb
    def run(self, name: str, *, timeout_s: float = TIMEOUT_S) -> Steps[JobRun]:
        """Run the job ``name`` now, whether it is due or not, and wait for its end.

        Raises ``Refused`` if there is no such job or it fails, ``TimedOut`` after ``timeout_s``
        seconds (it goes on all the same).

        Example::

            print(client.admin.run("check").duration_ms)
        """
        return (yield from self._run(name, timeout_s))

    @verb
    def backup(
        self, path: str | Path | None = None, *, timeout_s: float = TIMEOUT_S
    ) -> Steps[Copied]:
        """Write a verified copy of the database as it is now; nobody waits for it.

        Without ``path`` it goes to the folder of the settings, where old backups are removed. A
        ``path`` must not exist yet. Raises ``Refused`` if there is no room or the copy is not
        sound, ``TimedOut`` after ``timeout_s`` seconds (it goes on all the same).

        Example::

            print(client.admin.backup().path)
        """
        return (yield from self._copy("backup", path, timeout_s))

    @verb
    def publish(self, path: str | Path, *, timeout_s: float = TIMEOUT_S) -> Steps[Copied]:
        """Replace the file at ``path`` by a snapshot of now that others may read.

        Raises ``Refused`` if ``path`` is something else than an earlier snapshot, or there is no
        room, ``TimedOut`` after ``timeout_s`` seconds (it goes on all the same).

        Example::

            client.admin.publish("shared.db")
        """
        return (yield from self._copy("publish", path, timeout_s))

    @verb
    def rehearse(self, *, timeout_s: float = TIMEOUT_S) -> Steps[JobRun]:
        """Restore a backup of now into a temporary place and compare it, row by row.

        Raises ``Refused`` if anything differs, ``TimedOut`` after ``timeout_s`` seconds.

        Example::

            assert client.admin.rehearse().detail["equal"]
        """
        return (yield from self._run("rehearse", timeout_s))

    def _copy(self, job: str, path: str | Path | None, timeout_s: float) -> Steps[Copied]:
        arguments = {} if path is None else {"path": str(Path(path).expanduser().absolute())}
        run = yield from self._run(job, timeout_s, arguments)
        return msgspec.convert(run.detail | {"duration_ms": run.duration_ms}, Copied)

    def _run(
        self, name: str, timeout_s: float, arguments: dict[str, Any] | None = None
    ) -> Steps[JobRun]:
        request = AdminRequest(action="run_job", arguments={"name": name, **(arguments or {})})
        return (yield from _do(request, JobRun, timeout_s))

    @verb
    def retention_run(
        self, *, dry_run: bool = False, timeout_s: float = TIMEOUT_S
    ) -> Steps[RetentionRun]:
        """Do what ``[retention]`` of the settings says; with ``dry_run`` only tell what would go.

        What goes is gone as after ``forget``. Raises ``Refused`` if it fails, ``TimedOut`` after
        ``timeout_s`` seconds (it goes on all the same).

        Example::

            for policy in client.admin.retention_run(dry_run=True).policies:
                print(policy.policy, policy.count, policy.bytes)
        """
        request = AdminRequest(action="retention_run", arguments={"dry_run": dry_run})
        if dry_run:
            return (yield from _do(request, RetentionRun, timeout_s))
        run = yield from _do(request, JobRun, timeout_s)
        return msgspec.convert(run.detail, RetentionRun)

    @verb
    def integrity_check(self, *, timeout_s: float = TIMEOUT_S) -> Steps[Integrity]:
        """Read the whole database and check that it is sound.

        Raises ``Refused`` (``timeout``) if that takes the daemon longer than a minute,
        ``TimedOut`` after ``timeout_s`` seconds.

        Example::

            assert client.admin.integrity_check().ok
        """
        return (yield from _do(AdminRequest(action="integrity_check"), Integrity, timeout_s))


def _do(request: AdminRequest, kind: type[Outcome], timeout_s: float) -> Steps[Outcome]:
    done = yield from ask(request, Done, timeout_s)
    return msgspec.convert(done.result, kind)
