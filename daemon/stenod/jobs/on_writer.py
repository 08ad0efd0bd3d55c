"""Jobs on the write connection, each cut into steps of a few milliseconds."""

import apsw

from stenod.jobs.slices import OnWriter, Slices
from stenod.maintenance import vacuum
from stenod.store.packs import pack_source
from stenod.store.rows import fetch_all

ANALYSIS_LIMIT = 400
"""Rows of an index that ``ANALYZE`` looks at; SQLite's own recommendation is 100 to 1000."""
OPTIMIZE_EVERY_TABLE = 0x10002
OPTIMIZE_TELL_ONLY = 0x1
MERGE_PAGES = 8
SHRINK_PAGES = 16
FREE_PAGES_KEPT = 256
"""1 MiB: what comes next has room without growing the file."""
_FORGOTTEN = """
SELECT EXISTS (SELECT 1 FROM tombstone WHERE forgotten_at >= coalesce(
  (SELECT max(started_at) FROM job_run WHERE job = 'merge' AND result = 'done'), 0))
"""


def checkpoint(work: OnWriter) -> Slices:
    """Copy the log back, so that it never holds hours of work; emptied when it is large."""
    work.background.checkpoint()
    yield
    return {"pages_left": work.background.wal_pages}


def followers(work: OnWriter) -> Slices:
    """Have the background look whether a follower or a day was left behind.

    It goes before every job, so that at the second step it has done all there was.
    """
    work.background.look_again()
    yield
    return {}


def optimize(work: OnWriter) -> Slices:
    """Renew the statistics that the query planner goes by, a table a step."""
    connection = work.connection
    connection.pragma("analysis_limit", ANALYSIS_LIMIT)
    mask = OPTIMIZE_EVERY_TABLE | OPTIMIZE_TELL_ONLY
    statements = fetch_all(connection, f"PRAGMA optimize({mask})")
    for (statement,) in statements:
        yield
        connection.execute(statement).fetchall()
    return {"tables": len(statements)}


def merge(work: OnWriter) -> Slices:
    """Merge pieces of the full-text index; all of them when something was forgotten.

    The words of a deleted message stay in its piece until that is merged.
    """
    connection = work.connection
    whole = forgotten_text_is_left(connection)
    pages = -MERGE_PAGES if whole else MERGE_PAGES
    steps = 0
    while _merged(connection, pages):
        steps += 1
        pages = MERGE_PAGES
        yield
    if whole:
        work.background.checkpoint(empty=True)
    return {"steps": steps, "whole": whole}


def _merged(connection: apsw.Connection, pages: int) -> bool:
    """Merge some pages; ``False`` when there was nothing to merge."""
    before = connection.total_changes()
    connection.execute(
        "INSERT INTO message_index (message_index, rank) VALUES ('merge', ?)", (pages,)
    ).fetchall()
    return connection.total_changes() - before >= 2


def forgotten_text_is_left(connection: apsw.Connection) -> bool:
    """Tell whether something was forgotten since the index was last merged."""
    return bool(connection.execute(_FORGOTTEN).get)


def pack(work: OnWriter) -> Slices:
    """Put the kept bytes of each transcript together and compress them better, a piece a step."""
    connection = work.connection
    saved_bytes = sources = 0
    rows = fetch_all(connection, "SELECT DISTINCT source_id FROM source_chunk WHERE packed = 0")
    for (source_id,) in rows:
        sources += 1
        for saved in pack_source(connection, source_id):
            saved_bytes += saved
            yield
    return {"sources": sources, "saved_bytes": saved_bytes}


def shrink(work: OnWriter) -> Slices:
    """Give free pages at the end of the file back to the disk."""
    connection = work.connection
    before = connection.pragma("freelist_count")
    assert isinstance(before, int)
    free = before
    while free > FREE_PAGES_KEPT:
        connection.execute(f"PRAGMA incremental_vacuum({SHRINK_PAGES})").fetchall()
        left = connection.pragma("freelist_count")
        assert isinstance(left, int)
        if left >= free:
            break
        free = left
        yield
    return {"pages_freed": before - free}


def full_vacuum(work: OnWriter) -> Slices:
    """Write the whole database anew; writes wait meanwhile."""
    yield
    return vacuum(work.connection)
