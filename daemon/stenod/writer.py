"""The writer: one thread, the only write connection, one commit for all that waits.

A batch is one transaction. A request that breaks a rule fails alone: the batch is done again from
its start, with a savepoint a request, which would cost each of them two statements always.
Replies leave after the commit. When a commit fails nobody knows what is on the disk: the
connection is opened anew and every request is looked up before it is answered.
"""

import contextlib
import logging
import os
import threading
from collections.abc import Callable
from functools import partial
from itertools import groupby
from pathlib import Path

import apsw

from steno_schema.config import Settings
from steno_schema.errors import ErrorCode, RequestError
from steno_schema.limits import BATCH_MAX_REQUESTS
from steno_schema.replies import AnyReply, Appended, Done, Error
from steno_schema.requests import Admin, Append, Delete, Request
from stenod import failpoints
from stenod.background import Background
from stenod.backup.before import back_up_before_migration
from stenod.followers.acts import Acts
from stenod.followers.analysis import AnalysisFollower
from stenod.followers.cost import CallCost, ExchangeCost
from stenod.followers.follower import Follower
from stenod.followers.fulltext import FullText
from stenod.followers.prompthash import PromptHash
from stenod.followers.rollup import RollUp
from stenod.inbox import Inbox, Job
from stenod.jobs.slices import OnWriter, Task
from stenod.maintenance import maintain
from stenod.prices.pricelist import PriceList
from stenod.progress import Progress
from stenod.space import check_space
from stenod.store.append import is_stored
from stenod.store.connection import is_damage, open_writer, sqlite_error
from stenod.store.context import Context
from stenod.store.merge import refresh_touched
from stenod.store.migrate import check_belongs, migrate
from stenod.traces import place_of
from stenod.verbs import VERBS

COMMIT_FAILURES_MAX = 2
"""In a row; then the daemon ends, so that a restart looks at the disk with fresh eyes."""
EXIT_BROKEN = 70

BUSY = RequestError(ErrorCode.BUSY, "The daemon has too much to do.", "Try again in a moment.")
DAMAGED = RequestError(
    ErrorCode.CORRUPT, "The database is damaged; it is being replaced.", "Try again in a moment."
)


log = logging.getLogger("stenod.writer")


