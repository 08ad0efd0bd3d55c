"""What is said and what is kept: the contract that the client and the daemon share.

Read in this order: ``records`` (what is kept), ``requests`` and ``replies`` (what is said),
``framing`` (how it is put on a socket), ``migrations/`` (how it is stored). Imports nothing but
the standard library and msgspec, so that ``import steno`` stays cheap.
"""

from steno_schema._version import __version__

PROTOCOL = 1
"""Grows only when an old peer could no longer be understood; additions are features."""

FEATURES = ("append", "capture", "search", "sql", "stage", "subscribe")
"""What this release can do beyond ``hello``, ``ping`` and ``status``; a peer tests membership."""

__all__ = ["FEATURES", "PROTOCOL", "__version__"]
