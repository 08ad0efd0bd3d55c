"""The record of a tracked prompt: what the caller said about it, and what is filled in."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

import msgspec

from steno.exchanges import ExchangeFields, exchange_of
from steno_schema.ids import uuid8
from steno_schema.labels import is_listed
from steno_schema.records import AnyRecord, Conversation, Exchange

if TYPE_CHECKING:
    from steno_schema.config import Tracking

AUTO_TAG = "auto"
"""The daemon adds the category it finds as a tag to whatever carries this one."""
_FIELDS = frozenset(ExchangeFields.__annotations__) | {"model", "conversation"}
_OTHER_NAMES = {"cost": "cost_usd"}


def tracked_exchange(
    prompt: str,
    output: str,
    context: Mapping[str, Any],
    metadata: Mapping[str, Any],
    tracking: "Tracking",
) -> Exchange:
    """Return the record of a prompt with what was said about it in ``context``.

    A word that no field has goes into the metadata, beside ``metadata``; so does a label that is
    not configured, which must not cost the prompt. With ``auto_categorize`` the tag ``auto`` is
    added, and the category's if it is known already.
    """
    words, more = _sorted_out(context, tracking)
    if more or metadata:
        words["metadata"] = {**(words.get("metadata") or {}), **more, **metadata}
    exchange = exchange_of(prompt, output, words)
    if tracking.auto_categorize:
        known = [AUTO_TAG] if exchange.category is None else [AUTO_TAG, exchange.category]
        exchange.tags = list(dict.fromkeys([*exchange.tags, *known]))
    return exchange


def inside(exchange: Exchange, run_id: str, conversation: str | None) -> list[AnyRecord]:
    """Return the records of a run that is nested in the run ``run_id``.

    It stands in a conversation of its own kind, below the ``conversation`` of the run around,
    whose key is the id of that run's exchange.
    """
    if exchange.conversation is not None:
        return [exchange]
    exchange.conversation = run_id
    below = Conversation(
        id=uuid8("tracking", "conversation", run_id),
        key=run_id,
        session=exchange.session,
        parent=conversation,
        kind="subagent",
        created_at=exchange.created_at,
    )
    return [below, exchange]


def _sorted_out(
    context: Mapping[str, Any], tracking: "Tracking"
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Tell an exchange's fields from words that only the caller knows."""
    words: dict[str, Any] = {}
    more: dict[str, Any] = {}
    for name, value in context.items():
        field = _OTHER_NAMES.get(name, name)
        if field in _FIELDS and (value is None or is_listed(field, value, tracking)):
            words[field] = value
        elif value is not None:
            more[name] = _plain(value)
    return words, more


def _plain(value: object) -> object:
    """Return a value as metadata can hold it; of a foreign object its type's name."""
    try:
        return cast("object", msgspec.to_builtins(value))
    except (TypeError, ValueError, RecursionError):
        return f"<{type(value).__name__}>"
