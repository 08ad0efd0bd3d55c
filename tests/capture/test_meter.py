"""The completeness meter: every line is of a version and a kind, and of one outcome."""

from pathlib import Path

from capture import claude_fixtures as claude
from capture import codex_lines as codex
from capture.inprocess import CODEX, InProcess
from steno.capture.agent import Outcome
from steno.capture.meter import KINDS_MAX, OTHER_LINES, Meter
from steno_schema.limits import LINE_KINDS_MAX
from steno_schema.records import AnyRecord
from steno_schema.requests import LineCount, SourceProgress


class _Mute:
    """A parser that tells nothing of its lines."""

    session: str | None = None
    last_event_at: str | None = None
    folder: str | None = None

    def feed(self, number: int, line: bytes) -> Outcome:
        return Outcome.RECORDS if number % 2 else Outcome.NOT_UNDERSTOOD

    def take(self) -> list[AnyRecord]:
        return []

    def state(self) -> bytes:
        return b""


def _metered(lines: list[bytes]) -> SourceProgress:
    meter = Meter(_Mute())
    for number, line in enumerate(lines, 1):
        meter.feed(number, line)
    progress = SourceProgress(source="", agent="mute", path="", expected_offset=0, offset=0)
    meter.tell(progress)
    return progress


def test_lines_of_a_parser_that_does_not_tell_name_themselves() -> None:
    lines = [b'{"type":"a","role":"b"}', b'{"type":"a","role":"b"}', b"{", b"[]", b'{"c":1}']
    told = {each.kind: (each.lines, each.not_understood) for each in _metered(lines).counts}
    assert told == {"a/b": (2, 1), "(broken)": (2, 1), "(no type)": (1, 0)}


def test_a_hostile_file_names_only_so_many_kinds(tmp_path: Path) -> None:
    """Neither in one stretch nor in the daemon do kinds grow with the lines."""
    lines = [b'{"type":"%d"}' % number for number in range(2 * KINDS_MAX)]
    progress = _metered(lines)
    assert len(progress.counts) == KINDS_MAX + 1
    assert sum(each.lines for each in progress.counts) == progress.lines == len(lines)
    assert progress.counts[-1].kind == OTHER_LINES
    file = tmp_path / "projects" / "-home-ada-shop" / f"{claude.SESSION}.jsonl"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"")
    with InProcess(tmp_path / "steno.db") as store:
        for start in range(0, 2 * LINE_KINDS_MAX, 50):
            with file.open("ab") as more:
                for number in range(start, start + 50):
                    more.write(claude.raw(claude.line(f"kind{number}")) + b"\n")
            store.read(file)
        ((count, total),) = store.rows("SELECT count(*), sum(lines) FROM line_count")
    assert (count, total) == (LINE_KINDS_MAX + 1, 2 * LINE_KINDS_MAX)


def test_kinds_and_versions_are_the_transcripts_own(tmp_path: Path) -> None:
    file = tmp_path / "projects" / "-home-ada-shop" / f"{claude.SESSION}.jsonl"
    file.parent.mkdir(parents=True)
    lines = [
        claude.queue("enqueue", "and then?"),
        claude.user("u1", "count the wrens"),
        claude.assistant("a1", "msg_1", {"type": "dance", "steps": 3}),
        claude.assistant("a2", "msg_2", claude.text("Two."), version="2.1.63"),
        claude.line("system", subtype="turn_duration", version="2.1.63"),
    ]
    torn = b'{"type":"user","uuid":"u9","mess'
    data = b"\n".join([*(claude.raw(line) for line in lines), torn, b""])
    file.write_bytes(data)
    with InProcess(tmp_path / "steno.db") as store:
        store.read(file)
        (entry,) = store.files()
        told = {(each["version"], each["kind"]): each for each in entry["kinds"]}
    assert {key: each["lines_not_understood"] for key, each in told.items()} == {
        (None, "queue-operation/enqueue"): 0,
        ("2.1.62", "user"): 0,
        ("2.1.62", "assistant/dance"): 1,
        ("2.1.63", "assistant"): 0,
        ("2.1.63", "system/turn_duration"): 0,
        ("2.1.63", "(broken)"): 1,
    }
    assert sum(each["size_bytes"] for each in told.values()) == len(data)
    assert told["2.1.62", "assistant/dance"]["sample"].startswith('{"type":"assistant"')
    assert told["2.1.63", "(broken)"]["sample"] == torn.decode()


def test_codex_tells_what_is_inside_of_a_line(tmp_path: Path) -> None:
    file = tmp_path / codex.FILE.name
    lines = [
        codex.meta(),
        codex.message("user", "count the wrens", 1),
        codex.user_event("count the wrens", 1),
        codex.token_count((10, 0, 1, 0), 2),
        codex.token_count((10, 0, 1, 0), 2),
        codex.event("item_completed", 3, item={"type": "Dance"}),
    ]
    file.write_bytes(b"\n".join([*lines, b""]))
    with InProcess(tmp_path / "steno.db") as store:
        store.read(file, CODEX)
        (agent,) = store.status().values()
    (version,) = agent["versions"]
    assert version["version"] == "0.92.0"
    told = {each["kind"]: (each["lines"], each["records"]) for each in version["kinds"]}
    assert told == {
        "session_meta": (1, 0),
        "response_item/message/user": (1, 0),
        "event_msg/user_message": (1, 2),
        "event_msg/token_count": (1, 1),
        "event_msg/token_count/repeated": (1, 0),
        "event_msg/item_completed/Dance": (1, 0),
    }
    assert version["lines_not_understood"] == 1


def test_a_recount_takes_the_place_of_what_was_counted(tmp_path: Path) -> None:
    file = tmp_path / codex.FILE.name
    file.write_bytes(codex.meta() + b"\n" + codex.event("dance") + b"\n")
    with InProcess(tmp_path / "steno.db") as store:
        store.read(file, CODEX)
        (append,) = store.appends[-1:]
        assert append.source is not None
        again = append.source
        again.expected_offset = again.offset
        again.chunk, again.recount = b"", True
        again.counts = [LineCount(kind="all", lines=2)]
        again.lines, again.lines_not_understood, again.sample = 2, 0, None
        store.append(append)
        (entry,) = store.files()
    assert [each["kind"] for each in entry["kinds"]] == ["all"]
    assert (entry["lines"], entry["lines_not_understood"], entry["sample"]) == (2, 0, None)
