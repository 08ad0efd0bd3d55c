"""An agent changes its format: an alarm is raised once, nothing is lost, a lesson brings it back."""

import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from capture import claude_fixtures as claude
from capture.instance import json_of
from steno.capture.compression import decompress
from steno_schema.replies import Done
from steno_schema.requests import Admin
from stenod.query.meter import Counted
from stenod.store.alarms import Finding, findings
from support.running import RunningDaemon

NEW_SESSION = "5e551011-0000-4000-8000-000000000009"
PAIRS = 30
LESSON = '''
"""What a later release has learned: today's new names stand for yesterday's."""

from steno.capture import agents
from steno.capture.claude_code import AGENT
from steno.capture.claude_parser import ClaudeParser

RENAMED = {b'"type":"human-turn"': b'"type":"user"', b'"type":"musing"': b'"type":"mode"'}


class Taught(ClaudeParser):
    def feed(self, number, line):
        for now, before in RENAMED.items():
            line = line.replace(now, before)
        return super().feed(number, line)


type(AGENT).parser_version = "taught"
type(AGENT).parser = lambda self, path, state=b"": Taught(path, state)
type(AGENT).parser_again = lambda self, path, state: Taught(path)
'''


def _session(session: str, version: str, words: str) -> Iterator[dict[str, Any]]:
    common = {"sessionId": session, "version": version}
    for number in range(PAIRS):
        yield claude.user(f"prompt-{words}-{number}", f"ask {words} {number}", **common)
        reply = claude.text(f"answer {words} {number}")
        yield claude.assistant(f"reply-{words}-{number}", f"msg_{words}_{number}", reply, **common)


