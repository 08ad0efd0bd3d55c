"""Settings of the daemon's regular work, ``[jobs.NAME]`` in ``config.toml``."""

from typing import Annotated

import msgspec
from msgspec import Meta, Struct

Every = Annotated[str, Meta(pattern=r"^(never|[1-9][0-9]{0,3}[mhdw])$")]
"""``30m``, ``12h``, ``1d``, ``2w``, or ``never``: only when asked for."""
_SECONDS = {"m": 60, "h": 3600, "d": 86_400, "w": 604_800}


def seconds_of(every: Every) -> int | None:
    """Return a cadence in seconds, ``None`` for ``never``.

    >>> seconds_of("2h")
    7200
    """
    return None if every == "never" else int(every[:-1]) * _SECONDS[every[-1]]


class JobSettings(Struct, kw_only=True, forbid_unknown_fields=True):
    """``every`` is the time from one start to the next; ``enabled = false`` leaves it to you."""

    enabled: bool = True
    every: Every


class Jobs(Struct, kw_only=True, forbid_unknown_fields=True):
    """One field a job; what each does stands in ``stenod.jobs.table``."""

    checkpoint: JobSettings = msgspec.field(default_factory=lambda: JobSettings(every="1h"))
    followers: JobSettings = msgspec.field(default_factory=lambda: JobSettings(every="1d"))
    optimize: JobSettings = msgspec.field(default_factory=lambda: JobSettings(every="1d"))
    merge: JobSettings = msgspec.field(default_factory=lambda: JobSettings(every="1w"))
    pack: JobSettings = msgspec.field(default_factory=lambda: JobSettings(every="1d"))
    shrink: JobSettings = msgspec.field(default_factory=lambda: JobSettings(every="1d"))
    check: JobSettings = msgspec.field(default_factory=lambda: JobSettings(every="1w"))
    vacuum: JobSettings = msgspec.field(default_factory=lambda: JobSettings(every="never"))
