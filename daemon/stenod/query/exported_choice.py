"""Which records an export's filters choose, as one SQL condition for each type.

Exchanges are chosen by the filters. What belongs to one goes with it; what belongs to none is
chosen by its own session, user and time, and not at all if the filters ask for what only an
exchange has. Conversations and sessions are there for what is chosen in them.
"""

from typing import Any, NamedTuple

from steno_schema.requests import Filters
from stenod.query.exported_types import RecordType
from stenod.query.filters import exchange_condition, is_unfiltered

_OF_EXCHANGES = ("tag", "model", "framework", "category", "complexity", "stage", "origin", "role",
                 "min_rating", "min_cost")  # fmt: skip
"""Filters that only an exchange can match."""
_NO_EXCHANGE = "LEFT JOIN exchange AS e ON 0"


class Choice(NamedTuple):
    """A condition, and the values of its question marks."""

    sql: str
    values: list[Any]

    def within(self, before: str, after: str) -> "Choice":
        return Choice(before + self.sql + after, self.values)


class Wanted(NamedTuple):
    """Filters, and the oldest exchange that is meant, as (time, id), where only the newest are."""

    filters: Filters
    floor: tuple[int, int] | None = None

    @property
    def is_everything(self) -> bool:
        return self.floor is None and is_unfiltered(self.filters)

    @property
    def is_loose(self) -> bool:
        """Whether something can be chosen that belongs to no exchange."""
        return self.floor is None and not any(
            getattr(self.filters, name) for name in _OF_EXCHANGES
        )

    def matching(self, created: str) -> Choice:
        """Return the condition over ``e``, ``c`` and ``s``; ``created`` is the time meant."""
        sql, values = exchange_condition(self.filters, created)
        if self.floor is not None:
            sql, values = f"{sql} AND (e.created_at, e.id) >= (?, ?)", [*values, *self.floor]
        return Choice(f"({sql})", values)


def choice_of(wanted: Wanted, kind: RecordType) -> Choice:
    """Return which rows ``t`` of a table an export is to hold."""
    if wanted.is_everything:
        return Choice("1", [])
    if kind.name == "session":
        return _session(wanted)
    if kind.name == "conversation":
        # A parent is there for what is chosen in its sub-agents' conversations.
        return _conversation(wanted).within(
            "EXISTS (WITH RECURSIVE below (id) AS (SELECT t.id UNION"
            " SELECT k.id FROM conversation AS k JOIN below AS b ON k.parent_id = b.id)"
            " SELECT 1 FROM below AS b JOIN conversation AS c ON c.id = b.id"
            " JOIN session AS s ON s.id = c.session_id WHERE ",
            ")",
        )
    return wanted.matching(kind.created)


def _session(wanted: Wanted) -> Choice:
    ways = [
        _conversation(wanted).within(
            "EXISTS (SELECT 1 FROM conversation AS c WHERE c.session_id = s.id AND ", ")"
        )
    ]
    if wanted.is_loose:
        no_conversation = f"LEFT JOIN conversation AS c ON 0 {_NO_EXCHANGE}"
        ways += [
            wanted.matching("s.created_at").within(
                "(SELECT ", f" FROM (SELECT 1) {no_conversation})"
            ),
            wanted.matching("u.recorded_at").within(
                f"EXISTS (SELECT 1 FROM usage AS u {no_conversation}"
                " WHERE u.session_id = s.id AND u.exchange_id IS NULL AND ",
                ")",
            ),
        ]
    return _any_of(ways)


def _conversation(wanted: Wanted) -> Choice:
    """Return whether something is chosen in conversation ``c`` of session ``s``."""
    ways = [
        wanted.matching("e.created_at").within(
            "EXISTS (SELECT 1 FROM exchange AS e WHERE e.conversation_id = c.id AND ", ")"
        )
    ]
    if wanted.is_loose:
        ways += [
            wanted.matching("c.created_at").within(
                "(SELECT ", f" FROM (SELECT 1) {_NO_EXCHANGE})"
            ),
            wanted.matching("m.created_at").within(
                f"EXISTS (SELECT 1 FROM message AS m {_NO_EXCHANGE}"
                " WHERE m.conversation_id = c.id AND m.exchange_id IS NULL AND ",
                ")",
            ),
        ]
    return _any_of(ways)


def _any_of(ways: list[Choice]) -> Choice:
    values = [value for way in ways for value in way.values]
    return Choice(f"({' OR '.join(way.sql for way in ways)})", values)
