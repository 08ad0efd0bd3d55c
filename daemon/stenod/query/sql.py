"""SQL from a client: one read-only statement, checked by SQLite itself through an authorizer."""

from typing import Any

import apsw

from steno_schema.errors import ErrorCode, RequestError, bad_request
from steno_schema.replies import Table
from steno_schema.requests import Sql
from stenod.query.exchanges import PAGE_MAX_BYTES, encoded_bytes

_ALLOWED = {
    apsw.SQLITE_SELECT,
    apsw.SQLITE_READ,
    apsw.SQLITE_FUNCTION,
    apsw.SQLITE_RECURSIVE,
}
_PRAGMAS = {
    "application_id",
    "collation_list",
    "compile_options",
    "database_list",
    "encoding",
    "foreign_key_list",
    "function_list",
    "index_info",
    "index_list",
    "index_xinfo",
    "journal_mode",
    "page_count",
    "page_size",
    "schema_version",
    "table_info",
    "table_list",
    "table_xinfo",
    "user_version",
}
_ARGUMENT_IS_A_NAME = {"table_info", "table_xinfo", "index_list", "index_info", "index_xinfo",
                       "foreign_key_list", "table_list"}  # fmt: skip
_HIDDEN_FUNCTIONS = {"load_extension", "fts3_tokenizer", "writefile", "readfile", "edit"}


def authorize(
    operation: int,
    first: str | None,
    second: str | None,
    _database: str | None,
    _trigger: str | None,
) -> int:
    """Allow reading and harmless pragmas; everything else makes the statement fail."""
    if operation == apsw.SQLITE_FUNCTION:
        return apsw.SQLITE_DENY if second in _HIDDEN_FUNCTIONS else apsw.SQLITE_OK
    if operation == apsw.SQLITE_PRAGMA:
        harmless = first in _PRAGMAS and (second is None or first in _ARGUMENT_IS_A_NAME)
        return apsw.SQLITE_OK if harmless else apsw.SQLITE_DENY
    return apsw.SQLITE_OK if operation in _ALLOWED else apsw.SQLITE_DENY


def run_sql(connection: apsw.Connection, request: Sql) -> Table:
    """Run one statement and return its rows, at most ``limit`` of them."""
    connection.authorizer = authorize
    try:
        return _run(connection, request)
    except apsw.AuthError as error:
        raise bad_request(
            "Only reading is allowed here.", "One SELECT over the views; see `steno sql --schema`."
        ) from error
    except apsw.InterruptError:
        raise
    except KeyError as error:
        raise bad_request(f"No value is given for :{str(error.args[0])[:100]}.") from error
    except _WRONG_STATEMENT as error:
        raise bad_request(
            f"The statement cannot be run: {str(error)[:300]}.",
            "`steno sql --schema` lists the views.",
        ) from error
    finally:
        connection.authorizer = None


_WRONG_STATEMENT = (
    apsw.SQLError,
    apsw.BindingsError,
    apsw.MismatchError,
    apsw.TooBigError,
    apsw.RangeError,
    TypeError,
    UnicodeError,
    OverflowError,
)
"""What a statement, its parameters, or text that is no text can bring about."""


def _run(connection: apsw.Connection, request: Sql) -> Table:
    cursor = connection.cursor()
    columns: list[str] = []
    statements = 0

    def note(cursor: apsw.Cursor, _statement: str, _bindings: Any) -> bool:
        nonlocal columns, statements
        if not cursor.has_vdbe:
            return True  # a comment
        statements += 1
        if statements > 1:
            raise bad_request("More than one statement.", "Send them one at a time.")
        columns = [name for name, _type in cursor.get_description()]
        return True

    cursor.exec_trace = note
    rows: list[list[Any]] = []
    size_bytes = 0
    truncated = False
    for row in cursor.execute(request.query, request.parameters):
        values = [_plain(value) for value in row]
        size_bytes += encoded_bytes(values)
        if len(rows) == request.limit or size_bytes > PAGE_MAX_BYTES:
            truncated = True
            break
        rows.append(values)
    if not statements:
        raise bad_request("There is no statement.", "Write one SELECT over the views.")
    if truncated and not rows:
        raise RequestError(
            ErrorCode.TOO_LARGE,
            f"One row takes more than {PAGE_MAX_BYTES} bytes.",
            "Select a part of its text with substr().",
        )
    cursor.close(force=True)
    return Table(columns=columns, rows=rows, truncated=truncated)


def _plain(value: Any) -> Any:
    return value.hex() if isinstance(value, bytes) else value
