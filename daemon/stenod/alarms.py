"""Looking for alarms when capture asks for it, and telling them to the command that is configured.

The command is a person's own (``capture.alarm_command``): it is run without a shell, gets the new
alarms as JSON on its standard input, and is killed when it takes too long. Nothing waits for it.
"""

import logging
import subprocess
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import anyio
import msgspec

from steno_schema.replies import AnyReply, Done
from steno_schema.requests import Admin
from stenod.inbox import Job
from stenod.readers import ReadJob
from stenod.store import alarms
from stenod.writer import BUSY, error_reply

if TYPE_CHECKING:
    from stenod.daemon import Daemon

COMMAND_DEADLINE_S = 10.0
WAITING_MAX = 100

Deliver = Callable[[AnyReply], None]
log = logging.getLogger("stenod.alarms")


class Alarms:
    """Finds new alarms and runs the command for them, one call after the other."""

    def __init__(self, daemon: "Daemon") -> None:
        self._daemon = daemon
        self._untold: list[dict[str, Any]] = []
        self._wake = anyio.Event()

    def check(self, request: Admin, deliver: Deliver) -> None:
        """Raise what is new; the writer is asked only when there is something."""
        on_loop = self._daemon.on_loop
        looked = on_loop(lambda reply: self._looked(request, reply, deliver))
        job = ReadJob(request.id, lambda c: Done(changed=int(alarms.is_due(c))), looked)
        if not self._daemon.patient.put(job):
            raise BUSY

    def _looked(self, request: Admin, reply: AnyReply, deliver: Deliver) -> None:
        if not isinstance(reply, Done) or not reply.changed:
            deliver(reply)
            return
        checked = self._daemon.on_loop(lambda reply: self._checked(reply, deliver))
        if not self._daemon.writer.inbox.put(Job(request, 0, checked)):
            deliver(error_reply(request.id, BUSY))

    def _checked(self, reply: AnyReply, deliver: Deliver) -> None:
        if isinstance(reply, Done):
            raised: list[dict[str, Any]] = reply.result["raised"]
            for alarm in raised:
                log.warning("an alarm was raised: %s of %s", alarm["what"], alarm["agent"])
            self._untold = (self._untold + raised)[:WAITING_MAX]
            self._wake.set()
        deliver(reply)

    async def run(self) -> None:
        """Tell of alarms as they come, until cancelled."""
        while True:
            await self._wake.wait()
            self._wake = anyio.Event()
            untold, self._untold = self._untold, []
            command = self._daemon.settings.capture.alarm_command
            if untold and command:
                await _tell(command, untold)


async def _tell(command: tuple[str, ...], untold: list[dict[str, Any]]) -> None:
    told = msgspec.json.encode({"alarms": untold})
    try:
        with anyio.fail_after(COMMAND_DEADLINE_S):
            done = await anyio.run_process(
                command,
                input=told,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                check=False,
                start_new_session=True,
            )
    except TimeoutError:
        log.warning("capture.alarm_command was stopped after %.0f s", COMMAND_DEADLINE_S)
    except OSError as error:
        log.warning("capture.alarm_command cannot be run: %s", error.strerror)
    else:
        if done.returncode:
            log.warning("capture.alarm_command ended with %d", done.returncode)
