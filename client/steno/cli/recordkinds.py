"""What the table of record commands is made of; the table itself stands in ``records_*``.

An action is a verb of the client's namespace, its options are the verb's keywords:
``tests/cli/test_records.py`` holds the two together.
"""

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from steno_schema.requests import ListType


class Option(NamedTuple):
    """A keyword of a verb: as a flag, or (in ``Action.arguments``) by its place.

    ``kind`` is how its text is read: text, count, number, amount (US dollars), share (0 to 1),
    severity (0 to 10), json (an object), words (may be repeated), labels (``name=value``, may be
    repeated), choice (of ``choices``), answer (``--x`` or ``--no-x``), project (``.`` is this
    folder's). ``flag`` is the flag's name, or what stands for an argument in the help.
    """

    name: str
    help: str
    kind: str = "text"
    flag: str = ""
    choices: tuple[str, ...] = ()


class Action(NamedTuple):
    """A verb with the words that it takes; the last ``optional`` arguments may be left out."""

    verb: str
    summary: str
    example: str
    arguments: tuple[Option, ...] = ()
    options: tuple[Option, ...] = ()
    optional: int = 0


class RecordKind(NamedTuple):
    """One kind of record: ``columns`` are shown on a terminal, ``where`` filters by a column."""

    type: "ListType"
    namespace: str
    columns: tuple[str, ...]
    filters: tuple[str, ...] = ("since", "until")
    where: dict[str, str] = {}
    actions: dict[str, Action] = {}
    example: str = ""
    has_show: bool = True


SESSION = Option("session", "the session it belongs to; else this command's own")
SINCE = Option("since", "not before: 2026-01-31, 7d, yesterday")
UNTIL = Option("until", "not after: like --since")
PERIOD = (SINCE, UNTIL)
CONFIDENCE = Option("confidence", "from 0 to 1", "share")
METADATA = Option("metadata", "a JSON object with anything else", "json")
TITLE = Option("title", "what people call it")
