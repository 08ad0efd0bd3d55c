"""``client.metrics``: numbers worth watching, each with a name, a unit and labels."""

import math
from collections.abc import Mapping

from msgspec import Struct

from steno.errors import Misuse
from steno.filters import When, bound, time_text
from steno.results import Saved
from steno.rows import select
from steno.verbs import Namespace, Runner, Steps, store_one, verb
from steno_schema.ids import uuid7
from steno_schema.records import Metric

_SUMMARY = """
SELECT metric, unit, count(*) AS count, sum(value) AS total, avg(value) AS mean,
  min(value) AS minimum, max(value) AS maximum, max(recorded_at) AS last_at
FROM memory_metrics
WHERE (:metric IS NULL OR metric = :metric)
  AND (:since IS NULL OR recorded_at >= :since) AND (:until IS NULL OR recorded_at <= :until)
GROUP BY metric, unit ORDER BY metric, unit
"""


class MetricSummary(Struct, frozen=True, kw_only=True):
    """All values of a metric in one unit."""

    metric: str
    unit: str | None
    count: int
    total: float
    mean: float
    minimum: float
    maximum: float
    last_at: str


class Metrics(Namespace[Runner]):
    """Record numbers and sum them up."""

    @verb
    def record(
        self,
        metric: str,
        value: float,
        *,
        unit: str | None = None,
        labels: Mapping[str, str] | None = None,
        recorded_at: When | None = None,
        id: str | None = None,
    ) -> Steps[Saved]:
        """Record one value of a metric; ``unit`` is a word of your own, such as ``ms``.

        Raises ``Misuse`` for a value that is no finite number; without a daemon it is spooled
        like any save.

        Example::

            client.metrics.record("answer_time", 812.0, unit="ms", labels={"model": "gpt-5"})
        """
        if not math.isfinite(value):
            raise Misuse(f"A metric's value is a finite number, not {value}.")
        record = Metric(
            id=id or uuid7(),
            metric=metric,
            value=value,
            unit=unit,
            labels=None if labels is None else dict(labels),
            recorded_at=None if recorded_at is None else time_text(recorded_at),
        )
        return (yield from store_one(record))

    @verb
    def summary(
        self,
        metric: str | None = None,
        *,
        since: When | None = None,
        until: When | None = None,
    ) -> Steps[list[MetricSummary]]:
        """Return count, total, mean and extremes of each metric (or of one) in each unit.

        Raises ``Misuse`` for a time that is none, ``Unreachable`` without a daemon.

        Example::

            for summary in client.metrics.summary("answer_time", since="7d"):
                print(summary.mean, summary.unit)
        """
        period = {"since": bound(since), "until": bound(until, end=True)}
        return (yield from select(_SUMMARY, {"metric": metric, **period}, MetricSummary))
