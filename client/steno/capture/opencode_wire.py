"""What stands in opencode's rows and files, as far as it is used; everything else is left out."""

from typing import Any

from msgspec import Raw, Struct, field
from msgspec.json import Decoder

from steno.capture.snapshot import GONE


class Line(Struct):
    """A row of the database, or a file of the tree told as the row it became later."""

    table: str = ""
    row: Raw = Raw()
    root: str | None = None
    """Of a session: the one it was started from, through all parents."""
    copy_of: str | None = None
    """Of a message: the message of another session that a fork copied it from."""
    gone: Any = field(name=GONE, default=None)
    """Rows that are not there any more; what was read of them stays."""


class Times(Struct):
    created: float | None = None
    updated: float | None = None
    completed: float | None = None
    start: float | None = None
    end: float | None = None


class SessionFile(Struct):
    """A session as the tree of files has it."""

    directory: str | None = None
    parent: str | None = field(name="parentID", default=None)
    title: str | None = None
    version: str | None = None
    time: Times = field(default_factory=Times)


class SessionRow(Struct):
    id: str
    directory: str | None = None
    parent_id: str | None = None
    title: str | None = None
    version: str | None = None
    time_created: float | None = None
    time_updated: float | None = None
    data: SessionFile | None = None


class Cache(Struct):
    read: float = 0
    write: float = 0


class TokenCounts(Struct):
    input: float = 0
    output: float = 0
    reasoning: float = 0
    total: float | None = None
    cache: Cache = field(default_factory=Cache)


class Failure(Struct):
    name: str = ""
    data: Any = None


class MessageData(Struct):
    role: str
    time: Times = field(default_factory=Times)
    parent: str | None = field(name="parentID", default=None)
    model: str | None = field(name="modelID", default=None)
    finish: str | None = None
    error: Failure | None = None
    cost: float = 0
    tokens: TokenCounts | None = None
    summary: Any = None
    """True of the answer to a compaction; of a prompt an object that tells what was changed."""


class MessageRow(Struct):
    id: str
    data: MessageData


class ToolState(Struct):
    status: str = ""
    input: Raw = Raw()
    output: Any = None
    error: Any = None
    metadata: Any = None
    time: Times = field(default_factory=Times)


class PartData(Struct):
    type: str
    text: str = ""
    synthetic: bool | None = None
    ignored: bool | None = None
    tool: str | None = None
    call_id: str | None = field(name="callID", default=None)
    state: ToolState = field(default_factory=ToolState)
    prompt: str = ""
    command: str | None = None


class PartRow(Struct):
    id: str
    message_id: str
    data: PartData


PARTS_WITHOUT_RECORDS = frozenset(
    {"step-start", "step-finish", "snapshot", "patch", "file", "agent", "retry", "compaction"}
)

LINE: Decoder[Line] = Decoder(Line)
SESSION: Decoder[SessionRow] = Decoder(SessionRow)
MESSAGE: Decoder[MessageRow] = Decoder(MessageRow)
PART: Decoder[PartRow] = Decoder(PartRow)
