"""``steno metrics``: text that a collector can read, and figures that are true."""

import json
import re

from support.running import RunningDaemon

SAMPLE = re.compile(r'^(\w+)(\{\w+="[^"\n]*"(?:,\w+="[^"\n]*")*\})? -?[0-9.e+-]+$')


def test_metrics_are_openmetrics_and_true(daemon: RunningDaemon) -> None:
    with daemon.client() as client:
        for number in range(3):
            client.history.save(f"count me, {number}", "counted")
    done = daemon.steno("metrics")
    assert done.returncode == 0, done.stderr
    *lines, end, empty = done.stdout.split("\n")
    assert (end, empty) == ("# EOF", "")
    kinds = {line.split()[2]: line.split()[3] for line in lines if line.startswith("# TYPE")}
    for line in lines:
        if line.startswith("#"):
            continue
        found = SAMPLE.match(line)
        assert found, line
        name = found[1].removesuffix("_total")
        assert name in kinds
        assert found[1].endswith("_total") == (kinds[name] == "counter")
    assert 'steno_records{kind="exchanges"} 3' in lines
    assert 'steno_requests_total{verb="append"} 3' in lines
    figures = json.loads(daemon.steno("metrics", "--json").stdout)
    assert {"labels": {"kind": "exchanges"}, "value": 3.0} in figures["steno_records"]
