"""A run: one tracked call, from its prompt to its end, recorded when it has ended.

Nothing here raises into the caller's code: what fails is counted, see ``failures``.
"""

import time
from collections.abc import Mapping
from contextvars import ContextVar, Token
from types import TracebackType
from typing import Any, Self

from msgspec import Struct

from steno.context import project_here
from steno.exchanges import TokensLike
from steno.results import Saved
from steno.tracking.current import default_recorder, note
from steno.tracking.exchanges import inside, tracked_exchange
from steno.tracking.guards import reason_to_skip
from steno.tracking.jobs import DuplicateCheck, Job
from steno.tracking.recorder import Recorder
from steno.tracking.texts import prompt_text, text_of
from steno_schema.config import Settings, Tracking
from steno_schema.ids import uuid7
from steno_schema.limits import CAPTURED_TEXT_MAX_CHARS
from steno_schema.prompts import normalised, shortened
from steno_schema.records import AnyRecord
from steno_schema.times import format_ms

ERROR_MAX_CHARS = 2000
_current: ContextVar["Run | None"] = ContextVar("steno_run", default=None)


class Run:
    """What is known of a call that is under way; all of it may be set until it ends.

    ``output`` replaces what ``token`` collected. ``cost_usd`` is in US dollars, ``tokens`` as
    ``history.save`` takes them. A ``private`` run is not recorded, nor is anything inside of it.
    Nothing that is said to it raises. One gets it from ``track_execution``.

    Example::

        with track_execution("Why is the sky blue?") as run:
            run.model = "gpt-5"
            run.cost_usd = 0.0001
            run.output = "Rayleigh."
    """

    def __init__(
        self,
        prompt: object,
        context: Mapping[str, Any],
        *,
        recorder: Recorder | None = None,
        is_timed: bool = True,
    ) -> None:
        words = dict(context)
        self.id: str = words.pop("id", None) or uuid7()
        self.recorded_id: str | None = None
        """The id of its record once it has ended; ``None`` if a guard kept it from being one."""
        self.prompt = prompt
        self.output: str | None = None
        self.model: str | None = words.pop("model", None)
        self.tokens: TokensLike | None = words.pop("tokens", None)
        self.cost_usd: float | None = words.pop("cost_usd", None)
        self.private = bool(words.pop("private", False))
        self.parent: Run | None = None
        self._is_wanted = bool(words.pop("enabled", True))
        self._words = words
        self._recorder = recorder
        self._is_timed = is_timed
        self._parts: list[str] = []
        self._chars = 0
        self._has_ended = False
        self._token: Token[Run | None] | None = None
        self._begun_ms = time.time_ns() // 1_000_000
        self._clock_s = time.perf_counter()

    @property
    def session(self) -> str | None:
        """The session that it, or a run around it, was given."""
        around = None if self.parent is None else self.parent.session
        return self._words.get("session") or around

    @property
    def conversation(self) -> str | None:
        """The conversation that it was given, or that a run without a session stands in."""
        given: str | None = self._words.get("conversation")
        if given is None and self.parent is not None and self.session is None:
            return self.parent.conversation
        return given

    def set(self, **context: Any) -> None:
        """Say more about it: any field of an exchange; other words go into the metadata.

        It raises nothing: what does not fit is counted as a failure when the run ends.

        Example::

            with track_execution("Why is the sky blue?") as run:
                run.set(tags=["sky"], session="physics", output="Rayleigh.")
        """
        for name in ("model", "tokens", "cost_usd", "private", "prompt", "output"):
            if name in context:
                setattr(self, name, context.pop(name))
        self._words.update(context)

    def token(self, piece: object) -> None:
        """Add a piece of the output as it streams in. It raises nothing.

        Example::

            with track_execution("Why is the sky blue?") as run:
                for piece in ("Ray", "leigh."):
                    run.token(piece)
        """
        try:
            text = text_of(piece)
        except Exception as error:
            note(error)
            return
        if text and self._chars <= CAPTURED_TEXT_MAX_CHARS:
            self._parts.append(text)
            self._chars += len(text)

    def take(self, result: object) -> None:
        """Take the output from what a call returned; no text in it leaves what was collected."""
        try:
            text = text_of(result)
        except Exception as error:
            note(error)
            return
        if text:
            self.output = text

    def begin(self, parent: "Run | None" = None) -> None:
        """Start the clock; ``parent`` is the run around it, the current one by default."""
        self._begun_ms = time.time_ns() // 1_000_000
        self._clock_s = time.perf_counter()
        self.parent = _current.get() if parent is None else parent
        if self.parent is not None and self.parent.private:
            self.private = True

    def enter(self) -> "Token[Run | None]":
        """Be the current run: what begins from now on is inside of this one."""
        return _current.set(self)

    def leave(self, token: "Token[Run | None]") -> None:
        """Be the current run no more."""
        try:
            _current.reset(token)
        except ValueError:
            _current.set(None)  # entered in another context, as with a generator's ``finally``

    def end(self, error: BaseException | None = None) -> str | None:
        """Record it, once: completed, or failed with ``error``. Return the record's id."""
        if not self._has_ended:
            self._has_ended = True
            try:
                self.recorded_id = self._record(error)
            except Exception as problem:
                note(problem, self._recorder)
        return self.recorded_id

    def _record(self, error: BaseException | None) -> str | None:
        if self.private or not self._is_wanted:
            return None
        recorder = self._recorder or default_recorder()
        settings = recorder.context.settings
        prompt = normalised(prompt_text(self.prompt))
        reason = reason_to_skip(settings, prompt, project_here(), self._words.get("project"))
        if reason is not None:
            recorder.skipped(reason)
            return None
        words = self._said(recorder)
        if error is not None:
            words["status"] = "failed" if isinstance(error, Exception) else "aborted"
        output = "".join(self._parts) if self.output is None else text_of(self.output)
        call = _Call(prompt, shortened(output), words, _metadata(self.parent, error), self)
        return _put(recorder, settings, call)

    def _said(self, recorder: Recorder) -> dict[str, Any]:
        """Return what was said about it, completed as ``history.save`` does."""
        words = dict(self._words)
        words |= {"id": self.id, "model": self.model, "tokens": self.tokens}
        if self.cost_usd is not None:
            words["cost_usd"] = self.cost_usd
        if self._is_timed:
            words.setdefault("response_time_ms", (time.perf_counter() - self._clock_s) * 1000)
        words.setdefault("created_at", format_ms(self._begun_ms))
        context = recorder.context
        if words.get("user") is None:
            words["user"] = context.user()
        if words.get("project") is None:
            words["project"] = context.project()
        words["session"], words["conversation"] = self.session, self.conversation
        if words["session"] is None and words["conversation"] is None:
            words["session"] = context.session()
        return words

    def __enter__(self) -> Self:
        self.begin()
        self._token = self.enter()
        return self

    def __exit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._token is not None:
            self.leave(self._token)
            self._token = None
        self.end(exception)

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.__exit__(exception_type, exception, traceback)


