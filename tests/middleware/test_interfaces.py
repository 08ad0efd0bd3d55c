"""Both middlewares under plain applications: what is recorded, and that nothing is changed."""

import asyncio
import io
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from middleware.requests_made import (
    FORM,
    MULTIPART,
    Request,
    echo_asgi,
    echo_wsgi,
    form_data,
    run,
)
from steno.errors import Misuse
from steno.middleware import ASGIMiddleware, WSGIMiddleware
from steno.middleware.fields import BODY_MAX_BYTES
from steno.tracking import current
from support.tracked import Tracked

INTERFACES = ["asgi", "wsgi"]
Make = Callable[..., bytes]


def making(interface: str, **options: Any) -> Make:
    """Return what makes a request of an echo application behind the middleware."""
    if interface == "asgi":
        asgi = ASGIMiddleware(echo_asgi, **options)
        return lambda request: request.to_asgi(asgi)
    wsgi = WSGIMiddleware(echo_wsgi, **options)
    return lambda request: request.to_wsgi(wsgi)


@pytest.fixture(params=INTERFACES)
def make(request: pytest.FixtureRequest) -> Make:
    return making(request.param)


def test_a_prompt_is_recorded_with_its_request(tracked: Tracked, make: Make) -> None:
    request = Request.json(
        {"prompt": "Create a database table", "model": "m"},
        path="/api/ask",
        user_agent="Browser/1",
    )
    assert make(request) == request.body
    row = tracked.one()
    assert row["prompt"] == "Create a database table"
    assert (row["current_file"], row["project_phase"]) == ("/api/ask", "Web Interface")
    assert (row["session_id"], row["tags"]) == ("Browser/1", "auto,database")
    assert row["response_time_estimate"] > 0
    assert row["metadata"].pop("interface") in INTERFACES
    assert row["metadata"] == {
        "method": "POST",
        "field": "prompt",
        "part": "body",
        "status_code": 200,
        "user_agent": "Browser/1",
    }


@pytest.mark.parametrize(
    "request_made",
    [
        Request(body=b"userPrompt=Tell+me+more", content_type=FORM),
        Request(body=form_data(prompt="Tell me more", file="x"), content_type=MULTIPART),
        Request.json({"a": [{"query": "Tell me more"}]}),
        Request(query="search_query=Tell%20me%20more", method="GET"),
    ],
    ids=["form", "multipart", "json", "url"],
)
def test_every_way_to_send_a_prompt(tracked: Tracked, make: Make, request_made: Request) -> None:
    assert make(request_made) == request_made.body
    assert tracked.prompts() == ["Tell me more"]


def test_several_prompts_of_a_request_are_records_of_their_own(
    tracked: Tracked, make: Make
) -> None:
    make(Request.json({"prompt": "the first prompt", "query": "the second", "prompt2": "Hi"}))
    assert tracked.prompts() == ["the first prompt", "the second"]


def test_sessions_come_from_header_cookie_or_user_agent(tracked: Tracked, make: Make) -> None:
    agent = {"user_agent": "Browser/1"}
    cookie = {"cookie": 'theme="dark; sessionid=a-credential; other=1', **agent}
    make(Request.json({"prompt": "by header"}, x_session_id="s-1", **cookie))
    make(Request.json({"prompt": "by cookie"}, **cookie))
    make(Request.json({"prompt": "by agent"}, **agent))
    make(Request.json({"prompt": "by nothing"}))
    by_header, by_cookie, by_agent, by_nothing = [row["session_id"] for row in tracked.history()]
    assert (by_header, by_agent) == ("s-1", "Browser/1")
    assert by_cookie.startswith("web-")
    assert by_nothing.startswith("python-")
    assert "a-credential" not in str(tracked.history())


def test_guards_hold_here_too(tracked: Tracked, make: Make, work: Path) -> None:
    make(Request.json({"prompt": "Hi"}))
    make(Request.json({"prompt": "asked twice"}))
    make(Request.json({"prompt": "  asked twice "}))
    assert tracked.prompts() == ["asked twice"]
    assert tracked.sightings() == 1
    (work / ".stenoignore").touch()
    make(Request.json({"prompt": "asked in a project that stays out"}))
    assert tracked.prompts() == ["asked twice"]


