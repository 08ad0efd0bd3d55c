"""What the Gemini parser keeps between two lines, and so between two lives of itself."""

from msgspec import Struct
from msgspec.msgpack import Decoder, Encoder

from steno.capture.snapshot import token_of
from steno.capture.threads import OpenTurn, Thread

TURNS_MAX = 200
KNOWN_MAX = 4000


class State(Struct, omit_defaults=True):
    project: str | None = None
    """What stands beside the file."""
    thread: Thread | None = None
    last_event_at: str | None = None
    last_ms: int = 0
    model: str | None = None

    turns: list[tuple[int, str]] = []
    """When the latest turns began, and their prompts' ids, in order."""
    turn: OpenTurn | None = None
    waits_for: str | None = None
    """What the model has not answered yet: the id of a prompt or of a message with results."""
    known: dict[bytes, None] = {}
    """Tokens of what was said: message ids, texts, call ids; copies of history repeat them."""


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


def note(state: State, what: str, text: str) -> bool:
    """Remember that something was said; tell whether that is news."""
    token = token_of(f"{what}:{text}".encode("utf-8", "replace"))
    if token in state.known:
        return False
    if len(state.known) >= KNOWN_MAX:
        del state.known[next(iter(state.known))]
    state.known[token] = None
    return True


def is_known(state: State, what: str, text: str) -> bool:
    """Tell whether something was said before."""
    return token_of(f"{what}:{text}".encode("utf-8", "replace")) in state.known
