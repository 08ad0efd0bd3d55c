"""The ledger: how far each source file was read, and the bytes that were read from it.

The cursor moves in the transaction that stores what was read, and only from where the sender
believes it stands: a repeated or competing append is refused whole.
"""

from steno_schema.errors import ErrorCode, RequestError
from steno_schema.requests import SourceProgress
from stenod.store.context import Context, optional_moment, uid_of
from stenod.store.meter import SAMPLE_MAX_CHARS, count_lines
from stenod.store.rows import fetch_one

_ADVANCE = """
UPDATE source SET is_away = ?1 = 'away', state = iif(?1 = 'away', state, ?1), path = ?,
  device = ?, inode = ?, size_bytes = ?, mtime_ns = ?, head_hash = ?, head_bytes = ?, tail_hash = ?, tail_bytes = ?, offset = ?, lines = lines + ?,
  lines_skipped = lines_skipped + ?, lines_not_understood = lines_not_understood + ?,
  sample = coalesce(?, sample), redactions = redactions + ?, records = records + ?,
  kept_bytes = kept_bytes + ?, parser = ?, parser_state = ?,
  session_key = coalesce(?, session_key), last_read_at = ?,
  last_event_at = max(coalesce(last_event_at, 0), coalesce(?, last_event_at, 0))
WHERE id = ?
"""
_BEGIN = """
INSERT INTO source (uid, agent, path, state, device, inode, size_bytes, mtime_ns, head_hash,
  head_bytes, tail_hash, tail_bytes, offset, lines, lines_skipped, lines_not_understood,
  redactions, records, kept_bytes, parser, parser_state, first_seen_at, last_read_at)
VALUES (?, ?, ?, 'live', 0, '', 0, 0, '', 0, '', 0, 0, 0, 0, 0, 0, 0, 0, '', x'', ?, ?)
RETURNING id
"""


def advance(
    context: Context,
    progress: SourceProgress,
    records_created: int,
    chunk_id: int,
    kept_size: int | None,
) -> None:
    """Move a source's cursor and keep its bytes, or refuse with ``conflict``.

    With ``kept_size`` the chunk holds so many bytes of the source, and long texts behind them.
    """
    uid = uid_of(progress.source)
    now = context.now()
    known = fetch_one(context.connection, "SELECT id, offset FROM source WHERE uid = ?", (uid,))
    if known is None:
        row_id = context.connection.execute(
            _BEGIN, (uid, progress.agent, progress.path, now, now)
        ).get
        known = (row_id, 0)
    row_id, offset = known
    if offset != progress.expected_offset or progress.offset < offset:
        raise RequestError(
            ErrorCode.CONFLICT,
            f"The ledger stands at byte {offset}, not {progress.expected_offset}.",
            "Read the ledger again and go on from there.",
        )
    count_lines(context.connection, row_id, progress)
    if progress.chunk:
        context.connection.execute(
            "INSERT INTO source_chunk (id, source_id, start_offset, end_offset, codec, data,"
            " kept_size) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                chunk_id,
                row_id,
                offset,
                progress.offset,
                progress.codec,
                progress.chunk,
                kept_size,
            ),
        )
    context.connection.execute(
        _ADVANCE,
        (
            progress.state,
            progress.path,
            progress.device,
            str(progress.inode),
            progress.size_bytes,
            progress.mtime_ns,
            progress.head_hash,
            progress.head_bytes,
            progress.tail_hash,
            progress.tail_bytes,
            progress.offset,
            progress.lines,
            progress.lines_skipped,
            progress.lines_not_understood,
            None if progress.sample is None else progress.sample[:SAMPLE_MAX_CHARS],
            progress.redactions,
            records_created,
            len(progress.chunk),
            progress.parser,
            progress.parser_state,
            progress.session,
            now,
            optional_moment(progress.last_event_at),
            row_id,
        ),
    )


def progress_is_stored(context: Context, progress: SourceProgress) -> bool:
    """Tell, after a commit of unknown outcome, whether the cursor moved."""
    offset = context.connection.execute(
        "SELECT offset FROM source WHERE uid = ?", (uid_of(progress.source),)
    ).get
    return offset is not None and int(offset) >= progress.offset
