"""The limits fit each other: what one room lets in, the next one holds."""

import pytest

from steno_schema import limits
from steno_schema.limits import MIB

FIGURES = {name: value for name, value in vars(limits).items() if name.isupper()}
UTF8_MAX_BYTES = 4


@pytest.mark.parametrize("name", sorted(FIGURES))
def test_every_limit_is_a_positive_number(name: str) -> None:
    assert isinstance(FIGURES[name], int | float)
    assert FIGURES[name] > 0


@pytest.mark.parametrize(
    "ascending",
    [
        # A frame fits the next larger way in, and the last of them fits the queue and the spool.
        "FRAME_MAX_BYTES BULK_FRAME_MAX_BYTES STAGED_MAX_BYTES WRITER_QUEUE_MAX_BYTES",
        "STAGED_MAX_BYTES SPOOL_MAX_BYTES",
        # Any one reply can be sent.
        "BULK_FRAME_MAX_BYTES RECORD_TEXT_MAX_BYTES REPLY_FRAME_MAX_BYTES REPLY_BUFFER_MAX_BYTES",
        # A line that is parsed can be kept: it goes up in stages.
        "TRANSCRIPT_LINE_MAX_BYTES STAGED_MAX_BYTES",
        "INCOMPLETE_CONNECTIONS_MAX CONNECTIONS_MAX",
        # No connection alone fills the queue; no transaction is larger than it.
        "IN_FLIGHT_MAX WRITER_QUEUE_MAX_REQUESTS",
        "BATCH_MAX_REQUESTS WRITER_QUEUE_MAX_REQUESTS",
        # A page can be filled from what is scored or selected.
        "PAGE_MAX SEARCH_CANDIDATES",
        "PAGE_MAX SQL_ROWS_MAX",
        "SEARCH_CANDIDATES FOLLOWER_BACKLOG_MAX",
        "SEARCH_PREFIXES_MAX SEARCH_TERMS_MAX SEARCH_TEXT_MAX_BYTES",
        # A search waits for the index and still has time to be answered.
        "FRESHNESS_WAIT_S STATEMENT_DEADLINE_S HEADER_TIMEOUT_S",
        "TAG_MAX_CHARS KEY_MAX_CHARS",
    ],
)
def test_limits_ascend(ascending: str) -> None:
    values = [FIGURES[name] for name in ascending.split()]
    assert values == sorted(values)


def test_one_captured_text_fits_a_bulk_frame_in_any_script() -> None:
    largest = limits.CAPTURED_TEXT_MAX_CHARS * UTF8_MAX_BYTES
    assert largest <= limits.BULK_FRAME_MAX_BYTES


def test_the_first_byte_of_a_frame_stays_zero() -> None:
    assert limits.BULK_FRAME_MAX_BYTES < limits.REPLY_FRAME_MAX_BYTES < 16 * MIB


def test_lengths_of_spool_records_fit_four_bytes() -> None:
    assert limits.STAGED_MAX_BYTES < 1 << 32
