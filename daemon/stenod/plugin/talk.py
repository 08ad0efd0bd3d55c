"""What the daemon and the plug-in's process say to each other: a line of JSON each way."""

from typing import Any

from msgspec import Struct

LINE_MAX_BYTES = 1 << 20


class Question(Struct, frozen=True):
    """What the function is called with."""

    prompt: str
    output: str
    guess: dict[str, Any]


class Answer(Struct, frozen=True, omit_defaults=True):
    """What it returned, or in a word what went wrong. The first answer tells that it is ready."""

    verdict: dict[str, Any] | None = None
    error: str = ""
    is_ready: bool = False
