"""Random records of every type, made from the types themselves, so that a new field is tried too."""

import random
from typing import Any, get_args

import msgspec
from msgspec import inspect
from msgspec.structs import fields as fields_of

from cli.hostile import PIECES
from steno_schema.ids import uuid7
from steno_schema.limits import KEY_MAX_CHARS, TAG_MAX_CHARS
from steno_schema.records import AnyRecord, Turn
from steno_schema.times import format_ms

TYPES = tuple(kind for kind in get_args(AnyRecord) if kind is not Turn)
"""What a script may say; turns are said by transcripts, see ``support.store``."""
_KEYS = tuple(f"key {number} {piece[:20]}" for number, piece in enumerate(PIECES))
_PARENTS = ("parent 1", "parent 2")
"""Conversations that are nobody's children: a child that is told of before its parent exists, and
has children before, would come back in another order."""
_START_MS, _YEAR_MS = 1_700_000_000_000, 31_557_600_000


class Maker:
    """Makes records that name each other; the same seed makes the same ones but for their ids."""

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(seed)
        self._exchanges: list[str] = []

    def record(self, number: int) -> Any:
        """Return one record, of each type in turn."""
        kind = TYPES[number % len(TYPES)]
        values: dict[str, Any] = {"id": uuid7()}
        for field in fields_of(kind):
            if field.name == "id":
                continue
            if not field.required and self._dice.random() < 0.3:
                continue
            values[field.name] = self._field(field, number)
        if kind.__struct_config__.tag == "exchange":
            self._exchanges.append(values["id"])
        return kind(**values)

    def _field(self, field: Any, number: int) -> Any:
        if field.name == "parent":
            return self._dice.choice(_PARENTS)
        if field.name in {"session", "conversation", "from_session", "to_session"}:
            return self._dice.choice(_KEYS)
        if field.name == "exchange":
            return self._dice.choice(self._exchanges) if self._exchanges else None
        if field.name.endswith("_at"):
            return self.moment()
        if field.name == "key":
            return self._dice.choice((*_KEYS, f"{number} of its own"))
        return self._value(inspect.type_info(field.type))

    def moment(self) -> str:
        return format_ms(_START_MS + self._dice.randrange(_YEAR_MS))

    def text(self, max_chars: int | None = None) -> str:
        """Return text of hostile pieces and characters from all over Unicode."""
        dice = self._dice
        parts = [dice.choice(PIECES) for _ in range(dice.randrange(4))]
        parts += [chr(dice.choice((dice.randrange(32, 0xD800), dice.randrange(0xE000, 0x110000))))
                  for _ in range(dice.randrange(1, 9))]  # fmt: skip
        return "".join(parts)[: max_chars or 2000]

    def _value(self, kind: inspect.Type) -> Any:
        dice = self._dice
        match kind:
            case inspect.UnionType(types=types):
                return self._value(dice.choice(types))
            case inspect.NoneType():
                return None
            case inspect.BoolType():
                return dice.random() < 0.5
            case inspect.IntType(ge=ge, le=le):
                return dice.choice((ge or 0, dice.randrange(ge or 0, min(le or 99, 10**6) + 1)))
            case inspect.FloatType(ge=ge, le=le):
                return dice.choice((ge or 0.0, dice.uniform(ge or 0.0, min(le or 99.0, 1e6))))
            case inspect.StrType(max_length=longest):
                return self.text(longest)
            case inspect.LiteralType(values=values):
                return dice.choice(values)
            case inspect.ListType(item_type=item):
                return [self._value(item) for _ in range(dice.randrange(3))]
            case inspect.DictType(value_type=value):
                return {self.text(50): self._value(value) for _ in range(dice.randrange(3))}
            case inspect.AnyType():
                return dice.choice((None, 1, 0.5, True, self.text(), [self.text()], {"a": {}}))
            case inspect.StructType(cls=cls):
                inner = {each.name: self._value(inspect.type_info(each.type))
                         for each in fields_of(cls)}  # fmt: skip
                return cls(**inner)
            case _:
                raise AssertionError(f"no value is known for {kind}")


assert max(map(len, _KEYS)) <= min(KEY_MAX_CHARS, TAG_MAX_CHARS)
assert msgspec.structs.fields(TYPES[0])
