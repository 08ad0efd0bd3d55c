"""``client.costs``: tokens and dollars of single model calls."""

from typing import Any

from msgspec import Struct

from steno.exchanges import TokensLike, tokens_of
from steno.filters import When, bound, time_text
from steno.results import Saved
from steno.rows import select
from steno.verbs import Namespace, Runner, Steps, store_one, verb
from steno_schema.ids import uuid7
from steno_schema.records import Tokens, Usage

_SUMS = """
SELECT {name} AS name, count(*) AS calls,
  coalesce(sum(input_tokens), 0) AS input_tokens,
  coalesce(sum(output_tokens), 0) AS output_tokens,
  sum(cost_usd) AS cost_usd, count(*) - count(cost_usd) AS unpriced_calls
FROM cost_tracking
WHERE (:session IS NULL OR session_id = :session) AND (:model IS NULL OR model = :model)
  AND (:since IS NULL OR recorded_at >= :since) AND (:until IS NULL OR recorded_at <= :until)
{group}
"""
_DEAREST_FIRST = "GROUP BY 1 ORDER BY cost_usd DESC, calls DESC, name"
_NEWEST_FIRST = "GROUP BY 1 ORDER BY name DESC"


class Cost(Struct, frozen=True, kw_only=True):
    """What model calls used. ``name`` is the session, model or day; of a total it is ``None``.

    ``input_tokens`` leaves out what came from or went into a cache. ``cost_usd`` is the sum over
    the calls whose cost is known, ``None`` if none is; ``unpriced_calls`` is how many are not.
    """

    name: str | None
    calls: int
    input_tokens: int
    output_tokens: int
    cost_usd: float | None
    unpriced_calls: int


class Costs(Namespace[Runner]):
    """Record what model calls used, and add it up.

    The sums are of ``cost_tracking``: calls added here, calls that capture found, and what
    exchanges were saved with, each cost once. An exchange saved with tokens or a cost of its own
    is one call there, and calls that name it are not counted beside it.
    """

    @verb
    def add(
        self,
        model: str | None = None,
        *,
        input_tokens: int = 0,
        output_tokens: int = 0,
        tokens: TokensLike | None = None,
        cost_usd: float | None = None,
        session: str | None = None,
        conversation: str | None = None,
        exchange: str | None = None,
        request_id: str | None = None,
        recorded_at: When | None = None,
        agent: str = "python",
        id: str | None = None,
    ) -> Steps[Saved]:
        """Record one model call, by the two counts or by all buckets in ``tokens``.

        The cost is in US dollars; left out it is unknown, not 0. The session defaults to the
        settings, then to this process's own. Raises ``Misuse`` for a value that breaks a rule;
        without a daemon it is spooled like any save.

        Example::

            client.costs.add("gpt-5", input_tokens=1200, output_tokens=300, cost_usd=0.0045)
        """
        counts = Tokens(input=input_tokens, output=output_tokens)
        if session is None and conversation is None:
            session = self._context.session()
        usage = Usage(
            id=id or uuid7(),
            tokens=counts if tokens is None else tokens_of(tokens),
            session=session,
            conversation=conversation,
            exchange=exchange,
            agent=agent,
            model=model,
            cost_usd=cost_usd,
            recorded_at=None if recorded_at is None else time_text(recorded_at),
            request_id=request_id,
        )
        return (yield from store_one(usage))

    @verb
    def by_session(
        self,
        *,
        session: str | None = None,
        model: str | None = None,
        since: When | None = None,
        until: When | None = None,
        limit: int = 100,
    ) -> Steps[list[Cost]]:
        """Return what each session's calls used, the dearest first; dollars and token counts.

        Raises ``Misuse`` for a time that is none, ``Unreachable`` without a daemon.

        Example::

            for cost in client.costs.by_session(since="7d", limit=5):
                print(cost.name, cost.cost_usd)
        """
        words = _words(session, model, since, until)
        return (yield from _sums("session_id", _DEAREST_FIRST, words, limit))

    @verb
    def by_model(
        self,
        *,
        session: str | None = None,
        model: str | None = None,
        since: When | None = None,
        until: When | None = None,
        limit: int = 100,
    ) -> Steps[list[Cost]]:
        """Return what each model's calls used, the dearest first; dollars and token counts.

        Raises ``Misuse`` for a time that is none, ``Unreachable`` without a daemon.

        Example::

            for cost in client.costs.by_model(session="work"):
                print(cost.name, cost.output_tokens)
        """
        words = _words(session, model, since, until)
        return (yield from _sums("model", _DEAREST_FIRST, words, limit))

    @verb
    def by_day(
        self,
        *,
        session: str | None = None,
        model: str | None = None,
        since: When | None = None,
        until: When | None = None,
        limit: int = 100,
    ) -> Steps[list[Cost]]:
        """Return what each local day's calls used, the newest day first.

        Dollars and token counts. Raises ``Misuse`` for a time that is none, ``Unreachable``
        without a daemon.

        Example::

            for cost in client.costs.by_day(since="30d"):
                print(cost.name, cost.cost_usd)
        """
        words = _words(session, model, since, until)
        return (yield from _sums("date(recorded_at, 'localtime')", _NEWEST_FIRST, words, limit))

    @verb
    def total(
        self,
        *,
        session: str | None = None,
        model: str | None = None,
        since: When | None = None,
        until: When | None = None,
    ) -> Steps[Cost]:
        """Return what all calls used together; dollars and token counts.

        Raises ``Misuse`` for a time that is none, ``Unreachable`` without a daemon.

        Example::

            print(client.costs.total(since="today").cost_usd)
        """
        words = _words(session, model, since, until)
        return (yield from _sums("NULL", "", words, 1))[0]


def _words(
    session: str | None, model: str | None, since: When | None, until: When | None
) -> dict[str, Any]:
    period = {"since": bound(since), "until": bound(until, end=True)}
    return {"session": session, "model": model, **period}


def _sums(name: str, group: str, words: dict[str, Any], limit: int) -> Steps[list[Cost]]:
    return (yield from select(_SUMS.format(name=name, group=group), words, Cost, limit))
