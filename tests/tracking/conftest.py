"""The fixtures of ``support.tracked``."""

from support import tracked as fixtures

shared_daemon = fixtures.shared_daemon
work = fixtures.work
tracked = fixtures.tracked
