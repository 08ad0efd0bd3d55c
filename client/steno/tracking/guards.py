"""What is not recorded, and how a prompt is brought into the form that is compared and kept.

Guards hold for everything that tracks by itself (``track_prompt``, runs, ``Tracker``, middleware),
never for what is saved on purpose.
"""

import os
import unicodedata
from fnmatch import fnmatch

from steno_schema.config import Settings
from steno_schema.limits import CAPTURED_TEXT_MAX_CHARS

IGNORE_FILE = ".stenoignore"
SEEN_MAX = 10_000
COMPOSED_MAX_CHARS = 4096
"""Of a longer text characters stay as they came: composing some takes time squared."""
_CUT = " […]"


def normalised(text: str) -> str:
    """Return a prompt with composed characters and plain line ends, without the space around it.

    What stands inside of a line is left as it is: it may be code.

    >>> normalised("  Why is \\r\\nthe sky blue?  ")
    'Why is\\nthe sky blue?'
    """
    text = shortened(text).strip()
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if " \n" in text or "\t\n" in text:
        text = "\n".join([line.rstrip() for line in text.split("\n")])
    if len(text) <= COMPOSED_MAX_CHARS and not text.isascii():
        text = unicodedata.normalize("NFC", text)
    return text


def shortened(text: str) -> str:
    """Return at most ``CAPTURED_TEXT_MAX_CHARS`` characters of a text."""
    if len(text) <= CAPTURED_TEXT_MAX_CHARS:
        return text
    return text[: CAPTURED_TEXT_MAX_CHARS - len(_CUT)] + _CUT


def reason_to_skip(settings: Settings, prompt: str, *projects: str | None) -> str | None:
    """Return why a normalised prompt is not recorded, or ``None`` if it is.

    ``projects`` are the folders it belongs to; any of them may stay out.
    """
    if not settings.tracking.enabled:
        return "tracking is off"
    if len(prompt) < settings.tracking.min_length:
        return "the prompt is too short"
    if any(_stays_out(project, settings.capture.ignore) for project in projects if project):
        return "the project stays out"
    return None


def _stays_out(project: str, patterns: tuple[str, ...]) -> bool:
    """Look anew each time: who says that a project stays out means from now on."""
    if not os.path.isabs(project):
        return False
    return any(fnmatch(project, pattern) for pattern in patterns) or os.path.exists(
        os.path.join(project, IGNORE_FILE)
    )


class Seen:
    """The ids that prompts of this process were recorded under.

    The daemon decides what is a duplicate; this lets the caller have the id without asking it.
    """

    def __init__(self) -> None:
        self._ids: dict[tuple[str | None, int], str] = {}

    def get(self, session: str | None, prompt: str) -> str | None:
        """Return the id of the same prompt in ``session`` (``None``: anywhere)."""
        return self._ids.get((session, hash(prompt)))

    def put(self, session: str | None, prompt: str, record_id: str) -> None:
        """Remember an id."""
        if len(self._ids) >= SEEN_MAX:
            self._ids.clear()
        self._ids[session, hash(prompt)] = record_id
