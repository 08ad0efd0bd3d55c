"""The spool: writes that found no daemon, one file each, until the daemon takes them in.

A file is a magic word, the length and the CRC-32 of its payload (four bytes each, big-endian) and
the payload: the msgpack encoding of an ``append`` request. Names sort in the order of writing.
The client writes ``.tmp``, syncs, renames to ``.rec`` and syncs the folder; whatever else is found
is not a record. The daemon removes a file only after the commit that holds its records.
"""

import itertools
import os
import time
import zlib

MAGIC = b"STENOSP1"
SUFFIX = ".rec"
TEMPORARY_SUFFIX = ".tmp"
_HEADER_BYTES = len(MAGIC) + 8
_counter = itertools.count()


class TornRecord(ValueError):
    """The file is not a whole record: cut short, damaged, or of another version."""


def new_name() -> str:
    """Return a file name that sorts after every earlier one of this process."""
    return f"{time.time_ns():020d}-{os.getpid():08d}-{next(_counter):08d}{SUFFIX}"


def pack(payload: bytes) -> bytes:
    """Return the file's bytes for ``payload``."""
    size = len(payload).to_bytes(4, "big")
    return MAGIC + size + zlib.crc32(payload).to_bytes(4, "big") + payload


def unpack(data: bytes) -> bytes:
    """Return the payload of a file's bytes, or raise ``TornRecord``."""
    if len(data) < _HEADER_BYTES or not data.startswith(MAGIC):
        raise TornRecord("not a spool record of this version")
    length = int.from_bytes(data[8:12], "big")
    payload = data[_HEADER_BYTES:]
    if len(payload) != length:
        raise TornRecord(f"{len(payload)} of {length} bytes are there")
    if zlib.crc32(payload) != int.from_bytes(data[12:16], "big"):
        raise TornRecord("its checksum does not fit")
    return payload
