"""Tracking: prompts record themselves, beside the work and never in its way.

Four ways: ``track_prompt(text)``, ``@track_prompt`` on a function, ``with track_execution(...)``
and the callbacks of ``Tracker``. What is tracked goes on a queue and is stored by a thread; guards
(minimum length, duplicates, opt-out) and the category tag follow ``[tracking]`` in the settings.
"""

from steno.tracking.callbacks import Tracker
from steno.tracking.current import configure, flush
from steno.tracking.prompts import track_prompt
from steno.tracking.run import Run, track_execution

__all__ = ["Run", "Tracker", "configure", "flush", "track_execution", "track_prompt"]
