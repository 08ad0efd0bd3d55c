"""Small Gemini sessions of our own making, as lines of the newer format or as the older document."""

import json
from pathlib import Path
from typing import Any

from steno_schema.ids import uuid8
from steno_schema.times import format_ms, parse_ms

SESSION = "9e551011-0000-4000-8000-0000000000aa"
FOLDER = "/home/ada/shop"
MODEL = "gemini-3.1-pro"
START_MS = parse_ms("2026-03-01T10:00:00.000Z")

Json = dict[str, Any]


def at(second: float) -> str:
    return format_ms(START_MS + int(second * 1000))


def header(second: float = 0, **more: Any) -> Json:
    return {
        "sessionId": SESSION,
        "projectHash": "0" * 64,
        "startTime": at(second),
        "lastUpdated": at(second),
        "kind": "main",
    } | more


def message(
    kind: str, content: Any, second: float, *, key: str | None = None, **more: Any
) -> Json:
    name = key or f"{kind} {content}"
    return {"id": uuid8("gemini", name), "timestamp": at(second), "type": kind} | {
        "content": content, **more,
    }  # fmt: skip


def prompt(text: str, second: float, **more: Any) -> Json:
    return message("user", [{"text": text}], second, key=f"prompt {text}", **more)


def tokens(said: int, output: int, cached: int = 0, thoughts: int = 0) -> Json:
    return {
        "input": said, "output": output, "cached": cached, "thoughts": thoughts, "tool": 0,
        "total": said + output + thoughts,
    }  # fmt: skip


def reply(text: str, second: float, **more: Any) -> Json:
    told = {"thoughts": [], "tokens": tokens(100, 10, 60, 5), "model": MODEL}
    return message("gemini", text, second, key=f"reply {text}", **(told | more))


def tool(call_id: str, output: str | None = None, *, status: str = "success") -> Json:
    call: Json = {
        "id": call_id,
        "name": "read_file",
        "args": {"path": "cart.py"},
        "status": status,
    }
    if output is not None:
        field = "error" if status == "error" else "output"
        response = {"id": call_id, "name": "read_file", "response": {field: output}}
        call["result"] = [{"functionResponse": response}]
    return call


def change(**fields: Any) -> Json:
    return {"$set": fields}


def lines(*objects: Json) -> bytes:
    return b"".join(json.dumps(each, ensure_ascii=False).encode() + b"\n" for each in objects)


def document(head: Json, *messages: Json) -> bytes:
    return json.dumps(head | {"messages": list(messages)}, indent=2, ensure_ascii=False).encode()


def session_file(root: Path, name: str = "session-2026-03-01T10-00-9e551011.jsonl") -> Path:
    """Return the path of a session below a root, with its project noted beside it."""
    folder = root / "shop" / "chats"
    folder.mkdir(parents=True, exist_ok=True)
    (folder.parent / ".project_root").write_text(FOLDER)
    return folder / name
