"""A command run in this process, against a client that answers from a list."""

import io
import shlex
from collections.abc import Callable
from typing import Any, cast

import msgspec

from steno.cli.command import Context, Group, parse
from steno.cli.main import find
from steno.cli.screen import Screen
from steno.client import Client
from steno.context import Context as ClientContext
from steno.namespaces.files import Files
from steno.results import Saved
from steno.verbs import Answer, Ask, Result, Steps, Sync, Work, Worked
from steno_schema.records import Tokens
from steno_schema.replies import AnyReply, Event, ExchangeView, MessageView, Reply
from steno_schema.requests import Request
from support.running import RunningDaemon

HOSTILE = (
    "a\x1b[31mred\x07 \x9b1m \u202eevil\u202c \u2066x\u2069 \u200e\u200f\u061c\ufeff"
    " \ue000m\ue001 \r \x7f"
)
HOSTILE_CHARS = {char for char in HOSTILE if not " " <= char <= "~"}


class _Asked:
    """Runs the steps of a verb against a stub's answers."""

    def __init__(self, client: "StubClient") -> None:
        self._client = client

    def run(self, steps: Steps[Result]) -> Result:
        answer: Answer = None
        while True:
            try:
                step = steps.send(answer)
            except StopIteration as done:
                result: Result = done.value
                return result
            if isinstance(step, Work):
                answer = Worked(step.call())
            else:
                assert isinstance(step, Ask)
                answer = cast("AnyReply", self._client.request(step.request))


class StubHistory:
    """``client.history`` that keeps what was saved, and exports what its client answers."""

    def __init__(self, client: "StubClient") -> None:
        files: Files[Sync] = Files(_Asked(client), ClientContext(None, None))
        self.export = files.export
        self.saved: list[tuple[str, str, dict[str, Any]]] = []
        self.stored = "daemon"

    def save(self, prompt: str, output: str = "", **fields: Any) -> Saved:
        self.saved.append((prompt, output, fields))
        stored = cast("Any", self.stored)
        return Saved(id="01890000-0000-7000-8000-000000000001", stored=stored, outcome="created")


class StubSubscription(list[Event]):
    """Tells of the events there are, and is ended then."""

    sequence, gap = 0, False

    def close(self) -> None:
        """Nothing is open."""


class StubClient:
    """Gives each request to ``answer`` and keeps what was asked."""

    def __init__(self, answer: Callable[[Any], Reply] | None = None) -> None:
        self.asked: list[Any] = []
        self.events: list[Event] = []
        self.history = StubHistory(self)
        self.subscribed: dict[str, Any] = {}
        self._answer = answer

    def request(self, request: Request, timeout_s: float | None = None) -> Reply:
        self.asked.append(request)
        assert self._answer is not None
        return self._answer(request)

    def subscribe(self, after: int | None = None, **words: Any) -> "StubSubscription":
        self.subscribed = {"after": after, **words}
        return StubSubscription(self.events)

    def close(self) -> None:
        """Nothing is open."""


def run(
    name: str,
    *words: str,
    client: StubClient | None = None,
    terminal: bool = False,
    width: int = 80,
    colour: str = "never",
) -> tuple[int, str]:
    """Run one command; return its exit code and what it printed."""
    command, rest = find(name), list(words)
    if isinstance(command, Group):
        name, command, rest = command.choose(name, rest)
    args = parse(name, command, rest)
    out = io.StringIO()
    screen = Screen(out, colour=colour, terminal=terminal, width=width)
    stub = cast("Client", client or StubClient())
    context = Context(args, screen, stub)
    code = command.run(context)
    screen.finish()
    return code, out.getvalue()


def exchange(number: int = 1, **fields: Any) -> ExchangeView:
    """Return an exchange with ordinary values, some of them replaced."""
    uid = f"01890000-0000-7000-8000-{number:012d}"
    whole = ExchangeView(
        id=uid,
        number=number,
        prompt=f"prompt {number}",
        output=f"output {number}",
        created_at="2026-01-02T03:04:05.678Z",
        agent="codex",
        project="/home/me/steno",
        session_id="s1",
        conversation_id="c1",
        user="me",
        model="gpt-5",
        tokens=Tokens(input=3, output=4),
        cost_usd=0.25,
        status="completed",
        origin="script",
        tags=["one", "two"],
        category="api",
        complexity="simple",
        stage="testing",
        technique=None,
        phase=None,
        framework=None,
        template=None,
        current_file=None,
        rating=7.0,
        follow_up=False,
        response_summary=None,
        response_time_ms=1500.0,
        notes=None,
        keywords=["word"],
        metadata={"run": 7},
        prompt_message_id=uid,
        output_message_id=None,
    )
    return msgspec.structs.replace(whole, **fields)


def message(number: int = 1, **fields: Any) -> MessageView:
    """Return a message with ordinary values, some of them replaced."""
    whole = MessageView(
        id=f"01890000-0000-7000-9000-{number:012d}",
        number=number,
        conversation_id="c1",
        exchange_id=None,
        role="user",
        kind="text",
        content=f"message {number}",
        created_at="2026-01-02T03:04:05.678Z",
    )
    return msgspec.structs.replace(whole, **fields)


def only_harmless(text: str) -> bool:
    """Tell whether no character of ``text`` could steer a terminal."""
    return not HOSTILE_CHARS & set(text)


def steno(daemon: RunningDaemon, line: str, *, terminal: bool = False) -> tuple[int, str]:
    """Run a command line in this process; return its exit code and what it printed."""
    words = shlex.split(line)
    assert words[0] == "steno"
    command: Any = find(words[1])
    name, rest = words[1], words[2:]
    if isinstance(command, Group):
        name, command, rest = command.choose(name, rest)
    out = io.StringIO()
    screen = Screen(out, colour="never", terminal=terminal, width=120)
    context = Context(parse(name, command, [*rest, "--home", str(daemon.home)]), screen)
    code: int = command.run(context)
    context.close()
    return code, out.getvalue()
