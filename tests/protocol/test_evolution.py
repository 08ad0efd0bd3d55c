"""Peers of different age understand each other: fields are only added, always with a default."""

import json
from typing import Any

import msgspec
import pytest
from msgspec import NODEFAULT, UNSET, Struct

from protocol.make_golden import LENGTH_BYTES, Golden, load
from steno_schema.framing import Codec, Encoding
from steno_schema.requests import AnyRequest, Header

GOLDEN = load()
every_golden = pytest.mark.parametrize("golden", GOLDEN, ids=[golden.name for golden in GOLDEN])
every_request = pytest.mark.parametrize(
    "golden",
    [golden for golden in GOLDEN if golden.kind == "requests"],
    ids=[golden.name for golden in GOLDEN if golden.kind == "requests"],
)


@every_golden
def test_an_older_reader_ignores_what_it_does_not_know(golden: Golden) -> None:
    """The older type knows the obligatory fields alone."""
    subject = golden.subject
    fields = [field for field in msgspec.structs.fields(subject) if field.required]
    older = msgspec.defstruct(
        "Older",
        [(field.name, field.type) for field in fields],
        kw_only=True,
        tag_field=subject.__struct_config__.tag_field,
        tag=subject.__struct_config__.tag,
    )
    read = msgspec.msgpack.decode(msgspec.msgpack.encode(subject), type=older)
    for field in fields:
        assert getattr(read, field.name) == getattr(subject, field.name)


@every_golden
@pytest.mark.parametrize("encoding", Encoding)
def test_fields_of_a_newer_peer_are_ignored_at_any_depth(
    golden: Golden, encoding: Encoding
) -> None:
    newer = _with_unknown_fields(golden.message)
    encoder: Any = msgspec.msgpack if encoding is Encoding.MSGPACK else msgspec.json
    payload: bytes = encoder.encode(newer)
    assert b"not_known_yet" in payload
    assert golden.codec.decode(payload, encoding) == golden.message


@every_golden
def test_a_newer_reader_accepts_that_a_defaulted_field_is_missing(golden: Golden) -> None:
    subject = golden.subject
    said: dict[str, Any] = msgspec.msgpack.decode(msgspec.msgpack.encode(subject))
    for field in msgspec.structs.fields(subject):
        if field.required:
            continue
        older = {name: value for name, value in said.items() if name != field.name}
        read = msgspec.msgpack.decode(msgspec.msgpack.encode(older), type=type(subject))
        assert getattr(read, field.name) == _default(field)


@every_golden
def test_an_obligatory_field_is_missed(golden: Golden) -> None:
    said: dict[str, Any] = json.loads(golden.line)
    for field in msgspec.structs.fields(golden.message):
        if field.required:
            partial = {name: value for name, value in said.items() if name != field.name}
            with pytest.raises(ValueError, match=f"missing required field `{field.name}`"):
                golden.codec.decode(json.dumps(partial).encode(), Encoding.JSON_LINES)


@every_request
def test_the_header_of_any_request_can_be_read(golden: Golden) -> None:
    header = msgspec.msgpack.decode(golden.frame[LENGTH_BYTES:], type=Header)
    assert header == Header(id=getattr(golden.message, "id", 0), verb=golden.type)


def test_a_request_of_a_newer_peer_is_refused_by_name_and_its_header_read() -> None:
    line = b'{"verb":"foretell","id":7,"of":{"what":"rain"}}'
    codec: Codec[Any] = Codec(AnyRequest)
    with pytest.raises(ValueError, match="'foretell'"):
        codec.decode(line, Encoding.JSON_LINES)
    assert msgspec.json.decode(line, type=Header) == Header(id=7, verb="foretell")


def _with_unknown_fields(value: Any) -> Any:
    """Return ``value`` as maps and lists, every map of a known type with one field more."""
    if isinstance(value, list):
        return [_with_unknown_fields(item) for item in value]
    if not isinstance(value, Struct):
        return value
    config = value.__struct_config__
    tag = {config.tag_field: config.tag} if config.tag_field else {}
    held = ((name, getattr(value, name)) for name in value.__struct_fields__)
    fields = {name: _with_unknown_fields(each) for name, each in held if each is not UNSET}
    return {"not_known_yet": [{"a": 1}], **tag, **fields}


def _default(field: Any) -> object:
    return field.default if field.default_factory is NODEFAULT else field.default_factory()
