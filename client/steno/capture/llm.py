"""simonw/llm: what it logs, and where.

``logs.db`` in ``$LLM_USER_PATH``, else in the application folder that the system has for
``io.datasette.llm`` (``~/.config`` on Linux). SQLite without a write-ahead log. Rows are added; a
call that is logged twice replaces its row.

Sources: databases made by llm 0.27.1, by 0.36 and by 0.36 out of one of 0.27.1, all with the model
``echo``; its documentation of the log and what its code says of storing.

============= =====================================================================================
to 0.31       ``conversations`` and ``responses``, a row a call: ``prompt``, ``system``, ``response``,
              ``reasoning``, tokens; ``tool_calls``, ``tool_results`` (what the call was *given*),
              ``fragments``, ``attachments`` beside it
0.32 previews both generations, under the same ids
0.32 to 0.36  ``threads`` (their ids are conversations' ids), ``turns``, ``messages``, ``parts``;
              ``responses`` stays as it was
============= =====================================================================================

Decisions:

* A conversation is a session; ``llm -c`` goes on with it, also across the generations.
* A message is one row for all conversations that begin alike, so the call is what happened: what is
  new in it is what stands between the answer before and the answer of its own.
* A call without a prompt that is given results of tools goes on with the exchange before it.
* Fragments were not typed: each is told once a conversation as injected text. A prompt of nothing
  else is named after them; so is one of attachments alone, whose bytes are not kept.
* There are no costs, no folders and no versions. Tokens that a model does not tell are left open.
"""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from steno.capture.agent import Agent
from steno.capture.database import database, database_of
from steno.capture.llm_parser import AGENT_NAME, LlmParser
from steno.capture.llm_store import NEEDED, members
from steno.capture.source import Reader

_APPLICATION = "io.datasette.llm"
_DATABASE = database(members, NEEDED)


class Llm(Agent):
    """The command ``llm`` and its Python library."""

    name = AGENT_NAME
    parser_version = "1"
    variables: Sequence[str] = ("LLM_USER_PATH",)

    def roots(self, environ: Mapping[str, str]) -> Sequence[Path]:
        """Return the folder that holds the log."""
        said = environ.get("LLM_USER_PATH")
        if said:
            return [Path(said)]
        home = Path(environ.get("HOME") or Path.home())
        if sys.platform == "darwin":
            return [home / "Library" / "Application Support" / _APPLICATION]
        return [Path(environ.get("XDG_CONFIG_HOME") or home / ".config") / _APPLICATION]

    def is_transcript(self, path: Path) -> bool:
        """Tell the log by its name; other databases beside it hold embeddings."""
        return path.name == "logs.db"

    def source_of(self, path: Path) -> Path | None:
        """Return the database of a journal."""
        path = database_of(path)
        return path if self.is_transcript(path) else None

    def reader(self, path: Path) -> Reader:
        """Return the reader of databases."""
        del path
        return _DATABASE

    def parser(self, path: Path, state: bytes = b"") -> LlmParser:
        """Return a parser for ``path``; raise ``ValueError`` if ``state`` is not one of its."""
        return LlmParser(path, state)


AGENT: Agent = Llm()
