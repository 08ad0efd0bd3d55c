"""The person's pager, for output longer than the screen."""

import os
import signal
import subprocess

_DEFAULT = "less -FRX"


class Pager:
    """A running pager; closing it waits until the person leaves it."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def write(self, text: str) -> None:
        """Hand ``text`` over; ``BrokenPipeError`` when the person has left."""
        assert self._process.stdin is not None
        self._process.stdin.write(text)

    def close(self) -> None:
        """End the input and wait; Ctrl-C belongs to the pager meanwhile."""
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            assert self._process.stdin is not None
            self._process.stdin.close()
        except BrokenPipeError:
            pass
        finally:
            self._process.wait()
            _restore(before)


def start() -> Pager | None:
    """Start ``$PAGER`` (``less -FRX`` unless set; ``cat`` or nothing: no pager)."""
    command = os.environ.get("PAGER", _DEFAULT).strip()
    if command in {"", "cat"}:
        return None
    environment = {"LESS": "FRX", **os.environ}
    import shlex

    try:
        process = subprocess.Popen(
            shlex.split(command),
            stdin=subprocess.PIPE,
            env=environment,
            text=True,
            encoding="utf-8",
            errors="backslashreplace",
        )
    except (OSError, ValueError):
        return None
    return Pager(process)


def _restore(handler: object) -> None:
    if callable(handler) or isinstance(handler, signal.Handlers):
        signal.signal(signal.SIGINT, handler)
