"""Which prompts wait for the plug-in, and its verdicts in the place of the rules' guesses."""

import hashlib
from typing import Any

import apsw
import msgspec
from msgspec import Struct

from steno_schema.replies import Done
from steno_schema.requests import Request
from stenod.followers.autotags import put_tags
from stenod.store.context import Context
from stenod.store.days import mark_unclean
from stenod.store.rows import Row, fetch_all, fetch_one

_WAITING = """
SELECT a.exchange_id, a.waiting, p.content, coalesce(o.content, ''), a.category, a.complexity,
  a.technique, a.stage, a.keywords
FROM analysis AS a JOIN exchange AS e ON e.id = a.exchange_id
JOIN message AS p ON p.id = e.prompt_id LEFT JOIN message AS o ON o.id = e.output_id
WHERE a.waiting IS NOT NULL ORDER BY a.exchange_id DESC LIMIT ?
"""
_STORE = """
UPDATE analysis SET category = coalesce(?, category), complexity = coalesce(?, complexity),
  technique = coalesce(?, technique), stage = coalesce(?, stage),
  keywords = coalesce(?, keywords), follow_up = coalesce(?, follow_up),
  asked = waiting, waiting = NULL
WHERE exchange_id = ? AND waiting = ?
"""


class Verdict(Struct, frozen=True, kw_only=True):
    """What the plug-in says of one exchange; ``None`` leaves it to the rules."""

    exchange_id: int
    asked: int
    """The ``mark_of`` the texts it was asked about: a verdict on others is not stored."""
    category: str | None = None
    complexity: str | None = None
    technique: str | None = None
    stage: str | None = None
    keywords: list[str] | None = None
    follow_up: bool | None = None


class Verdicts(Request, tag="verdicts", kw_only=True):
    """A request of the daemon's own: nobody can send it."""

    verdicts: list[Verdict]


def mark_of(prompt: str, output: str) -> int:
    """Return the number that tells texts from others."""
    digest = hashlib.blake2b(prompt.encode("utf-8", "replace"), digest_size=8)
    digest.update(b"\0" + output.encode("utf-8", "replace"))
    return int.from_bytes(digest.digest(), signed=True)


def waiting(connection: apsw.Connection, limit: int) -> tuple[int, list[Row]]:
    """Return how many exchanges wait, and the newest of them."""
    count = connection.execute("SELECT count(*) FROM analysis WHERE waiting IS NOT NULL").get
    return count, fetch_all(connection, _WAITING, (limit,))


def store_verdicts(context: Context, request: Verdicts) -> Done:
    """Store verdicts; one whose exchange is gone, or says other words by now, is dropped."""
    stored = 0
    for verdict in request.verdicts:
        row_id = verdict.exchange_id
        query = "SELECT waiting FROM analysis WHERE exchange_id = ?"
        if fetch_one(context.connection, query, (row_id,)) != (verdict.asked,):
            continue
        put_tags(context.connection, (row_id, row_id), {row_id: verdict.category})
        context.connection.execute(_STORE, (*_columns(verdict), row_id, verdict.asked))
        mark_unclean(context.connection, "e.id = ?", (row_id,))
        stored += 1
    return Done(changed=stored)


def _columns(verdict: Verdict) -> tuple[Any, ...]:
    keywords = None
    if verdict.keywords is not None:
        keywords = msgspec.json.encode(verdict.keywords).decode()
    labels = (verdict.category, verdict.complexity, verdict.technique, verdict.stage)
    return (*labels, keywords, verdict.follow_up)
