"""Full-text search: candidates from the index, one result an exchange, pages with a cursor.

Message ids go with time, so the newest matches are the highest ids and FTS5 stops early. The
matches are taken in windows of ``SEARCH_CANDIDATES``; each window is scored and paged through,
then the next one follows, so that a cursor followed to its end yields every match once.
"""

import re
import time
from operator import itemgetter
from typing import Any

import apsw
import msgspec
from msgspec import Struct

from steno_schema.errors import bad_request
from steno_schema.ids import format_id
from steno_schema.limits import SEARCH_CANDIDATES
from steno_schema.replies import Results, SearchResult
from steno_schema.requests import List, Search
from steno_schema.times import format_ms
from stenod.query.exchanges import decode_cursor, encode_cursor, list_exchanges
from stenod.query.filters import bounds, exchange_condition, is_unfiltered
from stenod.search import rank
from stenod.search.facets import facet_condition
from stenod.search.language import Query, parse
from stenod.search.snippets import HIGHLIGHT_START
from stenod.search.text import snippet
from stenod.store.keys import DAY_MS, DAY_SHIFT
from stenod.store.packs import WHOLE_TEXT
from stenod.store.rows import fetch_all, fetch_one

_NEWEST = 2**62
_JOINED = re.compile(r"\b[cse]\.")
"""A condition that speaks of conversation, session or exchange."""
_ALONE = """
FROM message_index
CROSS JOIN message AS m ON m.id = message_index.rowid
"""
_FROM = f"""{_ALONE}
JOIN conversation AS c ON c.id = m.conversation_id
JOIN session AS s ON s.id = c.session_id
LEFT JOIN exchange AS e ON e.id = m.exchange_id
"""
_SHOWN = f"""
SELECT m.id, m.uid, m.role, {WHOLE_TEXT}, m.created_at, m.model, c.key, s.key,
  coalesce(e.agent, s.agent), coalesce(e.project, s.project), e.uid, e.id,
  (SELECT substr(p.content, 1, 500) FROM message AS p WHERE p.id = e.prompt_id),
  iif(m.id = e.prompt_id, e.notes, NULL)
FROM message AS m
JOIN conversation AS c ON c.id = m.conversation_id
JOIN session AS s ON s.id = c.session_id
LEFT JOIN exchange AS e ON e.id = m.exchange_id
WHERE m.id = ?
"""


class Hit(Struct):
    """The best matching message of an exchange, or a bare message."""

    message_id: int
    exchange_id: int | None
    score: float


def search(connection: apsw.Connection, request: Search) -> Results:
    """Return a page of results; see ``Search`` for what the request means."""
    query = parse(request.query, request.filters)
    if query.is_empty and is_unfiltered(query.filters):
        raise bad_request("Nothing to search for.", "Type a word, or use filters.")
    if query.match is None:
        if query.only_punctuation:
            return Results(results=[])
        return _listed(connection, request, query)
    if request.rank == "exact":
        return _exact(connection, request, query)
    return _windowed(connection, request, query)


def _windowed(connection: apsw.Connection, request: Search, query: Query) -> Results:
    anchor, top, offset = _NEWEST, _NEWEST, 0
    if request.cursor is not None:
        anchor, top, offset = decode_cursor(request.cursor, 3)
    while True:
        rows = _candidates(connection, query, top, request.rank)
        if not rows:
            return Results(results=[])
        anchor = min(anchor, rows[0][0])
        hits = _best_of_each(rows, request.rank)
        if rows[0][0] < anchor:
            hits = _not_seen_before(connection, query, hits, rows[0][0], anchor)
        page = hits[offset : offset + request.limit]
        following = None
        if offset + request.limit < len(hits):
            following = encode_cursor(anchor, rows[0][0], offset + request.limit)
        elif len(rows) == SEARCH_CANDIDATES:
            top, offset = rows[-1][0] - 1, 0
            following = encode_cursor(anchor, top, 0)
        if page or following is None or top != rows[-1][0] - 1:
            return Results(results=_shown(connection, page, query), next_cursor=following)


def _candidates(
    connection: apsw.Connection, query: Query, top: int, how: str
) -> list[tuple[Any, ...]]:
    required, condition, values = _condition(query)
    joined = _FROM if _JOINED.search(condition) else _ALONE
    score = f"occurrence_score(message_index, {len(required)})" if how == "best" else "0"
    return fetch_all(
        connection,
        f"SELECT m.id, m.exchange_id, {score}, m.role, m.kind {joined}"
        f" WHERE message_index MATCH ? AND message_index.rowid <= ? AND {condition}"
        " ORDER BY message_index.rowid DESC LIMIT ?",
        (_match(query, required), top, *values, SEARCH_CANDIDATES),
    )


def _match(query: Query, required: list[str]) -> str:
    """Return the expression for the index; what ``required`` names must occur besides."""
    return " AND ".join([f"({query.match})", *required]) if required else str(query.match)


