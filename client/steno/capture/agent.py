"""The interface between an agent's transcript format and everything that is the same for all.

An agent is one module with one ``Agent`` object: where its files are, how they grow, and a parser
that turns lines into records. Cursors, rotation, batching, redaction and progress are not its
business. How they grow is said by a ``Reader`` (``source``): whatever it is, the parser gets lines.

What a parser may rely on, and must keep to:

* Lines come in file order, whole, without newline, blank ones left out, numbered from 1. They may
  come in any split: between two lines the parser may be thrown away and made again from
  ``state()``. The same lines must give the same records whatever the split.
* Records are merged by id (``Append`` mode ``merge``): ids come from ``uuid8(agent, kind, native
  key)``, so the same thing seen again, in this file or a copy of it, is the same record.
* What another file repeats (a fork's copied history) is marked ``copied``; the original owns it.
* A line that is known and carries nothing is ``SKIPPED``; one that is not known is
  ``NOT_UNDERSTOOD``. Neither ever raises: a transcript is hostile text.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import Protocol, runtime_checkable

import msgspec

from steno.capture.source import Reader
from steno.capture.tail import LINES
from steno_schema.records import AnyRecord

POSITION_BLOCKS = 256
"""Blocks of one line that have a place of their own in the order of messages."""

RECOVERY_ATTEMPTS = 64
"""Places of a broken line where an object is looked for: a hostile line costs no more."""

BROKEN_LINE = "(broken)"
"""Kind of a line that is no JSON, or not all of it."""

_SCANNER = json.JSONDecoder()
_SURROGATES = re.compile(
    r"\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    r"|\\u[dD][89a-fA-F][0-9a-fA-F]{2}"
)
_ESCAPE_CHARS = len(r"\uXXXX")


class Outcome(Enum):
    """What a line was to its parser."""

    RECORDS = "records"
    SKIPPED = "skipped"
    NOT_UNDERSTOOD = "not_understood"


class Parser(Protocol):
    """Turns the lines of one file into records."""

    session: str | None
    """Native id of the session this file belongs to, once known."""
    last_event_at: str | None
    """Latest time stamp seen, as the file writes it."""

    @property
    def folder(self) -> str | None:
        """Folder that the file's work began in, once known: it says whether the file stays out."""
        ...

    def feed(self, number: int, line: bytes) -> Outcome:
        """Take line ``number``; never raises, whatever the bytes are."""
        ...

    def take(self) -> list[AnyRecord]:
        """Return the records made since the last call, in order; a session comes before what
        names it, a conversation before its messages, a turn's prompt message before the turn.
        """
        ...

    def state(self) -> bytes:
        """Return what a new parser needs to go on after the last line fed. A few KB at most."""
        ...


@runtime_checkable
class Tells(Protocol):
    """What a parser may tell of the line fed last; the completeness meter counts by it.

    A parser that does not tell is counted by what its lines say of themselves (``meter``).
    """

    @property
    def kind(self) -> str:
        """Type of the line as the agent names it, types inside of it after a slash."""
        ...

    @property
    def version(self) -> str | None:
        """Version of the agent that wrote the line, as the file writes it."""
        ...

    @property
    def made(self) -> int:
        """Records made so far."""
        ...


class Agent(Protocol):
    """One coding agent: its name, its folders, its parser. Derive from it."""

    name: str
    """As in ``--agent``: ``claude-code``, ``codex``."""
    parser_version: str
    """Changed when the same bytes would give other records: kept bytes are then read again."""

    variables: Sequence[str]
    """Environment variables by which a person names the agent's folders."""

    def roots(self, environ: Mapping[str, str]) -> Sequence[Path]:
        """Folders the agent writes below, honouring the agent's own variables."""
        ...

    def is_transcript(self, path: Path) -> bool:
        """Tell from the name alone whether a file below a root is one of the agent's."""
        ...

    def is_entered(self, folder: Path) -> bool:
        """Tell whether a folder below a root may hold sources; others are not looked into."""
        del folder
        return True

    def is_watched(self, folder: Path) -> bool:
        """Tell whether something of a source may change in a folder below a root, or below it."""
        del folder
        return True

    def source_of(self, path: Path) -> Path | None:
        """Return the source that a file which changed is part of: itself, or a database's log."""
        return path if self.is_transcript(path) else None

    def reader(self, path: Path) -> Reader:
        """Return how a source grows."""
        del path
        return LINES

    def parser(self, path: Path, state: bytes = b"") -> Parser:
        """Return a parser for ``path``, fresh or going on from ``state``.

        The path of a container's member is that of the container and the member's name.
        """
        ...

    def parser_again(self, path: Path, state: bytes) -> Parser:
        """Return a parser that begins at the first kept line, whether or not there still is a file.

        ``state`` is what reading left; a parser takes from it what stood beside the file.
        """
        del state
        return self.parser(path)


def position(line_number: int, block: int = 0) -> int:
    """Return the place of a block in the order of its file."""
    return line_number * POSITION_BLOCKS + min(block, POSITION_BLOCKS - 1)


def mended(line: bytes) -> bytes:
    """Return ``line`` with what is no text in it replaced by U+FFFD.

    That is bytes outside UTF-8 and the halves of characters: JavaScript cuts texts in the middle
    of an emoji and writes the half that is left as an escape, which is JSON but no text.
    """
    return _SURROGATES.sub(_without_lone, line.decode("utf-8", "replace")).encode()


def _without_lone(match: re.Match[str]) -> str:
    found = match.group()
    return r"\ufffd" if len(found) == _ESCAPE_CHARS else found


def objects_in(line: bytes, decoder: msgspec.json.Decoder[msgspec.Raw]) -> Iterable[bytes]:
    """Yield the JSON objects in a line that is not one whole object, mended.

    Agents that are killed while writing leave a torn object before the next one, or two objects
    on one line (7 of 286 real files). Every object that can be cut out whole and that ``decoder``
    takes is recovered, as far as ``RECOVERY_ATTEMPTS`` reach.
    """
    text = mended(line).decode()
    start = text.find('{"')
    for _ in range(RECOVERY_ATTEMPTS):
        if start < 0:
            return
        try:
            _, end = _SCANNER.raw_decode(text, start)
            found = text[start:end].encode()
            decoder.decode(found)
        except (ValueError, RecursionError):
            start = text.find('{"', start + 2)
            continue
        yield found
        start = text.find('{"', end)


def recovered(
    line: bytes,
    decoder: msgspec.json.Decoder[msgspec.Raw],
    take: Callable[[bytes, int], Outcome],
) -> tuple[Outcome, bool]:
    """Have every whole object of a broken line taken; it is understood if they are all of it.

    ``take`` gets each with its number in the line, from 0; it may raise ``ValueError``. Return
    what the line was, and whether some of it is no JSON.
    """
    outcomes: set[Outcome] = set()
    rest = mended(line)
    for block, data in enumerate(objects_in(line, decoder)):
        try:
            outcomes.add(take(data, block))
        except (ValueError, RecursionError):
            outcomes.add(Outcome.NOT_UNDERSTOOD)
        rest = rest.replace(data, b"", 1)
    is_broken = bool(rest.strip())
    if is_broken or Outcome.NOT_UNDERSTOOD in outcomes:
        return Outcome.NOT_UNDERSTOOD, is_broken
    return Outcome.RECORDS if Outcome.RECORDS in outcomes else Outcome.SKIPPED, is_broken
