"""What stands in the lines of llm's log, as far as it is used; everything else is left out."""

from typing import Any

from msgspec import Raw, Struct, field
from msgspec.json import Decoder

from steno.capture.snapshot import GONE


class Line(Struct):
    table: str = ""
    row: Raw = Raw()
    system: list["Said"] = []
    input: list["Said"] = []
    output: list["Said"] = []
    tool_calls: list["Tool"] = []
    tool_results: list["Tool"] = []
    attachments: list["Attachment"] = []
    fragments: list[int] = []
    gone: Any = field(name=GONE, default=None)


class Tool(Struct):
    """A call of a tool or its result: a row of its own in the older tables, a payload now."""

    name: str | None = None
    arguments: Any = None
    output: Any = None
    exception: str | None = None
    tool_call_id: str | None = None
    text: str | None = None
    text_ref: list["Piece"] = []
    """A text that borrows from fragments, in pieces."""
    attachment: Any = None


class Piece(Struct):
    fragment: int | None = None
    literal: str = ""


class Part(Struct):
    """A piece of a message."""

    type: str = ""
    text: str | None = None
    payload: Tool | None = None


class Attachment(Struct):
    type: str | None = None


class Said(Struct):
    role: str | None = None
    parts: list[Part] = []


class Call(Struct):
    """A row of ``responses`` or ``turns``."""

    id: str
    model: str | None = None
    resolved_model: str | None = None
    prompt: str | None = None
    system: str | None = None
    response: str | None = None
    reasoning: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    token_details: "Details | None" = None
    duration_ms: float | None = None
    datetime_utc: str | None = None


class Counted(Struct):
    """Parts of a count, as OpenAI's two interfaces name them."""

    cached_tokens: int = 0
    reasoning_tokens: int = 0


class Details(Struct):
    """What a provider tells besides input and output, zeros left out."""

    prompt_tokens_details: Counted = field(default_factory=Counted)
    input_tokens_details: Counted = field(default_factory=Counted)
    completion_tokens_details: Counted = field(default_factory=Counted)
    output_tokens_details: Counted = field(default_factory=Counted)
    cache_read_input_tokens: int = 0
    cache_creation_input_tokens: int = 0
    cached_content: int = field(name="cachedContentTokenCount", default=0)
    thoughts: int = field(name="thoughtsTokenCount", default=0)


class Thread(Struct):
    id: str
    name: str | None = None


class Fragment(Struct):
    id: int
    content: str | None = None
    datetime_utc: str | None = None


LINE: Decoder[Line] = Decoder(Line)
CALL: Decoder[Call] = Decoder(Call)
THREAD: Decoder[Thread] = Decoder(Thread)
FRAGMENT: Decoder[Fragment] = Decoder(Fragment)