class _Call(Struct, frozen=True):
    prompt: str
    output: str
    words: dict[str, Any]
    metadata: dict[str, Any]
    run: Run


def track_execution(prompt: object = "", **context: Any) -> Run:
    """Record what happens in a ``with`` (or ``async with``) block as one exchange.

    It has the block's duration (``response_time_ms``) and, if the block raises, the status
    ``failed`` with the error in its metadata; the exception goes on. Runs and tracked calls inside
    become its children. ``context`` is whatever an exchange can hold, other words go into its
    metadata; ``private=True`` records nothing, ``enabled=False`` not this one. Tracking itself
    never raises.

    Example::

        with track_execution("Why is the sky blue?", model="gpt-5") as run:
            run.output = "Rayleigh."
            run.tokens = {"input": 12, "output": 3}
        print(run.recorded_id)

    >>> with track_execution("Why is the sky blue?", model="m", enabled=False) as run:
    ...     run.output = "Rayleigh."
    """
    return Run(prompt, context)


def _metadata(parent: Run | None, error: BaseException | None) -> dict[str, Any]:
    metadata: dict[str, Any] = {}
    if parent is not None:
        metadata["parent"] = parent.id
    if error is not None:
        metadata["error"] = {"type": type(error).__qualname__, "message": _message_of(error)}
    return metadata


def _message_of(error: BaseException) -> str:
    try:
        return str(error)[:ERROR_MAX_CHARS]
    except Exception:
        return ""  # an error that cannot say what it is


def _put(recorder: Recorder, settings: Settings, call: _Call) -> str:
    """Give a call to the recorder; return the id that, as far as this process knows, stands."""
    run, words = call.run, call.words
    check: DuplicateCheck = settings.tracking.duplicate_check
    place = None if check == "all" else (words["session"] or words["conversation"])
    if call.output or words.get("status", "completed") != "completed":
        check = "off"
    known = None if check == "off" else recorder.seen.get(place, call.prompt)
    if known is None:
        recorder.seen.put(place, call.prompt, run.id)

    def told(saved: list[Saved]) -> None:
        if saved[-1].outcome == "duplicate":
            run.recorded_id = saved[-1].id
            recorder.seen.put(place, call.prompt, saved[-1].id)

    job = Job(
        make=lambda: _records(call, settings.tracking),
        told=told,
        chars=len(call.prompt) + len(call.output),
        duplicate_check=check,
    )
    recorder.put(job)
    return run.id if known is None else known


def _records(call: _Call, tracking: Tracking) -> list[AnyRecord]:
    exchange = tracked_exchange(
        call.prompt, call.output, call.words, call.metadata, tracking=tracking
    )
    parent = call.run.parent
    if parent is None:
        return [exchange]
    around = parent.conversation or (parent.parent.id if parent.parent else exchange.session)
    return inside(exchange, parent.id, around)
