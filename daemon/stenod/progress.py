"""How far the writer and its followers are; read by others without asking the writer."""

import threading
from collections.abc import Callable


class Progress:
    """The newest committed change, the oldest kept one, and each follower's distance."""

    def __init__(self, wake: Callable[[], None] = lambda: None) -> None:
        self._wake = wake
        self.head = 0
        self.oldest = 0
        self.behind: dict[str, int] = {}
        self.heard: Callable[[str], None] = lambda _name: None
        """Called with the name of each follower that moved, on the thread that moved it."""
        self._given = 0
        self._awaited: dict[str, int] = {}
        self._moved = threading.Condition()

    def committed(self, sequence: int) -> None:
        """Note a commit: followers are now further behind."""
        with self._moved:
            grown = max(sequence - self.head, 0)
            self.head = sequence
            for name in self.behind:
                self.behind[name] += grown

    def followed(self, name: str, behind: int, *, at: tuple[int, int] | None = None) -> None:
        """Note that a follower moved; with ``at`` only if it was given no more work since then."""
        with self._moved:
            if at is None or at == self.mark():
                self.behind[name] = behind
                self._moved.notify_all()
        self.heard(name)

    def mark(self) -> tuple[int, int]:
        """Return what changes whenever followers are given work."""
        return self.head, self._given

    def give(self, name: str) -> None:
        """Note that another follower left work for this one."""
        with self._moved:
            self._given += 1
            if name in self.behind:
                self.behind[name] = max(self.behind[name], 1)

    def forget(self, name: str) -> None:
        """Have nobody wait for a follower that cannot go on."""
        with self._moved:
            self.behind.pop(name, None)
            self._moved.notify_all()

    def is_awaited(self, name: str) -> bool:
        """Tell whether somebody waits for a follower."""
        return bool(self._awaited.get(name))

    def wait_for(self, name: str, timeout_s: float) -> int:
        """Wait until a follower has caught up; return how far it is behind (0: not at all)."""
        if not self.behind.get(name):
            return 0
        with self._moved:
            self._awaited[name] = self._awaited.get(name, 0) + 1
            self._wake()
            try:
                self._moved.wait_for(lambda: not self.behind.get(name), timeout_s)
            finally:
                self._awaited[name] -= 1
            return self.behind.get(name, 0)
