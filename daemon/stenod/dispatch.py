"""Dispatch: which room a request goes to."""

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import apsw
import msgspec

from steno_schema import FEATURES, PROTOCOL, __version__
from steno_schema.config import Settings
from steno_schema.errors import ErrorCode, RequestError, bad_request
from steno_schema.limits import FRAME_MAX_BYTES, KIB, STAGED_MAX_BYTES
from steno_schema.replies import AnyReply, Done, Pong, StatusReport, Welcome
from steno_schema.requests import (
    Admin,
    Amend,
    AnyRequest,
    Append,
    Cancel,
    Delete,
    Hello,
    Import,
    Ping,
    Stage,
    Status,
    Subscribe,
)
from stenod import access
from stenod.connection import Connection, decode_staged
from stenod.inbox import Job
from stenod.jobs.runs import Run
from stenod.jobs.scheduler import described
from stenod.labels import check_labels
from stenod.maintenance import ON_THE_WRITER
from stenod.query.capture_status import capture_status
from stenod.query.ledger import kept_stretch, ledger_entry, ledger_page
from stenod.query.redactions import redactions
from stenod.query.retention import add_retention
from stenod.questions import QUESTIONS
from stenod.readers import Readers, ReadJob
from stenod.redact import redact_request
from stenod.retention.preview import preview
from stenod.status import check_integrity, report
from stenod.store.connection import sqlite_error
from stenod.traces import place_of
from stenod.writer import BUSY, error_reply

if TYPE_CHECKING:
    from stenod.daemon import Daemon

Deliver = Callable[[AnyReply], None]
ADMIN_DEADLINE_S = 60.0
FLUSH_DEADLINE_S = 30.0
LEDGER_PAGE = 500
REDACT_AT_ONCE_MAX_BYTES = 256 * KIB
"""Redacting more may take long enough to be felt by others, so a thread of its own does it."""

log = logging.getLogger("stenod.dispatch")


