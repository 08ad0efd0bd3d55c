"""Requests as they go over the wire, and applications that answer them, for both interfaces."""

import asyncio
import io
import json
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]

FORM = "application/x-www-form-urlencoded"
MULTIPART = 'multipart/form-data; boundary="b0undary"'


def form_data(**parts: str) -> bytes:
    """Return a multipart body; a part called ``file`` is one."""
    body = b""
    for name, text in parts.items():
        file = '; filename="notes.txt"\r\nContent-Type: text/plain' if name == "file" else ""
        head = f'--b0undary\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'
        body += head.encode() + text.encode() + b"\r\n"
    return body + b"--b0undary--\r\n"


class Request:
    """A request that can be made of an application of either interface."""

    def __init__(
        self,
        path: str = "/ask",
        query: str = "",
        body: bytes = b"",
        content_type: str = "",
        method: str = "POST",
        **headers: str,
    ) -> None:
        self.path = path
        self.query = query
        self.body = body
        self.method = method
        self.headers = {name.replace("_", "-"): text for name, text in headers.items()}
        if content_type:
            self.headers["content-type"] = content_type
        if body:
            self.headers.setdefault("content-length", str(len(body)))

    @classmethod
    def json(cls, value: object, **words: Any) -> "Request":
        return cls(body=json.dumps(value).encode(), content_type="application/json", **words)

    def to_wsgi(self, application: Callable[..., Iterable[bytes]]) -> bytes:
        """Make it of a WSGI application, as a server would; return the response's body."""
        environ: dict[str, Any] = {
            "REQUEST_METHOD": self.method,
            "SCRIPT_NAME": "",
            "PATH_INFO": self.path.encode().decode("latin-1"),
            "QUERY_STRING": self.query,
            "wsgi.input": io.BytesIO(self.body),
        }
        for name, text in self.headers.items():
            key = name.upper().replace("-", "_")
            environ[key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}"] = text
        response = application(environ, lambda status, headers, exc_info=None: None)
        try:
            return b"".join(response)
        finally:
            if hasattr(response, "close"):
                response.close()

    def to_asgi(self, application: Callable[..., Awaitable[None]], pieces: int = 3) -> bytes:
        """Make it of an ASGI application, its body in pieces; return the response's body."""
        scope = {
            "type": "http",
            "method": self.method,
            "path": self.path,
            "query_string": self.query.encode("latin-1"),
            "headers": [
                (name.lower().encode(), text.encode("latin-1"))
                for name, text in self.headers.items()
            ],
        }
        step = max(-(-len(self.body) // pieces), 1)
        parts = [self.body[start : start + step] for start in range(0, len(self.body), step)]
        messages: list[Message] = [
            {"type": "http.request", "body": part, "more_body": True} for part in parts
        ]
        messages.append({"type": "http.request"})
        sent: list[Message] = []

        async def receive() -> Message:
            return messages.pop(0)

        async def send(message: Message) -> None:
            sent.append(message)

        asyncio.run(run(application, scope, receive, send))
        return b"".join(message.get("body", b"") for message in sent)


async def run(application: Callable[..., Awaitable[None]], *arguments: Any) -> None:
    """Call an application; for ``asyncio.run``, which takes coroutines alone."""
    await application(*arguments)


def echo_wsgi(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    """Answer with what came."""
    body = environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [body]


async def echo_asgi(scope: Any, receive: Any, send: Any) -> None:
    """Answer with what came, piece by piece."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    more = True
    while more:
        message = await receive()
        more = message.get("more_body", False)
        body = message.get("body", b"")
        await send({"type": "http.response.body", "body": body, "more_body": more})
