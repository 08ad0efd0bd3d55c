"""Processes that save at the same time, what they were told, and what the database holds."""

import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

from support.running import STOP_TIMEOUT_S, RunningDaemon

_SCRIPT = Path(__file__).with_name("saver.py")


class Savers:
    """Some ``saver.py`` at work; ``told`` grows with every save that returned."""

    def __init__(self, daemon: RunningDaemon, processes: int, count: int = 0) -> None:
        self.told: dict[str, list[tuple[str, str]]] = {}
        """By process, in order: the id, and who has it."""
        self._moved = threading.Condition()
        self._asked_for = processes * count
        self._processes = [
            subprocess.Popen(
                [sys.executable, str(_SCRIPT), str(daemon.home), f"saver{number}", str(count)],
                env=daemon.environ,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for number in range(processes)
        ]
        self._threads = [
            threading.Thread(target=self._listen, args=(f"saver{number}", process), daemon=True)
            for number, process in enumerate(self._processes)
        ]
        for thread in self._threads:
            thread.start()

    def _listen(self, name: str, process: "subprocess.Popen[str]") -> None:
        assert process.stdout is not None
        for line in process.stdout:
            _, record_id, stored = line.split()
            with self._moved:
                self.told.setdefault(name, []).append((record_id, stored))
                self._moved.notify_all()

    def ask_for(self, saves: int) -> None:
        """Have them save that many more, each its part, all at the same time."""
        for number in range(saves):
            process = self._processes[number % len(self._processes)]
            assert process.stdin is not None
            process.stdin.write("\n")
            process.stdin.flush()
        self._asked_for += saves

    def count(self, *stored: str) -> int:
        """Return how many saves returned so far, with one of these answers or any."""
        kept = stored or ("daemon", "spool")
        return sum(each in kept for told in self.told.values() for _, each in told)

    def wait_for(self, count: int) -> None:
        """Wait until that many saves returned, counted from the beginning."""
        with self._moved:
            assert self._moved.wait_for(lambda: self.count() >= count, STOP_TIMEOUT_S)

    def wait_for_all(self) -> None:
        """Wait until every save that was asked for returned."""
        self.wait_for(self._asked_for)

    def finish(self) -> None:
        """Wait for what was asked for, and let them end."""
        for process in self._processes:
            assert process.stdin is not None
            process.stdin.close()
        self.join()

    def join(self) -> None:
        """Wait until they are done by themselves."""
        for process, thread in zip(self._processes, self._threads, strict=True):
            assert process.wait(STOP_TIMEOUT_S) == 0
            thread.join(STOP_TIMEOUT_S)
            for pipe in (process.stdin, process.stdout):
                assert pipe is not None
                pipe.close()


def stored_exchanges(database: Path) -> list[tuple[int, str, str, str]]:
    """Return (number, id, prompt, time) of every exchange, read from the file by plain SQLite."""
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    try:
        return connection.execute(
            "SELECT id, uid, prompt, timestamp FROM history ORDER BY id"
        ).fetchall()
    finally:
        connection.close()


def check_file(database: Path) -> None:
    """Assert that SQLite finds nothing wrong with the file."""
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    try:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    finally:
        connection.close()
