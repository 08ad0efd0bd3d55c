"""Asking the plug-in, one prompt after the other, and storing what it says.

What waits stands in the database (``analysis.waiting``), so that nothing is lost by a restart of
either side. The newest is asked first.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import anyio
import apsw
import msgspec
from msgspec import Struct

from steno_schema.labels import is_listed
from steno_schema.replies import AnyReply, Done
from stenod.followers.analysis import AnalysisFollower
from stenod.inbox import Deliver, Job
from stenod.plugin.child import Child, Failed, Unloadable
from stenod.plugin.host import TEXT_MAX_CHARS
from stenod.plugin.talk import Question
from stenod.plugin.verdicts import Verdict, Verdicts, waiting
from stenod.readers import ReadJob
from stenod.store.rows import Row

if TYPE_CHECKING:
    from stenod.daemon import Daemon

NAME = "plugin"
BATCH = 32
STORE_EVERY_S = 0.25
"""Verdicts are stored together, but a slow function's as they come."""
VERDICT_BYTES = 400
"""About what one takes in the writer's queue."""
BACK_OFF_FIRST_S = 0.5
BACK_OFF_MAX_S = 60.0
_UNLOADABLE = "cannot be loaded"
_LABELS = ("category", "complexity", "technique", "stage")

log = logging.getLogger("stenod.plugin")


class _Said(Struct, frozen=True):
    """The types of what the function may return."""

    category: str | None = None
    complexity: str | None = None
    technique: str | None = None
    stage: str | None = None
    keywords: list[str] | None = None
    follow_up: bool | None = None


class Plugin:
    """Takes prompts that wait to a function, as long as one is configured."""

    def __init__(self, daemon: "Daemon") -> None:
        self._daemon = daemon
        self._settings = daemon.settings
        self.name = daemon.settings.analysis.plugin
        self._child = Child(self.name, daemon.paths.config.parent)
        self._wake = anyio.Event()
        self._rest_s = 0.0
        self._answered = self._failed = self._waiting = 0
        self._state = "runs" if self.name else "off"
        self._last_failure: str | None = None

    def state(self) -> dict[str, Any]:
        """Return what ``steno status`` and ``steno doctor`` show."""
        return {
            "name": self.name,
            "state": self._state,
            "waiting": self._waiting,
            "answered": self._answered,
            "failed": self._failed,
            "starts": self._child.starts,
            "last_failure": self._last_failure,
        }

    def heard(self, follower: str) -> None:
        """Look whether something waits when the analysis has moved; on any thread."""
        if self.name and follower == AnalysisFollower.name:
            self._daemon.writer.progress.give(NAME)
            self._daemon.outbox.put(self._look)

    def _look(self) -> None:
        self._wake.set()

    async def run(self) -> None:
        """Ask until cancelled."""
        if not self.name:
            return
        progress = self._daemon.writer.progress
        progress.followed(NAME, 1)
        try:
            while True:
                self._wake = anyio.Event()
                mark, is_behind = progress.mark(), progress.behind.get(AnalysisFollower.name)
                self._waiting, rows = await self._rows()
                if rows:
                    if self._state != _UNLOADABLE:
                        progress.followed(NAME, self._waiting)
                    await self._take(rows)
                    continue
                if not is_behind:
                    progress.followed(NAME, 0, at=mark)
                await self._wake.wait()
        finally:
            await self._child.end()

    async def _take(self, rows: list[Row]) -> None:
        verdicts: list[Verdict] = []
        stored = time.monotonic()
        try:
            for row in rows:
                verdicts.append(await self._judge(row))
                if time.monotonic() - stored > STORE_EVERY_S:
                    await self._store(verdicts)
                    verdicts, stored = [], time.monotonic()
                await self._rest()
        except Unloadable as error:
            self._note(str(error))
            self._state = _UNLOADABLE
            # Nobody shall wait for what may never come.
            self._daemon.writer.progress.forget(NAME)
            await self._store(verdicts)
            self._back_off()
            await self._rest()
            return
        await self._store(verdicts)

    async def _judge(self, row: Row) -> Verdict:
        """Ask about one exchange; a failure is a verdict that leaves everything to the rules."""
        exchange_id, asked, prompt, output, *labels, keywords = row
        guess: dict[str, Any] = dict(zip(_LABELS, labels, strict=True))
        guess["keywords"] = msgspec.json.decode(keywords) if keywords else []
        question = Question(prompt[:TEXT_MAX_CHARS], output[:TEXT_MAX_CHARS], guess)
        try:
            answer = await self._child.ask(question, self._settings.analysis.plugin_deadline_s)
        except Unloadable:
            raise
        except Failed as error:
            self._note(str(error))
            self._back_off()
            return Verdict(exchange_id=exchange_id, asked=asked)
        self._rest_s = 0.0
        self._state = "runs"
        if answer.error:
            self._note(answer.error)
            return Verdict(exchange_id=exchange_id, asked=asked)
        return self._verdict(exchange_id, asked, answer.verdict or {})

    def _verdict(self, exchange_id: int, asked: int, told: dict[str, Any]) -> Verdict:
        """Return what can be taken of an answer: known fields with configured labels."""
        try:
            said = msgspec.to_builtins(msgspec.convert(told, _Said))
        except msgspec.ValidationError:
            self._note("its answer has fields of a wrong type")
            return Verdict(exchange_id=exchange_id, asked=asked)
        tracking = self._settings.tracking
        unlisted = [
            name
            for name in _LABELS
            if said[name] is not None and not is_listed(name, said[name], tracking)
        ]
        if unlisted:
            self._note(f"its answer has a {unlisted[0]} that is not configured")
        else:
            self._answered += 1
        kept = {name: value for name, value in said.items() if name not in unlisted}
        return Verdict(exchange_id=exchange_id, asked=asked, **kept)

    def _note(self, failure: str) -> None:
        self._failed += 1
        if failure != self._last_failure:
            log.warning("the plug-in %s failed: %s", self.name, failure)
        self._last_failure = failure

    def _back_off(self) -> None:
        self._rest_s = min(max(2 * self._rest_s, BACK_OFF_FIRST_S), BACK_OFF_MAX_S)

    async def _rest(self) -> None:
        """Wait before a process that failed is started again."""
        if self._rest_s:
            await anyio.sleep(self._rest_s)

    async def _rows(self) -> tuple[int, list[Row]]:
        """Return how many wait, and some of them; none while readers have too much to do."""
        reply = await self._answer_of(
            lambda deliver: self._daemon.readers.put(ReadJob(NAME, _read, deliver))
        )
        return reply.result["rows"] if isinstance(reply, Done) else (self._waiting, [])

    async def _store(self, verdicts: list[Verdict]) -> None:
        """Have the writer store verdicts; when it does not, they are asked for again."""
        if verdicts:
            request = Verdicts(verdicts=verdicts)
            size_bytes = len(verdicts) * VERDICT_BYTES
            await self._answer_of(
                lambda deliver: self._daemon.writer.inbox.put(Job(request, size_bytes, deliver))
            )

    async def _answer_of(self, put: Callable[[Deliver], bool]) -> AnyReply | None:
        """Return the reply to what ``put`` queues; ``None`` when it could not be queued."""
        answer: asyncio.Future[AnyReply] = asyncio.get_running_loop().create_future()

        def deliver(reply: AnyReply) -> None:
            if not answer.done():
                answer.set_result(reply)

        if not put(self._daemon.on_loop(deliver)):
            await anyio.sleep(BACK_OFF_FIRST_S)
            return None
        return await answer


def _read(connection: apsw.Connection) -> Done:
    return Done(result={"rows": waiting(connection, BATCH)})
