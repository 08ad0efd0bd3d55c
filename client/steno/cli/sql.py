"""``steno sql``: one read-only statement over the views."""

import argparse
import re
from typing import Any

from steno.cli.command import Command, Context, WrongUse
from steno.cli.failures import FAILED, say
from steno.cli.screen import Screen, escape_line
from steno.cli.views import QUERY, described
from steno_schema.limits import SQL_ROWS_MAX
from steno_schema.replies import Table
from steno_schema.requests import Sql

_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,18})")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_NAMED = re.compile(r"[:@$]([A-Za-z_][A-Za-z0-9_]*)=(.*)", re.DOTALL)


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("query", nargs="?", metavar="QUERY", help="a SELECT; - reads stdin")
    parser.add_argument(
        "--param",
        metavar="P",
        action="append",
        default=[],
        help="a value for the next ?, or :name=value; a number is bound as a number",
    )
    parser.add_argument("--format", choices=("table", "json", "csv"), help="table unless told")
    parser.add_argument("--schema", action="store_true", help="the views and their columns")
    parser.add_argument("--limit", metavar="N", type=_rows, default=1000, help="rows at most")


def _run(context: Context) -> int:
    from steno.errors import Refused

    args = context.args
    request = Sql(
        query=QUERY if args.schema else _query(args.query),
        parameters=parameters(args.param),
        limit=args.limit,
    )
    try:
        table = context.ask(request, Table)
    except Refused as refusal:
        say(f"steno: {refusal.message}", refusal.hint)
        return FAILED
    if args.schema:
        table = described(table)
    style = "json" if args.json else args.format or "table"
    if args.schema and style == "table":
        _print_views(context.screen, table)
    else:
        _print(context.screen, table, style)
    if table.truncated:
        context.screen.stop_pager()
        say(f"Only the first {len(table.rows):,} rows are shown.", "--limit raises that.")
    return 0


def parameters(texts: list[str]) -> list[Any] | dict[str, Any]:
    """Return the values to bind: a map if all are named, a list if none is."""
    named = [_NAMED.fullmatch(text) for text in texts]
    if texts and all(named):
        return {match[1]: _value(match[2]) for match in named if match}
    if any(named):
        raise WrongUse("--param is either always :name=value or never.")
    return [_value(text) for text in texts]


def _value(text: str) -> str | int | float:
    if _INTEGER.fullmatch(text) and -(2**63) <= int(text) < 2**63:
        return int(text)
    return float(text) if _NUMBER.fullmatch(text) else text


def _query(text: str | None) -> str:
    if text == "-":
        from steno.cli.save import read_stdin

        text = read_stdin("the query")
    if not text or not text.strip():
        raise WrongUse("which query?", "steno sql --schema shows what there is to query.")
    return text


def _print(screen: Screen, table: Table, style: str) -> None:
    if style == "json":
        screen.json([dict(zip(table.columns, row, strict=True)) for row in table.rows])
        return
    if style == "csv":
        from steno.cli.csvtext import csv_line

        for row in [table.columns, *table.rows]:
            screen.raw(csv_line(row))
        return
    screen.start_pager()
    screen.table(table.columns, table.rows, always_aligned=True)


def _print_views(screen: Screen, table: Table) -> None:
    """Print a line for each view; on a terminal its columns below, in a pipe behind a tab."""
    if not screen.is_terminal:
        screen.table(table.columns, table.rows, header_in_pipe=False)
        return
    screen.start_pager()
    for name, holds, columns in table.rows:
        screen.line(f"{screen.style(escape_line(name), 'bold')}: {escape_line(holds)}")
        screen.line(f"    {screen.style(escape_line(columns), 'dim')}")


def _rows(text: str) -> int:
    value = int(text)
    if not 1 <= value <= SQL_ROWS_MAX:
        raise argparse.ArgumentTypeError(f"must be from 1 to {SQL_ROWS_MAX}")
    return value


COMMANDS = {
    "sql": Command(
        "Run one read-only SQL statement over the views.",
        "steno sql 'SELECT model, SUM(cost) FROM history GROUP BY model' --format csv",
        _configure,
        _run,
    )
}
