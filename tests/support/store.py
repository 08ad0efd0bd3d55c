"""A writer in this process, asked one request at a time, and what it can be filled with."""

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from queue import SimpleQueue

from steno_schema.config import Settings
from steno_schema.ids import uuid7, uuid8
from steno_schema.records import AnyRecord, Conversation, Exchange, Message, Tokens, Turn, Usage
from steno_schema.replies import AnyReply, Error
from steno_schema.requests import AnyRequest
from stenod.followers.rollup import next_unclean_day, roll_up
from stenod.inbox import Job
from stenod.jobs.slices import Task
from stenod.store.connection import open_reader, open_writer
from stenod.writer import Writer

NOW = datetime.now(UTC)
FOLLOWERS = ("analysis", "call_cost", "exchange_cost", "rollup", "prompt_hash")
PROMPTS = ("create a database table", "fix the login bug", "write tests", "hello")
MODELS = ("gpt-5", "claude-sonnet-4-5-20250929", "claude-haiku-4-5", "of-nobody", None)
CONVERSATIONS = {"main-1": None, "main-2": None, "main-1/agent-a": "main-1"}
"""Captured conversations and their parents."""


class Store:
    """A writer and a reader of one database."""

    def __init__(self, folder: Path, settings: Settings | None = None) -> None:
        self._path = folder / "steno.db"
        self._writer = Writer(self._path, settings or Settings())
        self._writer.start()
        self.reader = open_reader(self._path)

    def ask(self, request: AnyRequest) -> AnyReply:
        """Return what a request is answered with; an error fails the test."""
        reply = self.answer(request)
        assert not isinstance(reply, Error), reply
        return reply

    def answer(self, request: AnyRequest) -> AnyReply:
        """Return what a request is answered with, whatever it is."""
        replies: SimpleQueue[AnyReply] = SimpleQueue()
        assert self._writer.inbox.put(Job(request, 100, replies.put))
        return replies.get(timeout=60)

    def give(self, task: Task) -> None:
        """Have a job's task done in the writer's pauses."""
        self._writer.give(task)

    def settled(self) -> None:
        """Wait for the followers; days are rolled up when the writer has nothing else to do."""
        for name in FOLLOWERS:
            assert self._writer.progress.wait_for(name, 60) == 0

    def indexed(self) -> None:
        """Wait for the full-text index."""
        assert self._writer.progress.wait_for("fulltext", 60) == 0

    def rolled_up(self) -> None:
        """End the writer, and sum up here what days it did not come to."""
        self.settled()
        self._writer.stop()
        connection = open_writer(self._path)
        while (day := next_unclean_day(connection)) is not None:
            with connection:
                roll_up(connection, day)
        connection.close()

    def close(self) -> None:
        self.reader.close()
        self._writer.stop()


def exchange(rng: random.Random) -> Exchange:
    """Return what a script may save."""
    return Exchange(
        id=uuid7(),
        prompt=rng.choice(PROMPTS),
        output=rng.choice(("", "done")),
        created_at=_moment(rng),
        model=rng.choice(MODELS),
        agent=rng.choice(("python", "codex")),
        project=rng.choice((None, "/a", "/b")),
        tokens=rng.choice((None, Tokens(input=rng.randrange(99), output=3), Tokens(total=7))),
        cost_usd=rng.choice((None, 0.25, 0.1)),
        response_time_ms=rng.choice((None, 12.4, 3000.0)),
        rating=rng.choice((None, None, 7.3)),
        keywords=rng.choice((None, ["red", "green"], ["green"])),
        user=rng.choice((None, "ada")),
        tags=rng.sample(("x", "y", "z"), rng.randrange(3)),
        session=rng.choice(("s1", "s2")),
    )


def call(rng: random.Random, exchange_id: str | None) -> Usage:
    """Return a model call that a script may record."""
    return Usage(
        id=uuid7(),
        tokens=_tokens(rng),
        session="s1",
        exchange=exchange_id,
        model=rng.choice(MODELS),
        cost_usd=rng.choice((None, None, 0.3)),
        recorded_at=_moment(rng),
    )


def sighting(rng: random.Random) -> list[AnyRecord]:
    """Return what a stretch of a transcript may say of a turn and its calls, again and again."""
    number = rng.randrange(8)
    key = rng.choice(("main-1", "main-2"))
    turn, prompt = uuid8("turn", str(number)), uuid8("prompt", str(number))
    moment = (NOW - timedelta(days=number)).isoformat()
    copied = rng.random() < 0.3
    records: list[AnyRecord] = [
        *(
            Conversation(id=uuid8("c", each), key=each, session=each.split("/")[0], parent=parent,
                         kind="main" if parent is None else rng.choice(("main", "subagent")))
            for each, parent in CONVERSATIONS.items()
        ),
        Message(id=prompt, conversation=key, role="user", content=PROMPTS[number % 4],
                created_at=moment, copied=copied),
        Turn(id=turn, conversation=key, prompt_message=prompt, agent="codex", created_at=moment,
             copied=copied, withdrawn=rng.random() < 0.05),
    ]  # fmt: skip
    for _ in range(rng.randrange(5)):
        place = rng.choice(list(CONVERSATIONS))
        records.append(
            Usage(
                id=uuid8("usage", str(rng.randrange(20))),
                tokens=_tokens(rng),
                conversation=place,
                session=place.split("/")[0],
                exchange=None if "/" in place else turn,
                agent="codex",
                model=rng.choice(MODELS),
                cost_usd=rng.choice((None, None, None, 0.7)),
                recorded_at=_moment(rng),
                position=rng.randrange(9),
                nested=rng.random() < 0.2,
                copied=copied,
            )
        )
    return records


def _tokens(rng: random.Random) -> Tokens:
    written = rng.choice((0, rng.randrange(5000)))
    return Tokens(
        input=rng.choice((0, rng.randrange(3000))),
        output=rng.choice((0, rng.randrange(900))),
        cache_read=rng.choice((0, rng.randrange(300_000))),
        cache_write=written,
        cache_write_1h=rng.randrange(written + 1),
        complete=rng.random() < 0.8,
    )


def _moment(rng: random.Random) -> str:
    return (NOW - timedelta(days=rng.randrange(12), seconds=rng.randrange(86_400))).isoformat()
