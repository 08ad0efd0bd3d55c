"""The middlewares in the frameworks people use, under their test clients and a real server each."""

import asyncio
import contextlib
import json
import threading
import urllib.request
import warnings
from collections.abc import Callable, Iterator
from typing import Annotated, Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import httpx
import pytest
import uvicorn
from django import conf as django_configuration
from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import path
from fastapi import Body, FastAPI
from flask import Flask
from flask import Response as FlaskResponse
from flask import request as flask_request
from starlette.applications import Starlette
from starlette.requests import Request as StarletteRequest
from starlette.responses import StreamingResponse
from starlette.routing import Route

from steno.middleware import ASGIMiddleware, WSGIMiddleware
from support.tracked import Tracked

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the test client asks for a successor of httpx
    from starlette.testclient import TestClient

PROMPT = "Create a database table"
ANSWER = "the answer to: " + PROMPT
SERVER_TIMEOUT_S = 60


def streamed(prompt: str) -> Iterator[bytes]:
    yield b"the answer "
    yield b"to: " + prompt.encode()


def starlette_application() -> Any:
    async def ask(request: StarletteRequest) -> StreamingResponse:
        return StreamingResponse(streamed((await request.json())["prompt"]))

    application = Starlette(routes=[Route("/ask", ask, methods=["POST"])])
    application.add_middleware(ASGIMiddleware, context={"tags": ["web"]})
    return application


def fastapi_application() -> Any:
    application = FastAPI()

    @application.post("/ask")
    def ask(prompt: Annotated[str, Body(embed=True)]) -> str:
        return f"the answer to: {prompt}"

    ASGIMiddleware(context={"tags": ["web"]}).init_app(application)
    return application


def flask_application() -> Any:
    application = Flask("tested")

    @application.post("/ask")
    def ask() -> FlaskResponse:
        return FlaskResponse(streamed(flask_request.get_json()["prompt"]))

    WSGIMiddleware(context={"tags": ["web"]}).init_app(application)
    return application


def django_view(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    return StreamingHttpResponse(streamed(json.loads(request.body)["prompt"]))


def django_async_view(request: HttpRequest) -> HttpResponse:
    return HttpResponse(b"".join(streamed(json.loads(request.body)["prompt"])))


urlpatterns = [path("ask", django_view), path("ask-async", django_async_view)]


def configured_django() -> None:
    if not django_configuration.settings.configured:
        django_configuration.settings.configure(
            ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], SECRET_KEY="of no use", USE_TZ=True
        )


def django_wsgi() -> Any:
    configured_django()
    return WSGIMiddleware(get_wsgi_application(), context={"tags": ["web"]})


def django_asgi() -> Any:
    configured_django()
    return ASGIMiddleware(get_asgi_application(), context={"tags": ["web"]})


def with_asgi_client(application: Any, where: str) -> str:
    """Ask through Starlette's test client, which FastAPI uses as well."""
    with TestClient(application) as client:
        return str(client.post(where, json={"prompt": PROMPT}).text)


def with_flask_client(application: Any, where: str) -> str:
    return str(application.test_client().post(where, json={"prompt": PROMPT}).text)


def with_wsgi_transport(application: Any, where: str) -> str:
    """Django's own test client goes around the WSGI application, so another one stands for it."""
    transport = httpx.WSGITransport(app=application)
    with httpx.Client(transport=transport, base_url="http://localhost") as client:
        return client.post(where, json={"prompt": PROMPT}).text


def with_asgi_transport(application: Any, where: str) -> str:
    async def ask() -> str:
        transport = httpx.ASGITransport(app=application)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return (await client.post(where, json={"prompt": PROMPT})).text

    return asyncio.run(ask())


def posted(port: int, where: str) -> str:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{where}",
        data=b'{"prompt": "%s"}' % PROMPT.encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=SERVER_TIMEOUT_S) as response:
        return str(response.read().decode())


class Quiet(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def with_wsgi_server(application: Any, where: str) -> str:
    """Ask over a socket of the standard library's server."""
    with make_server("127.0.0.1", 0, application, handler_class=Quiet) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            return posted(server.server_port, where)
        finally:
            server.shutdown()
            thread.join()


class Server(uvicorn.Server):
    """A server that says when it is up."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_up = threading.Event()

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        self.is_up.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def with_asgi_server(application: Any, where: str) -> str:
    """Ask over a socket of uvicorn."""
    server = Server(uvicorn.Config(application, host="127.0.0.1", port=0, log_config=None))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        assert server.is_up.wait(SERVER_TIMEOUT_S)
        port = server.servers[0].sockets[0].getsockname()[1]
        return posted(port, where)
    finally:
        server.should_exit = True
        thread.join()


CASES: list[tuple[Callable[[], Any], Callable[[Any, str], str], str]] = [
    (starlette_application, with_asgi_client, "/ask"),
    (starlette_application, with_asgi_server, "/ask"),
    (fastapi_application, with_asgi_client, "/ask"),
    (fastapi_application, with_asgi_server, "/ask"),
    (flask_application, with_flask_client, "/ask"),
    (flask_application, with_wsgi_server, "/ask"),
    (django_wsgi, with_wsgi_transport, "/ask"),
    (django_wsgi, with_wsgi_server, "/ask"),
    (django_asgi, with_asgi_transport, "/ask-async"),
    (django_asgi, with_asgi_server, "/ask-async"),
]


@pytest.mark.parametrize(
    ("application", "ask", "where"),
    CASES,
    ids=[f"{made.__name__}-{how.__name__}" for made, how, _ in CASES],
)
def test_a_prompt_is_recorded_and_the_answer_is_as_it_was(
    tracked: Tracked,
    application: Callable[[], Any],
    ask: Callable[[Any, str], str],
    where: str,
) -> None:
    assert ask(application(), where).strip('"') == ANSWER
    row = tracked.one()
    assert (row["prompt"], row["current_file"]) == (PROMPT, where)
    assert (row["project_phase"], row["status"]) == ("Web Interface", "completed")
    assert row["tags"] == "auto,database,web"
    assert row["response_time_estimate"] > 0
