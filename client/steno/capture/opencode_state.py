"""What the opencode parser keeps between two lines, and so between two lives of itself."""

from msgspec import Struct
from msgspec.msgpack import Decoder, Encoder

from steno.capture import threads

HEADS_MAX = 400
"""Messages whose parts may still come; one session's latest."""
TURNS_MAX = 200


class Head(Struct, array_like=True, omit_defaults=True):
    """What a message's parts need to know of it. ``turn`` is the prompt's message it belongs to."""

    is_user: bool
    created_ms: int = 0
    turn: str | None = None
    model: str | None = None
    is_copy: bool = False
    is_shell: bool = False


class OpenTurn(threads.OpenTurn, omit_defaults=True):
    """A turn, and what told its status. Its key is that of the prompt's message."""

    prompt_part: str = ""
    told_by: str = ""
    """The message that told the status: a later one counts more."""


class State(Struct, omit_defaults=True):
    thread: threads.Thread | None = None
    heads: dict[str, Head] = {}
    turns: dict[str, OpenTurn] = {}
    last_turn: str | None = None
    last_event_ms: int = 0

    def add_head(self, message: str, head: Head) -> None:
        self.heads[message] = head
        if len(self.heads) > HEADS_MAX:
            del self.heads[next(iter(self.heads))]

    def add_turn(self, turn: OpenTurn) -> None:
        self.turns[turn.key] = turn
        self.last_turn = max(self.last_turn or "", turn.key)
        if len(self.turns) > TURNS_MAX:
            del self.turns[next(iter(self.turns))]


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
