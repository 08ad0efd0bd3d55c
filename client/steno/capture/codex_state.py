"""What the Codex parser keeps between two lines, and so between two lives of itself."""

from typing import Literal

from msgspec import Struct
from msgspec.msgpack import Decoder, Encoder

from steno.capture.codex_usage import Total
from steno_schema.records import ExchangeStatus

PromptSource = Literal["item", "event", "completed"]
"""Which line says a prompt: an item of a response, its event, or a completed item's event."""


class Thread(Struct):
    """The thread a file tells of: a session of its own, or a sub-agent's work in another's."""

    key: str
    session: str
    parent: str | None = None
    is_subagent: bool = False
    project: str | None = None
    started_at: str | None = None
    metadata: dict[str, str] = {}


class OpenTurn(Struct):
    """The turn that what follows belongs to."""

    prompt_key: str
    created_at: str | None
    project: str | None
    status: ExchangeStatus


class Sighting(Struct):
    """A prompt as one or more neighbouring lines say it: an item, an event, or both.

    As long as nothing told that a person wrote it (``told_by``), ``text`` holds it; Codex writes
    the telling event right after the item. From then on a hash is enough to know it again.
    """

    prompt_key: str
    position: int
    created_at: str | None
    sources: list[PromptSource]
    text: str = ""
    hash: str = ""
    told_by: PromptSource | None = None


class Script(Struct, omit_defaults=True):
    """A script ("code mode") that runs: its call is said again with the command it really ran."""

    call_id: str
    position: int
    created_at: str | None
    is_replaced: bool = False
    exit_code: int | None = None
    """The first that is not 0, else 0; None as long as no command has ended."""


class State(Struct, omit_defaults=True):
    thread: Thread | None = None
    is_bare: bool = False
    """The form before 0.32: items without an envelope."""
    ordinal: int = -1
    """The highest that a line had."""
    last_event_at: str | None = None
    last_event_ms: int = 0
    model: str | None = None
    cwd: str | None = None

    created_ms: int = 0
    is_copying: bool = False
    copied_ms: int | None = None
    """Time of the latest copied line."""

    total: Total | None = None
    is_total_copied: bool = False
    has_usage_records: bool = False

    sighting: Sighting | None = None
    has_prompt_events: bool = False
    guessed_turns: list[OpenTurn] = []
    """Turns of items that no event spoke of, while the file had shown no event at all."""
    turn: OpenTurn | None = None
    script: Script | None = None
    is_task_running: bool = False


_ENCODER = Encoder()
_DECODER: Decoder[State] = Decoder(State)


def encode(state: State) -> bytes:
    """Return the state as bytes."""
    return _ENCODER.encode(state)


def decode(data: bytes) -> State:
    """Return the state of ``encode``; no bytes are the state before the first line.

    Raise ``ValueError`` for bytes that are not a state.
    """
    return _DECODER.decode(data) if data else State()
