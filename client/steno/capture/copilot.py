"""GitHub Copilot CLI: what it writes, where, and what becomes of it. A whole agent in one file.

Files: ``session-state/<id>/events.jsonl`` in ``$COPILOT_HOME`` (default ``~/.copilot``), before
that ``session-state/<id>.jsonl``; the same in ``history-session-state``. One event a line, appended:
``{type, data, id, timestamp, parentId}``, of a sub-agent with ``agentId``.

Sources: sessions of 1.0.64 and 1.0.68; small files of 0.0.420 to 1.0.77 made by others.

============= =====================================================================================
0.0.420       arguments of tools as text or object; flat files
1.0.11        a folder a session
1.0.64        ``parentAgentTaskId`` on every prompt (it joins telemetry and tells nothing of who
              asked); ``outputTokens`` on every answer
1.0.77        ``session.usage_checkpoint``, ``session.auto_mode_resolved``
============= =====================================================================================

Decisions:

* A human prompt is a ``user.message`` of the main agent without a ``source`` (skills and notes have
  one). ``content`` is what was typed, ``transformedContent`` has dates and reminders added.
* An answer that asks for no tool ends the turn; ``assistant.turn_end`` ends one call of a model.
* Only output is told call by call. What a process used is told when it ends, by model, and not after
  a crash: what the answers did not tell (input, cache) is one usage more, of the turn if the process
  had but one. Counts of turns are therefore not final. Input includes what is cached; "premium
  requests" and "nanoAiu" are no dollars.
* A sub-agent's events are a conversation of their own.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct, field

from steno.capture.agent import Agent, Outcome, position
from steno.capture.line_parser import LineParser, LineState
from steno.capture.threads import (
    OpenTurn,
    Place,
    Text,
    Thread,
    count_of,
    key_of,
    path_of,
)
from steno_schema.records import Tokens

_NAME = "copilot"
_FOLDERS = ("session-state", "history-session-state")
_FAMILIES = frozenset({"hook", "permission", "subagent", "skill", "command", "user_input"})
"""Events whose names begin so tell nothing that is kept."""
_WITHOUT_RECORDS = frozenset(
    {"tool.execution_start", "tool.execution_progress", "tool.user_requested",
     "assistant.turn_start", "assistant.turn_end", "assistant.intent", "assistant.reasoning", "pending_messages.modified"}
    | {f"session.{name}" for name in (
        "info", "idle", "warning", "permissions_changed", "mode_changed", "plan_changed",
        "workspace_file_changed", "context_changed", "usage_info", "usage_checkpoint", "truncation",
        "snapshot_rewind", "task_complete", "handoff", "auto_mode_resolved", "compaction_start",
        "remote_steerable_changed", "tools_updated", "background_tasks_changed")}
)  # fmt: skip


class _Context(Struct):
    cwd: str | None = None
    branch: str | None = None


class _Request(Struct, rename="camel"):
    tool_call_id: str | None = None
    name: str | None = None
    arguments: Any = None


class _Result(Struct):
    content: Any = None


class _Error(Struct):
    message: str = ""


class _Used(Struct, rename="camel"):
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0


class _Metric(Struct):
    usage: _Used = field(default_factory=_Used)


class _Compacted(Struct):
    input: int = 0
    output: int = 0
    cached_input: int = field(name="cachedInput", default=0)


class _Data(Struct, rename="camel"):
    session_id: str | None = None
    copilot_version: str | None = None
    context: _Context = field(default_factory=_Context)
    selected_model: str | None = None
    new_model: str | None = None
    content: str | None = None
    source: str | None = None
    attachments: list[Any] = []
    parent_tool_call_id: str | None = None
    model: str | None = None
    reasoning_text: str | None = None
    tool_requests: list[_Request] = []
    output_tokens: int | None = None
    tool_call_id: str | None = None
    success: bool = True
    result: _Result | None = None
    error: _Error | str | None = None
    message: str | None = None
    summary_content: str | None = None
    compaction_tokens_used: _Compacted | None = None
    model_metrics: dict[str, _Metric] = {}
    title: str | None = None


class _Event(Struct, rename="camel"):
    type: str = ""
    data: _Data = field(default_factory=_Data)
    id: str | None = None
    timestamp: str | None = None
    agent_id: str | None = None


_EVENT = msgspec.json.Decoder(_Event)


class _State(LineState, omit_defaults=True):
    model: str | None = None
    turns: int = 0
    """Turns of the running process."""
    told: dict[str, int] = {}
    """Output that this process' answers told, by model."""


