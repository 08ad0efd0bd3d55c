"""What a parser of Claude Code's lines remembers between two of them.

Bounded, and small enough to be kept beside the cursor. Of texts only digests stay, but for prompts
that wait in the queue: the line that takes one out does not repeat it.
"""

from hashlib import blake2b

from msgspec import Struct, msgpack

from steno.capture.beside import Helper
from steno_schema.records import ExchangeStatus, Origin

QUEUE_TEXT_MAX_CHARS = 16_384
"""Text kept of all prompts that wait in the queue together; a longer one is cut."""

_WAITING_MAX = 64
_TEXTS_MAX = 512
_QUEUED_MAX = 64
_USAGES_MAX = 16
_CONVERSATIONS_MAX = 64


class SessionFacts(Struct, omit_defaults=True):
    """What is known of the session that the lines name now. Times are ms since 1970."""

    key: str
    first_ms: int | None = None
    last_ms: int | None = None
    project: str | None = None
    title: str | None = None
    title_by_user: bool = False
    version: str | None = None
    git_branch: str | None = None
    entrypoint: str | None = None
    forked_from: str | None = None
    """The session whose line was copied first; ``parent`` is the one of the latest copy."""
    parent: str | None = None


class RunningTurn(Struct, omit_defaults=True):
    """A turn as it was last said, to say it again with another status."""

    id: str
    prompt_message: str
    conversation: str
    origin: Origin
    created_at: str | None = None
    project: str | None = None
    status: ExchangeStatus = "completed"
    copied: bool = False


class Waiting(Struct, array_like=True):
    """A prompt in the queue."""

    digest: str
    text: str


class Taken(Struct, array_like=True):
    """How often a text left the queue without becoming a record: by line, by attachment."""

    removed: int = 0
    attached: int = 0


class State(Struct, omit_defaults=True):
    """Everything that outlives a line."""

    session: SessionFacts | None = None
    last_event_at: str | None = None
    last_event_ms: int | None = None
    folder: str | None = None
    version: str | None = None
    helper: Helper | None = None
    last_uuid: str | None = None
    own_since_ms: int | None = None
    copying: bool = False
    turn: RunningTurn | None = None
    turn_before: RunningTurn | None = None
    conversations: list[str] = []
    waiting: list[Waiting] = []
    texts: list[str] = []
    taken: dict[str, Taken] = {}
    usages: dict[str, list[int]] = {}

    def first_sight(self, conversation: str) -> bool:
        """Tell whether ``conversation`` was not named lately, and remember it."""
        if conversation in self.conversations:
            return False
        self.conversations = [*self.conversations[1 - _CONVERSATIONS_MAX :], conversation]
        return True

    def remember_text(self, digest: str) -> None:
        """Remember that a user record has this text."""
        if digest not in self.texts:
            self.texts = [*self.texts[1 - _TEXTS_MAX :], digest]

    def enqueue(self, text: str) -> None:
        """Remember a prompt that waits in the queue."""
        left = QUEUE_TEXT_MAX_CHARS - sum(len(one.text) for one in self.waiting)
        waiting = Waiting(digest_of(text), text[: max(0, left)])
        self.waiting = [*self.waiting[1 - _WAITING_MAX :], waiting]

    def dequeue(self, text: str) -> str:
        """Take the prompt with ``text`` out, or the first if the line does not say which.

        Return its text as far as it is known.
        """
        if not self.waiting:
            return ""
        digest = digest_of(text)
        found = (place for place, one in enumerate(self.waiting) if one.digest == digest)
        waiting = self.waiting.pop(next(found, 0))
        return text if waiting.digest == digest else waiting.text

    def leave(self, digest: str, *, attached: bool) -> int:
        """Count a text that left the queue, and return how often this way of leaving has it."""
        counts = self.taken.pop(digest, None) or Taken()
        if attached:
            counts.attached += 1
        else:
            counts.removed += 1
        if len(self.taken) >= _QUEUED_MAX:
            del self.taken[next(iter(self.taken))]
        self.taken[digest] = counts
        return counts.attached if attached else counts.removed

    def withdraw(self, digest: str) -> int:
        """Forget a text that left the queue, and return how many prompts were made of it."""
        counts = self.taken.pop(digest, None)
        return max(counts.removed, counts.attached) if counts else 0

    def risen(self, usage: str, counts: list[int]) -> bool:
        """Tell whether any of ``counts`` is higher than known for ``usage``, and remember it."""
        known = self.usages.pop(usage, None)
        if len(self.usages) >= _USAGES_MAX:
            del self.usages[next(iter(self.usages))]
        if known is None:
            self.usages[usage] = counts
            return True
        highest = [max(pair) for pair in zip(known, counts, strict=True)]
        self.usages[usage] = highest
        return highest != known


DECODER = msgpack.Decoder(State)


def digest_of(text: str) -> str:
    """Return what two texts have in common if they differ in outer white space at most."""
    return blake2b(text.strip().encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
