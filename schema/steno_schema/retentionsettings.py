"""Settings of what is not kept for ever, ``[retention]`` in ``config.toml``."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

Age = Annotated[str, Meta(pattern=r"^[1-9][0-9]{0,3}[hdwy]$")]
"""``12h``, ``30d``, ``2w`` or ``1y`` (365 days)."""
AgeOrNever = Annotated[str, Meta(pattern=r"^(never|[1-9][0-9]{0,3}[hdwy])$")]
Size = Annotated[str, Meta(pattern=r"^[1-9][0-9]{0,5}(MB|GB|TB)$")]
"""``500MB``, ``5GB``, ``1TB``, in powers of 1000."""
What = Literal["exchanges", "tool_results", "summarised"]
_SECONDS = {"h": 3600, "d": 86_400, "w": 604_800, "y": 365 * 86_400}
_BYTES = {"MB": 10**6, "GB": 10**9, "TB": 10**12}


def age_s(age: AgeOrNever) -> int | None:
    """Return an age in seconds, ``None`` for ``never``.

    >>> age_s("2d")
    172800
    """
    return None if age == "never" else int(age[:-1]) * _SECONDS[age[-1]]


def size_bytes(size: Size) -> int:
    """Return a size in bytes.

    >>> size_bytes("5GB")
    5000000000
    """
    return int(size[:-2]) * _BYTES[size[-2:]]


class Policy(Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What goes once it is ``older_than`` an age, of one project or agent or of all.

    ``exchanges`` go whole; long ``tool_results`` keep their head; ``summarised`` messages go, and a
    prompt or reply keeps its summary and loses the original. ``project`` is a folder with all below
    it.
    """

    what: What
    older_than: Age
    project: str | None = None
    agent: str | None = None


class Retention(Struct, kw_only=True, forbid_unknown_fields=True):
    """Nothing is deleted unless it is asked for here.

    ``max_size``: beyond it the oldest tool results are trimmed, then the oldest exchanges go.
    ``archive_idle_after``: sessions without activity for that long get the status ``archived``.
    """

    policy: tuple[Policy, ...] = ()
    max_size: Size | None = None
    archive_idle_after: AgeOrNever = "30d"
