"""Golden messages: every request, record and reply as it goes over the wire, byte for byte.

``golden/v1/<kind>/<type>.<variant>.json`` is one line of JSON, written by hand. Its neighbour
``.hex`` holds the msgpack frame of the same message, length included, as hexadecimal digits. A
record stands in an ``append`` of its own. Both are the contract for other languages.

``python tests/protocol/make_golden.py`` makes the ``.hex`` that are missing. It rewrites nothing:
what has been said once must be understood for as long as the protocol's number stays. A new field
gets a new variant.
"""

import sys
from pathlib import Path
from typing import Any, NamedTuple

from msgspec import Struct

from steno_schema import PROTOCOL
from steno_schema.framing import Codec, Encoding
from steno_schema.replies import AnyReply
from steno_schema.requests import AnyRequest, Append

FOLDER = Path(__file__).parent / "golden" / f"v{PROTOCOL}"
LENGTH_BYTES = 4
_DIGITS_PER_LINE = 80
_CODECS: dict[str, Codec[Any]] = {
    "records": Codec(AnyRequest),
    "replies": Codec(AnyReply),
    "requests": Codec(AnyRequest),
}


class Golden(NamedTuple):
    """One message in both encodings; ``name`` is ``kind/type.variant``."""

    name: str
    line: bytes
    frame: bytes

    @property
    def kind(self) -> str:
        return self.name.split("/")[0]

    @property
    def type(self) -> str:
        return self.name.split("/")[1].split(".")[0]

    @property
    def codec(self) -> Codec[Any]:
        return _CODECS[self.kind]

    @property
    def message(self) -> Struct:
        """What the line says, as today's types have it."""
        message: Struct = self.codec.decode(self.line, Encoding.JSON_LINES)
        return message

    @property
    def subject(self) -> Struct:
        """What this golden message is about: the record, or the message itself."""
        message = self.message
        if self.kind == "records" and isinstance(message, Append):
            return message.records[0]
        return message


def load() -> list[Golden]:
    """Return all golden messages in the order of their names."""
    return [
        Golden(_name(path), path.read_bytes(), bytes.fromhex(path.with_suffix(".hex").read_text()))
        for path in sorted(FOLDER.glob("*/*.json"))
    ]


def missing() -> list[Path]:
    """Return the lines that have no frame yet."""
    return [
        path for path in sorted(FOLDER.glob("*/*.json")) if not path.with_suffix(".hex").exists()
    ]


def frame_of(path: Path) -> bytes:
    """Return the frame for the line in ``path``; raise ``ValueError`` if the line is not exact."""
    codec = _CODECS[path.parent.name]
    line = path.read_bytes()
    message = codec.decode(line, Encoding.JSON_LINES)
    exact = codec.encode(message, Encoding.JSON_LINES)
    if line != exact:
        raise ValueError(f"{_name(path)} is not what the encoder says: {exact.decode()}")
    return codec.encode(message, Encoding.MSGPACK)


def _name(path: Path) -> str:
    return path.relative_to(FOLDER).with_suffix("").as_posix()


def main() -> int:
    for path in missing():
        try:
            digits = frame_of(path).hex()
        except ValueError as error:
            print(error, file=sys.stderr)
            return 1
        starts = range(0, len(digits), _DIGITS_PER_LINE)
        lines = [digits[start : start + _DIGITS_PER_LINE] + "\n" for start in starts]
        path.with_suffix(".hex").write_text("".join(lines))
        print(_name(path))
    return 0


if __name__ == "__main__":
    sys.exit(main())
