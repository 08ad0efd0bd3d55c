"""Token counts of Codex: running totals into steps, and steps into disjoint buckets."""

from steno.capture.codex_wire import Counts
from steno_schema.records import Tokens

Total = tuple[int, int, int, int, int, int]
"""Input, cached input, cache writes, output, reasoning, all."""

_COUNT_MAX = 2**53


def total_of(counts: Counts) -> Total:
    """Return counts as a vector; what is left out or makes no sense is 0."""
    return (
        _count(counts.input_tokens),
        _count(counts.cached_input_tokens),
        _count(counts.cache_write_input_tokens),
        _count(counts.output_tokens),
        _count(counts.reasoning_output_tokens),
        _count(counts.total_tokens),
    )


def tokens_of(total: Total) -> Tokens:
    """Return disjoint buckets: Codex counts what is cached and what is written as input too."""
    said, cached, written, output, reasoning, _ = total
    return Tokens(
        input=max(0, said - cached - written),
        output=output,
        cache_read=cached,
        cache_write=written,
        reasoning=reasoning,
    )


def step(total: Total, previous: Total | None) -> Total:
    """Return what was used since ``previous``; a total that fell has begun again at 0."""
    if previous is None or _fell(total, previous):
        return total
    return _difference(total, previous)


def step_after_copy(total: Total, last: Total | None, copied: Total | None) -> Total:
    """Return the first step of a fork after the last total of its copied history.

    Some versions start a fork's counter again, others go on with the parent's; the first request
    alone (``last``) is the whole total only where it started again.
    """
    if last == total:
        return total
    return step(total, copied)


def _fell(total: Total, previous: Total) -> bool:
    return any(now < before for now, before in zip(total, previous, strict=True))


def _difference(total: Total, previous: Total) -> Total:
    return (
        total[0] - previous[0],
        total[1] - previous[1],
        total[2] - previous[2],
        total[3] - previous[3],
        total[4] - previous[4],
        total[5] - previous[5],
    )


def _count(value: int | None) -> int:
    return min(max(value or 0, 0), _COUNT_MAX)
