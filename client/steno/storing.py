"""The way of a write: made sure of, sent, and kept in the spool when no daemon takes it."""

import functools
import time
from collections.abc import Iterable

import msgspec

from steno import spool
from steno.context import Context
from steno.errors import Misuse, Refused, Unreachable
from steno.results import Saved
from steno.verbs import Spool, Steps, ask
from steno.wire import check_size
from steno_schema.labels import unlisted
from steno_schema.limits import BULK_FRAME_MAX_BYTES, STAGED_MAX_BYTES
from steno_schema.records import AgentInteraction, AnyRecord, Exchange
from steno_schema.replies import Appended
from steno_schema.requests import Append
from steno_schema.times import format_ms

_ARRIVAL_FIELDS = frozenset(
    {
        "created_at",
        "decided_at",
        "executed_at",
        "occurred_at",
        "recorded_at",
        "seen_at",
        "updated_at",
    }
)
"""Times that would be the time of arrival if left out: a spooled record arrives late."""


def store(
    append: Append, *, may_spool: bool, save_timeout_s: float, timeout_s: float
) -> Steps[list[Saved]]:
    """Store an append within ``save_timeout_s`` (``timeout_s`` if it goes up in stages).

    Raises ``Misuse`` for records that the daemon would never take, so that none of them can get
    into the spool. What is sent and what is spooled is the same, to the byte of its times, so
    that a record which got through both ways is one record.
    """
    append = msgspec.structs.replace(append, records=stamped(append.records))
    size_bytes = check(append, STAGED_MAX_BYTES)
    deadline_s = timeout_s if size_bytes > BULK_FRAME_MAX_BYTES else save_timeout_s
    appended: Appended | None = None
    try:
        appended = yield from ask(append, Appended, deadline_s)
    except (Unreachable, Refused) as error:
        if not may_spool or (isinstance(error, Refused) and not error.retryable):
            raise
    if appended is None:
        yield Spool(append)
        return [
            Saved(id=record.id, stored="spool", key=key_of(record)) for record in append.records
        ]
    if len(appended.outcomes) != len(append.records):
        raise Unreachable("The daemon's answer does not fit what was sent.", "See 'steno doctor'.")
    return [
        Saved(id=outcome.id, stored="daemon", outcome=outcome.outcome, key=key_of(record))
        for outcome, record in zip(appended.outcomes, append.records, strict=True)
    ]


def keep(context: Context, append: Append) -> None:
    """Write an append to the spool, without the secrets in it; synced when this returns.

    Raises ``Misuse`` for a label that is not configured: it could be mended only now.
    """
    for record in append.records:
        if isinstance(record, Exchange):
            wrong = unlisted(record, context.settings.tracking)
            if wrong is not None:
                raise Misuse(*wrong)
    if context.settings.redaction.enabled:
        from steno_schema.redaction import redact_record

        records = [redact_record(record)[0] for record in append.records]
        append = msgspec.structs.replace(append, records=records)
    spool.write(context.paths.spool, msgspec.msgpack.encode(append))


def check(append: Append, max_bytes: int, what: str = "append") -> int:
    """Return the size of the encoded append in bytes.

    Raises ``Misuse`` if a record breaks a rule or the whole is larger than ``max_bytes``.
    """
    try:
        payload = msgspec.msgpack.encode(append)
        check_size(len(payload), max_bytes, what)
        _decoder().decode(payload)
    except UnicodeEncodeError:
        raise Misuse("A text holds a lone surrogate, which is no character.") from None
    except Misuse:
        raise
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise Misuse(f"A record breaks a rule: {error}.", "Nothing was stored.") from None
    return len(payload)


def stamped(records: Iterable[AnyRecord]) -> list[AnyRecord]:
    """Return the records with their times filled in: now, unless they say otherwise."""
    now = format_ms(time.time_ns() // 1_000_000)
    return [_stamped(record, now) for record in records]


def _stamped(record: AnyRecord, now: str) -> AnyRecord:
    missing = {name: now for name in _time_fields(type(record)) if getattr(record, name) is None}
    return msgspec.structs.replace(record, **missing) if missing else record


@functools.cache
def _time_fields(record_type: type[AnyRecord]) -> tuple[str, ...]:
    if record_type is AgentInteraction:
        return ("started_at",)
    return tuple(name for name in record_type.__struct_fields__ if name in _ARRIVAL_FIELDS)


@functools.cache
def _decoder() -> msgspec.msgpack.Decoder[Append]:
    return msgspec.msgpack.Decoder(Append)


def key_of(record: AnyRecord) -> str | None:
    """Return the name of a session, conversation, task or entry; ``None`` for other records."""
    return getattr(record, "key", None)


def valid_text(text: object) -> str:
    """Return text that can be stored: half characters (lone surrogates) become U+FFFD."""
    if not isinstance(text, str):
        raise Misuse(f"A prompt is text, not {type(text).__name__}.")
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