class Writer:
    """Owns the database's write side; everything else only hands it jobs.

    ``vfs`` names another way to the disk than the system's, for tests that break it.
    """

    def __init__(
        self,
        path: Path,
        settings: Settings,
        on_commit: Callable[[], None] = lambda: None,
        *,
        on_forgotten: Callable[[], None] = lambda: None,
        on_damage: Callable[[str, Exception], None] = lambda _where, _error: None,
        vfs: str | None = None,
    ) -> None:
        self.inbox = Inbox()
        self.progress = Progress(self.inbox.poke)
        self.background = Background(self.progress, self._at_hand)
        self._path = path
        self._vfs = vfs
        self._settings = settings
        self._on_commit = on_commit
        self._on_forgotten = on_forgotten
        self._on_damage = on_damage
        self._is_damaged = False
        self._failed_commits = 0
        self._in_pause = self._reconfigured = False
        check_belongs(path)
        self._open()
        with contextlib.suppress(apsw.BusyError):  # somebody reads the file just now
            self._empty_log()
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)

    def _open(self) -> None:
        self._connection = open_writer(self._path, self._vfs)
        migrate(self._connection, partial(back_up_before_migration, self._path))
        self._context = Context(self._connection)
        self.background.attach(self._connection, self._followers())

    def _empty_log(self) -> None:
        """Copy the log back and begin it anew.

        What a failed sync should have written of it is lost for good, though it can still be
        read; commits that stood behind such a gap would be cut off by a power failure.
        """
        with contextlib.suppress(apsw.FullError):
            self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)

    def _followers(self) -> list[Follower]:
        prices = PriceList(self._settings.prices)
        return [
            FullText(),
            AnalysisFollower(self._settings),
            Acts(),
            CallCost(prices),
            ExchangeCost(prices),
            RollUp(),
            PromptHash(),
        ]

    def _follow_settings(self) -> None:
        self.background.read_positions(self._followers())

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Take no more jobs and finish those queued."""
        self.inbox.close()
        if self._thread.is_alive():
            self._thread.join()

    def give(self, task: Task) -> None:
        """Have a job's task done in the pauses; from any thread."""
        self.background.give(task)
        self.inbox.poke()

    def _at_hand(self, connection: apsw.Connection) -> OnWriter:
        return OnWriter(connection, self.background, self._settings, self._forget_for_job)

    def _forget_for_job(self, change: Callable[[Context], None]) -> None:
        """Do a job's change in a commit of its own; what fails has the connection opened anew."""
        self._connection.execute("BEGIN IMMEDIATE")
        change(self._context)
        self.progress.committed(self._commit())
        self.background.written()
        self._on_forgotten()
        self._on_commit()

    def reconfigure(self, settings: Settings) -> None:
        """Take over new settings; what follows from them (prices, labels) is derived anew."""
        self._settings = settings
        self._reconfigured = True
        self.inbox.poke()

    def _run(self) -> None:
        try:
            while True:
                patience_s = self.background.patience_s(in_pause=self._in_pause)
                jobs = self.inbox.take(
                    BATCH_MAX_REQUESTS, None if self._is_damaged else patience_s
                )
                self._in_pause = not jobs
                if self._reconfigured:
                    self._reconfigured = False
                    self.work(self._follow_settings)
                if jobs:
                    self.take_in(jobs)
                elif self.inbox.closed:
                    self.background.drop_tasks()
                    break
                else:
                    self.work(self.background.work)
        except Exception as error:
            log.critical("the writer cannot go on: %s", place_of(error))
            give_up()

    def refuse_from_now_on(self) -> None:
        """Leave the database as it is: it is damaged. For any thread."""
        self._is_damaged = True

    def close(self) -> None:
        """Copy the log back and close the connection, the last one: one file is left."""
        try:
            if self._is_damaged:
                self._connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
            else:
                self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
        except apsw.Error as error:
            log.warning("last checkpoint failed: %s", type(error).__name__)
        with contextlib.suppress(apsw.Error):  # the log stays behind, and is safe
            self._connection.close()

    def work(self, step: Callable[[], None]) -> None:
        """Do a step of the background's work; what fails is tried again later."""
        try:
            if not self._is_damaged:
                step()
        except Exception as error:
            log.error("followers could not go on: %s", place_of(error))
            self.background.rest()
            if self._gives_in(error):
                return
            if not self._reopen():
                give_up()

    # ----- a batch

    def take_in(self, jobs: list[Job]) -> None:
        """Write a batch; what needs the connection outside of a transaction follows it."""
        if self._is_damaged:
            for job in jobs:
                job.deliver(error_reply(job.request.id, DAMAGED))
            return
        for do, alike in groupby(jobs, key=self._way_of):
            do(list(alike))
        if self.background.must_help():
            self.work(self.background.follow)

    def _way_of(self, job: Job) -> Callable[[list[Job]], None]:
        """Return what does a job; neighbours with the same one are done together."""
        if isinstance(job.request, Admin):
            return self._maintain
        return self._forget if isinstance(job.request, Delete) else self._write

    def _forget(self, jobs: list[Job]) -> None:
        """Answer only when what was forgotten has left the log too, not just the tables."""
        held: list[tuple[Job, AnyReply]] = []

        def hold(job: Job) -> Job:
            return Job(job.request, job.size_bytes, lambda reply: held.append((job, reply)))

        self._write([hold(job) for job in jobs])
        self.work(self.background.erase)
        self._on_forgotten()
        for job, reply in held:
            job.deliver(reply)

    def _maintain(self, jobs: list[Job]) -> None:
        for job in jobs:
            assert isinstance(job.request, Admin)
            job.deliver(self._maintained(job.request))

    def _maintained(self, request: Admin) -> AnyReply:
        try:
            result = maintain(self._connection, request)
            if request.action == "rederive":
                self.background.read_positions(self._followers())
        except Exception as error:
            self._gives_in(error)
            return error_reply(request.id, _refusal(request, error))
        return Done(id=request.id, changed=1, result=result)

    def _gives_in(self, error: Exception) -> bool:
        """Stop writing if the database is damaged: nothing is made worse, and others are told."""
        if is_damage(error):
            self._is_damaged = True
            self._on_damage("the writer", error)
        return self._is_damaged

    def _write(self, jobs: list[Job]) -> None:
        self.background.written()
        answers: list[tuple[Job, AnyReply]] = []
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            answers = self._applied_together(jobs)
            for job in jobs[len(answers) :]:
                answers.append((job, self._applied_alone(job)))
            sequence = self._commit()
        except Exception as error:
            log.error("a batch of %d was not committed: %s", len(jobs), place_of(error))
            self._answer_after_failure(jobs, answers, error)
            return
        failpoints.hit("writer.after_commit")
        self._failed_commits = 0
        self.progress.committed(sequence)
        for job, reply in answers:
            if isinstance(reply, Appended):
                reply.sequence = sequence
            job.deliver(reply)
        self._on_commit()

    def _commit(self) -> int:
        """Write down what follows from the changes, and commit; return the newest change."""
        refresh_touched(self._context)
        self._context.flush()
        sequence: int = self._connection.execute("SELECT max(sequence) FROM change").get or 0
        failpoints.hit("writer.before_commit")
        self._connection.execute("COMMIT")
        return sequence

    def _applied_together(self, jobs: list[Job]) -> list[tuple[Job, AnyReply]]:
        """Do all requests; if one breaks a rule, undo them all and return nothing."""
        try:
            return [(job, self._applied(job)) for job in jobs]
        except Exception:
            if not self._connection.in_transaction:
                raise  # SQLite gave it up: the disk is the reason, not a request
            self._connection.execute("ROLLBACK")
            self._context.rolled_back()
            self._connection.execute("BEGIN IMMEDIATE")
            return []

    def _applied(self, job: Job) -> AnyReply:
        if not isinstance(job.request, Delete):
            check_space(self._path.parent)
        reply = VERBS[type(job.request)](self._context, job.request)
        reply.id = job.request.id
        return reply

    def _applied_alone(self, job: Job) -> AnyReply:
        connection, context = self._connection, self._context
        mark = context.mark()
        connection.execute("SAVEPOINT request")
        try:
            reply = self._applied(job)
            connection.execute("RELEASE request")
        except Exception as error:
            if not connection.in_transaction or is_damage(error):
                raise  # SQLite gave up the whole transaction, the neighbours' work with it
            connection.execute("ROLLBACK TO request")
            connection.execute("RELEASE request")
            context.back_to(mark)
            return error_reply(job.request.id, _refusal(job.request, error))
        return reply

    def _answer_after_failure(
        self, jobs: list[Job], answers: list[tuple[Job, AnyReply]], error: Exception
    ) -> None:
        """Find out what became of a batch, and only then answer."""
        if self._gives_in(error):
            for job in jobs:
                job.deliver(error_reply(job.request.id, DAMAGED))
            return
        refusal = sqlite_error(error)
        if refusal.code in {ErrorCode.INTERNAL, ErrorCode.BAD_REQUEST}:
            refusal = RequestError(
                ErrorCode.UNKNOWN_OUTCOME, "The commit failed.", "Send it again."
            )
        replies = {id(job): reply for job, reply in answers}
        reopened = self._reopen()
        for job in jobs:
            reply = replies.get(id(job))
            stands = isinstance(reply, Error) or (reopened and self._is_stored(job, reply))
            if reply is not None and stands:
                job.deliver(reply)
            else:
                job.deliver(error_reply(job.request.id, refusal))
        self._on_commit()
        self._failed_commits += refusal.code is not ErrorCode.DISK_FULL
        if not reopened or self._failed_commits >= COMMIT_FAILURES_MAX:
            give_up()

    def _is_stored(self, job: Job, reply: AnyReply | None) -> bool:
        if not isinstance(job.request, Append) or not isinstance(reply, Appended):
            return False
        try:
            return is_stored(self._context, job.request, reply)
        except Exception as error:
            log.error("a request could not be looked up: %s", place_of(error))
            return False

    def _reopen(self) -> bool:
        try:
            with contextlib.suppress(apsw.Error):
                self._connection.close(force=True)
            self._open()
            self._empty_log()
        except Exception as error:
            log.error("the database could not be opened again: %s", place_of(error))
            return False
        return True


def give_up() -> None:
    """End the process at once: what was acknowledged is on the disk, the rest will be retried."""
    log.critical("the disk does not take writes; stopping so that a restart can check")
    os._exit(EXIT_BROKEN)


def _refusal(request: Request, error: Exception) -> RequestError:
    """Return what a client is told; a defect of the daemon's own goes into the log too."""
    refusal = sqlite_error(error)
    if refusal.code is ErrorCode.INTERNAL:
        log.error("%s failed: %s", type(request).__name__, place_of(error))
    return refusal


def error_reply(request_id: int | str, error: RequestError) -> Error:
    """Return the reply that carries an error."""
    return Error(
        id=request_id,
        code=error.code.value,
        message=error.message,
        hint=error.hint,
        retryable=error.retryable,
    )
