"""Everything the client raises: one root, and three reasons why something was not done.

Each error is a sentence (what was wrong) and a hint (what to do); ``str`` gives both.
"""


class StenoError(Exception):
    """Root of all errors of this library."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".rstrip()


class Misuse(StenoError, ValueError):
    """The call itself was wrong; nothing was sent."""


class Refused(StenoError):
    """The daemon answered with an error.

    ``code`` is one of ``steno_schema.errors.ErrorCode``; ``retryable`` tells whether the same
    request may succeed later.
    """

    def __init__(
        self, code: str, message: str, hint: str = "", *, retryable: bool = False
    ) -> None:
        super().__init__(message, hint)
        self.code = code
        self.retryable = retryable


class Unreachable(StenoError):
    """No daemon answers on the socket, or the connection to it broke."""

    def __init__(self, message: str, hint: str = "Start it with 'steno up'.") -> None:
        super().__init__(message, hint)


class TimedOut(Unreachable):
    """The daemon is there but did not answer in time. A write may or may not have happened."""

    def __init__(self, message: str, hint: str = "See 'steno status'; try again.") -> None:
        super().__init__(message, hint)


class SpoolFailed(StenoError):
    """The daemon was away and the record could not be kept for it either: it is not stored."""


class SpoolFull(SpoolFailed):
    """The spool or the disk is full; see ``limits.SPOOL_MAX_BYTES``."""
