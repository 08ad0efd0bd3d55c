"""What tracking records into: one recorder a process, unless a caller brings its own."""

import os

from steno.tracking.recorder import Recorder

_recorders: list[Recorder] = []


def default_recorder() -> Recorder:
    """Return the process's recorder; it is made for the instance that the environment chooses."""
    if not _recorders:
        _recorders.append(Recorder())
    return _recorders[-1]


def note(error: BaseException, recorder: Recorder | None = None) -> None:
    """Count a failure of tracking; never raises."""
    try:
        (recorder or default_recorder()).note(error)
    except Exception:
        return  # there is no instance to count it in


def configure(
    home: str | os.PathLike[str] | None = None, socket: str | os.PathLike[str] | None = None
) -> None:
    """Record into another instance from now on, by its settings; both as ``Client`` takes them.

    Without arguments the environment and the configuration are read anew. What was tracked before
    is stored first, where it belongs. Raises nothing; what cannot be stored is counted as a
    failure, see ``steno doctor``.

    Example::

        steno.tracking.configure(home="~/experiments/steno")
    """
    recorder = Recorder(home, socket)
    former = _recorders[:]
    _recorders[:] = [recorder]
    for each in former:
        each.end()


def flush(timeout_s: float = 5.0) -> bool:
    """Wait until everything tracked so far is stored; return whether it was in ``timeout_s``.

    Nobody has to call it: the end of the process does. It is for where a process is frozen or
    killed without an end. It raises nothing.

    Example::

        track_prompt("Why is the sky blue?")
        assert steno.tracking.flush(timeout_s=10)
    """
    return not _recorders or _recorders[-1].flush(timeout_s)