class Dispatch:
    """Sends each request where it is done, and its reply back on the event loop."""

    def __init__(self, daemon: "Daemon") -> None:
        self._daemon = daemon

    def handle(self, connection: Connection, request: AnyRequest, size_bytes: int) -> None:
        """Take a request; its reply follows through ``connection.deliver``."""
        try:
            access.check(connection.role, request)
            if size_bytes > FRAME_MAX_BYTES and not isinstance(request, Append | Import | Stage):
                raise RequestError(
                    ErrorCode.TOO_LARGE,
                    f"A {type(request).__name__.lower()} of {size_bytes} bytes is too large.",
                    f"At most {FRAME_MAX_BYTES} are taken.",
                )
            self._route(connection, request, size_bytes)
        except Exception as error:
            connection.deliver(error_reply(request.id, _refusal(error)))

    def _route(self, connection: Connection, request: AnyRequest, size_bytes: int) -> None:
        if isinstance(request, Append | Import | Amend | Delete):
            self._write(connection, request, size_bytes)
        elif type(request) in QUESTIONS:
            question = QUESTIONS[type(request)]
            self._read(connection, request, lambda c: question(c, request, self._progress))
        elif isinstance(request, Stage):
            self._stage(connection, request)
        elif isinstance(request, Admin):
            self._admin(connection, request)
        elif isinstance(request, Status):
            self._read(
                connection,
                request,
                lambda c: StatusReport(report=report(c, self._daemon)),
            )
        elif isinstance(request, Subscribe):
            self._daemon.subscriptions.add(connection, request)
        elif isinstance(request, Cancel):
            self._cancel(connection, request)
        elif isinstance(request, Hello):
            connection.deliver(_welcome(request, self._daemon.pid))
        elif isinstance(request, Ping):
            connection.deliver(Pong(id=request.id))

    @property
    def _progress(self) -> Any:
        return self._daemon.writer.progress

    def _on_loop(self, connection: Connection) -> Deliver:
        return self._daemon.on_loop(connection.deliver)

    def _write(self, connection: Connection, request: AnyRequest, size_bytes: int) -> None:
        if isinstance(request, Delete):
            self._forget(connection, request, size_bytes)
            return
        check_labels(request, self._settings.tracking)
        if not self._settings.redaction.enabled:
            self._queue(connection, request, size_bytes)
        elif size_bytes <= REDACT_AT_ONCE_MAX_BYTES:
            redact_request(request)
            self._queue(connection, request, size_bytes)
        else:
            connection.hold()
            redacting = asyncio.get_running_loop().run_in_executor(None, redact_request, request)
            redacting.add_done_callback(
                lambda done: self._redacted(connection, request, size_bytes, done)
            )

    def _redacted(
        self,
        connection: Connection,
        request: AnyRequest,
        size_bytes: int,
        done: "asyncio.Future[None]",
    ) -> None:
        try:
            done.result()
            self._queue(connection, request, size_bytes)
        except Exception as error:
            connection.deliver(error_reply(request.id, _refusal(error)))
        connection.go_on()

    def _forget(self, connection: Connection, request: Delete, size_bytes: int) -> None:
        """Take in the spool first: what waits there may be what is to be forgotten."""
        spool = self._daemon.spool

        def queue() -> None:
            try:
                self._queue(connection, request, size_bytes)
            except Exception as error:
                connection.deliver(error_reply(request.id, _refusal(error)))

        if spool.state()["waiting"]:
            spool.wake(queue)
        else:
            queue()

    def _queue(self, connection: Connection, request: AnyRequest, size_bytes: int) -> None:
        job = Job(request, size_bytes, self._on_loop(connection))
        if not self._daemon.writer.inbox.put(job):
            if self._daemon.writer.inbox.closed:
                raise RequestError(
                    ErrorCode.SHUTTING_DOWN, "The daemon is stopping.", "Try again."
                )
            raise BUSY

    @property
    def _settings(self) -> Settings:
        return self._daemon.settings

    def _read(
        self,
        connection: Connection,
        request: AnyRequest,
        run: Callable[[apsw.Connection], AnyReply],
        deadline_s: float | None = None,
        readers: Readers | None = None,
    ) -> None:
        deliver = self._on_loop(connection)
        job = ReadJob(request.id, run, deliver)
        if deadline_s is not None:
            job.deadline_s = deadline_s
        if not (readers or self._daemon.readers).put(job):
            raise BUSY
        connection.reads[request.id] = job

    def _stage(self, connection: Connection, request: Stage) -> None:
        if request.token != connection.staging_token:
            connection.drop_staged()
            connection.staging_token = request.token
        if len(connection.staged) + len(request.data) > STAGED_MAX_BYTES:
            connection.drop_staged()
            raise RequestError(
                ErrorCode.TOO_LARGE, f"More than {STAGED_MAX_BYTES} bytes in one request."
            )
        if not self._daemon.server.may_stage(len(request.data)):
            connection.drop_staged()
            raise BUSY
        connection.staged += request.data
        if not request.last:
            connection.deliver(Pong(id=request.id))
            return
        whole = bytes(connection.staged)
        connection.drop_staged()
        staged = decode_staged(whole)
        if not isinstance(staged, Append | Import):
            raise bad_request("Only an append or an import goes up in parts.")
        access.check(connection.role, staged)
        staged.id = request.id
        self._write(connection, staged, len(whole))

    def _cancel(self, connection: Connection, request: Cancel) -> None:
        job = connection.reads.get(request.request)
        if job is not None:
            job.cancelled = True
        stopped = self._daemon.subscriptions.remove(connection, request.request)
        connection.deliver(Done(id=request.id, changed=int(job is not None or stopped)))

    def _admin(self, connection: Connection, request: Admin) -> None:
        daemon = self._daemon
        if request.action == "rederive" and request.arguments.get("follower") == "capture":
            self._watch(connection, request, "rederive", str(request.arguments.get("agent", "")))
        elif request.action == "capture_check":
            daemon.alarms.check(request, connection.deliver)
        elif request.action in ON_THE_WRITER:
            job = Job(request, 0, self._on_loop(connection))
            if not daemon.writer.inbox.put(job):
                raise BUSY
        elif request.action == "shutdown":
            connection.deliver(Done(id=request.id, changed=1, result={"pid": daemon.pid}))
            daemon.stop()
        elif request.action == "rescan":
            path = str(request.arguments.get("path", ""))
            self._watch(connection, request, "read" if path else "scan", path)
        elif request.action == "hook":
            self._hook(connection, request)
        elif request.action == "capture_report":
            daemon.watcher.reported(request.arguments)
            connection.deliver(Done(id=request.id))
        elif request.action == "drain_spool":
            self._drain_spool(connection, request)
        elif request.action == "jobs":
            jobs = daemon.scheduler.report()
            connection.deliver(Done(id=request.id, result={"jobs": jobs}))
        elif request.action in {"run_job", "optimize"}:
            self._run_job(connection, request)
        elif request.action == "retention_run" and not request.arguments.get("dry_run"):
            request.arguments = {"name": "retention"}
            self._run_job(connection, request)
        elif request.action == "config":
            connection.deliver(Done(id=request.id, result=daemon.described_settings()))
        else:
            self._read(
                connection,
                request,
                lambda c: self._ask(c, request),
                ADMIN_DEADLINE_S,
                daemon.patient if request.action in _PATIENT else daemon.readers,
            )

    def _run_job(self, connection: Connection, request: Admin) -> None:
        """Run a job now and answer at its end."""
        arguments = dict(request.arguments)
        self._daemon.scheduler.ask(
            str(arguments.pop("name", request.action)),
            arguments,
            lambda run: connection.deliver(_outcome(request, run)),
        )

    def _drain_spool(self, connection: Connection, request: Admin) -> None:
        """Look at the spool now; with ``wait``, answer when it has been gone through."""
        spool = self._daemon.spool
        if request.arguments.get("wait"):
            spool.wake(
                lambda: connection.deliver(
                    Done(id=request.id, changed=spool.taken, result=spool.state())
                )
            )
        else:
            spool.wake()
            connection.deliver(Done(id=request.id))

    def _hook(self, connection: Connection, request: Admin) -> None:
        """Hand an agent's event to the watcher; one that is far behind finds the rest by itself."""
        event = msgspec.json.encode(request.arguments).decode()
        if not self._daemon.watcher.is_far_behind:
            self._watch(connection, Admin(id=request.id, action="hook"), "hook", event)
        else:
            connection.deliver(Done(id=request.id))

    def _watch(self, connection: Connection, request: Admin, what: str, argument: str) -> None:
        """Have the watcher do something; with ``wait``, answer when it has."""
        if "\n" in argument:
            raise bad_request("A path of several lines cannot be handed on.", "Rescan everything.")
        watcher = self._daemon.watcher
        done = Done(id=request.id, changed=int(watcher.enabled))
        if watcher.enabled and request.arguments.get("wait"):
            watcher.order(what, argument, lambda: connection.deliver(done))
            return
        if watcher.enabled:
            watcher.order(what, argument)
        connection.deliver(done)

    def _ask(self, connection: apsw.Connection, request: Admin) -> Done:
        if request.action == "capture_status":
            watcher = self._daemon.watcher
            if request.arguments.get("backfill_only"):
                return Done(result={"backfill": watcher.backfill()})
            status = capture_status(connection, files=bool(request.arguments.get("files")))
            add_retention(connection, status["agents"], watcher.retention)
            return Done(result=status | {"backfill": watcher.backfill()})
        if request.action == "retention_run":
            return Done(result=preview(connection, self._settings.retention))
        if request.action == "ledger" and "source" in request.arguments:
            return Done(result=ledger_entry(connection, str(request.arguments["source"])))
        if request.action == "kept":
            source, start = request.arguments.get("source"), request.arguments.get("after")
            if not isinstance(source, str) or not isinstance(start, int):
                raise bad_request("`source` is an id and `after` a number.")
            return Done(result=kept_stretch(connection, source, start))
        if request.action == "ledger":
            after = request.arguments.get("after", 0)
            if not isinstance(after, int):
                raise bad_request("`after` is a number.")
            return Done(result=ledger_page(connection, after, LEDGER_PAGE))
        if request.action == "integrity_check":
            return Done(result=check_integrity(connection))
        if request.action == "redactions":
            return Done(result=redactions(connection))
        behind = {
            name: self._progress.wait_for(name, FLUSH_DEADLINE_S)
            for name in list(self._progress.behind)
        }
        return Done(result={"behind": behind})


