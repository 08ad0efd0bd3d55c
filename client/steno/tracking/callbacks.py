"""``Tracker``: callbacks for clients with hooks, which tell of a call as it goes."""

from collections.abc import Hashable
from typing import Any

from steno.tracking.current import note
from steno.tracking.run import Run

OPEN_MAX = 1000
"""Runs that began and did not end; a further one gives up the oldest."""


class Tracker:
    """Records calls that report themselves: ``on_start``, ``on_token``, ``on_end``, ``on_error``.

    ``run_id`` tells calls apart that are under way at the same time, any hashable thing the
    client knows them by; without it the latest one is meant. ``context`` holds for all of them.
    Callbacks never raise and may come from any thread.

    Example::

        tracker = Tracker(model="gpt-5", tags=["sky"])
        run_id = tracker.on_start("Why is the sky blue?")
        for piece in ("Ray", "leigh."):
            tracker.on_token(piece, run_id=run_id)
        tracker.on_end(run_id=run_id)

    >>> tracker = Tracker(model="m", enabled=False)
    >>> run_id = tracker.on_start("Why is the sky blue?")
    >>> tracker.on_token("Ray"), tracker.on_token("leigh.")
    (None, None)
    >>> tracker.on_end() is None  # the record's id, were it enabled
    True
    """

    def __init__(self, **context: Any) -> None:
        self._context = context
        self._open: dict[Hashable, Run] = {}

    def on_start(
        self,
        prompt: object,
        *,
        run_id: Hashable = None,
        parent_run_id: Hashable = None,
        **context: Any,
    ) -> Hashable:
        """Note that a call began; return what to know it by: ``run_id``, or one made here.

        ``context`` is whatever an exchange can hold. It raises nothing.

        Example::

            run_id = tracker.on_start("Why is the sky blue?", model="gpt-5")
        """
        try:
            run = Run(prompt, {**self._context, **context})
            run.begin(self._open.get(parent_run_id))
            known_by = run.id if run_id is None else run_id
            self._open[known_by] = run
            if len(self._open) > OPEN_MAX:
                self._open.pop(next(iter(self._open))).end(GeneratorExit())
        except Exception as error:
            note(error)
            return run_id
        return known_by

    def on_token(self, token: object, *, run_id: Hashable = None) -> None:
        """Add a piece of the output. It raises nothing.

        Example::

            tracker.on_start("Why is the sky blue?", run_id=7)
            tracker.on_token("Rayleigh.", run_id=7)
            tracker.on_end(run_id=7)
        """
        run = self._find(run_id)
        if run is not None:
            run.token(token)

    def on_end(
        self, output: object = None, *, run_id: Hashable = None, **context: Any
    ) -> str | None:
        """Record the call; ``output`` replaces the pieces. Return the record's id, if any.

        ``cost_usd`` in ``context`` is in US dollars. It raises nothing.

        Example::

            tracker.on_start("Why is the sky blue?")
            tracker.on_end("Rayleigh.", tokens={"input": 12, "output": 3}, cost_usd=0.0001)
        """
        return self._end(run_id, None, output, context)

    def on_error(
        self, error: BaseException, *, run_id: Hashable = None, **context: Any
    ) -> str | None:
        """Record the call as failed, with what came of it until then. It raises nothing.

        Returns the record's id, if any.

        Example::

            tracker.on_start("Why is the sky blue?")
            tracker.on_error(TimeoutError("no answer within 30 s"))
        """
        return self._end(run_id, error, None, context)

    def _end(
        self,
        run_id: Hashable,
        error: BaseException | None,
        output: object,
        context: dict[str, Any],
    ) -> str | None:
        try:
            run = self._find(run_id)
            if run is None:
                return None
            known_by = next((key for key, each in list(self._open.items()) if each is run), None)
            self._open.pop(known_by, None)
            run.set(**context)
            run.take(output)
            return run.end(error)
        except Exception as problem:
            note(problem)
            return None

    def _find(self, run_id: Hashable) -> Run | None:
        try:
            if run_id is None:
                return next(reversed(self._open.values()), None)
            return self._open.get(run_id)
        except (TypeError, RuntimeError) as error:
            note(error)
            return None
