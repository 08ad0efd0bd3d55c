"""Gemini CLI: what it writes, and where.

Files: ``~/.gemini/tmp/<project>/chats/session-<UTC minute>-<id8>.jsonl``, a sub-agent's
``chats/<session>/<id>.jsonl``; to spring 2026 ``session-….json``. ``GEMINI_CLI_HOME`` moves the
home that ``.gemini`` is in. ``<project>`` is a short name, before that the hash of the path.

Sources: real sessions of April 2026 in both formats, runs of 0.61.0 against a scripted service,
and the agent's own recording service for names and cases.

================  =================================================================================
to spring 2026    one document, written anew at each change: header fields and ``messages``
from spring 2026  lines: a header, messages, the same id again when tool calls or tokens come,
                  ``$set`` (fields of the header, or a list of messages in place of all before),
                  ``$rewindTo``. A document that is resumed is copied into lines beside it
0.61.0            sub-agents' own files; tool results again as messages of type ``user``;
                  a resume writes another header, and the history by ``$set``
================  =================================================================================

Decisions:

* Both formats are read as lines of the newer one; ids, times and texts are the same in both.
* The history in ``$set`` is what the model is sent: shortened, with new times, under new ids after
  a compaction. What is known keeps what was said first; the rest is kept as injected.
* A prompt is a ``user`` message with a text, to where the content of named files follows;
  ``displayContent`` is another rendering of it. A slash command is one apart; tool results and
  contexts are none.
* Input includes what is cached, output excludes thoughts. Calls of a compaction are in no file.
* A prompt or result that nothing answers before the next prompt, a resume or a cancellation had a
  call that was cut: its tokens are unknown, and counted as not complete.
* Sessions vanish: failed turns are taken out by the next start, and a resume in a later minute has
  the next clean-up delete the whole conversation. What was read stays.
* ``checkpoints`` and ``/chat save`` repeat a conversation without ids and times: not read.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from steno.capture.agent import Agent
from steno.capture.document import Document
from steno.capture.gemini_parser import AGENT_NAME, GeminiParser
from steno.capture.gemini_project import chats_of
from steno.capture.gemini_state import State, decode, encode
from steno.capture.gemini_wire import cut
from steno.capture.source import Reader
from steno.capture.tail import LINES

_FOLDERS_WITHOUT = frozenset({"tool-outputs", "checkpoints", "images", "bin"})
_DOCUMENT = Document(cut)


class Gemini(Agent):
    """The Gemini CLI."""

    name = AGENT_NAME
    parser_version = "1"
    variables: Sequence[str] = ("GEMINI_CLI_HOME",)

    def roots(self, environ: Mapping[str, str]) -> Sequence[Path]:
        """Return the folder of the projects' sessions."""
        said = environ.get("GEMINI_CLI_HOME") or environ.get("HOME")
        return [(Path(said) if said else Path.home()) / ".gemini" / "tmp"]

    def is_transcript(self, path: Path) -> bool:
        """Tell whether ``path`` is a session of either format, or a sub-agent's."""
        return path.suffix in {".json", ".jsonl"} and chats_of(path) is not None

    def is_entered(self, folder: Path) -> bool:
        """Tell whether a folder may hold sessions: those of tools' outputs are large."""
        return folder.name not in _FOLDERS_WITHOUT

    def reader(self, path: Path) -> Reader:
        """Return how a session grows: line by line, the older ones as a whole."""
        return _DOCUMENT if path.suffix == ".json" else LINES

    def parser(self, path: Path, state: bytes = b"") -> GeminiParser:
        """Return a parser for ``path``; raise ``ValueError`` if ``state`` is not one of its."""
        return GeminiParser(path, state)

    def parser_again(self, path: Path, state: bytes) -> GeminiParser:
        """Return a parser for the first line, that knows the project noted beside the file."""
        try:
            known = decode(state)
        except ValueError:
            known = State()
        return GeminiParser(path, encode(State(project=known.project)))


AGENT: Agent = Gemini()