def _condition(query: Query) -> tuple[list[str], str, list[Any]]:
    """Return the filters: words that must occur in the index, a condition, and its values."""
    required, filters = facet_condition(query.filters)
    of_exchange = msgspec.structs.replace(filters, role=[])
    condition, values = exchange_condition(of_exchange, created="m.created_at")
    since, until = bounds(query.filters)
    if since is not None:
        condition += " AND message_index.rowid >= ?"
        values.append(max(since // DAY_MS, 0) << DAY_SHIFT)
    if until is not None:
        condition += " AND message_index.rowid < ?"
        values.append((max(until // DAY_MS, 0) + 1) << DAY_SHIFT)
    if query.filters.role:
        condition += f" AND m.role IN ({', '.join('?' * len(query.filters.role))})"
        values += query.filters.role
    return required, condition, values


def _best_of_each(rows: list[tuple[Any, ...]], how: str) -> list[Hit]:
    blend = rank.Blend(int(time.time() * 1000))
    best: dict[int, tuple[float, int]] = {}
    for message_id, exchange_id, score, role, kind in rows:
        # Numbers of messages without an exchange, as negative ones, meet no exchange's.
        key = -message_id if exchange_id is None else exchange_id
        blended = blend(score, role, kind, message_id >> DAY_SHIFT) if how == "best" else 0.0
        known = best.get(key)
        if known is None or blended > known[0]:
            best[key] = (blended, message_id)
    ordered = sorted(best.items(), key=itemgetter(1), reverse=True)
    return [
        Hit(message_id, None if key < 0 else key, score) for key, (score, message_id) in ordered
    ]


def _not_seen_before(
    connection: apsw.Connection, query: Query, hits: list[Hit], top: int, anchor: int
) -> list[Hit]:
    """Leave out exchanges that an earlier window showed by a newer message."""
    required, condition, values = _condition(query)
    numbers = [hit.exchange_id for hit in hits if hit.exchange_id is not None]
    seen: set[int] = set()
    for start in range(0, len(numbers), 500):
        part = numbers[start : start + 500]
        marks = ", ".join("?" * len(part))
        newer = fetch_all(
            connection,
            f"SELECT id FROM message WHERE exchange_id IN ({marks}) AND id > ? AND id <= ?",
            (*part, top, anchor),
        )
        for (message_id,) in newer:
            row = connection.execute(
                f"SELECT m.exchange_id {_FROM} WHERE message_index MATCH ?"
                f" AND message_index.rowid = ? AND {condition}",
                (_match(query, required), message_id, *values),
            ).get
            if row is not None:
                seen.add(row)
    return [hit for hit in hits if hit.exchange_id not in seen]


def _exact(connection: apsw.Connection, request: Search, query: Query) -> Results:
    (offset,) = decode_cursor(request.cursor, 1) if request.cursor is not None else (0,)
    required, condition, values = _condition(query)
    rows = connection.execute(
        f"SELECT m.id, m.exchange_id, bm25(message_index, 1.0, 0.5, 1.5, 0.0) AS score {_FROM}"
        f" WHERE message_index MATCH ? AND {condition} ORDER BY score, m.id DESC",
        (_match(query, required), *values),
    )
    best: dict[tuple[bool, int], Hit] = {}
    for message_id, exchange_id, score in rows:
        key = (exchange_id is None, message_id if exchange_id is None else exchange_id)
        best.setdefault(key, Hit(message_id, exchange_id, -score))
    hits = list(best.values())
    page = hits[offset : offset + request.limit]
    more = offset + request.limit < len(hits)
    return Results(
        results=_shown(connection, page, query),
        next_cursor=encode_cursor(offset + request.limit) if more else None,
    )


def _shown(connection: apsw.Connection, page: list[Hit], query: Query) -> list[SearchResult]:
    results = []
    for hit in page:
        row = fetch_one(connection, _SHOWN, (hit.message_id,))
        if row is None:
            continue
        results.append(
            SearchResult(
                id=format_id(row[1] if row[10] is None else row[10]),
                message_id=format_id(row[1]),
                conversation_id=row[6],
                session_id=row[7],
                agent=row[8],
                project=row[9],
                role=row[2],
                created_at=format_ms(row[4]),
                snippet=_snippet(row[3], row[13], query),
                score=round(hit.score, 4),
                prompt=row[12] or "",
                model=row[5],
                number=row[11] or 0,
            )
        )
    return results


def _snippet(content: str, notes: str | None, query: Query) -> str:
    """Return where the message matches or, if only its notes do, where they do."""
    shown = snippet(content, query.terms)
    if notes is None or HIGHLIGHT_START in shown:
        return shown
    of_notes = snippet(notes, query.terms)
    return of_notes if HIGHLIGHT_START in of_notes else shown


def _listed(connection: apsw.Connection, request: Search, query: Query) -> Results:
    """Filters alone, or exclusions alone, list."""
    listing = List(filters=query.filters, limit=request.limit, cursor=request.cursor)
    page = list_exchanges(connection, listing, without=query.excluded)
    return Results(
        results=[
            SearchResult(
                id=item.id,
                message_id=item.prompt_message_id or item.id,
                conversation_id=item.conversation_id,
                session_id=item.session_id,
                agent=item.agent,
                project=item.project,
                role="user",
                created_at=item.created_at,
                snippet=snippet(item.prompt, ()),
                score=0.0,
                prompt=item.prompt[:500],
                model=item.model,
                number=item.number,
            )
            for item in page.items
        ],
        next_cursor=page.next_cursor,
    )
