"""Whether a record from a file is what the database has under its id."""

from typing import TYPE_CHECKING, Any

from steno.cli.importfile import record_of
from steno.cli.jsontext import plain
from steno_schema.records import AnyRecord, Exchange, Message
from steno_schema.replies import Exchanges, Messages
from steno_schema.requests import Get

if TYPE_CHECKING:
    from steno.cli.command import Context


def is_same(context: "Context", record: AnyRecord) -> bool:
    """Tell whether the record with this id, exported and read back, would be ``record``."""
    if isinstance(record, Exchange):
        stored: list[Any] = list(context.ask(Get(target=record.id), Exchanges).items)
    elif isinstance(record, Message):
        stored = list(context.ask(Get(target=record.id, type="message"), Messages).items)
    else:
        return False
    kind = "exchange" if isinstance(record, Exchange) else "message"
    return bool(stored) and record_of({"type": kind, **plain(stored[0])}) == record
