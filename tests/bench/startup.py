"""What it costs to start: an import, a command, the daemon itself."""

import subprocess
import sys
import time
from pathlib import Path

from bench.tables import Row, median, milliseconds
from support.running import RunningDaemon

ROUNDS = 15


def run(folder: Path) -> list[Row]:
    daemon = RunningDaemon(folder / "home")
    started = time.perf_counter()
    daemon.start("--no-capture")
    first_start = time.perf_counter() - started
    commands = {
        "python -c pass": ["-c", "pass"],
        "import steno": ["-c", "import steno"],
        "import steno.Client": ["-c", "from steno import Client"],
        "steno version": ["-m", "steno.cli", "version"],
        "steno search x": ["-m", "steno.cli", "search", "x"],
    }
    times: dict[str, list[float]] = {name: [] for name in commands}
    try:
        for _ in range(ROUNDS):
            for name, arguments in commands.items():
                started = time.perf_counter()
                subprocess.run(
                    [sys.executable, *arguments],
                    env=daemon.environ,
                    capture_output=True,
                    check=False,
                )
                times[name].append(time.perf_counter() - started)
    finally:
        daemon.stop()
    bare = median(times["python -c pass"])
    rows = [
        Row(name, {"median": milliseconds(median(each)), "ratio": f"{median(each) / bare:.1f}"})
        for name, each in times.items()
    ]
    return [*rows, Row("stenod, first start until ready", {"median": milliseconds(first_start)})]
