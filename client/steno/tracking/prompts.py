"""``track_prompt``: called with a text it records it, called otherwise it decorates a function."""

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, overload

from steno.tracking.current import default_recorder, note
from steno.tracking.decorator import tracked
from steno.tracking.run import Run

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")
_NOTHING = object()


@overload
def track_prompt(text: str, /, **context: Any) -> str | None: ...
@overload
def track_prompt(function: Callable[Parameters, Result], /) -> Callable[Parameters, Result]: ...
@overload
def track_prompt(
    **context: Any,
) -> Callable[[Callable[Parameters, Result]], Callable[Parameters, Result]]: ...
def track_prompt(given: object = _NOTHING, /, **context: Any) -> Any:
    """Record a prompt and return its id, or track every call of a function.

    ``track_prompt(text, **context)`` returns at once; the record is stored beside the caller's
    work. ``None`` means that a guard kept it out: too short, private, opted out. ``context`` is
    whatever an exchange can hold (``output``, ``model``, ``session``, ``tags`` …); other words go
    into its metadata. A prompt that this process tracked before in its session has the id of that
    time; what other processes tracked only the daemon knows: ``wait_s`` waits so many seconds for
    its answer, and the id is the one that stands.

    ``@track_prompt`` or ``@track_prompt(**context)`` on a function, coroutine function, generator
    or async generator records each call with its output, duration and error. ``prompt_from`` names
    the parameter with the prompt or is a function of the arguments; ``output_from`` makes text of
    what is returned or yielded.

    ``private=True`` records nothing, not even what is tracked inside; ``enabled=False`` not this.
    It never raises because of tracking; ``steno doctor`` tells of failures.

    Example::

        track_prompt("Why is the sky blue?", output="Rayleigh.", model="gpt-5", tags=["sky"])


        @track_prompt(model="gpt-5")
        def answer(prompt: str) -> str:
            return "Rayleigh."


        answer("Why is the sky blue?")

    >>> track_prompt("Why is the sky blue?", enabled=False) is None
    True
    """
    if given is _NOTHING:

        def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
            return tracked(function, context)

        return decorate
    if callable(given):
        return tracked(given, context)
    return _tracked_text(given, context)


def _tracked_text(text: object, context: dict[str, Any]) -> str | None:
    try:
        wait_s = context.pop("wait_s", None)
        output = context.pop("output", None)
        run = Run(text, context, is_timed=False)
        run.begin()
        run.output = output
        recorded_id = run.end()
        if wait_s is not None and recorded_id is not None:
            default_recorder().flush(float(wait_s))
    except Exception as error:
        note(error)
        return None
    return run.recorded_id
