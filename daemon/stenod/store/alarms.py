"""Alarms: what the completeness meter counted that it should not have.

An agent changes its format without a word. Two things show it: lines of a kind that no parser
knows, and a version whose lines give less than those of the versions before. Each is raised once,
stands until it is acknowledged, and goes when it no longer holds (``steno rederive capture`` with a
parser that has learned).
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import apsw

from steno_schema.times import format_ms
from stenod.query.meter import Counted, counted, version_key
from stenod.store.rows import fetch_all

LINES_MIN = 100
"""Fewer lines of a version prove nothing about it."""
KIND_LINES_MIN = 20
UNDERSTOOD_FALL = 0.02
"""A version is reported whose share of lines understood is this much lower than before."""
RECORDS_MIN = 0.5
"""Kinds of line that gave fewer records each are not watched: many of them say nothing."""
RECORDS_FALL = 0.5
"""A kind of line is reported that gives fewer than this share of the records it gave before."""
VERSIONS_BEFORE = 5
ALARMS_MAX = 100
"""Standing at the same time: a hostile file names as many kinds as it has lines."""
NOT_A_KIND = frozenset({"(broken)", "(too long)"})
"""Lines that are damaged, of whatever kind they were."""

MEND = "update steno, then: steno rederive capture (or: steno capture acknowledge)"

Key = tuple[str, str, str, str]


class Finding(NamedTuple):
    """One thing that is wrong now."""

    what: str
    agent: str
    version: str
    kind: str
    lines: int
    before: float | None = None
    now: float | None = None

    @property
    def key(self) -> Key:
        """What it is the same by: a kind is new once, whatever version writes it."""
        version = "" if self.what == "new_kind" else self.version
        return self.what, self.agent, version, self.kind


def is_due(connection: apsw.Connection) -> bool:
    """Tell whether ``check`` would raise something or take something back; it only reads."""
    found = [finding.key for finding in findings(counted(connection))]
    return set(found[:ALARMS_MAX]) != _standing(connection)


def check(connection: apsw.Connection, now_ms: int) -> list[dict[str, Any]]:
    """Raise what is new and take back what no longer holds; return the new alarms."""
    found = {finding.key: finding for finding in findings(counted(connection))}
    found = dict(list(found.items())[:ALARMS_MAX])
    known = _standing(connection)
    new = [finding for key, finding in found.items() if key not in known]
    with connection:
        connection.executemany(
            "DELETE FROM alarm WHERE (what, agent, version, kind) = (?, ?, ?, ?)",
            list(known - found.keys()),
        )
        connection.executemany(
            "INSERT INTO alarm (what, agent, version, kind, raised_at) VALUES (?, ?, ?, ?, ?)",
            [(*finding.key, now_ms) for finding in new],
        )
    return [_told(finding, now_ms) for finding in new]


def _standing(connection: apsw.Connection) -> set[Key]:
    rows = fetch_all(connection, "SELECT what, agent, version, kind FROM alarm")
    return {(what, agent, version, kind) for what, agent, version, kind in rows}


def acknowledge(connection: apsw.Connection, now_ms: int) -> int:
    """Take note of every alarm that stands; return how many there were."""
    noted = fetch_all(
        connection,
        "UPDATE alarm SET acknowledged_at = ? WHERE acknowledged_at IS NULL RETURNING kind",
        (now_ms,),
    )
    return len(noted)


def standing(connection: apsw.Connection) -> list[dict[str, Any]]:
    """Return the alarms that stand and are not acknowledged, with what is counted now."""
    rows = fetch_all(
        connection,
        "SELECT what, agent, version, kind, raised_at FROM alarm WHERE acknowledged_at IS NULL",
    )
    raised = {(what, agent, version, kind): at for what, agent, version, kind, at in rows}
    if not raised:
        return []
    found = findings(counted(connection))
    return [_told(each, raised[each.key]) for each in found if each.key in raised]


def findings(counts: list[Counted]) -> Iterator[Finding]:
    """Yield everything that is wrong with what was counted."""
    agents: dict[str, dict[str, list[Counted]]] = {}
    for count in counts:
        agents.setdefault(count.agent, {}).setdefault(count.version, []).append(count)
    for agent, versions in agents.items():
        yield from _new_kinds(agent, versions)
        in_order = sorted((each for each in versions if version_key(each)), key=version_key)
        for place, version in enumerate(in_order):
            before = in_order[max(0, place - VERSIONS_BEFORE) : place]
            older = [count for each in before for count in versions[each]]
            yield from _fewer_understood(agent, version, versions[version], older)
            yield from _fewer_records(agent, version, versions[version], older)


def _new_kinds(agent: str, versions: dict[str, list[Counted]]) -> Iterator[Finding]:
    lines: dict[str, int] = {}
    newest: dict[str, str] = {}
    for version in sorted(versions, key=version_key):
        for count in versions[version]:
            if count.not_understood and count.kind not in NOT_A_KIND:
                lines[count.kind] = lines.get(count.kind, 0) + count.not_understood
                newest[count.kind] = version
    for kind, not_understood in lines.items():
        yield Finding("new_kind", agent, newest[kind], kind, not_understood)


def _fewer_understood(
    agent: str, version: str, counts: list[Counted], older: list[Counted]
) -> Iterator[Finding]:
    lines, before_lines = _sum(counts, "lines"), _sum(older, "lines")
    if min(lines, before_lines) < LINES_MIN:
        return
    before = 1 - _sum(older, "not_understood") / before_lines
    now = 1 - _sum(counts, "not_understood") / lines
    if now < before - UNDERSTOOD_FALL:
        yield Finding("fewer_understood", agent, version, "", lines, before, now)


def _fewer_records(
    agent: str, version: str, counts: list[Counted], older: list[Counted]
) -> Iterator[Finding]:
    for count in counts:
        alike = [each for each in older if each.kind == count.kind]
        before_lines = _sum(alike, "lines")
        if min(count.lines, before_lines) < KIND_LINES_MIN:
            continue
        before, now = _sum(alike, "records") / before_lines, count.records / count.lines
        if before >= RECORDS_MIN and now < before * RECORDS_FALL:
            yield Finding("fewer_records", agent, version, count.kind, count.lines, before, now)


def _sum(counts: list[Counted], name: str) -> int:
    return sum(getattr(count, name) for count in counts)


def _told(alarm: Finding, raised_at: int) -> dict[str, Any]:
    return alarm._asdict() | {
        "message": _sentence(alarm),
        "mend": MEND,
        "raised_at": format_ms(raised_at),
    }


def _sentence(alarm: Finding) -> str:
    who = f"{alarm.agent} {alarm.version}".strip()
    before, now = alarm.before or 0.0, alarm.now or 0.0
    if alarm.what == "fewer_understood":
        return f"{now:.1%} of the lines of {who} are understood, of versions before {before:.1%}"
    if alarm.what == "fewer_records":
        return (
            f"a line {alarm.kind} of {who} gives {now:.2f} records,"
            f" of versions before {before:.2f}"
        )
    return f"{alarm.lines:,} lines {alarm.kind} of {who} are not understood"
