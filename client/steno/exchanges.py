"""Exchanges as keyword arguments: the words of a save, and the record they mean."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypedDict, cast

import msgspec

from steno.errors import Misuse
from steno.filters import When, time_text
from steno.storing import valid_text
from steno_schema.ids import uuid7
from steno_schema.records import Exchange, ExchangeStatus, Tokens

TokensLike = Tokens | Mapping[str, int] | int
"""Buckets, the same as a map, or only a total."""
_LISTS = frozenset({"tags", "keywords", "files_created", "files_modified", "commands_executed"})


class AnnotationFields(TypedDict, total=False):
    """What can be said about an exchange besides its text."""

    tags: Sequence[str]
    metadata: Mapping[str, Any] | None
    category: str | None
    complexity: str | None
    technique: str | None
    stage: str | None
    phase: str | None
    current_file: str | None
    keywords: Sequence[str] | None
    response_summary: str | None
    rating: float | None
    follow_up: bool | None
    notes: str | None
    files_created: Sequence[str] | None
    files_modified: Sequence[str] | None
    commands_executed: Sequence[str] | None


class ExchangeFields(AnnotationFields, total=False):
    """What an exchange may be saved with besides prompt and output."""

    id: str
    created_at: When
    session: str | None
    user: str | None
    project: str | None
    agent: str
    framework: str | None
    template: str | None
    tokens: TokensLike | None
    cost_usd: float | None
    status: ExchangeStatus
    response_time_ms: float | None


def exchange_of(prompt: str, output: str, words: Mapping[str, Any]) -> Exchange:
    """Return the record that ``save``'s arguments mean, with an id if they gave none."""
    fields = {name: value for name, value in words.items() if value is not None}
    fields.setdefault("id", uuid7())
    if "tokens" in fields:
        fields["tokens"] = tokens_of(fields["tokens"])
    if "created_at" in fields:
        fields["created_at"] = time_text(fields["created_at"])
    spread(fields)
    try:
        return Exchange(prompt=valid_text(prompt), output=valid_text(output), **fields)
    except TypeError as error:
        raise Misuse(f"An exchange cannot be saved so: {error}.") from None


def tokens_of(value: TokensLike) -> Tokens:
    """Return the token buckets that a number (the total) or a map means."""
    if isinstance(value, Tokens):
        return value
    if isinstance(value, int):
        return Tokens(total=value)
    unknown = set(value) - set(Tokens.__struct_fields__)
    if unknown:
        known = ", ".join(Tokens.__struct_fields__)
        raise Misuse(f"There is no kind of tokens {min(unknown)!r}.", f"Known are: {known}.")
    try:
        return msgspec.convert(dict(value), Tokens)
    except msgspec.ValidationError as error:
        raise Misuse(f"These are no token counts: {error}.") from None


def spread(fields: dict[str, Any]) -> None:
    """Make lists of the fields that hold several texts, however they were given."""
    for name in _LISTS & fields.keys():
        if fields[name] is not None:
            fields[name] = _texts(name, fields[name])


def _texts(name: str, value: object) -> list[str]:
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    if isinstance(value, Sequence | set | frozenset):
        return [str(part) for part in cast("Iterable[object]", value)]
    raise Misuse(f"{name!r} takes texts, not {type(value).__name__}.")
