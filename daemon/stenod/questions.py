"""The verbs that read, and what each asks of a connection."""

import time
from collections.abc import Callable
from typing import Any

import apsw

from steno_schema.errors import bad_request
from steno_schema.limits import FRESHNESS_WAIT_S
from steno_schema.replies import AnyReply, Exchanges, Messages, Rows, Table
from steno_schema.requests import Export, Get, List, Search, Sql, Stats
from stenod.progress import Progress
from stenod.query.calls import cost_rows
from stenod.query.exchanges import get_exchange, list_exchanges
from stenod.query.exported import export_page
from stenod.query.records import get_message, get_row, list_messages, list_rows
from stenod.query.sql import run_sql
from stenod.query.stats import statistics
from stenod.search.search import search

Question = Callable[[apsw.Connection, Any, Progress], AnyReply]
_OF_COSTS = ("call_cost", "exchange_cost")
_OF_EXCHANGES = ("analysis", *_OF_COSTS)


def _wait(progress: Progress, *names: str) -> dict[str, int]:
    """Wait for followers as long as a question may; return how far each is behind."""
    deadline = time.monotonic() + FRESHNESS_WAIT_S
    return {name: progress.wait_for(name, max(deadline - time.monotonic(), 0)) for name in names}


def _get(connection: apsw.Connection, request: Get, progress: Progress) -> AnyReply:
    if request.type == "exchange":
        _wait(progress, *_OF_EXCHANGES)
        return Exchanges(items=[get_exchange(connection, request.target)])
    if request.type == "message":
        return Messages(items=[get_message(connection, request.target)])
    return Rows(items=[get_row(connection, request.type, request.target)])


def _list(connection: apsw.Connection, request: List, progress: Progress) -> AnyReply:
    if request.where and request.type in {"exchange", "message", "cost"}:
        raise bad_request(f"`where` is not for a list of {request.type}.", "Use `filters`.")
    if request.type == "exchange":
        _wait(progress, *_OF_EXCHANGES)
        return list_exchanges(connection, request)
    if request.type == "cost":
        _wait(progress, *_OF_COSTS)
        return cost_rows(connection, request)
    if request.type == "message":
        return list_messages(connection, request)
    return list_rows(connection, request)


def _export(connection: apsw.Connection, request: Export, progress: Progress) -> AnyReply:
    _wait(progress, "analysis")  # it puts tags
    return export_page(connection, request)


def _search(connection: apsw.Connection, request: Search, progress: Progress) -> AnyReply:
    behind = progress.wait_for("fulltext", FRESHNESS_WAIT_S)
    reply = search(connection, request)
    reply.complete = behind == 0
    reply.behind = behind
    return reply


def _stats(connection: apsw.Connection, request: Stats, progress: Progress) -> AnyReply:
    behind = _wait(progress, *_OF_EXCHANGES, "rollup")
    reply = statistics(connection, request, use_rollup=behind["rollup"] == 0)
    reply.totals["costs_behind"] = max(behind[name] for name in _OF_COSTS)
    return reply


def _sql(connection: apsw.Connection, request: Sql, _progress: Progress) -> Table:
    return run_sql(connection, request)


QUESTIONS: dict[type, Question] = {
    Get: _get,
    List: _list,
    Export: _export,
    Search: _search,
    Stats: _stats,
    Sql: _sql,
}
