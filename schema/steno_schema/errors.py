"""The closed set of error codes, and the exception that carries one.

Every error on the wire has a code, a sentence (what was wrong), a hint (what to do) and whether
trying the same again can help. ``retryable`` alone decides whether a client spools a write.
"""

from enum import StrEnum


class ErrorCode(StrEnum):
    """Why a request was not done. New codes are never added within a protocol version."""

    BAD_REQUEST = "bad_request"
    """The request cannot be understood or breaks a rule; sending it again cannot help."""
    TOO_LARGE = "too_large"
    INCOMPATIBLE = "incompatible"
    """The peers' protocol versions have nothing in common."""
    UNKNOWN_VERB = "unknown_verb"
    UNAUTHORISED = "unauthorised"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    """The id exists with other content, or a source moved on since it was read."""
    BUSY = "busy"
    """The queue is full; the same request will be taken later."""
    TIMEOUT = "timeout"
    """A read passed its deadline; a narrower question would not."""
    READ_ONLY = "read_only"
    DISK_FULL = "disk_full"
    CORRUPT = "corrupt"
    SHUTTING_DOWN = "shutting_down"
    CANCELLED = "cancelled"
    UNKNOWN_OUTCOME = "unknown_outcome"
    """A commit failed and the record was not found afterwards: send the same ids again."""
    INTERNAL = "internal"


RETRYABLE = frozenset(
    {
        ErrorCode.BUSY,
        ErrorCode.DISK_FULL,
        ErrorCode.SHUTTING_DOWN,
        ErrorCode.UNKNOWN_OUTCOME,
        ErrorCode.READ_ONLY,
        ErrorCode.CORRUPT,
    }
)
"""Codes after which the same request, with the same ids, may succeed."""


class RequestError(Exception):
    """A request that was refused; raised inside the daemon, sent as an ``error`` reply.

    >>> RequestError(ErrorCode.NOT_FOUND, "There is no record 42.").retryable
    False
    """

    def __init__(self, code: ErrorCode, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint

    @property
    def retryable(self) -> bool:
        return self.code in RETRYABLE


def bad_request(message: str, hint: str = "") -> RequestError:
    """Shorthand for the commonest refusal."""
    return RequestError(ErrorCode.BAD_REQUEST, message, hint)
