"""Claude Code: where its transcripts are, and what is known of their format.

The format is not documented by its maker. What is relied on here was measured on public
transcripts and on runs of the agent against a scripted service:

* One JSON object a line, appended; one session a file, named after it. A line is a block of a
  message, so several lines share a ``message.id`` and repeat its usage: input never differs, output
  grows, hence the highest of each count is the message's. ``<synthetic>`` messages are the
  program's own words and cost nothing.
* A human prompt is a ``user`` record without any of the marks of the others (``claude_content``).
  A prompt typed while the agent works may exist only as a line of the queue, or as an attachment.
* Sub-agents write files of their own, ``agent-*.jsonl``, with ``agent-*.meta.json`` beside it that
  tells what it is for; older versions wrote into the session's file. ``agent_progress`` lines repeat a sub-agent's messages: told apart as nested.
* A fork repeats the whole history under its own session id, with the same ``uuid`` and
  ``message.id``; ``agent-acompact-*`` files repeat what is about to be compacted.
* Lines go back in time. The order of the file is the order of what happened.

==================  ==============================================================================
versions read       what changed
==================  ==============================================================================
1.0.0 to 2.0.9      sub-agents inside the session's file (1.0); final counts on the last line
2.0.55 to 2.0.76    ``agent-<id>.jsonl`` beside the session; queue lines; slug
2.1.1 to 2.1.7      progress lines, plan hand-over; ``<session>/subagents/``
2.1.12 to 2.1.29    output counts never final
2.1.30 to 2.1.62    final counts on the last line again; micro-compaction; pr-link
2.1.87 to 2.1.112   attachments instead of progress lines; thinking without its text
2.1.197             promptSource; a fork names nothing of its origin
2.1.329             api-request*, cost-state, tools-used, atis-latch; requestSessionId on copies
==================  ==============================================================================
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec import msgpack

from steno.capture.agent import Agent, Parser
from steno.capture.claude_parser import ClaudeParser
from steno.capture.claude_records import AGENT_NAME
from steno.capture.claude_state import DECODER, State


class ClaudeCode(Agent):
    """Claude Code, in the terminal and in editors."""

    name: str = AGENT_NAME
    parser_version: str = "2"
    variables: Sequence[str] = ("CLAUDE_CONFIG_DIR",)

    def roots(self, environ: Mapping[str, str]) -> Sequence[Path]:
        """Return the ``projects`` folders: those of ``CLAUDE_CONFIG_DIR``, else the usual two."""
        home = Path(environ.get("HOME") or Path.home())
        chosen = [part.strip() for part in environ.get("CLAUDE_CONFIG_DIR", "").split(",")]
        folders = [_expanded(part, home) for part in chosen if part]
        if not folders:
            configuration = environ.get("XDG_CONFIG_HOME")
            folders = [
                home / ".claude",
                (Path(configuration) if configuration else home / ".config") / "claude",
            ]
        return [folder / "projects" for folder in dict.fromkeys(folders)]

    def is_transcript(self, path: Path) -> bool:
        """Tell whether ``path`` holds a session or a sub-agent; the prompt log is neither."""
        return path.suffix == ".jsonl" and path.name != "history.jsonl"

    def parser(self, path: Path, state: bytes = b"") -> Parser:
        """Return a parser for ``path``, fresh or going on from ``state``."""
        return ClaudeParser(path, state)

    def parser_again(self, path: Path, state: bytes) -> Parser:
        """Return a parser for the first line, that knows what stood beside a sub-agent's file."""
        try:
            known = DECODER.decode(state) if state else State()
        except ValueError:
            known = State()
        return ClaudeParser(path, msgpack.encode(State(helper=known.helper)))


def _expanded(folder: str, home: Path) -> Path:
    return home / folder[2:] if folder.startswith("~/") else Path(folder)


AGENT: Agent = ClaudeCode()
