"""From rows of views to typed records: ``id`` is the UUID, ``number`` the integer views show."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar, get_args

import msgspec

from steno.errors import Misuse, Refused
from steno.results import Page
from steno.verbs import Steps, ask
from steno_schema.errors import ErrorCode
from steno_schema.limits import SQL_ROWS_MAX
from steno_schema.replies import Done, Rows, Table
from steno_schema.requests import Amend, List, ListType, Sql

Row = dict[str, Any]
"""A row of a view by column; see the view's columns."""
Kind = TypeVar("Kind", bound=msgspec.Struct)

_NAMES = {
    "id": "number",
    "uid": "id",
    "context_json": "context",
    "metadata_json": "metadata",
    "data_json": "data",
    "labels_json": "labels",
}
_JSON_COLUMNS = frozenset(
    {"context_json", "data_json", "labels_json", "metadata_json", "open_tasks"}
)


def named(row: Mapping[str, Any]) -> Row:
    """Return a view's row with the names of records: ``id`` is the UUID, JSON is decoded."""
    return {_NAMES.get(name, name): _read(name, value) for name, value in row.items()}


def typed(row: Mapping[str, Any], kind: type[Kind]) -> Kind:
    """Return a view's row as a record; raise ``Refused`` if it is none of that kind."""
    try:
        return msgspec.convert(named(row), kind, strict=False)
    except msgspec.MsgspecError as error:
        raise Refused(
            ErrorCode.INTERNAL,
            f"The daemon's row is no {kind.__name__}: {error}.",
            "Update steno and restart its daemon: 'steno restart'.",
        ) from error


def listed(request: List, kind: type[Kind]) -> Steps[Page[Kind]]:
    """Return the page of records that ``request`` asks for."""
    reply = yield from ask(request, Rows)
    return Page((typed(row, kind) for row in reply.items), reply.next_cursor)


def select(
    query: str,
    parameters: Mapping[str, Any],
    kind: type[Kind],
    limit: int = SQL_ROWS_MAX,
) -> Steps[list[Kind]]:
    """Return what one statement over the views selects, at most ``limit`` rows."""
    return [typed(row, kind) for row in rows_of((yield from _ask(query, parameters, limit)))]


def chosen(
    view: str,
    wanted: Mapping[str, object],
    kind: type[Kind],
    limit: int,
    cursor: str | None,
) -> Steps[Page[Kind]]:
    """Return a page of a view's rows, newest first, that have all the wanted values.

    A wanted value of ``None`` counts as not given. The cursor is the last row's number.
    """
    parameters = {name: value for name, value in wanted.items() if value is not None}
    conditions = [f"{name} = :{name}" for name in parameters]
    if cursor is not None:
        if not cursor.isdecimal():
            raise Misuse(f"{cursor[:40]!r} is no cursor.", "Take it from the page before.")
        conditions.append("id < :cursor")
        parameters["cursor"] = int(cursor)
    query = f"SELECT * FROM {view} WHERE {' AND '.join(conditions) or '1'} ORDER BY id DESC"
    table = yield from _ask(query, parameters, limit)
    rows = rows_of(table)
    following = str(rows[-1]["id"]) if table.truncated else None
    return Page((typed(row, kind) for row in rows), following)


def one_of(value: str, known: object) -> str:
    """Return a column's name if it is one of a ``Literal``'s; raise ``Misuse`` otherwise."""
    names: tuple[str, ...] = get_args(known)
    if value not in names:
        raise Misuse(f"There is no grouping by {value!r}.", f"Known are: {', '.join(names)}.")
    return value


def amended(kind: ListType, target: str | int, changes: dict[str, Any]) -> Steps[int]:
    """Change fields of one record; return how many records changed."""
    reply = yield from ask(Amend(target=str(target), type=kind, set=changes), Done)
    return reply.changed


def only(reply: Rows, what: str, target: object) -> Row:
    """Return the one row of a reply; raise ``Refused`` (``not_found``) if it has none."""
    if not reply.items:
        raise Refused(ErrorCode.NOT_FOUND, f"There is no {what} {target}.")
    return reply.items[0]


def rows_of(table: Table) -> list[Row]:
    """Return the rows of a ``sql`` reply as maps by column."""
    columns: Sequence[str] = table.columns
    return [dict(zip(columns, row, strict=True)) for row in table.rows]


def _ask(query: str, parameters: Mapping[str, Any], limit: int) -> Steps[Table]:
    return (yield from ask(Sql(query=query, parameters=dict(parameters), limit=limit), Table))


def _read(column: str, value: Any) -> Any:
    if column in _JSON_COLUMNS and isinstance(value, str):
        return msgspec.json.decode(value)
    return value
