"""What stands in small files beside a transcript: read once, carefully, kept in the parser's state."""

import os
from pathlib import Path

from msgspec import Struct
from msgspec.json import Decoder

FILE_MAX_BYTES = 1024 * 1024
TITLE_MAX_CHARS = 500


class Helper(Struct, rename="camel", omit_defaults=True):
    """What a sub-agent is for, as ``agent-<id>.meta.json`` beside its transcript says."""

    agent_type: str | None = None
    description: str | None = None

    @property
    def title(self) -> str | None:
        """What to call the sub-agent's thread."""
        told = self.description or self.agent_type
        return told[:TITLE_MAX_CHARS] if told else None

    @property
    def metadata(self) -> dict[str, str] | None:
        """What is told of the thread besides its title."""
        return {"agent_type": self.agent_type[:TITLE_MAX_CHARS]} if self.agent_type else None


_HELPER = Decoder(Helper)


def helper_of(path: Path) -> Helper | None:
    """Return what is told of the sub-agent whose transcript is ``path``; None if nothing is."""
    data = read_beside(path.with_name(f"{path.stem}.meta.json"))
    try:
        return _HELPER.decode(data) if data else None
    except (ValueError, RecursionError):
        return None


def read_beside(path: Path, max_bytes: int = FILE_MAX_BYTES) -> bytes:
    """Return the beginning of a file; of none, or of what is no file, nothing."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return b""
    with os.fdopen(descriptor, "rb") as file:
        try:
            return file.read(max_bytes) or b""
        except OSError:
            return b""
