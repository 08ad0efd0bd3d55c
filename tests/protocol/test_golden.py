"""What was once said on the wire is still said and still understood, byte for byte."""

import json
from collections.abc import Iterator
from typing import Any, get_args

import msgspec
import pytest
from msgspec import Struct

from protocol.make_golden import LENGTH_BYTES, Golden, load, missing
from steno_schema.framing import Encoding
from steno_schema.records import AnyRecord
from steno_schema.replies import AnyReply
from steno_schema.requests import AnyRequest

GOLDEN = load()
TYPES = {"records": AnyRecord, "replies": AnyReply, "requests": AnyRequest}
every_golden = pytest.mark.parametrize("golden", GOLDEN, ids=[golden.name for golden in GOLDEN])


@every_golden
def test_the_encoder_says_it_byte_for_byte(golden: Golden) -> None:
    message = golden.message
    assert golden.codec.encode(message, Encoding.JSON_LINES) == golden.line
    assert golden.codec.encode(message, Encoding.MSGPACK) == golden.frame


@every_golden
def test_the_reader_understands_both_encodings_alike(golden: Golden) -> None:
    body = golden.frame[LENGTH_BYTES:]
    assert int.from_bytes(golden.frame[:LENGTH_BYTES], "big") == len(body)
    assert golden.codec.decode(body, Encoding.MSGPACK) == golden.message


@every_golden
def test_both_files_hold_the_same_words(golden: Golden) -> None:
    """Read without our types, as another language would; bytes are base64 in JSON."""
    untyped = msgspec.msgpack.decode(golden.frame[LENGTH_BYTES:])
    assert msgspec.to_builtins(untyped) == json.loads(golden.line)


@every_golden
def test_the_name_is_the_type_it_holds(golden: Golden) -> None:
    assert golden.subject.__struct_config__.tag == golden.type


@pytest.mark.parametrize("kind", TYPES)
def test_every_type_has_its_least_and_its_full_form(kind: str) -> None:
    expected = {
        f"{kind}/{member.__struct_config__.tag}.{variant}"
        for member in get_args(TYPES[kind])
        for variant in ("full", "least")
    }
    assert expected <= {golden.name for golden in GOLDEN}


def test_every_field_is_said_somewhere() -> None:
    """A field that no golden message sets is not under contract: add a variant with it."""
    said: dict[type[Struct], set[str]] = {}
    for golden in GOLDEN:
        for struct in _structs(golden.message):
            said.setdefault(type(struct), set()).update(_set_fields(struct))
    unsaid = {
        f"{kind.__name__}.{name}"
        for kind, names in said.items()
        for name in set(kind.__struct_fields__) - names
    }
    assert unsaid == set()


def test_no_line_is_without_its_frame() -> None:
    assert missing() == [], "run: python tests/protocol/make_golden.py"


def _structs(value: Any) -> Iterator[Struct]:
    if isinstance(value, Struct):
        yield value
        for name in value.__struct_fields__:
            yield from _structs(getattr(value, name))
    elif isinstance(value, list):
        for item in value:
            yield from _structs(item)


def _set_fields(struct: Struct) -> set[str]:
    """Return the fields whose value is not the default."""
    fields = msgspec.structs.fields(struct)
    return {field.name for field in fields if getattr(struct, field.name) != _default(field)}


def _default(field: Any) -> object:
    if field.default_factory is not msgspec.NODEFAULT:
        return field.default_factory()
    return field.default