_STATE = msgspec.msgpack.Decoder(_State)


class _Spot(Struct, frozen=True):
    """Where an event stands: its thread, its key in it, its turn, its line, its time."""

    thread: Thread
    key: str
    turn: str | None
    number: int
    created_at: str | None

    def place(self, block: int = 0) -> Place:
        return Place(self.turn, position(self.number, block), self.created_at)


class CopilotParser(LineParser[_State]):
    """Reads one session file."""

    def __init__(self, path: Path, state: bytes = b"") -> None:
        """Go on from ``state``; raise ``ValueError`` if that is not a state of this parser."""
        super().__init__(path, _STATE.decode(state) if state else _State(), _NAME)

    def _take(self, number: int, data: bytes) -> Outcome:
        event = _EVENT.decode(data)
        self.kind = event.type
        if event.type.partition(".")[0] in _FAMILIES or event.type in _WITHOUT_RECORDS:
            return Outcome.SKIPPED
        created_at, _ = self._seen(event.timestamp)
        if event.type in {"session.start", "session.resume"}:
            return self._process(event.data, created_at)
        spot = self._spot(event, number, created_at)
        is_main = spot.thread is self._kept.thread
        match event.type:
            case "user.message" if is_main and not event.data.source:
                return self._ask(spot, event.data)
            case "user.message" | "system.notification":
                self._say(spot, Text("user", "injected", event.data.content or ""))
            case "system.message":
                self._say(spot, Text("system", "injected", event.data.content or ""))
            case "assistant.message":
                self._answer(spot, event.data, is_main=is_main)
            case "tool.execution_complete":
                self._say(spot, _result(event.data), kind="result", key=event.data.tool_call_id)
            case "abort":
                self._end("aborted")
            case "session.error":
                text = _told(event.data.error) or event.data.message or ""
                self._say(spot, Text("assistant", "notice", text, is_error=True))
                self._end("failed")
            case _:
                return self._of_session(spot, event)
        return Outcome.RECORDS

    def _of_session(self, spot: _Spot, event: _Event) -> Outcome:
        data = event.data
        match event.type:
            case "session.model_change":
                self._kept.model = key_of(data.new_model) or self._kept.model
                return Outcome.SKIPPED
            case "session.title_changed":
                spot.thread.title = key_of(data.title) or spot.thread.title
                self._records.thread_changed()
            case "session.compaction_complete":
                self._say(spot, Text("user", "injected", data.summary_content or ""))
                used = data.compaction_tokens_used or _Compacted()
                tokens = _tokens(_Used(used.input, used.output, used.cached_input), 0)
                self._use(spot, "", tokens, self._kept.model, in_turn=False)
            case "session.shutdown":
                for model, metric in data.model_metrics.items():
                    tokens = _tokens(metric.usage, self._kept.told.get(model, 0))
                    self._use(spot, f":{model}", tokens, model, in_turn=self._kept.turns == 1)
                self._kept.told, self._kept.turns = {}, 0
            case _:
                return Outcome.NOT_UNDERSTOOD
        return Outcome.RECORDS

    def _process(self, data: _Data, created_at: str | None) -> Outcome:
        """Take the beginning of a process: a new session, or an older one that goes on."""
        state, key = self._kept, key_of(data.session_id)
        if state.thread is None and key is not None:
            state.thread = Thread(key=key, session=key)
        thread = self._thread()
        thread.project = thread.project or path_of(data.context.cwd)
        thread.started_at = thread.started_at or created_at
        state.version = key_of(data.copilot_version) or state.version
        named = {"version": state.version, "git_branch": key_of(data.context.branch)}
        thread.metadata |= {name: text for name, text in named.items() if text}
        state.model = key_of(data.selected_model) or state.model
        state.told, state.turns = {}, 0
        self._records.thread_changed()
        return Outcome.RECORDS

    def _named(self) -> str:
        path = self._path.parent if self._path.stem == "events" else self._path
        return key_of(path.stem.encode("utf-8", "replace").decode()) or _NAME

    def _spot(self, event: _Event, number: int, created_at: str | None) -> _Spot:
        main, turn = self._thread(), self._kept.turn
        key = key_of(event.id) or str(number)
        agent = event.agent_id or event.data.parent_tool_call_id
        if not agent:
            return _Spot(main, key, turn.key if turn else None, number, created_at)
        child = Thread(
            key=key_of(f"{main.key}/{agent}") or main.key,
            session=main.key,
            parent=main.key,
            is_subagent=True,
            project=main.project,
        )
        self._records.mention(child)
        return _Spot(child, key, None, number, created_at)

    def _ask(self, spot: _Spot, data: _Data) -> Outcome:
        text = data.content or "[attachment]" * bool(data.attachments)
        if not text:
            return Outcome.SKIPPED
        self._kept.turns += 1
        project, ms = spot.thread.project, self._kept.last_ms
        turn = OpenTurn(spot.key, ms, spot.created_at, project, status="running")
        asked = msgspec.structs.replace(spot, turn=spot.key)
        self._say(asked, Text("user", "text", text))
        self._begin(turn)
        return Outcome.RECORDS

    def _answer(self, spot: _Spot, data: _Data, *, is_main: bool) -> None:
        model = key_of(data.model) or self._kept.model
        if data.reasoning_text:
            self._say(spot, Text("assistant", "thinking", data.reasoning_text, model), "thinking")
        if data.content:
            self._say(spot, Text("assistant", "text", data.content, model), block=1)
        for block, each in enumerate(data.tool_requests, 2):
            name, call = key_of(each.name), key_of(each.tool_call_id)
            given = _as_text(each.arguments)
            text = Text("assistant", "tool_call", given, model, name, call)
            self._say(spot, text, "call", block, key=call or f"{spot.key}:{block}")
        output = count_of(data.output_tokens)
        if model is not None:
            self._kept.told[model] = self._kept.told.get(model, 0) + output
        self._use(spot, "", Tokens(output=output, complete=False), model, in_turn=is_main)
        if is_main:
            self._end("running" if data.tool_requests else "completed")

    def _say(
        self,
        spot: _Spot,
        text: Text,
        kind: str = "message",
        block: int = 0,
        key: str | None = None,
    ) -> None:
        if text.content or text.kind == "tool_result":
            named = key_of(key) or spot.key
            self._records.message(spot.thread, kind, named, text, spot.place(block))

    def _use(
        self, spot: _Spot, suffix: str, tokens: Tokens, model: str | None, *, in_turn: bool
    ) -> None:
        place = spot.place() if in_turn else spot.place()._replace(turn=None)
        self._records.usage(spot.thread, f"{spot.key}{suffix}", tokens, place, model=key_of(model))


