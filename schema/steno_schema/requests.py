"""Requests: everything a client can ask, a closed set of verbs.

A request is a map with ``verb`` and ``id``; the reply repeats the id, so that a connection may
have many requests under way. Unknown fields are ignored; an unknown verb gets an error reply.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from steno_schema.exported import AnyExported
from steno_schema.limits import LINE_KIND_MAX_CHARS, PAGE_MAX, SQL_ROWS_MAX
from steno_schema.records import AnyRecord, Count, Int64, Key, Tag

RequestId = int | str
Limit = Annotated[int, Meta(ge=1, le=PAGE_MAX)]
ListType = Literal[
    "exchange",
    "message",
    "session",
    "conversation",
    "source",
    "usage",
    "agent_interaction",
    "routing_decision",
    "preference",
    "pattern",
    "handoff",
    "metric",
    "task",
    "command",
    "error_event",
    "workflow",
    "metadata_entry",
    "pattern_usage",
    "cost",
]
"""``cost``: the rows behind a figure of ``stats``, each model call or exchange that has one."""


SourceState = Literal["live", "gone", "replaced", "unreadable", "away"]
"""``replaced``: the file was rewritten and is read again as another generation; ``away``: the disk
it is on is not mounted."""


class Filters(Struct, kw_only=True, omit_defaults=True):
    """Which exchanges are meant; every given field must hold.

    ``since`` and ``until`` take an ISO date or time, ``7d``/``12h``/``30m`` ago, ``today``,
    ``yesterday``. Days follow the local zone. ``until`` as a date includes that whole day.
    ``project`` matches the folder or anything below it. Lists hold alternatives, but ``tag``,
    where every one must be there.
    """

    since: str | None = None
    until: str | None = None
    tag: list[Tag] = []
    model: list[Key] = []
    framework: list[Key] = []
    agent: list[Key] = []
    project: list[Key] = []
    session: list[Key] = []
    conversation: list[Key] = []
    user: list[Key] = []
    role: list[Key] = []
    category: list[Key] = []
    complexity: list[Key] = []
    stage: list[Key] = []
    origin: list[Key] = []
    min_rating: float | None = None
    min_cost: float | None = None


class Request(Struct, kw_only=True, omit_defaults=True, tag_field="verb"):
    """What every request has."""

    id: RequestId = 0


class Hello(Request, tag="hello", kw_only=True):
    """First word of a client that wants to know whom it talks to; not obligatory."""

    protocol: int = 1
    client: str = ""
    version: str = ""


class Ping(Request, tag="ping", kw_only=True):
    pass


class Status(Request, tag="status", kw_only=True):
    pass


class LineCount(Struct, kw_only=True, omit_defaults=True):
    """Lines of one kind that one version of an agent wrote, and what came of them.

    ``kind`` and ``version`` are as the transcript writes them; an empty version is not known.
    ``records`` were made of them, again for each sighting. ``sample`` is of the first line that
    was not understood, redacted.
    """

    kind: Annotated[str, Meta(max_length=LINE_KIND_MAX_CHARS)]
    version: Annotated[str, Meta(max_length=LINE_KIND_MAX_CHARS)] = ""
    lines: Count = 0
    size_bytes: Count = 0
    records: Count = 0
    skipped: Count = 0
    not_understood: Count = 0
    sample: str | None = None


class SourceProgress(Struct, kw_only=True, omit_defaults=True):
    """How far a transcript file is read once these records are stored; see ``Append.source``.

    ``source`` is the id of this generation of the file (a rewritten file is a new generation).
    ``expected_offset`` is where the sender believes the ledger stands: anything else is refused
    with ``conflict`` and nothing is stored, so no bytes are taken twice. ``chunk`` holds the
    redacted bytes of [expected_offset, offset), compressed with ``codec``; offsets, sizes and
    hashes are those of the file itself. Counts are of this stretch alone; with ``recount`` they
    are of the whole file, and take the place of what was counted before.
    """

    source: str
    agent: Key
    path: str
    expected_offset: Count
    offset: Count
    chunk: bytes = b""
    codec: Literal["zstd", "none"] = "zstd"
    device: Int64 = 0
    inode: int = 0
    size_bytes: Count = 0
    mtime_ns: Int64 = 0
    head_hash: str = ""
    head_bytes: Count = 0
    tail_hash: str = ""
    tail_bytes: Count = 0
    lines: Count = 0
    lines_skipped: Count = 0
    lines_not_understood: Count = 0
    sample: str | None = None
    counts: list[LineCount] = []
    recount: bool = False
    redactions: Count = 0
    parser: str = ""
    parser_state: bytes = b""
    session: Key | None = None
    state: SourceState = "live"
    last_event_at: str | None = None


class Append(Request, tag="append", kw_only=True):
    """Store records: all of them or none.

    ``create``: an id that exists with other content is a conflict. ``merge`` is for capture, where
    the same thing is seen many times: newer sightings complete the older, and with ``source`` the
    file's cursor moves in the same transaction.

    With ``labels`` at ``check`` an exchange whose category, complexity, stage or technique is not
    configured is refused; ``keep`` is for what was taken in once already.
    """

    records: list[AnyRecord]
    mode: Literal["create", "merge"] = "create"
    source: SourceProgress | None = None
    duplicate_check: Literal["off", "session", "all"] = "off"
    labels: Literal["check", "keep"] = "check"


class Stage(Request, tag="stage", kw_only=True):
    """One part of an append or import larger than a frame; the last part carries it out.

    ``data`` is a stretch of the msgpack encoding of the request; parts come in order on one
    connection. Every part but the last is answered with ``pong``.
    """

    token: str
    data: bytes
    last: bool = False


class Amend(Request, tag="amend", kw_only=True):
    """Change annotations: ``set`` names fields and their new values, ``None`` empties one.

    For exchanges also ``add_tags`` and ``remove_tags``. ``target`` is a UUID, a unique prefix of
    one, or the integer that views show.
    """

    target: str
    type: ListType = "exchange"
    set: dict[str, Any] = {}
    add_tags: list[Tag] = []
    remove_tags: list[Tag] = []


class Delete(Request, tag="delete", kw_only=True):
    """Forget records for good: one by ``target``, or the exchanges that ``filters`` choose.

    Their ids stay as tombstones, so that no retry and no transcript brings them back. Of a
    preference or a metadata entry every earlier value is forgotten, and a later one may be set.
    ``user`` names a person: exchanges, conversations, sessions with what was logged in them, and
    preferences.
    """

    target: str | None = None
    type: Literal[
        "exchange", "session", "conversation", "preference", "metadata_entry", "user"
    ] = "exchange"
    filters: Filters | None = None
    dry_run: bool = False


class Get(Request, tag="get", kw_only=True):
    target: str
    type: ListType = "exchange"


class List(Request, tag="list", kw_only=True):
    """Newest first, in pages.

    Messages of a conversation or a session come in their order instead; with ``newest_first`` the
    last ones come first there too. A cursor goes with the order it was given for. ``where`` is for
    records that are rows of a view: columns of it, and for each the values it may have.
    """

    type: ListType = "exchange"
    filters: Filters = msgspec.field(default_factory=Filters)
    limit: Limit = 20
    cursor: str | None = None
    oldest_first: bool = False
    newest_first: bool = False
    where: dict[Key, list[str]] = {}


class Export(Request, tag="export", kw_only=True):
    """Everything that ``filters`` choose, as ``exported`` describes it, in pages of ``rows``.

    Filters choose exchanges, and of the rest what belongs to them or fits by its own session,
    user and time. ``types`` names the types of records that are wanted; empty: all. ``newest``
    keeps that many exchanges, the newest ones, and what belongs to them.
    """

    filters: Filters = msgspec.field(default_factory=Filters)
    types: list[ListType] = []
    newest: Annotated[int, Meta(ge=1)] | None = None
    cursor: str | None = None


class Import(Request, tag="import", kw_only=True):
    """Take exported records back in, each by itself; its ``outcome`` says what became of it.

    What is there already is completed where something is missing, and never replaced.
    """

    records: list[AnyExported]


class Search(Request, tag="search", kw_only=True):
    """Full-text search; whatever is in ``query`` is valid, see ``stenod.search.language``.

    ``rank``: ``best`` scores the newest matches, ``recent`` orders by time, ``exact`` scores all.
    """

    query: str = ""
    filters: Filters = msgspec.field(default_factory=Filters)
    limit: Limit = 20
    cursor: str | None = None
    rank: Literal["best", "recent", "exact"] = "best"


StatsBy = Literal[
    "day",
    "week",
    "hour",
    "model",
    "framework",
    "agent",
    "project",
    "tag",
    "category",
    "complexity",
    "stage",
    "keyword",
    "session",
    "user",
]
"""What statistics are grouped by. A ``week`` is its Monday, an ``hour`` one of the day (00 to 23);
both are local time, as days are."""


class Stats(Request, tag="stats", kw_only=True):
    filters: Filters = msgspec.field(default_factory=Filters)
    by: StatsBy | None = None
    limit: Limit = 50


class Sql(Request, tag="sql", kw_only=True):
    """One read-only statement over the views; ``parameters`` by position or by name."""

    query: str
    parameters: list[Any] | dict[str, Any] = []
    limit: Annotated[int, Meta(ge=1, le=SQL_ROWS_MAX)] = 1000


class Subscribe(Request, tag="subscribe", kw_only=True):
    """Send every new exchange that ``filters`` choose as an ``event``, until ``cancel``.

    ``after`` is the ``sequence`` of the last event seen: those missed since are sent first. The
    subscription is acknowledged with ``done``, whose result holds the ``sequence`` it begins after
    and ``gap``: true if the change log no longer has all that came after ``after``. Should the log
    be cut before a slow reader later on, another ``done`` says so.
    """

    filters: Filters = msgspec.field(default_factory=Filters)
    after: Count | None = None


class Cancel(Request, tag="cancel", kw_only=True):
    """Stop the request or subscription with id ``request`` of this connection."""

    request: RequestId


class Admin(Request, tag="admin", kw_only=True):
    """Something for the daemon itself."""

    action: Literal[
        "checkpoint",
        "optimize",
        "probe",
        "vacuum",
        "integrity_check",
        "redactions",
        "flush",
        "shutdown",
        "capture_status",
        "capture_report",
        "capture_check",
        "capture_acknowledge",
        "ledger",
        "kept",
        "hook",
        "rescan",
        "drain_spool",
        "rederive",
        "config",
        "jobs",
        "run_job",
        "retention_run",
    ]
    arguments: dict[str, Any] = {}


AnyRequest = (
    Hello
    | Ping
    | Status
    | Append
    | Stage
    | Amend
    | Delete
    | Get
    | List
    | Export
    | Import
    | Search
    | Stats
    | Sql
    | Subscribe
    | Cancel
    | Admin
)


class Header(Struct):
    """The part of a request that can be read even when the rest cannot."""

    id: RequestId = 0
    verb: str = ""
