"""Instances to export from and to import into, spoken to through the command line and the client."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

from steno_schema.requests import Admin
from support.running import RunningDaemon

Line = dict[str, Any]


def settled(daemon: RunningDaemon) -> None:
    """Wait until what follows from records has been worked out: analysis, costs, the index."""
    with daemon.client(spool=False, timeout_s=300) as client:
        client.request(Admin(action="flush"))


def exported(daemon: RunningDaemon, file: Path, *words: str) -> list[Line]:
    """Have everything (or what filters choose) written as JSON Lines; return the lines."""
    settled(daemon)
    done = daemon.steno("export", "--format", "jsonl", "-o", str(file), "--force", *words)
    assert done.returncode == 0, done.stderr
    header, *lines = file.read_text("utf-8").splitlines()
    assert json.loads(header) == {"type": "steno", "format": 1}
    return [json.loads(line) for line in lines]


def imported(daemon: RunningDaemon, file: Path) -> Line:
    """Take a file in; return what became of its records, without what became of none."""
    done = daemon.steno("import", str(file), "--json")
    assert done.returncode == 0, done.stderr
    told: Line = json.loads(done.stdout)
    assert told.pop("problems") == []
    return {outcome: number for outcome, number in told.items() if number}


def differences(ours: list[Line], theirs: list[Line], *but: str) -> list[Any]:
    """Return where two exports differ, field by field; ``but`` names fields that may."""
    if len(ours) != len(theirs):
        return [Counter(line["type"] for line in lines) for lines in (ours, theirs)]
    found: list[Any] = []
    for one, other in zip(ours, theirs, strict=True):
        names = {name for name in one | other if one.get(name) != other.get(name)} - set(but)
        if names:
            found.append((one["type"], {name: (one.get(name), other.get(name)) for name in names}))
    return found[:5]


def listed(daemon: RunningDaemon) -> list[Line]:
    """Return what ``steno list --json`` shows of everything, costs and guesses included.

    But for the number: it goes by what was ever stored, also by what was taken back.
    """
    settled(daemon)
    done = daemon.steno("list", "--json", "--limit", "1000")
    assert done.returncode in (0, 1), done.stderr
    items: list[Line] = json.loads(done.stdout)["items"]
    for item in items:
        del item["number"]
    return items
