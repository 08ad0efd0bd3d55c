"""The completeness meter: what lines were, by version of the agent and kind of line.

Nothing is dropped in silence: each line is of some kind, and was made into records, known and
skipped, or not understood. A parser may tell kind and version (``agent.Tells``); otherwise they are
what the line says of itself.
"""

from typing import Any

from msgspec import Struct, json

from steno.capture.agent import BROKEN_LINE, Outcome, Parser, Tells
from steno_schema.limits import LINE_KIND_MAX_CHARS
from steno_schema.requests import LineCount, SourceProgress

SAMPLE_CHARS = 200
KINDS_MAX = 64
"""Kinds told apart in one stretch: a hostile file names as many as it has lines."""
TOO_LONG_LINE = "(too long)"
OTHER_LINES = "(other)"


class Meter:
    """Feeds a parser and counts what its lines were."""

    def __init__(self, parser: Parser) -> None:
        self._parser = parser
        self._tells = parser if isinstance(parser, Tells) else None
        self._counts: dict[tuple[str, str], LineCount] = {}

    def feed(self, number: int, line: bytes) -> None:
        """Have the parser take line ``number``, and count it."""
        tells = self._tells
        before = tells.made if tells else 0
        outcome = self._parser.feed(number, line)
        count = self._count((tells.kind if tells else "") or kind_of(line))
        count.lines += 1
        count.size_bytes += len(line) + 1
        if tells:
            count.records += tells.made - before
        elif outcome is Outcome.RECORDS:
            count.records += 1
        if outcome is Outcome.SKIPPED:
            count.skipped += 1
        elif outcome is Outcome.NOT_UNDERSTOOD:
            count.not_understood += 1
            count.sample = count.sample or line[:SAMPLE_CHARS].decode("utf-8", "replace")

    def too_long(self, size_bytes: int, *, ends_line: bool) -> None:
        """Count a stretch of a line that is too long to be parsed; the line once, at its end."""
        count = self._count(TOO_LONG_LINE)
        count.size_bytes += size_bytes
        count.lines += ends_line
        count.not_understood += ends_line
        count.sample = "a line longer than 16 MiB"

    def tell(self, progress: SourceProgress, *, sample: str | None = None) -> None:
        """Put the counts into ``progress``; ``sample`` goes in the place of every sample."""
        counts = list(self._counts.values())
        for count in counts:
            if sample is not None and count.sample is not None:
                count.sample = sample
        progress.counts = counts
        progress.lines = sum(count.lines for count in counts)
        progress.lines_skipped = sum(count.skipped for count in counts)
        progress.lines_not_understood = sum(count.not_understood for count in counts)
        progress.sample = next((each.sample for each in counts if each.sample), None)

    def _count(self, kind: str) -> LineCount:
        version = (self._tells.version if self._tells else None) or ""
        key = (version[:LINE_KIND_MAX_CHARS], kind[:LINE_KIND_MAX_CHARS])
        count = self._counts.get(key)
        if count is None:
            if len(self._counts) >= KINDS_MAX:
                key = ("", OTHER_LINES)
            count = self._counts.setdefault(key, LineCount(version=key[0], kind=key[1]))
        return count


class _Named(Struct):
    type: Any = None
    role: Any = None
    subtype: Any = None


_NAMED = json.Decoder(_Named)


def kind_of(line: bytes) -> str:
    """Return the kind of a line as it names itself.

    >>> kind_of(b'{"type": "message", "role": "user", "content": "Hi"}')
    'message/user'
    """
    try:
        named = _NAMED.decode(line)
    except (ValueError, RecursionError):
        return BROKEN_LINE
    parts = (named.type, named.role, named.subtype)
    return "/".join(part for part in parts if isinstance(part, str) and part) or "(no type)"
