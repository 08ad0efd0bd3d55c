"""The way of replies from other threads to the event loop: many in one hop.

Waking the loop costs a system call on each side; a batch of the writer wakes it once.
"""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable

from steno_schema.replies import AnyReply
from stenod.traces import place_of

log = logging.getLogger("stenod.outbox")


def settle(answer: "asyncio.Future[AnyReply]", reply: AnyReply) -> None:
    """Give an answer to whoever waits for it, if anybody still does."""
    if not answer.done():
        answer.set_result(reply)


class Outbox:
    """Calls that wait to be made on the event loop's thread, in order."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiting: deque[Callable[[], object]] = deque()
        self._is_due = False

    def put(self, call: Callable[[], object]) -> None:
        """Have ``call`` made on the loop; from any thread. Nothing is left to do once it ended."""
        self._waiting.append(call)
        # Between two threads both may see it unset: the loop is then woken once for nothing.
        if not self._is_due:
            self._is_due = True
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._make_calls)

    def _make_calls(self) -> None:
        # Unset first: what is put from here on wakes the loop again.
        self._is_due = False
        while self._waiting:
            call = self._waiting.popleft()
            try:
                call()
            except Exception as error:
                log.error("a reply could not be handed over: %s", place_of(error))
