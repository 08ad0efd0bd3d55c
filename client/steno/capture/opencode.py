"""opencode: what it writes, and where.

Files, on every system: ``$XDG_DATA_HOME/opencode`` (default ``~/.local/share/opencode``).

* Until 2026 a tree of JSON files, each written anew when it changes:
  ``storage/session/<project>/<ses>.json``, ``storage/message/<ses>/<msg>.json`` and
  ``storage/part/<msg>/<prt>.json``.
* Since then SQLite, ``opencode.db`` (``opencode-<channel>.db``; ``OPENCODE_DB`` names another):
  tables ``session``, ``message``, ``part``, the last two with what the files held in ``data``.
  Rows are updated in place, and everything may be in the write-ahead log alone. Old sessions were
  copied into it and left where they were: the ids are the same, so they are the same records.

Tables of accounts and credentials are never asked for anything. The log of events (``event``)
repeats what the tables hold. Sources: an ``opencode.db`` of 1.17 and exports of 1.3 and 1.4, runs of
1.18.33 against a scripted service, and what its sources say of the older trees.

============= ==================================================================================
0.x (2025)    ``project/<name>/storage/session/{info,message,part}/``, parts below the session
1.0 to 1.2    ``storage/part/<msg>/``; several calls of a model in one message
1.3, 1.4      one call a message; ``tokens.total``; ``finish``
1.17          SQLite; columns of cost and tokens in ``session``
1.18.33       output without reasoning; new, still empty tables ``session_input``,
              ``session_context_epoch``
============= ==================================================================================

Decisions:

* A session with a parent is a sub-agent's work: a conversation in its root's session, without
  prompts of its own.
* A human prompt is a ``user`` message with a text part that is neither ``synthetic`` nor
  ``ignored``. ``opencode run`` puts a prompt with spaces in quotes: they are taken off again, also
  from a prompt that somebody typed with quotes around all of it.
* A compaction is a ``user`` message without text and an answer that works for no prompt. The
  prompt "Continue if you have next steps" after it is synthetic: the answers to it belong to the turn
  before it. A ``!`` command is a turn of origin ``shell``.
* A fork copies all rows under new ids and keeps their times: a message whose id was made later than
  the message is a copy if an original is there, and is left to its owner.
* Usage is told three times, by session, message and step: the message's counts. ``cost`` is what
  opencode reckons, 0 in a subscription; it is kept as reported. Titles are charged and not told.
* A time of writing is the time in the id, as it never changes; so is the place in the order.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from steno.capture.agent import Agent
from steno.capture.database import database, database_of
from steno.capture.opencode_parser import OpencodeParser
from steno.capture.opencode_records import AGENT_NAME
from steno.capture.opencode_store import (
    NEEDED,
    base_of,
    file_line,
    files_of,
    is_entered,
    is_session_file,
    is_watched,
    members,
    session_file_of,
)
from steno.capture.source import Reader
from steno.capture.tree import Tree

_DATABASE = database(members, NEEDED)


class Opencode(Agent):
    """opencode in the terminal, and whatever else runs its server."""

    name = AGENT_NAME
    parser_version = "1"
    variables: Sequence[str] = ("OPENCODE_DB",)

    def __init__(self) -> None:
        self._named = ""
        self._trees: dict[Path, Tree] = {}

    def roots(self, environ: Mapping[str, str]) -> Sequence[Path]:
        """Return opencode's data folder, or that of the database ``OPENCODE_DB`` names."""
        home = Path(environ.get("HOME") or Path.home())
        data = Path(environ.get("XDG_DATA_HOME") or home / ".local" / "share") / "opencode"
        said = environ.get("OPENCODE_DB")
        if not said:
            return [data]
        self._named = Path(said).name
        return [(data / said).parent]

    def is_transcript(self, path: Path) -> bool:
        """Tell a database by its name, and a session's own file in the tree."""
        is_database = path.name.startswith("opencode") and path.suffix == ".db"
        return is_database or path.name == self._named or is_session_file(path)

    def is_entered(self, folder: Path) -> bool:
        """Keep out of the many small files, and of copies of people's projects."""
        return is_entered(folder)

    def is_watched(self, folder: Path) -> bool:
        """Watch the small files, but not the copies."""
        return is_watched(folder)

    def source_of(self, path: Path) -> Path | None:
        """Return the database of a log, the session's file of a message's or part's."""
        path = database_of(path)
        return path if self.is_transcript(path) else session_file_of(path)

    def reader(self, path: Path) -> Reader:
        """Return the reader of databases or of trees."""
        if not is_session_file(path):
            return _DATABASE
        base = base_of(path)
        if base not in self._trees:
            self._trees[base] = Tree(files_of, partial(file_line, base))
        return self._trees[base]

    def parser(self, path: Path, state: bytes = b"") -> OpencodeParser:
        """Return a parser for ``path``; raise ``ValueError`` if ``state`` is not one of its."""
        return OpencodeParser(path, state)


AGENT: Agent = Opencode()
