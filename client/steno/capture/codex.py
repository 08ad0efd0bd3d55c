"""Codex CLI: what it writes, and where.

Files: ``$CODEX_HOME`` (default ``~/.codex``), ``sessions/YYYY/MM/DD/rollout-<time>-<id>.jsonl``,
moved to ``archived_sessions/`` flat. One JSON object a line, appended. Identity is the id inside
of the file, not its path. Newer builds compress old rollouts (``.jsonl.zst``) beside or instead of
the plain file, which goes first where both are.

Sources: real rollouts of 0.36 to 0.119 and of 0.169; for the versions outside of these, reports;
for the names of types also the agent's own sources (protocol and rollout policy).

========== ======================================================================================
before 0.32 a head ``{id, timestamp, instructions, git}``, then bare items
0.34, 0.36 no ``turn_context`` (0.34); a resumed or forked thread is a new file that begins with a
           copy of the parent: its ``session_meta`` second, its lines stamped anew within 0.2 s
0.40-0.42  ``token_count`` is written twice a request (until 0.94)
0.47-0.58  resume appends to the file, and the running total of tokens begins again at 0
0.77-0.94  messages of role ``developer``; ``turn_context`` once a request
0.118-0.119 ``task_started`` and ``task_complete``; ``turn_context`` once a turn
0.140-0.142 ``session_id`` beside ``id``: for a sub-agent the root's
0.169      no ``user_message``: prompts are the completed item ``UserMessage`` and are marked
           ``content_item_kinds: ["user.text"]``; ``token_usage_record`` gives exact tokens, also
           of compactions, right before the ``token_count`` that includes them; a fork points to
           its parent and copies nothing
========== ======================================================================================

Decisions:

* Everything is said twice, as item and as event. Items give messages; events tell only which
  ``user`` items a person wrote, how turns end and what was used. A text that exists as an event
  alone (0.36, a reply cut off by an interrupt) is not kept.
* A message is named by its item's id; without one by the line's ordinal, before 0.143 its number.
* A usage is a step of the running total, as an event can be lost but the total knows. From the
  first ``token_usage_record`` on those count instead.
* Input includes what is cached or written to the cache, output includes reasoning: input 3018 =
  2011 cached + 305 written + 702.
* A script that a tool call holds ("code mode") gives way to the command it ran, with its exit code.
* ``compacted`` repeats history and makes no messages.
* A usage before the first prompt of a task (a compaction) belongs to the thread but to no turn.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from steno.capture.agent import Agent
from steno.capture.codex_parser import CodexParser
from steno.capture.codex_records import AGENT_NAME
from steno.capture.compressed import COMPRESSED_LINES, SUFFIX, plain_name
from steno.capture.source import Reader
from steno.capture.tail import LINES

_ROLLOUT = re.compile(
    r"(?:rollout-.+|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.jsonl(?:\.zst)?", re.DOTALL
)
_FOLDERS = ("sessions", "archived_sessions")


class Codex(Agent):
    """The Codex CLI, also as IDE extension and desktop app: they write the same files."""

    name = AGENT_NAME
    parser_version = "2"
    variables: Sequence[str] = ("CODEX_HOME",)

    def roots(self, environ: Mapping[str, str]) -> Sequence[Path]:
        """Return the two folders of rollouts, or all of Codex's home if it has neither.

        The home itself holds databases that change all the time, so it is better not watched.
        """
        home = Path(environ.get("HOME") or Path.home())
        said = environ.get("CODEX_HOME")
        codex_home = Path(said) if said else home / ".codex"
        folders = [codex_home / name for name in _FOLDERS]
        return folders if any(folder.is_dir() for folder in folders) else [codex_home]

    def is_transcript(self, path: Path) -> bool:
        """Tell a rollout by its name: ``rollout-….jsonl``, or ``<id>.jsonl`` as copies have it.

        Either may be compressed.
        """
        return _ROLLOUT.fullmatch(path.name) is not None

    def reader(self, path: Path) -> Reader:
        """Return how a rollout is read: as it is, or decompressed."""
        return COMPRESSED_LINES if path.suffix == SUFFIX else LINES

    def parser(self, path: Path, state: bytes = b"") -> CodexParser:
        """Return a parser for ``path``; raise ``ValueError`` if ``state`` is not one of its."""
        return CodexParser(plain_name(path), state)


AGENT: Agent = Codex()
