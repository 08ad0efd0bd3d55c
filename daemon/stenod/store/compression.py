"""zstd, as kept bytes and long texts are compressed with it."""

import sys

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

LEVEL = 3


def compress(data: bytes, level: int = LEVEL) -> bytes:
    """Return ``data`` compressed; its codec is ``zstd``."""
    return zstd.compress(data, level)


def decompress(data: bytes, codec: str) -> bytes:
    """Return what was compressed with ``codec`` (``none``: nothing was done)."""
    return data if codec == "none" else zstd.decompress(data)
