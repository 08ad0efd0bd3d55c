"""Hostile text, a history made of it, every way to print it, and what must not be in the output."""

import csv
import io
import json
import random
import re
import unicodedata
from typing import Any, NamedTuple

from steno.client import Client
from steno_schema.ids import uuid7
from steno_schema.records import Message
from steno_schema.requests import Append, SourceProgress

PIECES = (
    "\x1b[31mred\x1b[0m",
    "\x1b]0;title\x07",
    "\x1b[2J\x1b[H",
    "\x9b31m\x90q\x9c\x85",
    "\u202eevil\u202c",
    "\u2066x\u2069\u200e\u200f\u061c",
    "\ufeff\ue000marked\ue001",
    "one\u2028two\u2029three",
    "a\r\nb\rc\x0b\x0cd\x08\x7f",
    "tab\tand\ttab",
    '=HYPERLINK("http://x.test","y")',
    "+1+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(1)",
    "\t=1+1",
    "\uff1d1+1",
    "<img src=x onerror=alert(1)>",
    "</code><script>alert(1)</script>",
    "```\n# title\n[x](javascript:alert(1)) ![i](http://x.test/y)\n~~~\n<b>",
    "../../../../etc/passwd",
    "/tmp/x\x1b[2J/../y",
    "~/$(reboot)`id`",
    "%s%n{0}\\x1b[31m",
    "nul\x00nul",
    '"; DROP TABLE message; --',
)
"""Escape sequences, bidirectional controls, formulas, markup, paths: each means harm somewhere."""


class Place(NamedTuple):
    """Where one payload stands: enough to ask for it."""

    payload: str
    tag: str
    exchange: str
    number: int


class Way(NamedTuple):
    """One command line; ``{…}`` are the fields of a ``Place``. ``look`` names what is checked."""

    line: tuple[str, ...]
    look: str = "text"


def payload_of(number: int, seed: int) -> str:
    """Return the payloads one by one, then mixtures of them without end."""
    if number < len(PIECES):
        return PIECES[number]
    dice = random.Random(f"{seed}/{number}")
    return "".join(dice.choice(PIECES) for _ in range(dice.randint(2, 5)))


def store(client: Client, payload: str, number: int) -> Place:
    """Save a payload wherever text of somebody else can stand."""
    tag = f"p{number}"
    session, project = f"{payload} s{number}", f"/home/{payload}/p{number}"
    saved = client.history.save(
        payload,
        f"{payload}\n{payload}",
        model=payload,
        framework=payload,
        template=payload,
        phase=payload,
        current_file=payload,
        user=payload,
        agent=payload,
        project=project,
        session=session,
        conversation=f"{payload} c{number}",
        tags=[tag, payload],
        notes=payload,
        response_summary=payload,
        metadata={payload: payload},
        tokens={"input": 3, "output": 4},
    )
    tool = Message(
        id=uuid7(), conversation=f"{payload} c{number}", role="tool", kind="tool_result",
        content=payload, tool_name=payload, model=payload,
    )  # fmt: skip
    path = f"/home/{payload}/{number}.jsonl".replace("\x00", "")
    source = SourceProgress(
        source=uuid7(), agent=payload, path=path, expected_offset=0, offset=5, lines=1,
        lines_not_understood=1, sample=payload, session=session,
    )  # fmt: skip
    client.append([tool])
    client.request(Append(records=[], mode="merge", source=source))
    _store_records(client, payload, number, session)
    return Place(payload, tag, saved.id, client.history.get(saved.id).number)


def _store_records(client: Client, payload: str, number: int, session: str) -> None:
    own: dict[str, Any] = {"session": session}
    client.tasks.create(f"{payload} t{number}", specialist=payload, task_type=payload, **own)
    client.commands.log(payload, model=payload, duration_ms=1.0, **own)
    client.errors.log(payload, command=payload, context=payload, **own)
    client.patterns.observe(payload, f"{payload} {number}", payload)
    client.patterns.log_usage(payload, source=payload, time_saved_hours=1.0, **own)
    client.preferences.set(f"{payload} {number}", payload, user="ada")
    client.handoffs.create(payload, from_session=session, to_session=payload, open_tasks=[payload])
    client.metrics.record(payload, 1.0, unit=payload, labels={payload: payload})
    client.routing.log(payload, conversation=f"{payload} c{number}", reasoning=payload)
    client.agents.start(payload, payload, conversation=f"{payload} c{number}")
    client.costs.add(payload, input_tokens=1, output_tokens=2, **own)
    client.workflow.set(current_task=payload, current_command=payload, data={payload: payload})
    client.metadata.set(f"{payload} {number}", payload)


_RECORDS = ("tasks", "sessions", "commands", "errors", "patterns", "preferences", "handoffs",
            "interactions", "routing", "measurements", "workflow", "metadata", "costs",
            "conversations")  # fmt: skip
_SUMS = ("tasks stats", "commands stats", "patterns roi", "measurements summary", "routing summary",
         "errors summary", "handoffs latest", "workflow get")  # fmt: skip
_SQL = "SELECT prompt, output, model, tags, metadata, notes FROM history WHERE id = ?"
_GROUPS = ("model", "agent", "project", "tag", "session")

