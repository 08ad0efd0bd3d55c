"""The completeness meter's counts, kept for each source beside its cursor."""

import apsw

from steno_schema.limits import LINE_KINDS_MAX
from steno_schema.requests import LineCount, SourceProgress
from stenod.store.rows import fetch_all

SAMPLE_MAX_CHARS = 200
OTHER_LINES = "(other)"

_ADD = """
INSERT INTO line_count (source_id, version, kind, lines, size_bytes, records, skipped,
  not_understood, sample) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (source_id, version, kind) DO UPDATE SET lines = lines + excluded.lines,
  size_bytes = size_bytes + excluded.size_bytes, records = records + excluded.records,
  skipped = skipped + excluded.skipped, not_understood = not_understood + excluded.not_understood,
  sample = coalesce(sample, excluded.sample)
"""
_BEGIN_ANEW = """
UPDATE source SET lines = 0, lines_skipped = 0, lines_not_understood = 0, sample = NULL
WHERE id = ?
"""


def count_lines(connection: apsw.Connection, source_id: int, progress: SourceProgress) -> None:
    """Add a stretch's counts to its source's, or take a recount in their place."""
    if progress.recount:
        connection.execute("DELETE FROM line_count WHERE source_id = ?", (source_id,))
        connection.execute(_BEGIN_ANEW, (source_id,))
    if not progress.counts:
        return
    rows = fetch_all(
        connection, "SELECT version, kind FROM line_count WHERE source_id = ?", (source_id,)
    )
    known = {(version, kind) for version, kind in rows}
    for count in progress.counts:
        key = (count.version, count.kind)
        if key not in known and len(known) >= LINE_KINDS_MAX:
            key = ("", OTHER_LINES)
        known.add(key)
        connection.execute(_ADD, (source_id, *key, *_numbers(count), _sample(count)))


def _numbers(count: LineCount) -> tuple[int, ...]:
    return (count.lines, count.size_bytes, count.records, count.skipped, count.not_understood)


def _sample(count: LineCount) -> str | None:
    return None if count.sample is None else count.sample[:SAMPLE_MAX_CHARS]
