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


class Daily(Struct, kw_only=True, forbid_unknown_fields=True):
    """``every`` is the time from one start to the next; ``enabled = false`` leaves it to you."""

    enabled: bool = True
    every: Every = "1d"


class Hourly(Daily, kw_only=True, forbid_unknown_fields=True):
    every: Every = "1h"


class Weekly(Daily, kw_only=True, forbid_unknown_fields=True):
    every: Every = "1w"


class WhenAsked(Daily, kw_only=True, forbid_unknown_fields=True):
    every: Every = "never"


class Backup(Daily, kw_only=True, forbid_unknown_fields=True):
    """The newest ``keep`` backups stay, and one each of ``weekly`` weeks before them.

    ``to`` is a folder; empty means ``backups`` beside the database.
    """

    keep: Annotated[int, Meta(ge=1, le=1000)] = 7
    weekly: Annotated[int, Meta(ge=0, le=1000)] = 4
    to: str = ""


class Publish(WhenAsked, kw_only=True, forbid_unknown_fields=True):
    """``to`` is the file that is replaced; others may read it wherever they reach its folder."""

    to: str = ""


class Jobs(Struct, kw_only=True, forbid_unknown_fields=True):
    """One field a job; what each does stands in ``stenod.jobs.table``."""

    checkpoint: Hourly = msgspec.field(default_factory=Hourly)
    followers: Daily = msgspec.field(default_factory=Daily)
    optimize: WhenAsked = msgspec.field(default_factory=WhenAsked)
    merge: Weekly = msgspec.field(default_factory=Weekly)
    pack: Daily = msgspec.field(default_factory=Daily)
    shrink: Daily = msgspec.field(default_factory=Daily)
    retention: Daily = msgspec.field(default_factory=Daily)
    backup: Backup = msgspec.field(default_factory=Backup)
    check: Weekly = msgspec.field(default_factory=Weekly)
    rehearse: WhenAsked = msgspec.field(default_factory=WhenAsked)
    publish: Publish = msgspec.field(default_factory=Publish)
    vacuum: WhenAsked = msgspec.field(default_factory=WhenAsked)
