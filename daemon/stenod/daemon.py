"""The daemon put together: which rooms there are, and how they start and stop."""

import asyncio
import contextlib
import logging
import os
import resource
import signal
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import anyio
import msgspec
from anyio.abc import TaskStatus

from steno_schema import config
from steno_schema.config import Settings
from steno_schema.errors import RequestError
from steno_schema.paths import Paths
from steno_schema.replies import AnyReply
from steno_schema.requests import Append
from stenod import instance, watchdog
from stenod.access import Role, extra_sockets
from stenod.alarms import Alarms
from stenod.dispatch import Dispatch
from stenod.inbox import Job
from stenod.jobs.scheduler import Scheduler
from stenod.outbox import Outbox, settle
from stenod.plugin.room import Plugin
from stenod.readers import Readers
from stenod.recovery import damage
from stenod.redact import redact_request
from stenod.server import Server
from stenod.sockets import listen
from stenod.spool import Spool
from stenod.spoolwatch import watch_spool
from stenod.store.connection import check_library
from stenod.subscriptions import Subscriptions
from stenod.watcher import Watcher
from stenod.writer import BUSY, Writer, error_reply

DRAIN_S = 10.0
LAST_REPLIES_S = 2.0
DESCRIPTORS_WANTED = 4096

log = logging.getLogger("stenod")


