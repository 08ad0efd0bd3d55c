"""``client.admin``: care of the database, done by the daemon while it goes on serving."""

from typing import TypeVar

import msgspec
from msgspec import Struct

from steno.verbs import Namespace, Runner, Steps, ask, verb
from steno_schema.replies import Done
from steno_schema.requests import Admin as AdminRequest

TIMEOUT_S = 600.0
"""Care of a large database takes its time."""
Outcome = TypeVar("Outcome", bound=Struct)


class Vacuumed(Struct, frozen=True, kw_only=True):
    """Size of the database before and after, in pages of ``page_size`` bytes (see ``status``)."""

    pages_before: int
    pages_after: int
    duration_ms: float


class Optimized(Struct, frozen=True, kw_only=True):
    """How long it took."""

    duration_ms: float


class Checkpointed(Struct, frozen=True, kw_only=True):
    """How many pages the log held and how many of them are in the database file now."""

    pages: int
    copied: int
    duration_ms: float


class Integrity(Struct, frozen=True, kw_only=True):
    """``ok``, or what is wrong: SQLite's findings and rows that name a row that is not there."""

    ok: bool
    problems: list[str]
    broken_references: int


class Admin(Namespace[Runner]):
    """Make the database smaller, faster, or sure of itself."""

    @verb
    def vacuum(self, *, timeout_s: float = TIMEOUT_S) -> Steps[Vacuumed]:
        """Write the database anew without its free pages; writes wait meanwhile.

        It needs room for the database once more, in memory and on the disk. Raises ``Refused`` if
        the disk is full, ``TimedOut`` after ``timeout_s`` seconds (it goes on all the same).

        Example::

            print(client.admin.vacuum().pages_after)
        """
        return (yield from _do(AdminRequest(action="vacuum"), Vacuumed, timeout_s))

    @verb
    def optimize(self, *, timeout_s: float = TIMEOUT_S) -> Steps[Optimized]:
        """Merge the search index into one piece and renew the query planner's statistics.

        Raises ``TimedOut`` after ``timeout_s`` seconds (it goes on all the same).

        Example::

            print(client.admin.optimize().duration_ms)
        """
        return (yield from _do(AdminRequest(action="optimize"), Optimized, timeout_s))

    @verb
    def checkpoint(self, *, timeout_s: float = TIMEOUT_S) -> Steps[Checkpointed]:
        """Move the write-ahead log into the database file and empty it.

        Nothing depends on it: what was acknowledged is safe in either. Raises ``Refused``
        (``busy``) while readers hold on to the log, ``TimedOut`` after ``timeout_s`` seconds.

        Example::

            client.admin.checkpoint()
        """
        return (yield from _do(AdminRequest(action="checkpoint"), Checkpointed, timeout_s))

    @verb
    def integrity_check(self, *, timeout_s: float = TIMEOUT_S) -> Steps[Integrity]:
        """Read the whole database and check that it is sound.

        Raises ``Refused`` (``timeout``) if that takes the daemon longer than a minute,
        ``TimedOut`` after ``timeout_s`` seconds.

        Example::

            assert client.admin.integrity_check().ok
        """
        return (yield from _do(AdminRequest(action="integrity_check"), Integrity, timeout_s))


def _do(request: AdminRequest, kind: type[Outcome], timeout_s: float) -> Steps[Outcome]:
    done = yield from ask(request, Done, timeout_s)
    return msgspec.convert(done.result, kind)