WAYS: tuple[Way, ...] = (
    Way(("list", "--tag", "{tag}"), "tabs"),
    Way(("list", "--tag", "{tag}", "--json"), "json"),
    Way(("today", "--tag", "{tag}"), "tabs"),
    Way(("week", "--tag", "{tag}", "--json"), "json"),
    Way(("search", "--tag", "{tag}")),
    Way(("search", "alert OR etc OR red", "--tag", "{tag}")),
    Way(("search", "{payload}")),
    Way(("search", "--tag", "{tag}", "--json"), "json"),
    Way(("show", "{number}")),
    Way(("show", "{exchange}", "--json"), "json"),
    Way(("show", "{payload}")),
    Way(("thread", "{exchange}", "--full")),
    Way(("thread", "{exchange}", "--json"), "json"),
    Way(("stats", "--tag", "{tag}")),
    *(Way(("stats", "--by", by, "--tag", "{tag}")) for by in _GROUPS),
    *(Way(("cost", "--by", by, "--tag", "{tag}")) for by in _GROUPS),
    Way(("cost", "--explain", "--tag", "{tag}"), "tabs"),
    Way(("export", "--format", "json", "--tag", "{tag}"), "json"),
    Way(("export", "--format", "jsonl", "--tag", "{tag}"), "jsonl"),
    Way(("export", "--format", "csv", "--tag", "{tag}"), "csv"),
    Way(("export", "--format", "md", "--tag", "{tag}"), "md"),
    Way(("export", "--format", "chat", "--tools", "--tag", "{tag}"), "jsonl"),
    Way(("sql", _SQL, "--param", "{number}")),
    Way(("sql", _SQL, "--param", "{number}", "--format", "json"), "json"),
    Way(("sql", _SQL, "--param", "{number}", "--format", "csv"), "csv"),
    Way(("sql", 'SELECT 1 AS "{payload}"', "--format", "csv"), "csv"),
    Way(("sql", "SELECT {payload}")),
    Way(("tail", "--after", "0", "--tag", "{tag}")),
    Way(("tail", "--after", "0", "--tag", "{tag}", "--json"), "jsonl"),
    Way(("forget", "--tag", "{tag}", "--dry-run")),
    Way(("forget", "--session", "{payload}", "--yes")),
    Way(("list", "--agent", "x{payload}")),
    Way(("list", "--{payload}")),
    Way(("{payload}",)),
    Way(("tasks", "{payload}")),
    Way(("rate", "{payload}", "1")),
    Way(("tag", "{number}", "+{tag}")),
    Way(("note", "{number}", "{payload}")),
    Way(("import", "{payload}")),
    Way(("save", "{payload}", "--metadata", "{payload}")),
    Way(("capture", "status", "--files")),
    Way(("capture", "status", "--files", "--json"), "plain json"),
    Way(("capture", "sources"), "tabs"),
    Way(("status",)),
    Way(("doctor",)),
    Way(("jobs",)),
    Way(("metrics",)),
    Way(("jobs", "run", "{payload}")),
    Way(("config", "show", "--origin")),
    *(Way((name,), "tabs") for name in _RECORDS),
    *(Way((name, "--json"), "json") for name in _RECORDS),
    *(Way((name, "show", "1")) for name in _RECORDS if name not in
      {"preferences", "workflow", "metadata"}),
    *(Way(tuple(words.split())) for words in _SUMS),
    Way(("preferences", "get", "{payload}", "--user", "ada")),
    Way(("metadata", "get", "{payload}")),
)  # fmt: skip

_STEERS = {"LRE", "RLE", "PDF", "LRO", "RLO", "LRI", "RLI", "FSI", "PDI"}
_INVISIBLE = set("\u200e\u200f\u061c\ufeff\u2028\u2029\ue000\ue001")
_FORMULA = set("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
_FENCED = re.compile(r"^(`{3,})text\n.*?^\1$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"(`+) ?.*? ?\1(?!`)")


def problems_in(way: Way, place: Place, out: str, said: str, *, terminal: bool) -> list[str]:
    """Return what is wrong with the output of a command, nothing if it is harmless and whole."""
    found = [f"{char!r} is raw" for char in sorted(set(out + said)) if _steers(char)]
    if way.look == "csv" and out:
        cells = [cell for row in csv.reader(io.StringIO(out)) for cell in row]
        found += [f"{cell[:20]!r} is a formula" for cell in cells if _is_formula(cell)]
    elif way.look == "md":
        rest = _CODE.sub("", _FENCED.sub("", out))
        found += [f"{mark!r} is markup" for mark in ("<", "](", "\n#  ", "![") if mark in rest]
    elif way.look == "tabs" and not terminal:
        counts = {line.count("\t") for line in out.splitlines()}
        found += [f"rows of {sorted(counts)} tabs"] if len(counts) > 1 else []
    elif way.look.endswith(("json", "jsonl")) and out:
        found += _not_whole(way, place, out)
    return found


def _steers(char: str) -> bool:
    if char in "\n\t":
        return False
    kind = unicodedata.category(char)
    return kind in {"Cc", "Cs"} or unicodedata.bidirectional(char) in _STEERS or char in _INVISIBLE


def _is_formula(cell: str) -> bool:
    start = cell.lstrip()[:1] if cell[:1] not in _FORMULA else cell[:1]
    if start not in _FORMULA or not start:
        return False
    try:
        float(cell)
    except ValueError:
        return True
    return False


def _not_whole(way: Way, place: Place, out: str) -> list[str]:
    """JSON must still say exactly what was stored."""
    lines = out.splitlines() if way.look == "jsonl" else [out]
    told = [json.loads(line) for line in lines]
    if way.look == "json" and "{" in str(way.line) and place.payload not in _texts(told):
        return ["the payload is not there as it was stored"]
    return []


def _texts(value: object) -> set[str]:
    if isinstance(value, str):
        return {value}
    if isinstance(value, dict):
        return set().union(*(_texts(each) for pair in value.items() for each in pair), set())
    if isinstance(value, list):
        return set().union(*(_texts(each) for each in value), set())
    return set()
