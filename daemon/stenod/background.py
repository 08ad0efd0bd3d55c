"""What the writer does in its pauses: it takes followers forward, and copies the log back."""

import logging
import time

import apsw

from steno_schema.limits import FOLLOWER_BACKLOG_MAX
from stenod.followers.follower import Follower, Position
from stenod.followers.rollup import next_unclean_day, roll_up
from stenod.progress import Progress
from stenod.store.connection import BUSY_TIMEOUT_MS, relaxed

CHECKPOINT_PAGES = 1000
WAL_TRUNCATE_PAGES = 16_384
"""64 MiB of 4 KiB pages: beyond it the log is emptied, not just copied back."""
PAUSE_S = 0.02
"""A pause in the writes this long lets followers work."""
TRUNCATE_WAIT_MS = 50
ERASE_S = 1.0
"""How long a forget waits for the index; what is left over goes as soon as it can."""
CHANGES_KEPT = 100_000
"""Change log rows kept for subscribers that come back."""
REST_FIRST_S = 1.0
REST_MAX_S = 60.0
"""After a failure (a full disk, say) followers rest, so that they do not spin on it."""

log = logging.getLogger("stenod.background")


class Background:
    """Followers and checkpoints of the write connection; used by the writer's thread alone."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._wal_pages = 0
        self._checkpoint_done = True
        self._days_done = False
        self._rest_s = 0.0
        self._resting_until = 0.0

    def attach(self, connection: apsw.Connection, followers: list[Follower]) -> None:
        """Work on this connection from now on."""
        self._connection = connection
        connection.set_wal_hook(self._note_wal)
        self.read_positions(followers)

    def read_positions(self, followers: list[Follower]) -> None:
        """Read from the database where the followers stand."""
        with self._connection:
            self._positions = [Position(each, self._connection) for each in followers]
        head = self._connection.execute("SELECT max(sequence) FROM change").get or 0
        self._progress.committed(head)
        for position in self._positions:
            self._progress.followed(position.follower.name, position.behind(head))

    def _note_wal(self, _connection: apsw.Connection, _name: str, pages: int) -> int:
        self._wal_pages = pages
        return apsw.SQLITE_OK

    def written(self) -> None:
        """Note that records were written: the log may need copying back at the next pause."""
        self._checkpoint_done = False
        self._days_done = False

    def patience_s(self, *, in_pause: bool) -> float | None:
        """Return how long to wait for jobs before ``work`` (``None``: there is nothing to do).

        Followers wait for a pause in the writes: a slice between two saves of a busy client would
        cost that client more than it gains anybody.
        """
        if not self._is_behind() and not self._is_checkpoint_due() and self._days_done:
            return None
        rest_s = self._resting_until - time.monotonic()
        if rest_s > 0:
            return rest_s
        awaited = any(self._progress.is_awaited(each.follower.name) for each in self._positions)
        return 0 if awaited or in_pause else PAUSE_S

    def must_help(self) -> bool:
        """Tell whether a search waits for a follower, or one is so far behind that bulk waits."""
        head = self._progress.head
        return time.monotonic() >= self._resting_until and any(
            position.behind(head) > FOLLOWER_BACKLOG_MAX
            or (position.behind(head) and self._progress.is_awaited(position.follower.name))
            for position in self._positions
        )

    def work(self) -> None:
        """Do one slice of what there is to do; raises what went wrong, see ``rest``."""
        if time.monotonic() < self._resting_until:
            return
        if self._is_behind():
            self.follow()
        elif not self._days_done:
            self._roll_up()
        elif self._is_checkpoint_due():
            self.checkpoint()
            self._checkpoint_done = True

    def rest(self) -> None:
        """Try again later, and later each time."""
        self._rest_s = min(max(self._rest_s * 2, REST_FIRST_S), REST_MAX_S)
        self._resting_until = time.monotonic() + self._rest_s

    def _is_behind(self) -> bool:
        head = self._progress.head
        return any(position.behind(head) for position in self._positions)

    def _is_checkpoint_due(self) -> bool:
        return not self._checkpoint_done and self._wal_pages >= CHECKPOINT_PAGES

    def follow(self) -> None:
        """Take every follower that is behind forward by one slice, in one transaction.

        After an exception the connection must be opened anew: its transaction is still open.
        """
        head = self._progress.head
        behind = [each for each in self._positions if each.behind(head)]
        if not behind:
            return
        relaxed(self._connection, yes=True)
        self._connection.execute("BEGIN IMMEDIATE")
        moved = [(each, each.advance(self._connection, head)) for each in behind]
        if all(each.cursor >= head for each in self._positions):
            self._connection.execute(
                "DELETE FROM change WHERE sequence < ?", (head - CHANGES_KEPT,)
            )
        self._connection.execute("COMMIT")
        relaxed(self._connection, yes=False)
        self._days_done = False
        self._rest_s = 0.0
        for position, reached in moved:
            position.settle(reached)
            self._progress.followed(position.follower.name, position.behind(head))
        if self._wal_pages >= WAL_TRUNCATE_PAGES:
            self.checkpoint()

    def erase(self) -> None:
        """Have the index forget too, and empty the log, which still holds what was deleted."""
        give_up_at = time.monotonic() + ERASE_S
        while self._is_behind() and time.monotonic() < give_up_at:
            self.follow()
        self.checkpoint(empty=True)

    def _roll_up(self) -> None:
        """Sum up one past day that changed; the newest first."""
        day = next_unclean_day(self._connection)
        if day is None:
            self._days_done = True
            return
        relaxed(self._connection, yes=True)
        with self._connection:
            roll_up(self._connection, day)
        relaxed(self._connection, yes=False)

    def checkpoint(self, *, empty: bool = False) -> None:
        """Copy the log back into the database; empty it if told to or when it has grown large."""
        empty = empty or self._wal_pages >= WAL_TRUNCATE_PAGES
        mode = apsw.SQLITE_CHECKPOINT_TRUNCATE if empty else apsw.SQLITE_CHECKPOINT_PASSIVE
        try:
            # Emptying waits for readers to leave the log; saves must not wait with it.
            self._connection.set_busy_timeout(TRUNCATE_WAIT_MS)
            total, copied = self._connection.wal_checkpoint(mode=mode)
            self._wal_pages = max(total - copied, 0)
        except apsw.BusyError:
            self._wal_pages = 0
        except apsw.Error as error:
            log.error("checkpoint failed: %s", type(error).__name__)
            self._wal_pages = 0
        finally:
            self._connection.set_busy_timeout(BUSY_TIMEOUT_MS)
