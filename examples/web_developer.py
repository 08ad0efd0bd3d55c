"""For who runs a web application: prompts that reach it are recorded as they pass.

The same in Flask: ``WSGIMiddleware().init_app(app)``; in FastAPI or Starlette:
``app.add_middleware(ASGIMiddleware)``; in Django: ``application = WSGIMiddleware(application)``.

Run it with a daemon up (``steno up``): ``python examples/web_developer.py``.
"""

import threading
import urllib.request
from collections.abc import Callable, Iterable
from typing import Any
from wsgiref.simple_server import make_server

import steno
from steno.middleware import WSGIMiddleware
from steno.tracking import flush


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer a form with a field called ``prompt``."""
    environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"Thank you for asking.\n"]


# Paths that match a pattern stay out; the context is said of every record.
watched = WSGIMiddleware(application, ignore_paths=("/admin/*",), context={"tags": ["website"]})

with make_server("127.0.0.1", 0, watched) as server:
    threading.Thread(target=server.handle_request).start()
    request = urllib.request.Request(
        f"http://127.0.0.1:{server.server_port}/ask",
        data=b"prompt=Which+database+should+I+take",
        headers={"X-Session-ID": "visitor-1"},
    )
    with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310 - its own server
        print(response.read().decode().strip())

flush()
for exchange in steno.Client().history.recent(session="visitor-1"):
    print(exchange.prompt, "|", exchange.current_file, "|", exchange.phase)
