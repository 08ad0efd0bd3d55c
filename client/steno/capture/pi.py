"""Pi: what it writes, where, and what becomes of it. A whole agent in one file.

Files: ``$PI_CODING_AGENT_SESSION_DIR``, else ``sessions`` in ``$PI_CODING_AGENT_DIR`` (default
``~/.pi/agent``): ``--<folder>--/<time>_<id>.jsonl``, one JSON object a line, appended. A file of an
older version is written anew, once, when it is opened by a newer one. The first line is the session,
all others are entries; from version 2 on they form a tree by ``id`` and ``parentId``.

Sources: a session of November 2025 (version 1), small files of version 3, its documentation.

========= ==========================================================================================
version 1 a list; a branch is a new file with ``branchedFrom``; the session may be written late
version 2 ``id`` and ``parentId``; ``/tree`` goes on from any entry in the same file
version 3 role ``custom`` for what was ``hookMessage``; ``parentSession``; ``usage`` entries
========= ==========================================================================================

Decisions:

* A branch that was left stays: it was asked, answered and paid for. What follows a prompt in the
  file belongs to its turn; whoever goes back in the tree goes on with a prompt.
* Ids of entries are 8 digits and new ones after a file is brought to another version. An entry is
  known by its time and its message instead: the same in a fork, which copies entries as they are.
* In a fork, what is older than the fork is copied; the original owns it.
* ``input`` excludes what is cached, ``cost`` is in US dollars and kept as reported. The counts of a
  call that was aborted are those until then, and not final.
* Summaries (of a compaction, of a branch that was left) are injected text.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
from msgspec import Raw, Struct, field

from steno.capture.agent import Agent, Outcome, position
from steno.capture.line_parser import LineParser, LineState
from steno.capture.threads import (
    OpenTurn,
    Place,
    Text,
    Thread,
    cost_of,
    count_of,
    key_of,
    path_of,
)
from steno_schema.records import ExchangeStatus, Origin, Tokens

_NAME = "pi"
_FILE = re.compile(r"[^/]+_[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\.jsonl", re.DOTALL)
_WITHOUT_RECORDS = frozenset(
    {"model_change", "thinking_level_change", "custom", "label", "context_transform", "ephemeral"}
)
_SUMMARIES = frozenset({"compaction", "branch_summary", "custom_message"})
_ENDS: Mapping[str | None, ExchangeStatus] = {
    "stop": "completed", "length": "completed", "error": "failed", "aborted": "aborted",
}  # fmt: skip


class _Block(Struct):
    type: str
    text: str = ""
    thinking: str = ""
    id: str | None = None
    name: str | None = None
    arguments: Raw = Raw()


class _Cost(Struct):
    total: float = 0


class _Used(Struct, rename="camel"):
    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0
    cost: _Cost = field(default_factory=_Cost)


class _Said(Struct, rename="camel"):
    role: str
    content: str | list[_Block] | None = None
    model: str | None = None
    usage: _Used | None = None
    stop_reason: str | None = None
    error_message: str | None = None
    tool_call_id: str | None = None
    tool_name: str | None = None
    is_error: bool = False
    command: str = ""
    output: str = ""
    exit_code: int | None = None
    summary: str = ""


class _Entry(Struct, rename="camel"):
    type: str = ""
    id: str | None = None
    timestamp: str | None = None
    message: Raw = Raw()
    version: int = 1
    cwd: str | None = None
    parent_session: str | None = None
    branched_from: str | None = None
    name: str | None = None
    summary: str = ""
    content: str | list[_Block] | None = None
    usage: _Used | None = None
    model: str | None = None


_ENTRY = msgspec.json.Decoder(_Entry)
_SAID = msgspec.json.Decoder(_Said)


class _State(LineState, omit_defaults=True):
    forked_ms: int | None = None
    """In a fork: when it was made. What is older is copied."""


_STATE = msgspec.msgpack.Decoder(_State)


class _Spot(Struct, frozen=True):
    """Where an entry stands: its key wherever it is copied to, its line, its time."""

    key: str
    number: int
    created_at: str | None
    is_copied: bool


class PiParser(LineParser[_State]):
    """Reads one session file."""

    def __init__(self, path: Path, state: bytes = b"") -> None:
        """Go on from ``state``; raise ``ValueError`` if that is not a state of this parser."""
        kept = _STATE.decode(state) if state else _State()
        super().__init__(path, kept, _NAME, is_key_global=True)

    def _take(self, number: int, data: bytes) -> Outcome:
        entry = _ENTRY.decode(data)
        self.kind = entry.type
        if entry.type == "session":
            return self._session(entry)
        if entry.type in _WITHOUT_RECORDS:
            return Outcome.SKIPPED
        thread = self._thread()
        if entry.type == "session_info":
            thread.title = key_of(entry.name) or thread.title
            self._records.thread_changed()
            return Outcome.RECORDS
        spot = self._spot(number, entry)
        if entry.type == "message":
            said = _SAID.decode(entry.message)
            self.kind += f"/{said.role}"
            return self._message(said, spot)
        if entry.type in _SUMMARIES:
            self._say(spot, Text("user", "injected", entry.summary or _text_of(entry.content)))
        elif entry.type != "usage":
            return Outcome.NOT_UNDERSTOOD
        self._use(spot, entry.usage, entry.model, in_turn=False)
        return Outcome.RECORDS

    def _named(self) -> str:
        stem = self._path.stem.encode("utf-8", "replace").decode()
        return key_of(stem.rpartition("_")[2]) or _NAME

    def _session(self, entry: _Entry) -> Outcome:
        key, state = key_of(entry.id), self._kept
        if key is None:
            return Outcome.NOT_UNDERSTOOD
        started_at, created_ms = self._seen(entry.timestamp)
        if state.thread is None or state.thread.key != key:
            state.thread, state.turn = Thread(key=key, session=key), None
        state.thread.project = path_of(entry.cwd) or state.thread.project
        state.thread.started_at = started_at if created_ms is not None else None
        is_fork = (entry.parent_session or entry.branched_from) is not None
        state.version = f"format {entry.version}"
        state.forked_ms = created_ms if is_fork else None
        self._records.thread_changed()
        return Outcome.RECORDS

    def _spot(self, number: int, entry: _Entry) -> _Spot:
        created_at, time_ms = self._seen(entry.timestamp)
        text = f"{entry.type}:{entry.summary}{_text_of(entry.content)}"
        content = bytes(entry.message) or text.encode("utf-8", "replace")
        digest = hashlib.blake2b(content, digest_size=12).hexdigest()
        is_copied = time_ms is not None and time_ms < (self._kept.forked_ms or 0)
        return _Spot(f"{entry.timestamp or ''}:{digest}", number, created_at, is_copied)

    def _message(self, said: _Said, spot: _Spot) -> Outcome:
        match said.role:
            case "user":
                return self._ask(spot, "human", _text_of(said.content))
            case "assistant":
                self._answer(said, spot)
            case "toolResult":
                self._say(spot, _result(said, _text_of(said.content), is_error=said.is_error))
                self._use(spot, said.usage, said.model)
            case "bashExecution":
                self._ask(spot, "shell", said.command)
                failed = said.exit_code not in (0, None)
                self._say(spot, _result(said, said.output, is_error=failed), block=1)
                self._end("completed")
            case "custom" | "hookMessage" | "branchSummary" | "compactionSummary":
                text = said.summary or _text_of(said.content)
                self._say(spot, Text("user", "injected", text))
            case _:
                return Outcome.NOT_UNDERSTOOD
        return Outcome.RECORDS

    def _ask(self, spot: _Spot, origin: Origin, text: str) -> Outcome:
        if not text:
            return Outcome.SKIPPED
        project, ms = self._thread().project, self._kept.last_ms
        turn = OpenTurn(spot.key, ms, spot.created_at, project, origin, "running")
        self._say(spot, Text("user", "text", text), turn=spot.key)
        self._begin(turn, copied=spot.is_copied)
        return Outcome.RECORDS

    def _answer(self, said: _Said, spot: _Spot) -> None:
        blocks = said.content if isinstance(said.content, list) else []
        model = key_of(said.model)
        for block, each in enumerate(blocks):
            text = _answered(each, model)
            if text is not None:
                self._say(spot, text, block)
        if said.stop_reason == "error" and said.error_message:
            notice = Text("assistant", "notice", said.error_message, is_error=True)
            self._say(spot, notice, len(blocks))
        self._use(spot, said.usage, model, is_cut=said.stop_reason in {"aborted", "error"})
        self._end(_ENDS.get(said.stop_reason, "running"))

    def _say(self, spot: _Spot, text: Text, block: int = 0, turn: str | None = None) -> None:
        turn = turn or (self._kept.turn.key if self._kept.turn else None)
        place = Place(turn, position(spot.number, block), spot.created_at)
        key = f"{spot.key}:{block}" if block else spot.key
        self._records.message(self._thread(), "message", key, text, place, copied=spot.is_copied)

    def _use(
        self,
        spot: _Spot,
        used: _Used | None,
        model: str | None,
        *,
        in_turn: bool = True,
        is_cut: bool = False,
    ) -> None:
        """Add what a call used; one that used nothing and was not cut off was none."""
        if used is None or not (used.output or used.input or used.cache_read or is_cut):
            return
        turn = self._kept.turn.key if self._kept.turn and in_turn else None
        tokens = Tokens(
            input=count_of(used.input),
            output=count_of(used.output),
            cache_read=count_of(used.cache_read),
            cache_write=count_of(used.cache_write),
            complete=not is_cut,
        )
        self._records.usage(
            self._thread(),
            spot.key,
            tokens,
            Place(turn, position(spot.number), spot.created_at),
            model=key_of(model),
            cost_usd=cost_of(used.cost.total),
            copied=spot.is_copied,
        )


def _answered(block: _Block, model: str | None) -> Text | None:
    """Return what a block of an answer says; nothing for one that says nothing."""
    if block.type == "text" and block.text:
        return Text("assistant", "text", block.text, model)
    if block.type == "thinking" and block.thinking:
        return Text("assistant", "thinking", block.thinking, model)
    if block.type == "toolCall":
        given = bytes(block.arguments).decode("utf-8", "replace")
        name, call = key_of(block.name), key_of(block.id)
        return Text("assistant", "tool_call", given, model, name, call)
    return None


def _result(said: _Said, text: str, *, is_error: bool) -> Text:
    name, call = key_of(said.tool_name), key_of(said.tool_call_id)
    return Text("tool", "tool_result", text, None, name, call, is_error)


def _text_of(content: str | list[_Block] | None) -> str:
    """Return what a message says; an image is told by its type."""
    if not isinstance(content, list):
        return content or ""
    texts = [each.text if each.type == "text" else f"[{each.type}]" for each in content]
    return "\n".join(text for text in texts if text)


class Pi(Agent):
    """The Pi coding agent."""

    name = _NAME
    parser_version = "1"
    variables: Sequence[str] = ("PI_CODING_AGENT_SESSION_DIR", "PI_CODING_AGENT_DIR")

    def roots(self, environ: Mapping[str, str]) -> Sequence[Path]:
        """Return the folder of sessions."""
        said = environ.get("PI_CODING_AGENT_SESSION_DIR")
        if said:
            return [Path(said)]
        home = Path(environ.get("HOME") or Path.home())
        return [Path(environ.get("PI_CODING_AGENT_DIR") or home / ".pi" / "agent") / "sessions"]

    def is_transcript(self, path: Path) -> bool:
        """Tell a session by its name: a time and an id."""
        return _FILE.fullmatch(path.name) is not None

    def parser(self, path: Path, state: bytes = b"") -> PiParser:
        """Return a parser for ``path``; raise ``ValueError`` if ``state`` is not one of its."""
        return PiParser(path, state)


AGENT: Agent = Pi()
