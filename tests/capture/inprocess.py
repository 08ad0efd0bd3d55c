"""The real parser, reader and store in one process: no socket between them, faults on demand."""

from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

from capture.content import Content, content_of
from steno.capture import claude_code, codex, gemini, qwen
from steno.capture.agent import Agent
from steno.capture.discovery import scan
from steno.capture.ingest import Ingest
from steno.capture.ledger import Ledger
from steno.capture.projects import Projects
from steno.capture.rederive import rederive
from steno.client import Client
from steno.errors import Refused, Unreachable
from steno_schema.errors import RequestError
from steno_schema.replies import AnyReply, Appended, Done
from steno_schema.requests import Admin, AnyRequest, Append, Delete
from stenod.query.capture_status import capture_status
from stenod.query.ledger import kept_stretch, ledger_entry, ledger_page
from stenod.store.append import append
from stenod.store.connection import open_writer
from stenod.store.context import Context
from stenod.store.forget import forget
from stenod.store.merge import refresh_touched
from stenod.store.migrate import migrate

LEDGER_PAGE = 500
CLAUDE, CODEX = claude_code.AGENT, codex.AGENT
GEMINI, QWEN = gemini.AGENT, qwen.AGENT


class InProcess:
    """A store and the readers that fill it. ``fault`` sees each append before it is stored.

    A fault returns ``drop`` (the watcher dies before the commit), ``lose`` (after it, before the
    reply) or nothing; a new life of the watcher begins with ``restart``.
    """

    def __init__(self, database: Path, *, ignore: tuple[str, ...] = ()) -> None:
        self._connection = open_writer(database)
        self._connection.pragma("synchronous", "OFF")
        migrate(self._connection)
        self._context = Context(self._connection)
        self._ignore = ignore
        self.fault: Callable[[Append], str | None] = lambda _append: None
        self.appends: list[Append] = []
        self.restart()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self._connection.close()

    def restart(self) -> None:
        """Begin another life of the watcher: it knows what the ledger knows, nothing else."""
        client = cast("Client", self)
        self.ledger = Ledger(client)
        self.ledger.load()
        self.ingest = Ingest(client, self.ledger, Projects(self._ignore), redact=True)

    def request(self, request: AnyRequest) -> AnyReply:
        """Stand in for the client: carry a request out at once."""
        if isinstance(request, Append):
            return self.append(request)
        if isinstance(request, Delete):
            with self._connection:
                changed, counts = forget(self._context, request)
            return Done(changed=changed, result=counts)
        assert isinstance(request, Admin)
        if request.action == "kept":
            source, after = request.arguments["source"], request.arguments["after"]
            return Done(result=kept_stretch(self._connection, source, after))
        assert request.action == "ledger"
        if "source" in request.arguments:
            return Done(result=ledger_entry(self._connection, request.arguments["source"]))
        return Done(result=ledger_page(self._connection, request.arguments["after"], LEDGER_PAGE))

    def append(self, request: Append) -> AnyReply:
        """Store an append as the daemon's writer does, or fail as ``fault`` says."""
        fault = self.fault(request)
        if fault == "drop":
            raise Unreachable("The watcher was killed before the commit.")
        try:
            with self._connection:
                reply = self._stored(request)
        except RequestError as error:
            self._context.rolled_back()
            raise Refused(error.code, error.message, retryable=error.retryable) from error
        self.appends.append(request)
        if fault == "lose":
            raise Unreachable("The watcher was killed after the commit.")
        return reply

    def _stored(self, request: Append) -> Appended:
        reply = append(self._context, request)
        refresh_touched(self._context)
        self._context.flush()
        return reply

    def read(self, path: Path, agent: Agent = CLAUDE) -> int:
        """Have one file read, as a hint would."""
        return self.ingest.read(agent, path)

    def rescan(self, root: Path, agent: Agent = CLAUDE) -> None:
        """Have everything read below ``root``, the file written last first."""
        found = scan([(agent, root)])
        for each in found:
            self.read(each.path, agent)
        self.ingest.note_missing(found, [(agent, root)])

    def derived(self, agent: Agent) -> Content:
        """Return what comes of the kept bytes alone, in a store that has nothing else."""
        with InProcess(Path(":memory:"), ignore=self._ignore) as other:
            for table in ("source", "source_chunk"):
                rows = self.rows(f"SELECT * FROM {table} ORDER BY id")
                marks = ", ".join("?" * len(rows[0]))
                other._connection.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)
            other.restart()
            client = cast("Client", other)
            rederive(client, other.ledger, Projects(self._ignore), agent)
            return other.content()

    def status(self) -> dict[str, dict[str, Any]]:
        """Return ``capture status``, by agent."""
        agents: list[dict[str, Any]] = capture_status(self._connection, files=False)["agents"]
        return {agent["agent"]: agent for agent in agents}

    def files(self) -> list[dict[str, Any]]:
        """Return ``capture status --files``: one row a source."""
        rows: list[dict[str, Any]] = capture_status(self._connection, files=True)["files"]
        return rows

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        return self._connection.execute(sql, values).fetchall()

    def content(self) -> Content:
        return content_of(self._connection)
