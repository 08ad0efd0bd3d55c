"""What the Qwen parser keeps between two lines, and so between two lives of itself."""

from msgspec import Struct
from msgspec.msgpack import Decoder, Encoder

from steno.capture.threads import OpenTurn, Thread


class State(Struct, omit_defaults=True):
    thread: Thread | None = None
    last_event_at: str | None = None
    last_ms: int = 0
    model: str | None = None
    version: str | None = None

    turn: OpenTurn | None = None
    waits_for: str | None = None
    """What the model has not answered yet: the key of a prompt or of a tool's result."""
    is_command_sent: bool = False
    """A slash command was sent to the model: the next prompt is what became of it."""
    has_telemetry: bool = False
    """The file tells of each request, so that replies need not."""
    is_answered: bool = False
    """A request was told of since the last reply."""


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
