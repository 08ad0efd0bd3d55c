"""Idle: processor time and memory of daemon and watcher while nothing happens."""

import os
import threading
from pathlib import Path

from bench.tables import Row
from steno_schema.replies import StatusReport
from steno_schema.requests import Status
from support.running import RunningDaemon

IDLE_S = 30.0
FILES = 2000


def run(folder: Path) -> list[Row]:
    root = folder / "claude" / "projects"
    for number in range(FILES):
        project = root / f"project-{number % 50}"
        project.mkdir(parents=True, exist_ok=True)
        (project / f"{number}.jsonl").write_text("{}\n")
    daemon = RunningDaemon(folder / "home", environ={"CLAUDE_CONFIG_DIR": str(folder / "claude")})
    daemon.start()
    try:
        daemon.captured()
        with daemon.client() as client:
            reply = client.request(Status())
        assert isinstance(reply, StatusReport)
        processes = [reply.report["pid"], reply.report["capture"]["pid"]]
        threading.Event().wait(5)
        before = sum(map(_cpu_s, processes))
        threading.Event().wait(IDLE_S)
        used = sum(map(_cpu_s, processes)) - before
        memory = sum(map(_resident_bytes, processes))
    finally:
        daemon.stop()
    return [
        Row("processor, share of a core", {"figure": f"{used / IDLE_S:.2%}"}),
        Row("memory of both processes", {"figure": f"{memory / 1e6:.0f} MB"}),
    ]


def _cpu_s(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _resident_bytes(process: int) -> int:
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
