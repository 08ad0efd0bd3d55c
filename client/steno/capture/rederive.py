"""Read kept bytes again with today's parser, for files that may be long gone.

The same lines under the same numbers give the same ids, so records are completed, never doubled,
and what people added to them stays. The ledger then carries the new parser's version and state.
"""

import logging
from collections.abc import Iterator
from pathlib import Path

import msgspec

from steno.capture.agent import Agent, Parser
from steno.capture.compression import decompress
from steno.capture.ledger import Entry, Ledger, standing
from steno.capture.meter import Meter
from steno.capture.projects import LeftOut, Projects
from steno.client import Client
from steno_schema.limits import TRANSCRIPT_LINE_MAX_BYTES
from steno_schema.replies import Done
from steno_schema.requests import Admin, Append

LINES_PER_APPEND = 500

log = logging.getLogger("steno.capture")


class Incomplete(Exception):
    """Some of a file's bytes are not kept (they were forgotten): it cannot be read again."""


def rederive(client: Client, ledger: Ledger, projects: Projects, agent: Agent) -> int:
    """Read all kept bytes of an agent again; return how many files were."""
    done = 0
    for entry in list(ledger.generations()):
        if entry.agent == agent.name and entry.offset:
            try:
                _rederive_file(client, ledger, projects, agent, entry)
            except Incomplete:
                log.warning(
                    "a transcript of %s has forgotten bytes; it stays as it is", agent.name
                )
            else:
                done += 1
    return done


def _rederive_file(
    client: Client, ledger: Ledger, projects: Projects, agent: Agent, entry: Entry
) -> None:
    known = ledger.read_state(entry)
    parser = agent.parser_again(Path(entry.path), known.parser)
    meter = Meter(parser)
    left_out = LeftOut()
    number = 0
    for number, line in enumerate(_lines(client, entry), 1):
        if len(line) <= TRANSCRIPT_LINE_MAX_BYTES:
            meter.feed(number, line)
        else:
            meter.too_long(len(line) + 1, ends_line=True)
        if number % LINES_PER_APPEND == 0:
            _store(client, projects, parser, left_out)
    _store(client, projects, parser, left_out)
    state = msgspec.structs.replace(known, parser=parser.state(), left_out=left_out)
    progress = standing(entry)
    progress.parser = agent.parser_version
    progress.parser_state = msgspec.msgpack.encode(state)
    meter.tell(progress)
    progress.recount = True
    client.request(Append(records=[], mode="merge", source=progress))
    if entry.state != "replaced":
        ledger.put(msgspec.structs.replace(entry, parser=agent.parser_version))


def _store(client: Client, projects: Projects, parser: Parser, left_out: LeftOut) -> None:
    placed, _ = projects.placed(parser.take(), parser.folder, left_out)
    if placed:
        client.request(Append(records=placed, mode="merge"))


def _lines(client: Client, entry: Entry) -> Iterator[bytes]:
    """Yield the kept lines of a file, joined where a stretch ended inside of one."""
    pending = b""
    reached = 0
    while reached < entry.offset:
        arguments = {"source": entry.source, "after": reached}
        reply = client.request(Admin(action="kept", arguments=arguments))
        assert isinstance(reply, Done)
        if not reply.result:
            raise Incomplete
        reached = reply.result["end"]
        pending += decompress(reply.result["data"], reply.result["codec"])[
            : reply.result["kept_size"]
        ]
        *whole, pending = pending.split(b"\n")
        yield from (line for line in whole if line and not line.isspace())
    if pending and not pending.isspace():
        yield pending
