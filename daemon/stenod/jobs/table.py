"""Every regular job: one entry each. Its cadence is a setting (``steno_schema.jobsettings``)."""

from collections.abc import Callable
from typing import Any

from msgspec import Struct

from stenod.jobs.beside import Beside, check
from stenod.jobs.copies import backup, publish, rehearse
from stenod.jobs.on_writer import (
    checkpoint,
    followers,
    full_vacuum,
    merge,
    optimize,
    pack,
    shrink,
)
from stenod.jobs.slices import OnWriter, Slices
from stenod.retention.run import retention

SLICE_S = 0.004
"""No save waits longer for a job than for a follower; one step may take longer all the same."""


class Job(Struct, frozen=True):
    """What is done, and when it may begin. Exactly one of ``on_writer`` and ``beside``.

    ``needs_idle``: it would be felt, so it waits until nobody has written for a while.
    ``after_writes``: there is nothing to do unless something was written since its last run.
    """

    name: str
    summary: str
    on_writer: Callable[[OnWriter], Slices] | None = None
    beside: Callable[[Beside], dict[str, Any]] | None = None
    needs_idle: bool = True
    after_writes: bool = True
    slice_s: float = SLICE_S


_ALL = (
    Job(
        "checkpoint",
        "copies the write-ahead log back into the database",
        on_writer=checkpoint,
        needs_idle=False,
    ),
    Job(
        "followers",
        "looks whether index, analysis, costs or daily sums were left behind",
        on_writer=followers,
        after_writes=False,
    ),
    Job("optimize", "renews the statistics of the query planner", on_writer=optimize),
    Job(
        "merge",
        "merges the search index, so that words of forgotten text leave it",
        on_writer=merge,
    ),
    Job("pack", "compresses the kept bytes of transcripts better", on_writer=pack),
    Job("shrink", "gives free pages of the database back to the disk", on_writer=shrink),
    Job(
        "retention",
        "archives idle sessions, and removes what the settings say shall not be kept",
        on_writer=retention,
        after_writes=False,
    ),
    Job("backup", "writes a verified backup, and removes old ones", beside=backup),
    Job("check", "reads the whole database and checks that it is sound", beside=check),
    Job(
        "rehearse",
        "restores a backup made now into a temporary place and compares it",
        beside=rehearse,
    ),
    Job("publish", "writes a snapshot for others to read, in one file", beside=publish),
    Job(
        "vacuum",
        "writes the database anew without free pages; writes wait meanwhile",
        on_writer=full_vacuum,
    ),
)
JOBS = {job.name: job for job in _ALL}
