"""``client.patterns``: what was learned from work, and the time it saves."""

from typing import Literal

from msgspec import Struct

from steno.filters import When, bound, time_text
from steno.results import Page, Saved
from steno.rows import chosen, one_of, select
from steno.verbs import Namespace, Runner, Steps, store_one, verb
from steno_schema.ids import uuid7
from steno_schema.records import Pattern, PatternUsage

By = Literal["pattern_name", "source"]
_RETURN = """
SELECT {by} AS name, count(*) AS uses, sum(time_saved_hours) AS time_saved_hours,
  avg(time_saved_hours) AS mean_time_saved_hours, avg(confidence) AS mean_confidence
FROM pattern_usage
WHERE (:since IS NULL OR created_at >= :since) AND (:until IS NULL OR created_at <= :until)
GROUP BY 1 ORDER BY time_saved_hours DESC, uses DESC, name
"""


class LearnedPattern(Struct, frozen=True, kw_only=True):
    """A row of ``learned_patterns``: ``id`` is its UUID, ``number`` the view's integer."""

    id: str
    number: int
    pattern_type: str
    pattern_key: str
    pattern_value: str | None
    occurrence_count: int
    confidence_score: float | None
    first_seen: str
    last_seen: str


class PatternReturn(Struct, frozen=True, kw_only=True):
    """What a pattern (or a source of patterns) saved; times in hours, confidence from 0 to 1."""

    name: str | None
    uses: int
    time_saved_hours: float
    mean_time_saved_hours: float
    mean_confidence: float | None


Returns = list[PatternReturn]


class Patterns(Namespace[Runner]):
    """Count sightings of patterns, log their use, see what they are worth."""

    @verb
    def observe(
        self,
        pattern_type: str,
        pattern_key: str,
        pattern_value: str | None = None,
        *,
        confidence: float | None = None,
        occurrences: int = 1,
        seen_at: When | None = None,
        id: str | None = None,
    ) -> Steps[Saved]:
        """Count a pattern's sighting; one not seen before is made.

        A value or a ``confidence`` (from 0 to 1) replaces the one before; left out it stays. The
        same ``id`` is counted once. Raises ``Misuse`` for a value that breaks a rule; without a
        daemon it is spooled like any save.

        Example::

            client.patterns.observe("fix", "missing await", confidence=0.9)
        """
        record = Pattern(
            id=id or uuid7(),
            pattern_type=pattern_type,
            pattern_key=pattern_key,
            pattern_value=pattern_value,
            occurrences=occurrences,
            confidence=confidence,
            seen_at=None if seen_at is None else time_text(seen_at),
        )
        return (yield from store_one(record))

    @verb
    def list(
        self,
        *,
        pattern_type: str | None = None,
        pattern_key: str | None = None,
        limit: int = 100,
        cursor: str | None = None,
    ) -> Steps[Page[LearnedPattern]]:
        """Return patterns in pages, the last learned first: of a type, of a key.

        Raises ``Unreachable`` without a daemon.

        Example::

            for pattern in client.patterns.list(pattern_type="fix"):
                print(pattern.pattern_key, pattern.occurrence_count)
        """
        wanted = {"pattern_type": pattern_type, "pattern_key": pattern_key}
        return (yield from chosen("learned_patterns", wanted, LearnedPattern, limit, cursor))

    @verb
    def log_usage(
        self,
        pattern_name: str,
        *,
        time_saved_hours: float = 0.0,
        confidence: float | None = None,
        source: str | None = None,
        task: str | None = None,
        session: str | None = None,
        created_at: When | None = None,
        id: str | None = None,
    ) -> Steps[Saved]:
        """Record that a pattern was used and the hours it saved; ``confidence`` from 0 to 1.

        ``source`` says where the pattern came from, ``task`` is the key of the task it helped.
        The session defaults to the settings, then to this process's own. Raises ``Misuse`` for a
        value that breaks a rule; without a daemon it is spooled like any save.

        Example::

            client.patterns.log_usage("retry with jitter", time_saved_hours=0.5, source="docs")
        """
        record = PatternUsage(
            id=id or uuid7(),
            pattern_name=pattern_name,
            task=task,
            session=session or self._context.session(),
            time_saved_hours=time_saved_hours,
            confidence=confidence,
            source=source,
            created_at=None if created_at is None else time_text(created_at),
        )
        return (yield from store_one(record))

    @verb
    def roi(
        self,
        by: By = "pattern_name",
        *,
        since: When | None = None,
        until: When | None = None,
    ) -> Steps[Returns]:
        """Return the hours that patterns saved, by pattern or by ``source``, the most first.

        Raises ``Misuse`` for a time that is none, ``Unreachable`` without a daemon.

        Example::

            for pattern in client.patterns.roi(since="30d"):
                print(pattern.name, pattern.uses, pattern.time_saved_hours)
        """
        column = one_of(by, By)
        period = {"since": bound(since), "until": bound(until, end=True)}
        return (yield from select(_RETURN.format(by=column), period, PatternReturn))