def test_it_can_be_switched_off(
    tracked: Tracked, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STENO_ENABLED", "0")
    tracked.again()
    make(Request.json({"prompt": "not to be recorded"}))
    assert tracked.prompts() == []


@pytest.mark.parametrize("interface", INTERFACES)
def test_paths_can_stay_out_and_context_is_said_of_all(tracked: Tracked, interface: str) -> None:
    make = making(interface, ignore_paths=("/admin/*",), context={"tags": ["web"], "user": "ada"})
    make(Request.json({"prompt": "an inner affair"}, path="/admin/ask"))
    make(Request.json({"prompt": "a public affair"}, path="/ask"))
    row = tracked.one()
    assert row["prompt"] == "a public affair"
    assert "web" in row["tags"].split(",")
    assert tracked.sql("SELECT user FROM exchange") == [["ada"]]


@pytest.mark.parametrize("interface", INTERFACES)
def test_another_instance_can_be_addressed(
    tracked: Tracked, interface: str, tmp_path: Path
) -> None:
    make = making(interface, home=tmp_path / "other")
    make(Request.json({"prompt": "for the other instance"}))
    assert tracked.prompts() == []


def test_bodies_that_are_too_long_or_not_fields_pass_by(tracked: Tracked, make: Make) -> None:
    long = {"prompt": "x" * BODY_MAX_BYTES}
    untold = Request.json(long)
    del untold.headers["content-length"]
    zipped = Request.json({"prompt": "not looked into"}, content_encoding="gzip")
    for request in (
        Request.json(long),
        untold,
        zipped,
        Request(body=b"prompt=not looked into", content_type="text/plain"),
        Request.json({"prompt": "a strange length"}, content_length="9" * 5000),
    ):
        assert make(request) == request.body
    assert tracked.prompts() == ["a strange length"]
    assert current.default_recorder().failures.count == 0


def test_a_body_that_is_read_in_part_holds_no_prompt(tracked: Tracked) -> None:
    def reads_part(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return [environ["wsgi.input"].read(18)]

    request = Request(body=b"prompt=half a prompt of this", content_type=FORM)
    assert request.to_wsgi(WSGIMiddleware(reads_part)) == b"prompt=half a prom"
    assert tracked.prompts() == []


class Broken(Exception):
    pass


def test_a_failing_application_fails_as_before(tracked: Tracked) -> None:
    async def asgi(_scope: Any, receive: Any, _send: Any) -> None:
        while (await receive()).get("more_body"):
            pass
        raise Broken

    def wsgi(environ: dict[str, Any], _start_response: Any) -> list[bytes]:
        environ["wsgi.input"].read()
        raise Broken

    def wsgi_later(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
        yield environ["wsgi.input"].read()
        raise Broken

    def wsgi_500(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        environ["wsgi.input"].read()
        start_response("500 Internal Server Error", [])
        return ()

    request = Request.json({"prompt": "something that fails"})
    with pytest.raises(Broken):
        request.to_asgi(ASGIMiddleware(asgi))
    with pytest.raises(Broken):
        request.to_wsgi(WSGIMiddleware(wsgi))
    with pytest.raises(Broken):
        request.to_wsgi(WSGIMiddleware(wsgi_later))
    assert request.to_wsgi(WSGIMiddleware(wsgi_500)) == b""
    assert [row["status"] for row in tracked.history()] == ["failed"] * 4


def test_asgi_streams_arrive_piece_by_piece(tracked: Tracked) -> None:
    """The application sees each piece before the next is asked for, and so does the server."""
    seen: list[str] = []

    async def application(_scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200})
        for _ in range(3):
            seen.append((await receive())["body"].decode())
            await send({"type": "http.response.body", "body": b"ok", "more_body": True})
        await send({"type": "http.response.body"})

    body = b'{"prompt": "in three pieces"}'
    parts = [body[:10], body[10:20], body[20:]]

    async def receive() -> dict[str, Any]:
        seen.append("asked")
        part = parts[seen.count("asked") - 1]
        return {"type": "http.request", "body": part, "more_body": part is not parts[-1]}

    async def send(message: Any) -> None:
        seen.append(message["type"].rpartition(".")[2])

    headers = [(b"content-type", b"application/json")]
    scope = {"type": "http", "path": "/", "headers": headers, "query_string": b""}
    asyncio.run(run(ASGIMiddleware(application), scope, receive, send))
    text = [part.decode() for part in parts]
    assert seen == [
        "start", "asked", text[0], "body", "asked", text[1], "body", "asked", text[2], "body",
        "body",
    ]  # fmt: skip
    assert tracked.prompts() == ["in three pieces"]


def test_wsgi_responses_stay_what_they_are(tracked: Tracked) -> None:
    class FileWrapper:
        def __init__(self, file: Any) -> None:
            self.file = file

        def __iter__(self) -> Iterator[bytes]:
            return iter([self.file.read()])

    closed: list[bool] = []

    class Streaming:
        def __iter__(self) -> Iterator[bytes]:
            yield b"one"
            yield b"two"

        def close(self) -> None:
            closed.append(True)

    given: list[Any] = [[b"a list"], (b"a tuple",), FileWrapper(io.BytesIO(b"a file"))]
    for response in given:

        def application(_environ: Any, _start: Any, answer: Any = response) -> Any:
            return answer

        environ = {"wsgi.file_wrapper": FileWrapper, "QUERY_STRING": "query=an+answer+as+it+is"}
        assert WSGIMiddleware(application)(environ, lambda *_: None) is response
    request = Request(query="query=a+stream", method="GET")
    assert request.to_wsgi(WSGIMiddleware(lambda *_: Streaming())) == b"onetwo"
    assert closed == [True]
    assert set(tracked.prompts()) == {"an answer as it is", "a stream"}


def test_every_way_to_read_a_wsgi_body_is_watched(tracked: Tracked) -> None:
    ways: list[Callable[[Any], object]] = [
        lambda body: body.read(),
        lambda body: [body.read(5), body.read(-1)],
        lambda body: [body.readline() for _ in range(4)],
        lambda body: body.readlines(),
        list,
        lambda body: [body.seekable(), body.read(10_000)],
        lambda body: [body.readinto(bytearray(7)), body.readinto(bytearray(100))],
        lambda body: [body.read1(7), body.read1()],
    ]
    for number, way in enumerate(ways):

        def application(environ: Any, _start: Any, read: Any = way) -> list[bytes]:
            read(environ["wsgi.input"])
            return []

        body = f'{{\n"prompt":\n"read in way {number}"\n}}'.encode()
        Request(body=body, content_type="application/json").to_wsgi(WSGIMiddleware(application))
    assert tracked.prompts() == [f"read in way {number}" for number in range(len(ways))]


def test_other_connections_pass_through(tracked: Tracked) -> None:
    seen: list[Any] = []

    async def application(*arguments: Any) -> None:
        seen.append(arguments)

    scopes: list[Any] = [{"type": "lifespan"}, {"type": "websocket", "path": "/", "headers": []}]
    for scope in scopes:
        asyncio.run(run(ASGIMiddleware(application), scope, "receive", "send"))
    assert seen == [(scope, "receive", "send") for scope in scopes]


def test_a_strange_request_is_the_applications_affair(tracked: Tracked) -> None:
    """What cannot be understood is passed on as it is, and counted."""
    seen: list[Any] = []

    async def application(scope: Any, _receive: Any, _send: Any) -> None:
        seen.append(scope)

    scope: Any = {"type": "http", "path": "/", "headers": [("text", "not bytes")]}
    asyncio.run(run(ASGIMiddleware(application), scope, None, None))
    assert seen == [scope]
    assert WSGIMiddleware(lambda *_: [b"ok"])({"QUERY_STRING": None}, lambda *_: None) == [b"ok"]
    assert tracked.prompts() == []
    assert current.default_recorder().failures.count == 2


def test_without_an_application_it_says_so() -> None:
    with pytest.raises(Misuse, match="init_app"):
        WSGIMiddleware()({}, lambda *_: None)
    with pytest.raises(Misuse, match="no wsgi_app"):
        WSGIMiddleware().init_app(object())
    with pytest.raises(Misuse, match="neither add_middleware nor asgi_app"):
        ASGIMiddleware().init_app(object())
    with pytest.raises(Misuse, match="init_app"):
        Request().to_asgi(ASGIMiddleware())