_PATIENT = frozenset({"flush", "integrity_check", "redactions", "retention_run"})
"""What may take long, on a thread of its own: no other question waits behind it."""


def _outcome(request: Admin, run: Run) -> AnyReply:
    """Return the reply that tells how a job ended."""
    if run.result == "done":
        return Done(id=request.id, changed=1, result=described(run))
    code = ErrorCode(run.detail.get("code", ErrorCode.INTERNAL))
    message, hint = run.detail.get("error", "It failed."), run.detail.get("hint", "")
    return error_reply(request.id, RequestError(code, f"Job {run.job}: {message}", hint))


def _refusal(error: Exception) -> RequestError:
    refusal = sqlite_error(error)
    if refusal.code is ErrorCode.INTERNAL:
        log.error("a request failed: %s", place_of(error))
    return refusal


def _welcome(request: Hello, pid: int) -> AnyReply:
    if request.protocol != PROTOCOL:
        refusal = RequestError(
            ErrorCode.INCOMPATIBLE,
            f"This daemon speaks protocol {PROTOCOL}, the client {request.protocol}.",
            "Install the same release of both, then `steno restart`.",
        )
        return error_reply(request.id, refusal)
    return Welcome(
        id=request.id,
        protocol=PROTOCOL,
        server="stenod",
        version=__version__,
        features=list(FEATURES),
        pid=pid,
    )
