"""What is not recorded by whatever tracks by itself.

Guards hold for everything that tracks by itself (``track_prompt``, runs, ``Tracker``, middleware),
never for what is saved on purpose.
"""

from steno.projects import stays_out
from steno_schema.config import Settings

SEEN_MAX = 10_000


def reason_to_skip(settings: Settings, prompt: str, *projects: str | None) -> str | None:
    """Return why a normalised prompt is not recorded, or ``None`` if it is.

    ``projects`` are the folders it belongs to; any of them may stay out.
    """
    if not settings.tracking.enabled:
        return "tracking is off"
    if len(prompt) < settings.tracking.min_length:
        return "the prompt is too short"
    if any(stays_out(project, settings.capture.ignore) for project in projects if project):
        return "the project stays out"
    return None


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
