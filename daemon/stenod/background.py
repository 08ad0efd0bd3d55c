"""What the writer does in its pauses: it takes followers forward, copies the log back, does jobs."""

import logging
import time
from collections import deque
from collections.abc import Callable

import apsw

from steno_schema.limits import FOLLOWER_BACKLOG_MAX
from stenod.followers.follower import Follower, Position
from stenod.followers.rollup import next_unclean_day, roll_up
from stenod.jobs.slices import Interrupted, OnWriter, Task
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
    """Followers, checkpoints and jobs of the write connection.

    Used by the writer's thread alone; only ``give`` is for others.
    """

    def __init__(self, progress: Progress, at_hand: Callable[[apsw.Connection], OnWriter]) -> None:
        self._progress = progress
        self._at_hand = at_hand
        self._tasks: deque[Task] = deque()
        self.wal_pages = 0
        self._checkpoint_done = True
        self._days_done = False
        self._rest_s = 0.0
        self._resting_until = 0.0

    def attach(self, connection: apsw.Connection, followers: list[Follower]) -> None:
        """Work on this connection from now on; a task that began on another one is given up."""
        self._connection = connection
        if self._tasks and self._tasks[0].begun:
            self._tasks.popleft().fail(Interrupted())
        connection.set_wal_hook(self._note_wal)
        self.read_positions(followers)

    def read_positions(self, followers: list[Follower]) -> None:
        """Read from the database where the followers stand."""
        with self._connection:
            self._positions = [Position(each, self._connection) for each in followers]
        head = self._connection.execute("SELECT max(sequence) FROM change").get or 0
        self._progress.committed(head)
        self._note_oldest_change()
        for position in self._positions:
            self._progress.followed(position.follower.name, position.behind(head))

    def _note_oldest_change(self) -> None:
        oldest = self._connection.execute("SELECT min(sequence) FROM change").get
        self._progress.oldest = oldest or 0

    def _note_wal(self, _connection: apsw.Connection, _name: str, pages: int) -> int:
        self.wal_pages = pages
        return apsw.SQLITE_OK

    def written(self) -> None:
        """Note that records were written: the log may need copying back at the next pause."""
        self._checkpoint_done = False
        self._days_done = False

    def look_again(self) -> None:
        """Look for days to sum up though nothing was written: yesterday was not past then."""
        self._days_done = False

    def give(self, task: Task) -> None:
        """Have a task done after everything else; for any thread, which wakes the writer itself."""
        self._tasks.append(task)

    def drop_tasks(self) -> None:
        """Give up what is not done: the writer ends."""
        while self._tasks:
            self._tasks.popleft().fail(Interrupted())

    def patience_s(self, *, in_pause: bool) -> float | None:
        """Return how long to wait for jobs before ``work`` (``None``: there is nothing to do).

        Followers wait for a pause in the writes: a slice between two saves of a busy client would
        cost that client more than it gains anybody.
        """
        idle = not self._is_behind() and not self._is_checkpoint_due() and self._days_done
        if idle and not self._tasks:
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
        elif self._tasks:
            self._do_task()

    def _do_task(self) -> None:
        """Take the first task forward by a slice; its commits need no sync of their own."""
        task = self._tasks[0]
        relaxed(self._connection, yes=True)
        try:
            done = task.advance(self._at_hand(self._connection))
        except Exception as error:
            self._tasks.popleft()
            task.fail(error)
            raise
        relaxed(self._connection, yes=False)
        self._checkpoint_done = False
        if done:
            self._tasks.popleft()

    def rest(self) -> None:
        """Try again later, and later each time."""
        self._rest_s = min(max(self._rest_s * 2, REST_FIRST_S), REST_MAX_S)
        self._resting_until = time.monotonic() + self._rest_s

    def _is_behind(self) -> bool:
        head = self._progress.head
        return any(position.behind(head) for position in self._positions)

    def _is_checkpoint_due(self) -> bool:
        return not self._checkpoint_done and self.wal_pages >= CHECKPOINT_PAGES

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
        self._note_oldest_change()
        relaxed(self._connection, yes=False)
        self._days_done = False
        self._rest_s = 0.0
        for position, reached in moved:
            position.settle(reached)
            self._progress.followed(position.follower.name, position.behind(head))
        if self.wal_pages >= WAL_TRUNCATE_PAGES:
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
        empty = empty or self.wal_pages >= WAL_TRUNCATE_PAGES
        mode = apsw.SQLITE_CHECKPOINT_TRUNCATE if empty else apsw.SQLITE_CHECKPOINT_PASSIVE
        try:
            # Emptying waits for readers to leave the log; saves must not wait with it.
            self._connection.set_busy_timeout(TRUNCATE_WAIT_MS)
            total, copied = self._connection.wal_checkpoint(mode=mode)
            self.wal_pages = max(total - copied, 0)
        except apsw.BusyError:
            self.wal_pages = 0
        except apsw.Error as error:
            log.error("checkpoint failed: %s", type(error).__name__)
            self.wal_pages = 0
        finally:
            self._connection.set_busy_timeout(BUSY_TIMEOUT_MS)
