"""Checks of the care that the daemon takes: its jobs, its backups, and what it had to mend."""

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from steno.cli.checks import Check
from steno.cli.quantities import duration_text
from steno.cli.screen import parse_time
from steno_schema.replies import Done, StatusReport
from steno_schema.requests import Admin, Status

if TYPE_CHECKING:
    from steno.cli.command import Context

_OLD_BACKUP_S = 7 * 86_400


def check_jobs(context: "Context") -> Iterator[Check]:
    """Yield which jobs failed at their last run, and how old the newest backup is."""
    result = context.ask(Admin(action="jobs"), Done).result
    jobs: list[dict[str, Any]] = result.get("jobs") or []
    failed = [job for job in jobs if job["last"] and job["last"]["result"] == "failed"]
    for job in failed:
        detail: dict[str, Any] = job["last"]["detail"]
        finding = f"{job['name']} failed: {detail.get('error')}"
        mend = detail.get("hint") or f"steno jobs run {job['name']}; see the log"
        yield Check("jobs", "fail", finding, mend)
    if jobs and not failed:
        yield Check("jobs", "ok", "none failed at its last run")
    for job in jobs:
        if job["name"] == "backup" and job not in failed:
            yield _backup(job)


def _backup(job: dict[str, Any]) -> Check:
    if not job["enabled"] or job["every"] == "never":
        return Check("backup", "warn", "none is made by itself", "set jobs.backup.enabled")
    last: dict[str, Any] = job["last"] or {}
    made_s = parse_time(last.get("started_at") or "")
    if made_s is None:
        return Check("backup", "ok", "the first one is made in a quiet minute")
    age_s = time.time() - made_s
    finding = f"the last one was made {duration_text(max(age_s, 0))} ago"
    return Check("backup", "warn" if age_s > _OLD_BACKUP_S else "ok", finding, "steno backup")


def check_recoveries(context: "Context") -> Iterator[Check]:
    """Yield what became of a database that was damaged, until somebody has looked at it."""
    report = context.ask(Status(), StatusReport).report
    found: list[dict[str, Any]] = report.get("recoveries") or []
    for each in found:
        mend = f"look at {each['aside']}; delete that folder when you need nothing of it"
        yield Check("recovery", "warn", recovery_text(each), mend)


def recovery_text(recovery: dict[str, Any]) -> str:
    """Return what became of a damaged database, in one sentence."""
    at = recovery.get("at", "some day")
    backup = recovery.get("restored_from")
    if backup is None:
        return f"at {at} the database was damaged; every record could be read and is kept"
    rows: dict[str, int] = recovery.get("added") or {}
    added = sum(rows.values())
    told = f"at {at} the database was damaged; backup {backup} and {added:,} newer rows replace it"
    lost: dict[str, int | None] | None = recovery.get("lost")
    if lost is None:
        return f"{told}; nothing newer could be read of it, so what came since may be missing"
    known = [f"{count:,} of {name}" for name, count in lost.items() if count]
    if not lost:
        return f"{told}; nothing is missing"
    return f"{told}; {', '.join(known) or 'an unknown number'} could not be read, the backup aside"
