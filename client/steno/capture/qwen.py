"""Qwen Code: what it writes, and where.

Files: ``~/.qwen/projects/<slug>/chats/<session>.jsonl``, and of sub-agents (not in 0.15)
``projects/<slug>/subagents/<session>/agent-<id>.jsonl``. ``QWEN_RUNTIME_DIR``, else
``QWEN_HOME``, stands in place of ``~/.qwen``. One JSON object a line, appended, with an id.

Sources: runs of 0.15.10 and 0.24.4 against a scripted service; for names of types also the agent's
own recording service.

========== =======================================================================================
0.15.10    no ``provenance``; sub-agents leave no file, only their requests in the telemetry
0.24.4     ``provenance``; sub-agents' files; reminders as parts of a prompt; a prompt that was
           interrupted is put back into the input line, and sent again with the next
========== =======================================================================================

Decisions:

* Every request is told of in a telemetry line (``api_response``), those for the program's own ends
  and of sub-agents too; so these lines are counted. Only where a file has none, the counts beside
  a reply are. A sub-agent's own file is not counted: its session's file tells of its requests.
* Input includes what is cached, output includes thoughts.
* A reply without counts was interrupted. A prompt or result that nothing answers before the next
  prompt had a request that was cut: its tokens are unknown. A refused one cost nothing.
* What is kept of a compaction is the text that stands for the history, as injected.
* A fork's copies name the line they were copied from (``forkedFrom``): they are that line's record.
* ``logs.json`` and ``usage_record.jsonl`` repeat what the sessions tell.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from steno.capture.agent import Agent
from steno.capture.qwen_parser import AGENT_NAME, QwenParser


class Qwen(Agent):
    """Qwen Code, in the terminal and in editors."""

    name = AGENT_NAME
    parser_version = "1"
    variables: Sequence[str] = ("QWEN_RUNTIME_DIR", "QWEN_HOME")

    def roots(self, environ: Mapping[str, str]) -> Sequence[Path]:
        """Return the folder of the projects' sessions."""
        said = environ.get("QWEN_RUNTIME_DIR") or environ.get("QWEN_HOME")
        home = Path(environ.get("HOME") or Path.home())
        return [(Path(said) if said else home / ".qwen") / "projects"]

    def is_transcript(self, path: Path) -> bool:
        """Tell whether ``path`` is a session, or a sub-agent's part of one."""
        if path.suffix != ".jsonl":
            return False
        is_agents = path.name.startswith("agent-") and path.parent.parent.name == "subagents"
        return path.parent.name == "chats" or is_agents

    def parser(self, path: Path, state: bytes = b"") -> QwenParser:
        """Return a parser for ``path``; raise ``ValueError`` if ``state`` is not one of its."""
        return QwenParser(path, state)


AGENT: Agent = Qwen()
