"""The ASGI middleware: https://asgi.readthedocs.io."""

import os
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from steno.errors import Misuse
from steno.middleware.watch import Request, Watch, is_ignored
from steno.tracking.current import note
from steno.tracking.recorder import Recorder

Message = MutableMapping[str, Any]
# Each framework has types of its own for scopes and messages; `Any` fits them all.
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
Application = Callable[[Any, Receive, Send], Awaitable[None]]


class ASGIMiddleware:
    """Records the prompts of HTTP requests to an ASGI application.

    ``app = ASGIMiddleware(app)``, ``app.add_middleware(ASGIMiddleware)`` where there is such a
    thing, or ``ASGIMiddleware().init_app(app)``. ``ignore_paths`` are patterns (``/admin/*``) of
    paths that stay out; ``home`` addresses a private instance; ``context`` is said of every
    record: fields as those of ``history.save``. What goes wrong with recording is never raised
    into the application; calling it without an application raises ``Misuse``.

    Example::

        async def app(scope, receive, send):
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"Rayleigh."})


        app = ASGIMiddleware(app, ignore_paths=("/admin/*",), context={"tags": ["web"]})
    """

    def __init__(
        self,
        app: Application | None = None,
        *,
        home: str | os.PathLike[str] | None = None,
        ignore_paths: tuple[str, ...] = (),
        context: Mapping[str, Any] | None = None,
    ) -> None:
        self._app = app
        self._ignore_paths = tuple(ignore_paths)
        self._recorder = None if home is None else Recorder(home)
        self._context = dict(context or {})
        self._options: dict[str, Any] = {
            "home": home,
            "ignore_paths": ignore_paths,
            "context": context,
        }

    def init_app(self, app: Any) -> None:
        """Put this middleware around an application object: Starlette, FastAPI, Quart.

        Raises ``Misuse`` for an object that is none of these.

        Example::

            from starlette.applications import Starlette

            app = Starlette()
            ASGIMiddleware(ignore_paths=("/health",)).init_app(app)
        """
        if hasattr(app, "add_middleware"):
            app.add_middleware(type(self), **self._options)
        elif hasattr(app, "asgi_app"):
            self._app, app.asgi_app = app.asgi_app, self
        else:
            raise Misuse(
                f"{type(app).__name__} has neither add_middleware nor asgi_app.",
                "Wrap it instead: app = ASGIMiddleware(app).",
            )

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        if self._app is None:
            raise Misuse("This middleware has no application.", "Give it one, or call init_app.")
        watch = self._watch(scope)
        if watch is None:
            await self._app(scope, receive, send)
            return

        async def watched_receive() -> Message:
            message: Message = await receive()
            if message.get("type") == "http.request":
                watch.body(message.get("body") or b"")
            return message

        async def watched_send(message: Message) -> None:
            await send(message)
            kind = message.get("type")
            if kind == "http.response.start":
                watch.status_code = message.get("status")
            elif kind == "http.response.body" and not message.get("more_body"):
                watch.responded()

        try:
            await self._app(scope, watched_receive, watched_send)
        except BaseException as error:
            watch.end(error)
            raise
        watch.end()

    def _watch(self, scope: Message) -> Watch | None:
        try:
            if scope.get("type") != "http" or is_ignored(scope["path"], self._ignore_paths):
                return None
            return Watch(_request(scope), self._context, self._recorder)
        except Exception as error:
            note(error, self._recorder)
            return None


def _request(scope: Message) -> Request:
    headers: dict[str, str] = {}
    for name, value in scope.get("headers", ()):
        key = name.decode("latin-1").lower()
        separator = "; " if key == "cookie" else ", "
        text = value.decode("latin-1")
        headers[key] = f"{headers[key]}{separator}{text}" if key in headers else text
    return Request(
        interface="asgi",
        method=scope.get("method", ""),
        path=scope["path"],
        url_query=bytes(scope.get("query_string") or b""),
        headers=headers,
    )
