"""Backfill from nothing until all is searchable, and a line's way from its file to a search."""

import json
import shutil
import time
from pathlib import Path

from bench.tables import Row, median, milliseconds, percentile
from steno_schema.requests import Admin
from support.running import ROOT, RunningDaemon

LINES = 40


def run(folder: Path) -> list[Row]:
    sets = ROOT.parent / "shared" / "transcripts"
    if not sets.is_dir():
        return [Row("the transcripts are not beside this checkout", {"figure": "not measured"})]
    claude, codex = folder / "claude", folder / "codex"
    shutil.copytree(sets / "claude", claude / "projects")
    shutil.copytree(sets / "codex", codex / "sessions")
    size = sum(file.stat().st_size for file in folder.rglob("*.jsonl"))
    daemon = RunningDaemon(
        folder / "home", environ={"CLAUDE_CONFIG_DIR": str(claude), "CODEX_HOME": str(codex)}
    )
    started = time.perf_counter()
    daemon.start()
    try:
        daemon.captured()
        elapsed = time.perf_counter() - started
        latencies = _follow(daemon, claude / "projects" / "live.jsonl")
        with daemon.client() as client:
            client.request(Admin(action="checkpoint"))
        stored = sum(file.stat().st_size for file in daemon.home.glob("steno.db*"))
    finally:
        daemon.stop()
    return [
        Row("backfill until searchable", {"figure": f"{size / elapsed / 1e6:.1f} MB/s"}),
        Row("database for each byte of transcript", {"figure": f"{stored / size:.2f}"}),
        Row("appended line until found, p50", {"figure": milliseconds(median(latencies))}),
        Row(
            "appended line until found, p99",
            {"figure": milliseconds(percentile(latencies, 0.99))},
        ),
    ]


def _follow(daemon: RunningDaemon, file: Path) -> list[float]:
    latencies = []
    with daemon.client(spool=False) as client:
        for number in range(LINES):
            word = f"zebrawood{number}"
            line = {
                "type": "user",
                "uuid": f"cccccccc-0000-4000-8000-{number:012}",
                "sessionId": "dddddddd-0000-4000-8000-000000000000",
                "timestamp": "2026-01-01T00:00:00.000Z",
                "cwd": "/",
                "version": "2.1.62",
                "isSidechain": False,
                "message": {"role": "user", "content": f"say {word} again"},
            }
            with file.open("a") as handle:
                handle.write(json.dumps(line) + "\n")
            started = time.perf_counter()
            while not client.history.search(word):
                pass
            latencies.append(time.perf_counter() - started)
    return latencies
