"""``client.routing``: which workflow a request was sent to, and why."""

from typing import Literal

from msgspec import Struct

from steno.filters import When, bound, time_text
from steno.results import Page, Saved
from steno.rows import listed, one_of, select
from steno.verbs import Namespace, Runner, Steps, store_one, verb
from steno_schema.ids import uuid7
from steno_schema.records import RoutingDecision
from steno_schema.requests import Filters, List

By = Literal["selected_workflow", "routing_method", "intent", "complexity"]
_SUMMARY = """
SELECT {by} AS name, count(*) AS decisions, avg(confidence) AS mean_confidence
FROM routing_decisions
WHERE (:since IS NULL OR decided_at >= :since) AND (:until IS NULL OR decided_at <= :until)
GROUP BY 1 ORDER BY decisions DESC, name
"""


class Decision(Struct, frozen=True, kw_only=True):
    """A row of ``routing_decisions``: ``id`` is its UUID, ``number`` the view's integer."""

    id: str
    number: int
    conversation_id: str
    intent: str
    complexity: str | None
    confidence: float | None
    selected_workflow: str | None
    routing_method: str | None
    decided_at: str
    reasoning: str | None


class RoutingSummary(Struct, frozen=True, kw_only=True):
    """Decisions of one kind. ``mean_confidence`` is from 0 to 1, of those that told theirs."""

    name: str | None
    decisions: int
    mean_confidence: float | None


Summaries = list[RoutingSummary]


class Routing(Namespace[Runner]):
    """Log routing decisions and look back at them."""

    @verb
    def log(
        self,
        intent: str,
        *,
        conversation: str | None = None,
        complexity: str | None = None,
        confidence: float | None = None,
        selected_workflow: str | None = None,
        routing_method: str | None = None,
        reasoning: str | None = None,
        decided_at: When | None = None,
        id: str | None = None,
    ) -> Steps[Saved]:
        """Record a routing decision; ``confidence`` is from 0 to 1.

        Without a conversation (a key) it belongs to this process's own. Raises ``Misuse`` for a
        value that breaks a rule; without a daemon it is spooled like any save.

        Example::

            client.routing.log("bug_fix", selected_workflow="debug", confidence=0.8)
        """
        record = RoutingDecision(
            id=id or uuid7(),
            conversation=conversation or self._context.session(),
            intent=intent,
            complexity=complexity,
            confidence=confidence,
            selected_workflow=selected_workflow,
            routing_method=routing_method,
            reasoning=reasoning,
            decided_at=None if decided_at is None else time_text(decided_at),
        )
        return (yield from store_one(record))

    @verb
    def list(
        self,
        *,
        conversation: str | None = None,
        since: When | None = None,
        until: When | None = None,
        limit: int = 100,
        cursor: str | None = None,
    ) -> Steps[Page[Decision]]:
        """Return decisions in pages, newest first: of a conversation, of a stretch of time.

        Raises ``Unreachable`` without a daemon.

        Example::

            for decision in client.routing.list(since="7d"):
                print(decision.intent, decision.selected_workflow)
        """
        filters = Filters(
            conversation=[] if conversation is None else [conversation],
            since=None if since is None else time_text(since),
            until=None if until is None else time_text(until),
        )
        request = List(type="routing_decision", filters=filters, limit=limit, cursor=cursor)
        return (yield from listed(request, Decision))

    @verb
    def summary(
        self,
        by: By = "selected_workflow",
        *,
        since: When | None = None,
        until: When | None = None,
    ) -> Steps[Summaries]:
        """Return how many decisions there are of each kind, and how sure they were.

        Confidence is from 0 to 1. Raises ``Misuse`` for a time that is none, ``Unreachable``
        without a daemon.

        Example::

            for workflow in client.routing.summary(since="30d"):
                print(workflow.name, workflow.decisions, workflow.mean_confidence)
        """
        column = one_of(by, By)
        period = {"since": bound(since), "until": bound(until, end=True)}
        return (yield from select(_SUMMARY.format(by=column), period, RoutingSummary))
