"""Lines as Claude Code writes them, and a small model of how records are merged."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from steno.capture.agent import Outcome
from steno.capture.claude_code import AGENT
from steno_schema.records import AnyRecord, Conversation, Message, Session, Tokens, Turn, Usage

Kind = TypeVar("Kind", bound=AnyRecord)

SESSION = "5e551011-0000-4000-8000-000000000001"
FORK = "5e551011-0000-4000-8000-000000000002"
FILE = Path("projects/-home-ada-shop") / f"{SESSION}.jsonl"


def line(type_: str, **fields: Any) -> dict[str, Any]:
    """A line of the session with what all of them carry; a field of None is left out."""
    common = {
        "type": type_,
        "sessionId": SESSION,
        "timestamp": "2026-03-01T10:00:00.000Z",
        "cwd": "/home/ada/shop",
        "version": "2.1.62",
        "gitBranch": "main",
        "isSidechain": False,
    }
    return {name: value for name, value in {**common, **fields}.items() if value is not None}


def user(uuid: str, content: Any, **fields: Any) -> dict[str, Any]:
    return line("user", uuid=uuid, message={"role": "user", "content": content}, **fields)


def assistant(uuid: str, message: str, *blocks: Any, **fields: Any) -> dict[str, Any]:
    """A line of the API message ``message``; ``output`` and ``stop`` go into the message."""
    body = {
        "id": message,
        "model": fields.pop("model", "claude-opus-4-6"),
        "content": list(blocks),
        "stop_reason": fields.pop("stop", "end_turn"),
        "usage": {
            "input_tokens": 3,
            "output_tokens": fields.pop("output", 20),
            "cache_creation_input_tokens": 30,
            "cache_read_input_tokens": 400,
            "cache_creation": {"ephemeral_5m_input_tokens": 10, "ephemeral_1h_input_tokens": 20},
        },
    }
    return line("assistant", uuid=uuid, message=body, requestId=f"req_{message}", **fields)


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def tool_use(call: str, name: str = "Bash", **arguments: Any) -> dict[str, Any]:
    return {"type": "tool_use", "id": call, "name": name, "input": arguments}


def tool_result(call: str, content: Any, **fields: Any) -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": call, "content": content, **fields}


def queue(operation: str, content: str | None = None, **fields: Any) -> dict[str, Any]:
    """A line of the queue; it carries less than others."""
    bare = {"cwd": None, "version": None, "gitBranch": None, "isSidechain": None}
    return line("queue-operation", operation=operation, content=content, **{**bare, **fields})


def queued(uuid: str, prompt: Any, **fields: Any) -> dict[str, Any]:
    attachment = {"type": "queued_command", "prompt": prompt, "commandMode": "prompt", **fields}
    return line("attachment", uuid=uuid, attachment=attachment)


def raw(obj: Any) -> bytes:
    return json.dumps(obj, ensure_ascii=False, separators=(",", ":")).encode()


@dataclass
class Merged:
    """Records by id, as the daemon keeps them: the owner's version wins over a copy."""

    by_id: dict[str, AnyRecord] = field(default_factory=dict[str, AnyRecord])
    outcomes: list[Outcome] = field(default_factory=list[Outcome])

    def add(self, record: AnyRecord) -> None:
        known = self.by_id.get(record.id)
        if isinstance(known, Usage) and isinstance(record, Usage):
            record = _usage(known, record)
        elif isinstance(known, Session) and isinstance(record, Session):
            record = _session(known, record)
        elif isinstance(known, Message | Turn) and isinstance(record, Message | Turn):
            elsewhere = known.conversation != record.conversation
            nested = isinstance(record, Message) and record.metadata and not known.metadata
            if nested or (elsewhere and record.copied and not known.copied):
                return
        elif isinstance(known, Conversation):
            return
        self.by_id[record.id] = record

    def of(self, kind: type[Kind]) -> list[Kind]:
        return [record for record in self.by_id.values() if isinstance(record, kind)]


def _usage(known: Usage, record: Usage) -> Usage:
    old, new = known.tokens, record.tokens
    tokens = Tokens(
        input=max(old.input, new.input),
        output=max(old.output, new.output),
        cache_read=max(old.cache_read, new.cache_read),
        cache_write=max(old.cache_write, new.cache_write),
        cache_write_5m=max(old.cache_write_5m, new.cache_write_5m),
        cache_write_1h=max(old.cache_write_1h, new.cache_write_1h),
        reasoning=max(old.reasoning, new.reasoning),
        complete=old.complete or new.complete,
    )
    owner = record if known.copied or known.nested else known
    return Usage(
        **{
            **{name: getattr(owner, name) for name in owner.__struct_fields__},
            "tokens": tokens,
            "nested": known.nested and record.nested,
            "copied": known.copied and record.copied,
        }
    )


def _session(known: Session, record: Session) -> Session:
    fields = {name: getattr(known, name) for name in known.__struct_fields__}
    for name in record.__struct_fields__:
        value = getattr(record, name)
        if value is None:
            continue
        if name in {"created_at", "started_at"} and fields[name]:
            value = min(value, fields[name])
        elif name == "last_active_at" and fields[name]:
            value = max(value, fields[name])
        fields[name] = value
    return Session(**fields)


def read(
    objects: Iterable[Any],
    path: Path = FILE,
    splits: Sequence[int] = (),
    into: Merged | None = None,
) -> Merged:
    """Feed lines (objects, or bytes as they are) and merge what comes of them.

    ``splits`` are the numbers of lines before which the parser is thrown away and made again.
    """
    merged = Merged() if into is None else into
    parser = AGENT.parser(path)
    for number, one in enumerate(objects, 1):
        if number in splits:
            taken = parser.take()
            parser = AGENT.parser(path, parser.state())
            for record in taken:
                merged.add(record)
        data = one if isinstance(one, bytes) else raw(one)
        merged.outcomes.append(parser.feed(number, data))
    for record in parser.take():
        merged.add(record)
    return merged
