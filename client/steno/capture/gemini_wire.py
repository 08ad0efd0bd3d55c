"""What a line of a Gemini session looks like, and how an older session's document is cut into them.

Fields that some version writes in another shape are kept as raw JSON and read only where their
type is known, so that one odd field never costs the line. Unknown fields are ignored.
"""

import re

from msgspec import Raw, Struct, field
from msgspec.json import Decoder, encode

from steno.capture.snapshot import Parts, json_line, token_of, unit_of

INJECTED_PREFIXES = (
    "<session_context>",
    "<loaded_context>",
    "<hook_context>",
    "<state_snapshot>",
    "<available_skills>",
    "<user_action>",
    "This is the Gemini CLI. We are setting up the context",
    "System: ",
)
"""How texts begin that the agent puts into the user's mouth."""

COMMAND = re.compile(r"/[A-Za-z][\w:-]*(?:\s|$)|/\?(?:\s|$)")
"""A slash command; a prompt may begin with a path."""

REFERENCED_FILES = "\n--- Content from referenced files ---"
CANCELLED = "Request cancelled."
NOTICES = frozenset({"info", "warning", "error"})
FAILED_STATUSES = frozenset({"error", "cancelled"})
_HEADER_FIELDS = ("sessionId", "projectHash", "startTime", "kind", "directories", "summary")


class Counts(Struct):
    input: int | None = None
    output: int | None = None
    cached: int | None = None
    thoughts: int | None = None
    tool: int | None = None


class Thought(Struct):
    subject: str | None = None
    description: str | None = None


class ToolCall(Struct):
    id: str | None = None
    name: str | None = None
    args: Raw = Raw()
    result: Raw = Raw()
    status: str | None = None


class Metadata(Struct, rename="camel"):
    """The header of a session, or what ``$set`` changes of it."""

    session_id: str | None = None
    project_hash: str | None = None
    start_time: str | None = None
    kind: str | None = None
    summary: str | None = None
    directories: list[str] | None = None
    messages: list[Raw] | None = None


class Line(Struct):
    """Any line: a header, a message, or a change to what was said before."""

    set: Raw = field(default=Raw(), name="$set")
    rewind_to: Raw = field(default=Raw(), name="$rewindTo")
    gone: Raw = field(default=Raw(), name="$gone")
    session_id: str | None = field(default=None, name="sessionId")
    id: str | None = None
    timestamp: str | None = None
    type: str | None = None
    content: Raw = Raw()
    thoughts: Raw = Raw()
    tool_calls: Raw = field(default=Raw(), name="toolCalls")
    tokens: Raw = Raw()
    model: str | None = None


LINE: Decoder[Line] = Decoder(Line)
METADATA: Decoder[Metadata] = Decoder(Metadata)
COUNTS: Decoder[Counts | None] = Decoder(Counts | None)
THOUGHTS: Decoder[list[Thought] | None] = Decoder(list[Thought] | None)
TOOL_CALLS: Decoder[list[ToolCall] | None] = Decoder(list[ToolCall] | None)
RAW: Decoder[Raw] = Decoder(Raw)
_DOCUMENT: Decoder[dict[str, Raw]] = Decoder(dict[str, Raw])
_MESSAGES: Decoder[list[Raw]] = Decoder(list[Raw])


class _Named(Struct):
    id: str | None = None


_NAMED: Decoder[_Named] = Decoder(_Named)


def cut(data: bytes) -> Parts:
    """Cut a session's document into its header and messages, as lines of the newer format."""
    document = _DOCUMENT.decode(data)
    header = {name: document[name] for name in _HEADER_FIELDS if name in document}
    if "sessionId" not in header:
        raise ValueError("no session")
    units = [unit_of("", json_line(encode({"$set": header})))]
    for raw in _MESSAGES.decode(document.get("messages", Raw(b"[]"))):
        line = json_line(bytes(raw))
        units.append(unit_of(_key(line), line))
    return Parts(Decoder(str).decode(header["sessionId"]), units)


def _key(line: bytes) -> str:
    try:
        name = _NAMED.decode(line).id
    except ValueError:
        name = None
    return name or token_of(line).hex()
