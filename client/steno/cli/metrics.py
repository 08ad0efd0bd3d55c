"""``steno metrics``: the daemon's figures as OpenMetrics text, for whatever collects such."""

from collections.abc import Iterator, Mapping
from typing import Any

from steno.cli.command import Command, Context, no_arguments
from steno_schema.replies import Done, StatusReport
from steno_schema.requests import Admin, Status

Sample = tuple[dict[str, str], float]


def _run(context: Context) -> int:
    report = context.ask(Status(), StatusReport).report
    jobs = context.ask(Admin(action="jobs"), Done).result["jobs"]
    if context.args.json:
        context.screen.json(
            {
                name: [{"labels": labels, "value": value} for labels, value in samples]
                for name, _kind, _help, samples in families(report, jobs)
            }
        )
        return 0
    context.screen.text(text(report, jobs))
    return 0


def text(report: dict[str, Any], jobs: list[dict[str, Any]]) -> str:
    """Return the exposition (OpenMetrics 1.0), ending with its ``# EOF``."""
    lines: list[str] = []
    for name, kind, said, samples in families(report, jobs):
        lines += [f"# TYPE {name} {kind}", f"# HELP {name} {said}"]
        suffix = "_total" if kind == "counter" else ""
        lines += [f"{name}{suffix}{_labels(labels)} {value:g}" for labels, value in samples]
    return "\n".join([*lines, "# EOF"])


def families(
    report: dict[str, Any], jobs: list[dict[str, Any]]
) -> Iterator[tuple[str, str, str, list[Sample]]]:
    """Yield (name, kind, help, samples) of every metric."""
    database, queue, capture = report["database"], report["queue"], report["capture"]
    yield "steno_uptime_seconds", "gauge", "How long the daemon runs.", _one(report["uptime_s"])
    kept = [({"kind": kind}, float(count)) for kind, count in report["counts"].items()]
    yield "steno_records", "gauge", "Records kept, by kind.", kept
    sizes = [({"file": name}, float(database[f"{name}_bytes"])) for name in ("size", "wal")]
    yield "steno_database_bytes", "gauge", "Size of the database and of its log.", sizes
    free = _one(report["disk"]["free_bytes"])
    yield "steno_disk_free_bytes", "gauge", "Free space where the database is.", free
    yield "steno_queue_requests", "gauge", "Writes that wait.", _one(queue["requests"])
    yield "steno_queue_bytes", "gauge", "Bytes of the writes that wait.", _one(queue["bytes"])
    yield "steno_connections", "gauge", "Clients connected.", _one(report["connections"])
    behind = [({"follower": name}, float(n)) for name, n in report["followers"].items()]
    yield "steno_follower_behind", "gauge", "Changes not yet followed.", behind
    yield "steno_requests", "counter", "Requests, by verb.", _counted("verb", report["requests"])
    refused = _counted("code", report["refusals"])
    yield "steno_refusals", "counter", "Requests refused or failed, by code.", refused
    spool = [({"state": name}, float(n)) for name, n in report["spool"].items() if _is_number(n)]
    yield "steno_spool", "gauge", "Spool files that wait, were taken in or set aside.", spool
    running = float(bool(capture["enabled"] and capture["running"]))
    yield "steno_capture_running", "gauge", "Whether the watcher runs.", _one(running)
    alarms = _one(capture.get("alarms") or 0)
    yield "steno_capture_alarms", "gauge", "Alarms about what agents write.", alarms
    ran = [job for job in jobs if job["last"] and job["last"].get("duration_ms") is not None]
    ok = [({"job": job["name"]}, float(job["last"]["result"] == "done")) for job in ran]
    yield "steno_job_ok", "gauge", "Whether a job's last run succeeded.", ok
    took = [({"job": job["name"]}, job["last"]["duration_ms"] / 1000) for job in ran]
    yield "steno_job_duration_seconds", "gauge", "How long a job's last run took.", took


def _one(value: float) -> list[Sample]:
    return [({}, float(value))]


def _counted(label: str, counts: Mapping[str, int]) -> list[Sample]:
    return [({label: name}, float(count)) for name, count in sorted(counts.items())]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _labels(labels: dict[str, str]) -> str:
    if not labels:
        return ""
    inside = ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items())
    return f"{{{inside}}}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


COMMANDS = {
    "metrics": Command(
        "The daemon's figures as OpenMetrics text: records, sizes, queue, requests, followers,"
        " capture and jobs.",
        "steno metrics",
        no_arguments,
        _run,
    ),
}
