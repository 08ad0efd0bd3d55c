"""The check of tracking: whether prompts went unrecorded lately. It needs no daemon."""

import time
from collections import Counter

from steno.cli.checks import Check
from steno.tracking.failures import file_of, read
from steno_schema.paths import Paths
from steno_schema.times import format_ms

RECENT_DAYS = 7
_DAY_MS = 86_400_000


def check_tracking(paths: Paths) -> Check:
    """Return whether tracking failed in the last days, how often and at what."""
    since = format_ms(time.time_ns() // 1_000_000 - RECENT_DAYS * _DAY_MS)
    failures = [failure for failure in read(paths) if failure.at >= since]
    if not failures:
        return Check("tracking", "ok", f"no failure in the last {RECENT_DAYS} days")
    kinds: Counter[str] = Counter()
    for failure in failures:
        kinds[failure.kind] += failure.count
    told = ", ".join(f"{kind} {count:,} times" for kind, count in kinds.most_common(3))
    finding = (
        f"{kinds.total():,} failures in the last {RECENT_DAYS} days ({told}),"
        f" the latest at {failures[-1].at}"
    )
    mend = f"STENO_DEBUG=1 tells more as it happens; {file_of(paths)} counts them"
    return Check("tracking", "warn", finding, mend)
