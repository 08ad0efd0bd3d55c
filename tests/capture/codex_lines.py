"""Hand-made Codex rollouts, and reading any rollout back as what a daemon would keep of it."""

import json
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from steno.capture.agent import Outcome
from steno.capture.codex import AGENT
from steno_schema.records import AnyRecord, Conversation, Message, Session, Tokens, Turn, Usage
from steno_schema.times import format_ms, parse_ms

SESSION = "019c0000-1111-7222-8333-944444444444"
OTHER = "019c0000-aaaa-7bbb-8ccc-9ddddddddddd"
FILE = Path(f"/made/up/sessions/2026/01/02/rollout-2026-01-02T03-04-05-{SESSION}.jsonl")
START_MS = parse_ms("2026-01-02T03:04:05.000Z")


def at(second: float) -> str:
    return format_ms(START_MS + round(second * 1000))


def line(kind: str, payload: dict[str, Any], second: float = 0.0) -> bytes:
    return json.dumps({"timestamp": at(second), "type": kind, "payload": payload}).encode()


def meta(key: str = SESSION, second: float = 0.0, **more: Any) -> bytes:
    payload = {"id": key, "timestamp": at(second), "cwd": "/home/dev/shop", "source": "cli"}
    return line("session_meta", payload | {"cli_version": "0.92.0"} | more, second)


def item(second: float = 0.0, **payload: Any) -> bytes:
    return line("response_item", payload, second)


def message(role: str, text: str, second: float = 0.0, **more: Any) -> bytes:
    content = [{"type": "input_text", "text": text}]
    return item(second, type="message", role=role, content=content, **more)


def marked(text: str, second: float = 0.0, kind: str = "user.text") -> bytes:
    """A message of role ``user`` as 0.169 writes it."""
    passthrough = {"content_item_kinds": [kind]}
    return message("user", text, second, internal_chat_message_metadata_passthrough=passthrough)


def event(kind: str, second: float = 0.0, **more: Any) -> bytes:
    return line("event_msg", {"type": kind} | more, second)


def user_event(text: str, second: float = 0.0) -> bytes:
    return event("user_message", second, message=text, images=[])


def user_completed(text: str, second: float = 0.0) -> bytes:
    content = [{"type": "text", "text": text, "text_elements": []}]
    return event("item_completed", second, item={"type": "UserMessage", "content": content})


def counts(total: Sequence[int]) -> dict[str, int]:
    """Counts of (input, cached, output, reasoning)."""
    said, cached, output, reasoning = total
    return {
        "input_tokens": said,
        "cached_input_tokens": cached,
        "output_tokens": output,
        "reasoning_output_tokens": reasoning,
        "total_tokens": said + output,
    }


def token_count(
    total: Sequence[int], second: float = 0.0, last: Sequence[int] | None = None
) -> bytes:
    last_usage = counts(total if last is None else last)
    info = {"total_token_usage": counts(total), "last_token_usage": last_usage}
    return event("token_count", second, info=info)


def usage_record(response: str, total: Sequence[int], second: float = 0.0, **more: Any) -> bytes:
    payload = {"response_id": response, "usage": counts(total)} | more
    return line("token_usage_record", payload, second)


def bare(**payload: Any) -> bytes:
    return json.dumps(payload).encode()


@dataclass
class Kept:
    """What is left after merging by id, the newest sighting last."""

    outcomes: list[Outcome] = field(default_factory=list)
    order: list[AnyRecord] = field(default_factory=list)
    by_id: dict[str, AnyRecord] = field(default_factory=dict)

    def add(self, records: Iterable[AnyRecord]) -> None:
        for record in records:
            self.order.append(record)
            self.by_id[record.id] = record

    @property
    def sessions(self) -> list[Session]:
        return [r for r in self.by_id.values() if isinstance(r, Session)]

    @property
    def conversations(self) -> list[Conversation]:
        return [r for r in self.by_id.values() if isinstance(r, Conversation)]

    @property
    def messages(self) -> list[Message]:
        return [r for r in self.by_id.values() if isinstance(r, Message)]

    @property
    def turns(self) -> list[Turn]:
        return [r for r in self.by_id.values() if isinstance(r, Turn) and not r.withdrawn]

    @property
    def usages(self) -> list[Usage]:
        return [r for r in self.by_id.values() if isinstance(r, Usage)]

    def prompt_of(self, exchange: str | None) -> str | None:
        turn = self.by_id.get(exchange or "")
        prompt = self.by_id.get(turn.prompt_message) if isinstance(turn, Turn) else None
        return prompt.content if isinstance(prompt, Message) else None

    @property
    def prompts(self) -> list[str | None]:
        return [self.prompt_of(turn.id) for turn in self.turns]

    def contents(self, kind: str) -> list[str]:
        return [message.content for message in self.messages if message.kind == kind]

    @property
    def tokens(self) -> Tokens:
        return Tokens(
            input=sum(usage.tokens.input for usage in self.usages),
            cache_read=sum(usage.tokens.cache_read for usage in self.usages),
            cache_write=sum(usage.tokens.cache_write for usage in self.usages),
            output=sum(usage.tokens.output for usage in self.usages),
            reasoning=sum(usage.tokens.reasoning for usage in self.usages),
        )


def read(
    lines: Iterable[bytes],
    *,
    path: Path = FILE,
    restarts: Container[int] = (),
    kept: Kept | None = None,
) -> Kept:
    """Read lines; after those numbered in ``restarts`` the parser is made anew."""
    kept = Kept() if kept is None else kept
    parser = AGENT.parser(path)
    for number, data in enumerate(lines, 1):
        if not data.strip():
            continue
        kept.outcomes.append(parser.feed(number, data))
        if number in restarts:
            kept.add(parser.take())
            parser = AGENT.parser(path, parser.state())
    kept.add(parser.take())
    return kept
