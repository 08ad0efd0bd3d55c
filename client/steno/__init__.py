"""steno remembers what you ask an AI: save it from Python in one line, find it again later.

>>> import steno
>>> client = steno.Client()                                    # doctest: +SKIP
>>> client.history.save("Why is the sky blue?", "Rayleigh.")   # doctest: +SKIP

Names are loaded when they are first used, so that importing the package costs next to nothing.
"""

from typing import TYPE_CHECKING

from steno_schema import __version__

if TYPE_CHECKING:
    from steno.aclient import AsyncClient as AsyncClient
    from steno.client import Client as Client
    from steno.errors import Misuse as Misuse
    from steno.errors import Refused as Refused
    from steno.errors import SpoolFailed as SpoolFailed
    from steno.errors import SpoolFull as SpoolFull
    from steno.errors import StenoError as StenoError
    from steno.errors import TimedOut as TimedOut
    from steno.errors import Unreachable as Unreachable
    from steno.prompt_history import PromptHistory as PromptHistory
    from steno.results import Found as Found
    from steno.results import Page as Page
    from steno.results import Saved as Saved
    from steno.tracking import Tracker as Tracker
    from steno.tracking import track_execution as track_execution
    from steno.tracking import track_prompt as track_prompt

_HOMES = {
    "AsyncClient": "steno.aclient",
    "Client": "steno.client",
    "Found": "steno.results",
    "Misuse": "steno.errors",
    "Page": "steno.results",
    "PromptHistory": "steno.prompt_history",
    "Refused": "steno.errors",
    "Saved": "steno.results",
    "SpoolFailed": "steno.errors",
    "SpoolFull": "steno.errors",
    "StenoError": "steno.errors",
    "TimedOut": "steno.errors",
    "Tracker": "steno.tracking",
    "Unreachable": "steno.errors",
    "track_execution": "steno.tracking",
    "track_prompt": "steno.tracking",
}
"""Where each public name lives; a new one is added here and above."""

__all__ = [
    "AsyncClient",
    "Client",
    "Found",
    "Misuse",
    "Page",
    "PromptHistory",
    "Refused",
    "Saved",
    "SpoolFailed",
    "SpoolFull",
    "StenoError",
    "TimedOut",
    "Tracker",
    "Unreachable",
    "__version__",
    "track_execution",
    "track_prompt",
]


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'steno' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
