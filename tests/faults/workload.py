"""The writer at work on a faulty disk, step by step, and the check of what a crash left of it."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import apsw

from faults.vfs import Disk
from steno_schema.config import Settings
from steno_schema.errors import ErrorCode
from steno_schema.ids import parse_id, uuid8
from steno_schema.records import AnyRecord, Exchange, Message, Tokens, Turn, Usage
from steno_schema.replies import AnyReply, Appended, Error
from steno_schema.requests import Admin, Amend, AnyRequest, Append, SourceProgress
from stenod.inbox import Job
from stenod.status import check_integrity
from stenod.store.connection import open_reader
from stenod.store.rows import fetch_all
from stenod.writer import Writer

DATABASE = "steno.db"
STEPS = ("saves", "saves", "saves", "capture", "follow", "follow", "amend", "checkpoint", "empty",
         "vacuum", "reopen")  # fmt: skip


class Stopped(Exception):
    """Stands for the end of the process when the writer gives up."""


@dataclass
class Asked:
    """An append, and after how many operations of the disk it was acknowledged, if ever."""

    request: Append
    acknowledged_at: int | None = None


@dataclass
class Work:
    """A writer and everything it was asked. Steps are chosen by seed, or by the caller."""

    folder: Path
    disk: Disk
    chance: random.Random
    on_reply: Callable[[Append, AnyReply], None] = lambda _request, _reply: None
    asked: list[Asked] = field(default_factory=list)
    current: list[Asked] = field(default_factory=list)
    """The batch that the writer is at."""
    number: int = 0

    def open(self) -> None:
        """Start a writer, without its thread: the test is the thread.

        A reader is there too, as in the daemon: the writer's connection is never the last one.
        """
        self.writer = Writer(self.folder / DATABASE, Settings(), vfs=self.disk.vfs)
        self.reader = open_reader(self.folder / DATABASE)
        assert self.reader.execute("SELECT count(*) FROM exchange").get is not None

    def close(self) -> None:
        self.reader.close()
        self.writer.close()

    def step(self, what: str = "") -> None:
        """Do one step; raises ``Stopped`` if the writer gave up."""
        {
            "saves": self.save,
            "capture": self.capture,
            "amend": self.amend,
            "follow": lambda: self.writer.work(self.writer.background.follow),
            "checkpoint": lambda: self.writer.work(self.writer.background.checkpoint),
            "empty": lambda: self.admin("checkpoint"),
            "vacuum": lambda: self.admin("vacuum"),
            "reopen": self.reopen,
        }[what or self.chance.choice(STEPS)]()

    def reopen(self) -> None:
        self.close()
        self.open()

    def save(self) -> None:
        """Have several requests saved in one batch."""
        self.ask(
            [
                Append(records=[self.exchange() for _ in range(self.chance.randint(1, 3))])
                for _ in range(self.chance.randint(1, 6))
            ]
        )

    def exchange(self) -> Exchange:
        self.number += 1
        prompt = f"prompt{self.number}x {'word ' * self.chance.randint(0, 60)}"
        return Exchange(
            id=uuid8("fault", str(self.number)), prompt=prompt, output=f"output{self.number}x",
            created_at="2026-01-01T00:00:00Z", session="s", tags=["t"],
        )  # fmt: skip

    def capture(self) -> None:
        """Have the next stretch of a transcript stored, cursor and bytes with it."""
        before = sum(asked.request.source is not None for asked in self.asked)
        records: list[AnyRecord] = []
        for _ in range(self.chance.randint(1, 4)):
            self.number += 1
            prompt, turn = uuid8("prompt", str(self.number)), uuid8("turn", str(self.number))
            place: dict[str, Any] = {"conversation": "c", "created_at": "2026-01-01T00:00:00Z"}
            records += [
                Message(id=prompt, role="user", content=f"prompt{self.number}x",
                        position=self.number * 256, **place),
                Turn(id=turn, prompt_message=prompt, agent="codex", **place),
                Message(id=uuid8("answer", str(self.number)), role="assistant", exchange=turn,
                        content=f"output{self.number}x", position=self.number * 256 + 1, **place),
                Usage(id=uuid8("usage", str(self.number)), tokens=Tokens(input=5, output=7),
                      exchange=turn, conversation="c", agent="codex"),
            ]  # fmt: skip
        progress = SourceProgress(
            source=uuid8("source"), agent="codex", path="/t.jsonl", expected_offset=before * 100,
            offset=(before + 1) * 100, chunk=b"c" * 100, codec="none",
        )  # fmt: skip
        self.ask([Append(records=records, mode="merge", source=progress)])

    def amend(self) -> None:
        """Have an annotation changed; nothing is promised of it but that nothing else breaks."""
        target = uuid8("fault", str(self.chance.randint(1, max(self.number, 1))))
        request = Amend(target=target, set={"notes": "n" * 50}, add_tags=[f"a{self.number}"])
        self.take_in([request])

    def admin(self, action: Any) -> None:
        self.take_in([Admin(action=action)])

    def take_in(self, requests: list[AnyRequest]) -> None:
        self.writer.take_in([Job(request, 100, lambda _reply: None) for request in requests])

    def ask(self, requests: list[Append]) -> None:
        """Have one batch stored, and note when each request is acknowledged."""
        self.current = [Asked(request) for request in requests]
        self.asked += self.current
        self.again(self.current)

    def again(self, asked: list[Asked]) -> None:
        """Ask (once more) for what was asked."""
        self.writer.take_in([Job(each.request, 100, self._deliver(each)) for each in asked])

    def _deliver(self, asked: Asked) -> Callable[[AnyReply], None]:
        def deliver(reply: AnyReply) -> None:
            self.on_reply(asked.request, reply)
            if isinstance(reply, Appended) and asked.acknowledged_at is None:
                asked.acknowledged_at = len(self.disk.log)
            elif isinstance(reply, Error):
                if is_known(self.writer._connection, asked.request, reply):
                    asked.acknowledged_at = len(self.disk.log)
                assert reply.retryable or asked.request.source is not None, reply

        return deliver


def is_known(connection: apsw.Connection, request: Append, reply: AnyReply) -> bool:
    """Tell whether a stretch of a transcript was refused because it is stored already.

    Its commit failed, and yet a restart found it: the watcher reads the ledger and goes on.
    """
    if request.source is None or not isinstance(reply, Error) or reply.code != ErrorCode.CONFLICT:
        return False
    offset = connection.execute("SELECT offset FROM source").get or 0
    return bool(offset >= request.source.offset)


def check(folder: Path, promised: list[Append], everything: list[Append]) -> list[str]:
    """Open what a crash left, as a daemon would, and return what is wrong with it.

    Then everything is asked for again, as clients and the watcher do: all of it must be there
    once.
    """
    with Disk() as disk:
        work = Work(folder, disk, random.Random(0))
        try:
            work.open()
        except Exception as error:
            return [f"cannot be opened: {type(error).__name__}: {error}"]
        try:
            wrong = _check_opened(work, promised, everything)
        except apsw.Error as error:
            wrong = [f"cannot be used: {type(error).__name__}: {error}"]
        finally:
            work.close()
    return wrong


def _check_opened(work: Work, promised: list[Append], everything: list[Append]) -> list[str]:
    connection = work.writer._connection
    integrity = check_integrity(connection)
    wrong = [] if integrity["ok"] else [f"corrupt: {integrity}"]
    stored = {row[0] for row in fetch_all(connection, "SELECT uid FROM exchange")}
    for request in promised:
        wrong += [
            f"lost: {record.id}"
            for record in request.records
            if isinstance(record, Exchange | Turn) and parse_id(record.id) not in stored
        ]
    wrong += _check_followers(work)
    offset = connection.execute("SELECT offset FROM source").get or 0
    told = max((each.source.offset for each in promised if each.source), default=0)
    wrong += [] if offset >= told else [f"the cursor stands at {offset}, not {told}"]
    work.again([Asked(request) for request in everything])
    wrong += _check_once(connection, everything)
    return wrong + _check_followers(work)


def _check_once(connection: apsw.Connection, everything: list[Append]) -> list[str]:
    prompts = fetch_all(
        connection,
        "SELECT substr(content, 1, instr(content || ' ', ' ') - 1), count(*) FROM message"
        " WHERE role = 'user' GROUP BY 1",
    )
    wrong = [f"twice: {name}" for name, count in prompts if count != 1]
    exchanges = sum(
        isinstance(record, Exchange | Turn) for request in everything for record in request.records
    )
    if len(prompts) != exchanges:
        wrong.append(f"{exchanges} were asked for, {len(prompts)} are there")
    return wrong


def _check_followers(work: Work) -> list[str]:
    """Let the followers catch up; the index must be what a rebuild would give."""
    background = work.writer.background
    while background._is_behind():
        background.follow()
    connection = work.writer._connection
    wrong = []
    messages: dict[int, str] = dict(fetch_all(connection, "SELECT id, content FROM message"))
    indexed = {row[0] for row in fetch_all(connection, "SELECT rowid FROM message_index")}
    if indexed != set(messages):
        wrong.append(f"index: {len(indexed ^ set(messages))} rows differ")
    for number, content in messages.items():
        name = content.split(" ", 1)[0]
        hits = fetch_all(
            connection, "SELECT rowid FROM message_index WHERE message_index MATCH ?", (name,)
        )
        if hits != [(number,)]:
            wrong.append(f"index: {name} finds {hits}, not {number}")
    unanalysed = connection.execute(
        "SELECT count(*) FROM exchange WHERE id NOT IN (SELECT exchange_id FROM analysis)"
    ).get
    return wrong + ([f"analysis: {unanalysed} are missing"] if unanalysed else [])
