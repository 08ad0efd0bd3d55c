"""Record ids: UUIDs as text, made by whoever makes the record.

Scripts' records carry UUIDv7 (RFC 9562 §5.7), so that they sort by time. Captured records carry a
UUIDv8 computed from the agent's own identity of the thing, so that any order of reading and any
number of readings gives the same ids.
"""

import os
import time

_TEXT_LENGTH = 36
_OUTPUT_BIT = 0x20


def uuid7(now_ms: int | None = None) -> str:
    """Return a new time-ordered id. ``now_ms`` is milliseconds since 1970 (default: now)."""
    milliseconds = time.time_ns() // 1_000_000 if now_ms is None else now_ms
    raw = bytearray(milliseconds.to_bytes(6, "big") + os.urandom(10))
    raw[6] = 0x70 | (raw[6] & 0x0F)
    raw[8] = 0x80 | (raw[8] & 0x3F)
    return format_id(bytes(raw))


def uuid8(*parts: str) -> str:
    """Return the id that belongs to ``parts`` (agent, kind, native key …): always the same one.

    The parts are joined by a character that none of them can hold and hashed with BLAKE2b.

    >>> uuid8("codex", "message", "a") == uuid8("codex", "message", "a")
    True
    """
    import hashlib  # only capture needs it, and it costs a client milliseconds

    text = "\x1f".join(parts).encode("utf-8", "surrogatepass")
    raw = bytearray(hashlib.blake2b(text, digest_size=16).digest())
    raw[6] = 0x80 | (raw[6] & 0x0F)
    raw[8] = 0x80 | (raw[8] & 0x3F)
    return format_id(bytes(raw))


def output_id(exchange: bytes) -> bytes:
    """Return the id of an exchange's output message.

    The prompt's message shares the exchange's id; the output's differs in one random bit, which
    keeps both beside each other in the index and cannot meet another id by accident.
    """
    return exchange[:8] + bytes([exchange[8] ^ _OUTPUT_BIT]) + exchange[9:]


def parse_id(text: str) -> bytes:
    """Return the 16 bytes of a UUID's text, or raise ``ValueError``."""
    if len(text) != _TEXT_LENGTH or text[8] + text[13] + text[18] + text[23] != "----":
        raise ValueError(f"{text[:40]!r} is not a UUID")
    raw = bytes.fromhex(text.replace("-", ""))
    if len(raw) != 16 or " " in text:
        raise ValueError(f"{text[:40]!r} is not a UUID")
    return raw


def format_id(raw: bytes) -> str:
    """Return the text of a 16-byte id, lower case with hyphens."""
    digits = raw.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def is_id(text: str) -> bool:
    """Tell whether ``text`` is a whole UUID."""
    try:
        parse_id(text)
    except ValueError:
        return False
    return True