def _doctored(lines: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """A renamed event, a new type and a new field."""
    for line in lines:
        if line["type"] == "user":
            yield line | {"type": "human-turn"}
            yield claude.line("musing", sessionId=NEW_SESSION, version="2.9.0")
        else:
            yield line | {"mood": {"deep": True}}


def _write(path: Path, lines: Iterator[dict[str, Any]]) -> bytes:
    data = b"".join(claude.raw(line) + b"\n" for line in lines)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return data


class Told(threading.Thread):
    """Waits for what the alarm command was told, at the other end of a pipe."""

    def __init__(self, pipe: Path) -> None:
        super().__init__(daemon=True)
        os.mkfifo(pipe)
        self._pipe = pipe
        self.text = ""
        self.start()

    def run(self) -> None:
        self.text = self._pipe.read_text()


@pytest.fixture
def taught(tmp_path: Path) -> str:
    folder = tmp_path / "lesson"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(LESSON)
    return str(folder)


def _kept(daemon: RunningDaemon, source: str) -> bytes:
    """Return the bytes of a source as the daemon keeps them."""
    kept, reached = b"", 0
    with daemon.client() as client:
        while True:
            arguments = {"source": source, "after": reached}
            reply = client.request(Admin(action="kept", arguments=arguments))
            assert isinstance(reply, Done)
            if not reply.result:
                return kept
            reached = reply.result["end"]
            kept += decompress(reply.result["data"], reply.result["codec"])


def _sources(daemon: RunningDaemon) -> dict[str, str]:
    with daemon.client() as client:
        reply = client.request(Admin(action="ledger", arguments={"after": 0}))
    assert isinstance(reply, Done)
    return {each["path"]: each["source"] for each in reply.result["sources"]}


def _alarms(daemon: RunningDaemon) -> list[tuple[str, str]]:
    alarms = json_of(daemon, "capture", "status")["alarms"]
    return sorted((alarm["what"], alarm["kind"]) for alarm in alarms)


def test_a_changed_format_is_told_kept_and_learned(
    daemon_at_rest: RunningDaemon, tmp_path: Path, taught: str
) -> None:
    daemon = daemon_at_rest
    pipe = tmp_path / "told"
    told = Told(pipe)
    daemon.home.mkdir()
    (daemon.home / "config.toml").write_text(
        f'[capture]\nalarm_command = ["tee", {json.dumps(str(pipe))}]\n'
    )
    root = tmp_path / "claude"
    daemon.environ["CLAUDE_CONFIG_DIR"] = str(root)
    folder = root / "projects" / "-home-ada-shop"
    _write(folder / f"{claude.SESSION}.jsonl", _session(claude.SESSION, "2.1.62", "wren"))
    new = folder / f"{NEW_SESSION}.jsonl"
    data = _write(new, _doctored(_session(NEW_SESSION, "2.9.0", "heron")))
    daemon.start()
    daemon.captured()

    assert _alarms(daemon) == [("new_kind", "human-turn"), ("new_kind", "musing")]
    told.join()
    hook = json.loads(told.text)["alarms"]
    assert {alarm["kind"] for alarm in hook} == {"human-turn", "musing"}
    assert {alarm["version"] for alarm in hook} == {"2.9.0"}
    assert "heron" not in told.text
    newest = json_of(daemon, "capture", "status")["agents"][0]["versions"][0]
    assert newest["version"] == "2.9.0"
    assert newest["lines"] == 3 * PAIRS
    assert newest["lines_not_understood"] == 2 * PAIRS
    assert newest["size_bytes"] == len(data)
    doctor = json_of(daemon, "doctor")["checks"]
    assert sum(check["name"] == "alarm" for check in doctor) == 2
    assert "alarms   2 about" in daemon.steno("status").stdout
    screen = daemon.steno("capture", "status").stdout
    assert "30 lines musing of claude-code 2.9.0 are not understood" in screen
    assert _kept(daemon, _sources(daemon)[str(new)]) == data

    new.unlink()
    daemon.captured()
    assert json_of(daemon, "capture", "status")["agents"][0]["sessions_only_here"] == 1
    assert daemon.steno("search", "ask heron").returncode == 1
    daemon.stop()
    daemon.start(environ={"PYTHONPATH": f"{taught}:{daemon.environ['PYTHONPATH']}"})
    assert daemon.steno("rederive", "capture").returncode == 0
    daemon.captured()
    assert _alarms(daemon) == []
    with daemon.client() as client:
        rows = client.sql("SELECT prompt, output FROM history ORDER BY id").rows
    pairs = sorted((row[0], row[1]) for row in rows)
    assert len(pairs) == 2 * PAIRS
    assert ("ask heron 7", "answer heron 7") in pairs
    newest = json_of(daemon, "capture", "status")["agents"][0]["versions"][0]
    assert (newest["lines"], newest["lines_not_understood"]) == (3 * PAIRS, 0)


def test_an_alarm_that_was_noted_is_not_raised_again(
    daemon_at_rest: RunningDaemon, tmp_path: Path
) -> None:
    daemon = daemon_at_rest
    root = tmp_path / "claude"
    daemon.environ["CLAUDE_CONFIG_DIR"] = str(root)
    file = root / "projects" / "-home-ada-shop" / f"{NEW_SESSION}.jsonl"
    _write(file, _doctored(_session(NEW_SESSION, "2.9.0", "heron")))
    daemon.start()
    daemon.captured()
    assert len(_alarms(daemon)) == 2
    assert json_of(daemon, "capture", "acknowledge") == {"acknowledged": 2}
    with file.open("ab") as more:
        more.write(claude.raw(claude.line("musing", sessionId=NEW_SESSION, version="2.9.1")))
        more.write(b"\n")
        more.write(claude.raw(claude.line("dream", sessionId=NEW_SESSION, version="2.9.1")))
        more.write(b"\n")
    daemon.captured()
    assert _alarms(daemon) == [("new_kind", "dream")]
    assert "taken note of" in daemon.steno("capture", "acknowledge").stdout
    assert _alarms(daemon) == []


def _counted(version: str, kind: str, lines: int, **more: int) -> Counted:
    numbers = {"size_bytes": 0, "records": lines, "skipped": 0, "not_understood": 0} | more
    return Counted("codex", version, kind, lines, sample=None, **numbers)


def _found(*counts: Counted) -> set[tuple[str, str, str]]:
    return {(each.what, each.version, each.kind) for each in findings(list(counts))}


def test_a_fall_is_told_against_the_versions_before() -> None:
    """By their numbers, not by which was read first: a backfill reads the newest first."""
    before = [_counted("0.99.0", "item", 200), _counted("0.100.0", "item", 200)]
    worse = _counted("0.101.0", "(broken)", 200, not_understood=10, records=190)
    assert _found(worse, *before) == {("fewer_understood", "0.101.0", "")}
    silent = _counted("0.101.0", "item", 20, records=3)
    assert _found(silent, *before) == {("fewer_records", "0.101.0", "item")}


@pytest.mark.parametrize(
    "harmless",
    [
        pytest.param(_counted("0.101.0", "item", 20, records=11), id="not half as few"),
        pytest.param(_counted("0.101.0", "item", 19, records=0), id="too few lines"),
        pytest.param(_counted("0.98.0", "item", 200, records=0), id="the oldest version"),
        pytest.param(_counted("", "item", 200, records=0), id="no version"),
        pytest.param(_counted("0.101.0", "other", 200, records=0), id="nothing to compare with"),
        pytest.param(_counted("0.101.0", "(broken)", 1, not_understood=1), id="one torn line"),
    ],
)
def test_what_proves_nothing_raises_nothing(harmless: Counted) -> None:
    assert _found(harmless, _counted("0.99.0", "item", 200)) == set()


def test_a_kind_is_new_once_whatever_version_writes_it() -> None:
    counts = [_counted(version, "new", 1, not_understood=1) for version in ("0.9.1", "0.10.0")]
    (found,) = findings(counts)
    assert found == Finding("new_kind", "codex", "0.10.0", "new", 2)
    assert found.key == ("new_kind", "codex", "", "new")
