"""Every limit in one place, with its unit and its reason.

The figures are promises to users (README, "Limits") and to each other: the relations between
them are checked when this module is imported.
"""

KIB = 1024
MIB = 1024 * KIB

FRAME_MAX_BYTES = 1 * MIB
"""A frame of an ordinary request. Hostile input of this size costs a few ms to refuse."""

BULK_FRAME_MAX_BYTES = 4 * MIB
"""A frame that carries many records (``append``, ``stage``) or a reply."""

REPLY_FRAME_MAX_BYTES = 15 * MIB
"""A frame of a reply; below 16 MiB, so that its first byte is 0 as that of every frame."""

RECORD_TEXT_MAX_BYTES = 12 * MIB
"""Prompt and output of one exchange, or one message: what was saved can be fetched again."""

STAGED_MAX_BYTES = 64 * MIB
"""An append that is larger than a frame goes up in parts; together they may be this large."""

NESTING_MAX = 128
"""Depth of maps and lists in metadata; msgspec itself stops at about 1,000."""

CONNECTIONS_MAX = 256
INCOMPLETE_CONNECTIONS_MAX = 64
"""Connections that have not said ``hello`` or any other complete request yet."""

IN_FLIGHT_MAX = 64
"""Requests of one connection that may wait for their reply; further ones are not read."""

HEADER_TIMEOUT_S = 5.0
"""From a frame's first byte to its last; a quiet connection may stay as long as it likes."""

REPLY_BUFFER_MAX_BYTES = 16 * MIB
"""What may wait for a client that does not read; beyond it the connection is closed."""

WRITER_QUEUE_MAX_REQUESTS = 4096
WRITER_QUEUE_MAX_BYTES = 64 * MIB
"""Beyond either, ``busy``: the client spools or tries again, nothing is dropped in silence."""

BATCH_MAX_REQUESTS = 512
"""Requests in one transaction: group commit gains nothing beyond it."""

STATEMENT_DEADLINE_S = 2.0
"""A read is stopped after this; exports page so that no statement needs longer."""

SQL_ROWS_MAX = 10_000
PAGE_MAX = 1000
"""Records in one page of ``list`` or ``search``; the cursor leads on."""

SEARCH_TEXT_MAX_BYTES = 1 * KIB
SEARCH_TERMS_MAX = 32
SEARCH_PREFIXES_MAX = 4
SEARCH_CANDIDATES = 1000
"""Newest matches that the default ranking scores; exact ranking is an explicit choice."""

FRESHNESS_WAIT_S = 0.5
"""A search waits this long for the index to reach the newest acknowledged record."""

FOLLOWER_BACKLOG_MAX = 20_000
"""Changes a follower may be behind before bulk writes help it along."""

TRANSCRIPT_LINE_MAX_BYTES = 16 * MIB
"""A longer line is kept aside and reported, not parsed."""

CAPTURED_TEXT_MAX_CHARS = 1_000_000
"""Longest text of one captured message; the rest stays in the kept bytes."""

LINE_KIND_MAX_CHARS = 120
LINE_KINDS_MAX = 200
"""Kinds of line, version by version, that are told apart in one transcript."""

TAG_MAX_CHARS = 200
KEY_MAX_CHARS = 500
"""Session and conversation keys, names, models: text that identifies."""

SPOOL_MAX_BYTES = 1024 * MIB
FREE_SPACE_FLOOR_BYTES = 64 * MIB
"""With less free space than this, writing stops while it still can stop in good order."""

SOCKET_PATH_MAX_BYTES = 103
"""``sun_path`` holds 104 bytes on macOS and 108 on Linux, its last one a NUL."""

assert RECORD_TEXT_MAX_BYTES < REPLY_FRAME_MAX_BYTES <= REPLY_BUFFER_MAX_BYTES
assert FRAME_MAX_BYTES <= BULK_FRAME_MAX_BYTES <= STAGED_MAX_BYTES <= WRITER_QUEUE_MAX_BYTES
assert INCOMPLETE_CONNECTIONS_MAX < CONNECTIONS_MAX
assert BATCH_MAX_REQUESTS <= WRITER_QUEUE_MAX_REQUESTS
assert SEARCH_CANDIDATES >= PAGE_MAX
