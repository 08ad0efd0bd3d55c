"""What the completeness meter counted, version by version, and how versions follow each other."""

import re
from typing import Any

import apsw
from msgspec import Struct

from stenod.store.rows import fetch_all

_COUNTS = """
SELECT s.agent, c.version, c.kind, sum(c.lines), sum(c.size_bytes), sum(c.records),
  sum(c.skipped), sum(c.not_understood), max(c.sample)
FROM line_count AS c JOIN source AS s ON s.id = c.source_id
WHERE s.state <> 'replaced' GROUP BY 1, 2, 3
"""
_FILES = """
SELECT s.agent, c.version, count(DISTINCT s.id)
FROM line_count AS c JOIN source AS s ON s.id = c.source_id
WHERE s.state <> 'replaced' GROUP BY 1, 2
"""
_OF_A_SOURCE = """
SELECT source_id, version, kind, lines, size_bytes, records, skipped, not_understood, sample
FROM line_count ORDER BY source_id, lines DESC
"""


class Counted(Struct):
    """Lines of one kind by one version of an agent, over all of its files."""

    agent: str
    version: str
    kind: str
    lines: int
    size_bytes: int
    records: int
    skipped: int
    not_understood: int
    sample: str | None

    def told(self) -> dict[str, Any]:
        """Return the counts as ``capture status`` shows them."""
        return {
            "kind": self.kind,
            "lines": self.lines,
            "size_bytes": self.size_bytes,
            "records": self.records,
            "lines_skipped": self.skipped,
            "lines_not_understood": self.not_understood,
            "sample": self.sample,
        }


def counted(connection: apsw.Connection) -> list[Counted]:
    """Return everything the meter counted in files that stand for themselves."""
    return [Counted(*row) for row in fetch_all(connection, _COUNTS)]


def version_key(version: str) -> list[int]:
    """Return what orders versions: the numbers in them.

    >>> version_key("2.1.87") < version_key("2.1.112")
    True
    """
    return [int(number[:18]) for number in re.findall(r"\d+", version)]


def by_version(connection: apsw.Connection) -> dict[str, list[dict[str, Any]]]:
    """Return for each agent its versions, newest first, with their kinds of line."""
    files = {(agent, version): count for agent, version, count in connection.execute(_FILES)}
    kinds: dict[tuple[str, str], list[Counted]] = {}
    for count in counted(connection):
        kinds.setdefault((count.agent, count.version), []).append(count)
    agents: dict[str, list[dict[str, Any]]] = {}
    for agent, version in sorted(kinds, key=lambda key: version_key(key[1]), reverse=True):
        told = _version(version, kinds[agent, version]) | {"files": files[agent, version]}
        agents.setdefault(agent, []).append(told)
    return agents


def _version(version: str, counts: list[Counted]) -> dict[str, Any]:
    lines = sum(count.lines for count in counts)
    not_understood = sum(count.not_understood for count in counts)
    records = sum(count.records for count in counts)
    in_order = sorted(counts, key=lambda count: (-count.not_understood, -count.lines))
    return {
        "version": version or None,
        "lines": lines,
        "size_bytes": sum(count.size_bytes for count in counts),
        "records": records,
        "lines_skipped": sum(count.skipped for count in counts),
        "lines_not_understood": not_understood,
        "understood_share": share(lines - not_understood, lines),
        "records_per_line": share(records, lines),
        "kinds": [count.told() for count in in_order],
    }


def share(part: int, whole: int) -> float:
    """Return a part of a whole to four digits; of nothing it is 1.

    >>> share(1, 3)
    0.3333
    """
    return round(part / whole, 4) if whole else 1.0


def by_source(connection: apsw.Connection) -> dict[int, list[dict[str, Any]]]:
    """Return for each source what its lines were."""
    sources: dict[int, list[dict[str, Any]]] = {}
    for source, version, kind, *numbers in fetch_all(connection, _OF_A_SOURCE):
        told = Counted("", version, kind, *numbers).told()
        sources.setdefault(source, []).append({"version": version or None} | told)
    return sources