class Daemon:
    """Everything one daemon is made of. ``run`` starts it and returns when it has stopped."""

    def __init__(self, paths: Paths, loaded: config.Loaded, *, capture: bool) -> None:
        self.paths = paths
        self.settings: Settings = loaded.settings
        self.pid = os.getpid()
        self.started = time.monotonic()
        self._origins = loaded.origins
        self._may_capture = capture
        self.is_damaged = False
        self._stopping = anyio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def run(self) -> None:
        """Start in order, serve until told to stop, stop in the opposite order."""
        self._loop = asyncio.get_running_loop()
        self.outbox = Outbox(self._loop)
        check_library()
        _raise_descriptor_limit()
        self.writer = Writer(
            self.paths.database,
            self.settings,
            self._committed,
            on_forgotten=self._forgotten,
            on_damage=self.damaged,
        )
        self.readers = Readers(self.paths.database, on_damage=self.damaged)
        self.patient = Readers(self.paths.database, "patient", size=1, on_damage=self.damaged)
        self.subscriptions = Subscriptions(self)
        self.dispatch = Dispatch(self)
        self.server = Server(self.dispatch, self.subscriptions)
        self.spool = Spool(self.paths, self.write)
        self.watcher = Watcher(self.paths, enabled=self._captures(self.settings))
        self.alarms = Alarms(self)
        self.plugin = Plugin(self)
        self.writer.progress.heard = self.plugin.heard
        self.scheduler = Scheduler(self)
        self.writer.start()
        self.readers.start()
        self.patient.start()
        await self.server.start(listen(self.paths.socket), Role.ADMIN)
        for listener, role in extra_sockets(self.settings.access):
            await self.server.start(listener, role)
        async with anyio.create_task_group() as group:
            await group.start(self._signals)
            # Watched before it is read: what appears in between is not missed.
            group.start_soon(watch_spool, self.paths.spool, self.spool.wake)
            group.start_soon(self.spool.run)
            group.start_soon(self.watcher.run)
            group.start_soon(self.alarms.run)
            group.start_soon(self.plugin.run)
            group.start_soon(self.scheduler.run)
            group.start_soon(watchdog.feed, self)
            instance.notify("READY=1")
            log.info("ready pid=%d socket=%s", self.pid, self.paths.socket)
            await self._stopping.wait()
            instance.notify("STOPPING=1")
            self.server.stop_accepting()
            group.cancel_scope.cancel()
        await self._drain()

    async def _drain(self) -> None:
        """Answer what was taken in, then close the database and the doors."""
        with anyio.move_on_after(DRAIN_S):
            await anyio.to_thread.run_sync(self.writer.stop, abandon_on_cancel=True)
        for readers in (self.readers, self.patient):
            with anyio.move_on_after(DRAIN_S):
                await anyio.to_thread.run_sync(readers.stop, abandon_on_cancel=True)
        await anyio.lowlevel.checkpoint()
        self.server.close()
        with anyio.move_on_after(LAST_REPLIES_S):
            await self.server.wait_closed()
        with anyio.move_on_after(DRAIN_S):
            await anyio.to_thread.run_sync(self.writer.close, abandon_on_cancel=True)
        with contextlib.suppress(OSError):
            if "LISTEN_FDS" not in os.environ:
                self.paths.socket.unlink(missing_ok=True)
        log.info("stopped")

    async def _signals(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT, signal.SIGHUP) as signals:
            task_status.started()
            async for number in signals:
                if number == signal.SIGHUP:
                    self.reload()
                else:
                    self.stop()

    def stop(self) -> None:
        """Begin to stop; ``run`` returns when everything acknowledged is safe."""
        self._stopping.set()

    def damaged(self, where: str, error: Exception) -> None:
        """Stop, because the database is damaged; from any thread. Whoever runs this mends it."""
        self.writer.refuse_from_now_on()
        self.outbox.put(partial(self._give_in, where, error))

    def _give_in(self, where: str, error: Exception) -> None:
        if not self.is_damaged:
            self.is_damaged = True
            damage.mark(self.paths, where, error)
            self.stop()

    def stop_from_elsewhere(self) -> None:
        """Begin to stop, from any thread."""
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self.stop)

    def reload(self) -> None:
        """Read the configuration again; a broken one is reported and the old one stays."""
        try:
            loaded = config.load(self.paths)
        except config.ConfigError as error:
            log.error("configuration not taken over: %s", error)
            return
        before, self.settings = self.settings, loaded.settings
        self._origins = loaded.origins
        self.writer.reconfigure(loaded.settings)
        if _watched_by(before) != _watched_by(loaded.settings):
            self.watcher.reconfigure(enabled=self._captures(loaded.settings))
        self.scheduler.reconfigured()
        log.info("configuration read again")

    def _captures(self, settings: Settings) -> bool:
        return self._may_capture and settings.capture.enabled

    def described_settings(self) -> dict[str, Any]:
        """Return every setting in force with its origin."""
        return {"settings": msgspec.to_builtins(self.settings), "origins": self._origins}

    async def write(self, request: Append, size_bytes: int) -> AnyReply:
        """Send a write of the daemon's own through the writer and wait for its reply."""
        assert self._loop is not None
        if self.settings.redaction.enabled:
            try:
                await anyio.to_thread.run_sync(redact_request, request)
            except RequestError as error:
                return error_reply(request.id, error)
        answer: asyncio.Future[AnyReply] = self._loop.create_future()
        job = Job(request, size_bytes, self.on_loop(partial(settle, answer)))
        if not self.writer.inbox.put(job):
            return error_reply(request.id, BUSY)
        return await answer

    def on_loop(self, deliver: Callable[[AnyReply], None]) -> Callable[[AnyReply], None]:
        """Return a function that calls ``deliver`` on the event loop, from any thread."""
        put = self.outbox.put
        return lambda reply: put(partial(deliver, reply))

    def _committed(self) -> None:
        self.outbox.put(self._tell_of_commit)

    def _tell_of_commit(self) -> None:
        self.subscriptions.committed()
        self.scheduler.written()

    def _forgotten(self) -> None:
        self.outbox.put(self.scheduler.forgotten)


def _watched_by(settings: Settings) -> tuple[object, ...]:
    """Return the settings that the watcher reads when it starts."""
    capture = msgspec.structs.replace(settings.capture, alarm_command=())
    return capture, settings.redaction


def _raise_descriptor_limit() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = (
        DESCRIPTORS_WANTED if hard == resource.RLIM_INFINITY else min(DESCRIPTORS_WANTED, hard)
    )
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
