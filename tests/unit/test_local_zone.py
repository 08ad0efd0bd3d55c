"""Days of the person's zone, across a change of the clocks."""

import os
import subprocess
import sys

import pytest

from support.running import ROOT

SCRIPT = """
from datetime import datetime, timedelta
from stenod.query.localzone import LOCAL
from stenod.search.language import parse_moment
from stenod.store.days import bounds_of, day_of
now = datetime(2026, 3, 29, 12, tzinfo=LOCAL)
start, end = parse_moment("2026-03-29", now, False), parse_moment("2026-03-29", now, True)
print((end + 1 - start) / 3600000, now.utcoffset(), (now - timedelta(days=1)).utcoffset())
low, high = bounds_of(day_of(start))
print((high - low) / 3600000, low == start, high == end + 1)
"""


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        ("Europe/Berlin", "23.0 2:00:00 1:00:00\n23.0 True True\n"),
        ("UTC", "24.0 0:00:00 0:00:00\n24.0 True True\n"),
        ("Asia/Kolkata", "24.0 5:30:00 5:30:00\n24.0 True True\n"),
    ],
)
def test_a_day_is_as_long_as_its_zone_says(zone: str, expected: str) -> None:
    if zone != "UTC" and not os.path.exists(f"/usr/share/zoneinfo/{zone}"):
        pytest.skip(f"this system does not know {zone}")
    roots = os.pathsep.join(str(ROOT / name) for name in ("schema", "daemon"))
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env={"TZ": zone, "PYTHONPATH": roots},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == expected
