"""How far a scan is, as the watcher tells the daemon."""

import time
from collections.abc import Callable
from typing import Any


class Progress:
    """Counts of what a scan found to be read; a rate and the time left follow from them.

    ``newest_ready`` is told once ``newest_files`` of the newest files are read.
    """

    def __init__(
        self,
        files: int = 0,
        size_bytes: int = 0,
        newest_files: int = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._files = files
        self._size_bytes = size_bytes
        self._newest_files = min(newest_files, files)
        self._clock = clock
        self._began = clock()
        self._files_done = 0
        self._bytes_done = 0
        self._bytes_of_file = 0
        self._is_over = not files

    @property
    def newest_ready(self) -> bool:
        return self._is_over or self._files_done >= self._newest_files

    def stretch(self, size_bytes: int) -> None:
        """Note that so much more of the file under way is read."""
        self._bytes_of_file += size_bytes

    def read(self, size_bytes: int) -> None:
        """Note that one more file is read, with what it had to be read."""
        self._files_done += 1
        self._bytes_done += size_bytes
        self._bytes_of_file = 0

    def over(self) -> None:
        """Note that everything is read, and what was not found is noted."""
        self._is_over = True

    def told(self) -> dict[str, Any]:
        """Return the progress as ``capture_report`` carries it.

        ``rate`` is in bytes of source a second, ``left_s`` in seconds; neither is known at first.
        """
        took_s = self._clock() - self._began
        bytes_done = min(self._bytes_done + self._bytes_of_file, self._size_bytes)
        rate = bytes_done / took_s if took_s > 0 and bytes_done else None
        left_bytes = self._size_bytes - bytes_done
        return {
            "state": "done" if self._is_over else "running",
            "files_total": self._files,
            "files_done": self._files_done,
            "bytes_total": self._size_bytes,
            "bytes_done": bytes_done,
            "newest_ready": self.newest_ready,
            "rate": None if rate is None else round(rate),
            "left_s": None if rate is None or self._is_over else round(left_bytes / rate, 1),
        }
