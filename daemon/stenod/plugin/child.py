"""The plug-in's process as the daemon sees it: started when it is needed, ended when it hangs."""

import contextlib
import os
import signal
import sys
from pathlib import Path

import anyio
import msgspec
from anyio.abc import Process
from anyio.streams.buffered import BufferedByteReceiveStream

from stenod.plugin.talk import LINE_MAX_BYTES, Answer, Question

START_S = 30.0
"""How long loading the function may take: models are large."""


class Failed(Exception):
    """The process did not answer; the message says in a few words why."""


class Unloadable(Failed):
    """The function is not there: asking for another prompt would not help."""


class Child:
    """One process at a time; its name is ``package.module:function``."""

    def __init__(self, name: str, folder: Path) -> None:
        self._command = [sys.executable, "-P", "-m", "stenod.plugin.host", name, str(folder)]
        self._process: Process | None = None
        self._answers: BufferedByteReceiveStream | None = None
        self.starts = 0

    async def ask(self, question: Question, deadline_s: float) -> Answer:
        """Return the answer, or raise ``Failed`` and leave no process behind."""
        try:
            if self._process is None:
                await self._start()
            with anyio.fail_after(deadline_s):
                return await self._exchange(question)
        except TimeoutError:
            await self.end()
            raise Failed(f"it took longer than {deadline_s:g} s") from None
        except BaseException:
            with anyio.CancelScope(shield=True):
                await self.end()
            raise

    async def _start(self) -> None:
        self.starts += 1
        process = await anyio.open_process(
            self._command, stdin=-1, stdout=-1, stderr=None, start_new_session=True
        )
        assert process.stdout is not None
        self._process, self._answers = process, BufferedByteReceiveStream(process.stdout)
        try:
            with anyio.fail_after(START_S):
                ready = await self._listen()
        except TimeoutError:
            raise Unloadable(f"it was not loaded within {START_S:g} s") from None
        except Failed as error:
            raise Unloadable(f"while it was loaded {error}") from None
        if not ready.is_ready:
            raise Unloadable(ready.error)

    async def _exchange(self, question: Question) -> Answer:
        assert self._process is not None
        assert self._process.stdin is not None
        # A process that ended does not listen; its end is told by what it does not answer.
        with contextlib.suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):
            await self._process.stdin.send(msgspec.json.encode(question) + b"\n")
        return await self._listen()

    async def _listen(self) -> Answer:
        assert self._answers is not None
        assert self._process is not None
        try:
            line = await self._answers.receive_until(b"\n", LINE_MAX_BYTES)
            return msgspec.json.decode(line, type=Answer)
        except (anyio.IncompleteRead, anyio.EndOfStream, anyio.BrokenResourceError):
            raise Failed(f"its process ended with {await self._process.wait()}") from None
        except (anyio.DelimiterNotFound, msgspec.DecodeError):
            raise Failed("its answer could not be read") from None

    async def end(self) -> None:
        """End the process and whatever it started."""
        process, self._process, self._answers = self._process, None, None
        if process is None:
            return
        with anyio.CancelScope(shield=True):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
            await process.aclose()