def _tokens(used: _Used, told: int) -> Tokens:
    """Return in disjoint buckets what a process used, without the output that was told before."""
    read, written = count_of(used.cache_read_tokens), count_of(used.cache_write_tokens)
    return Tokens(
        input=count_of(used.input_tokens - read - written),
        output=count_of(used.output_tokens - told),
        cache_read=read,
        cache_write=written,
        reasoning=count_of(used.reasoning_tokens),
    )


def _result(data: _Data) -> Text:
    text = _as_text(data.result.content) if data.result else ""
    call = key_of(data.tool_call_id)
    told = text or _told(data.error)
    return Text("tool", "tool_result", told, None, None, call, is_error=not data.success)


def _told(error: _Error | str | None) -> str:
    return error.message if isinstance(error, _Error) else error or ""


def _as_text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


class Copilot(Agent):
    """GitHub Copilot CLI."""

    name = _NAME
    parser_version = "1"
    variables: Sequence[str] = ("COPILOT_HOME",)

    def roots(self, environ: Mapping[str, str]) -> Sequence[Path]:
        """Return the folders of sessions, those of older versions too."""
        home = Path(environ.get("HOME") or Path.home())
        copilot_home = Path(environ.get("COPILOT_HOME") or home / ".copilot")
        return [copilot_home / name for name in _FOLDERS]

    def is_transcript(self, path: Path) -> bool:
        """Tell a session's events by the folder they are in."""
        if path.name == "events.jsonl":
            return path.parents[1].name in _FOLDERS
        return path.suffix == ".jsonl" and path.parent.name in _FOLDERS

    def parser(self, path: Path, state: bytes = b"") -> CopilotParser:
        """Return a parser for ``path``; raise ``ValueError`` if ``state`` is not one of its."""
        return CopilotParser(path, state)


AGENT: Agent = Copilot()
