"""Run the benchmarks and write what they found, with the commit and the machine, to RESULTS.md."""

import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import apsw

from bench import analysis, backfill, idle, saves, search, startup
from bench.tables import Row, table

BENCHMARKS: dict[str, Callable[[Path], list[Row]]] = {
    "saves": saves.run,
    "search": search.run,
    "backfill": backfill.run,
    "startup": startup.run,
    "idle": idle.run,
    "analysis": analysis.run,
}
RESULTS = Path(__file__).with_name("RESULTS.md")


def main(arguments: list[str]) -> int:
    chosen = [name for word in arguments for name in word.split(",") if name] or list(BENCHMARKS)
    unknown = [name for name in chosen if name not in BENCHMARKS]
    if unknown:
        sys.stderr.write(f"There is no benchmark {unknown[0]!r}; say {', '.join(BENCHMARKS)}.\n")
        return 2
    sections = []
    for name in chosen:
        with tempfile.TemporaryDirectory(prefix="steno-bench-") as folder:
            rows = BENCHMARKS[name](Path(folder))
        sections.append(f"## {name}\n\n{table(rows)}")
        print(sections[-1], flush=True)
    RESULTS.write_text(f"{_head()}\n" + "\n".join(sections), encoding="utf-8")
    return 0


def _head() -> str:
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    ).stdout.strip()
    return (
        "# Benchmark results\n\n"
        f"`make bench` at commit {commit or 'unknown'}, {datetime.now(UTC):%Y-%m-%d}, on"
        f" {platform.system()} {platform.machine()} with {os.cpu_count()} cores,"
        f" Python {platform.python_version()}, SQLite {apsw.sqlite_lib_version()}."
        " The machine is shared: read ratios, not milliseconds.\n"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
