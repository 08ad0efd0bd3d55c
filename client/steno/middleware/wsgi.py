"""The WSGI middleware (PEP 3333)."""

import functools
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from steno.errors import Misuse
from steno.middleware.watch import Request, Watch, is_ignored
from steno.tracking.current import note
from steno.tracking.recorder import Recorder

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]


class WSGIMiddleware:
    """Records the prompts of requests to a WSGI application.

    ``app = WSGIMiddleware(app)``, or in Flask's style ``WSGIMiddleware().init_app(app)``.
    ``ignore_paths`` are patterns (``/admin/*``) of paths that stay out; ``home`` addresses a
    private instance; ``context`` is said of every record: fields as those of ``history.save``.
    What goes wrong with recording is never raised into the application; calling it without an
    application raises ``Misuse``.

    Example::

        def app(environ, start_response):
            start_response("200 OK", [])
            return [b"Rayleigh."]


        app = WSGIMiddleware(app, ignore_paths=("/admin/*",), context={"tags": ["web"]})
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

    def init_app(self, app: Any) -> None:
        """Put this middleware around an application object that has a ``wsgi_app``: Flask.

        Raises ``Misuse`` for an object that has none.

        Example::

            from flask import Flask

            app = Flask(__name__)
            WSGIMiddleware(ignore_paths=("/health",)).init_app(app)
        """
        if not hasattr(app, "wsgi_app"):
            raise Misuse(
                f"{type(app).__name__} has no wsgi_app.", "Wrap it: app = WSGIMiddleware(app)."
            )
        self._app, app.wsgi_app = app.wsgi_app, self

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if self._app is None:
            raise Misuse("This middleware has no application.", "Give it one, or call init_app.")
        watch = self._watch(environ)
        if watch is None:
            return self._app(environ, start_response)
        if "wsgi.input" in environ:
            environ["wsgi.input"] = _Input(environ["wsgi.input"], watch)

        def watched_start(status: str, *rest: Any, **words: Any) -> Any:
            number = str(status)[:3]
            watch.status_code = int(number) if number.isdecimal() else None
            return start_response(status, *rest, **words)

        try:
            response = self._app(environ, watched_start)
            if not _is_complete(response, environ):
                return _Response(response, watch)
        except BaseException as error:
            watch.end(error)
            raise
        watch.end()
        return response

    def _watch(self, environ: Environ) -> Watch | None:
        try:
            request = _request(environ)
            if is_ignored(request.path, self._ignore_paths):
                return None
            return Watch(request, self._context, self._recorder)
        except Exception as error:
            note(error, self._recorder)
            return None


def _request(environ: Environ) -> Request:
    headers = {
        name[5:].replace("_", "-").lower(): str(value)
        for name, value in environ.items()
        if name.startswith("HTTP_")
    }
    for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if environ.get(name):
            headers[name.replace("_", "-").lower()] = str(environ[name])
    path = f"{environ.get('SCRIPT_NAME', '')}{environ.get('PATH_INFO', '')}"
    return Request(
        interface="wsgi",
        method=environ.get("REQUEST_METHOD", ""),
        path=path.encode("latin-1", "replace").decode("utf-8", "replace"),
        url_query=environ.get("QUERY_STRING", "").encode("latin-1", "replace"),
        headers=headers,
    )


def _is_complete(response: Iterable[bytes], environ: Environ) -> bool:
    """Such a response goes on as it is: a server may send a file, or count a list's parts."""
    wrapper = environ.get("wsgi.file_wrapper")
    if isinstance(response, list | tuple):
        return True
    return isinstance(wrapper, type) and isinstance(response, wrapper)


class _Input:
    """The request's body, copied as it is read."""

    def __init__(self, stream: Any, watch: Watch) -> None:
        self._stream = stream
        self._watch = watch

    def read(self, *size: int) -> bytes:
        return self._copied(self._stream.read(*size))

    def readline(self, *size: int) -> bytes:
        return self._copied(self._stream.readline(*size))

    def readlines(self, *hint: int) -> list[bytes]:
        return [self._copied(line) for line in self._stream.readlines(*hint)]

    def __iter__(self) -> Iterator[bytes]:
        for line in self._stream:
            yield self._copied(line)

    def __getattr__(self, name: str) -> Any:
        """Offer whatever else the stream has; some read by other names where there are."""
        method = getattr(self._stream, name)
        if name in {"read1", "readall"}:
            return functools.partial(self._read_by, method)
        if name in {"readinto", "readinto1"}:
            return functools.partial(self._filled_by, method)
        return method

    def _read_by(self, method: Any, *size: int) -> bytes:
        return self._copied(method(*size))

    def _filled_by(self, method: Any, buffer: Any) -> Any:
        size = method(buffer)
        self._watch.body(memoryview(buffer)[: size or 0])
        return size

    def _copied(self, piece: bytes) -> bytes:
        self._watch.body(piece)
        return piece


class _Response:
    """A response that is not complete yet; recorded when the server closes it."""

    def __init__(self, response: Iterable[bytes], watch: Watch) -> None:
        self._response = response
        self._parts = iter(response)
        self._watch = watch

    def __iter__(self) -> "_Response":
        return self

    def __next__(self) -> bytes:
        try:
            return next(self._parts)
        except StopIteration:
            self._watch.end()
            raise
        except BaseException as error:
            self._watch.end(error)
            raise

    def close(self) -> None:
        """Close the application's response, then record the request."""
        try:
            close = getattr(self._response, "close", None)
            if close is not None:
                close()
        finally:
            self._watch.end()
