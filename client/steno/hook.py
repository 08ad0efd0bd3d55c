"""What agents call at their events: rings at the daemon, and never gets in anybody's way.

It runs inside of a person's turn, so it is a program of its own that needs the standard library
alone (``python -I -S hook.py``), hands the event over unread, waits for nothing and says nothing.
Without a daemon it does nothing: the transcript holds the truth, and is read when the daemon is
back. Nothing is written to disk here, because nothing has taken out secrets yet.
"""

import os
import sys

# The C part of ``socket``: what Python puts around it takes longer to load than the interpreter.
from _socket import AF_UNIX, SHUT_WR, SOCK_STREAM, socket

EVENT_MAX_BYTES = 256 * 1024
"""A larger event only rings: what it carries stands in the transcript too."""
PATIENCE_S = 0.1


def ring(agent: str, place: str, event: bytes) -> None:
    """Hand an event (a JSON object) to the daemon that listens at ``place``; never raises."""
    body = event.strip()
    if len(body) > EVENT_MAX_BYTES or not body.startswith(b"{") or not body.endswith(b"}"):
        body = b"{}"
    # Line breaks stand between values only: within a text JSON escapes them.
    body = body.replace(b"\r", b" ").replace(b"\n", b" ")
    request = b'{"verb":"admin","action":"hook","arguments":{"agent":"%s","event":%s}}\n'
    channel = socket(AF_UNIX, SOCK_STREAM)
    try:
        channel.settimeout(PATIENCE_S)
        channel.connect(place)
        channel.sendall(request % (agent.encode(), body))
        channel.shutdown(SHUT_WR)
    except OSError:
        return
    finally:
        channel.close()


def main(arguments: list[str]) -> int:
    """``hook.py AGENT SOCKET [EVENT]``; the event comes on standard input unless it is given."""
    try:
        agent, place, *given = arguments
        if agent.replace("-", "").isalnum() and agent.isascii():
            event = os.fsencode(given[0]) if given else sys.stdin.buffer.read(EVENT_MAX_BYTES + 1)
            ring(agent, place, event)
    except Exception:  # noqa: S110 - the agent is not to notice, whatever it is
        pass
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
