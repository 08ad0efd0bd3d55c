"""Named points where a test may stop or break the daemon; nothing at all unless asked for.

``STENO_FAILPOINTS=writer.after_commit=kill,writer.before_commit=raise:3`` acts on the n-th pass;
``term`` asks the daemon to stop.
"""

import os
import signal


class InjectedError(OSError):
    """What a failpoint raises."""


_points: dict[str, list[str | int]] = {}
for _entry in filter(None, os.environ.get("STENO_FAILPOINTS", "").split(",")):
    _name, _, _action = _entry.partition("=")
    _action, _, _pass = _action.partition(":")
    _points[_name] = [_action, int(_pass or 1)]


def hit(name: str) -> None:
    """Pass the point ``name``."""
    if not _points or name not in _points:
        return
    action, passes = _points[name]
    assert isinstance(passes, int)
    _points[name] = [action, passes - 1]
    if passes == 1 and action == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if passes == 1 and action == "term":
        os.kill(os.getpid(), signal.SIGTERM)
    if passes == 1 and action == "raise":
        raise InjectedError(name)
