"""However opencode's sessions grow and are read, from whichever form: the same database."""

import json
import os
import random
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from capture.content import Content, content_of_file, differences
from capture.inprocess import InProcess
from capture.instance import json_of, prompt_heard, status_of
from capture.opencode_rows import (
    CHILD,
    FORK,
    SESSION,
    Stored,
    answer,
    file_of,
    identifier,
    new_database,
    part,
    prompt,
    session,
    steps,
    store,
    write_tree,
)
from steno.capture.opencode import AGENT
from steno.errors import Unreachable
from support.running import RunningDaemon

LONG_AGO_NS = 10**18
SEEDS = range(int(os.environ.get("STENO_TEST_SEEDS", "4")))


def newest(rows: list[Stored]) -> list[Stored]:
    """Return each row as it was written last, where it was written first."""
    return list({(table, row["id"]): Stored(table, row) for table, row in rows}.values())


Write = Callable[[Path, list[Stored]], None]


def write_database(folder: Path, rows: list[Stored]) -> None:
    path = folder / "opencode.db"
    with closing(sqlite3.connect(path) if path.exists() else new_database(path)) as connection:
        connection.isolation_level = None
        store(connection, rows)
    settle(folder)


def write_files(folder: Path, rows: list[Stored]) -> None:
    write_tree(folder, rows)


def settle(folder: Path) -> None:
    """Have a database look as if it was written a while ago, and yet each time at another time."""
    for path in folder.glob("opencode.db*"):
        past = path.stat().st_mtime_ns - 10**9
        os.utime(path, ns=(past, past))


def content(folder: Path) -> Content:
    with InProcess(Path(":memory:")) as known:
        known.rescan(folder, AGENT)
        return known.content()


@pytest.fixture
def expected(tmp_path_factory: pytest.TempPathFactory) -> Content:
    """What one reading of everything gives, from rows without a history."""
    folder = tmp_path_factory.mktemp("at-once")
    write_database(folder, newest(steps()))
    found = content(folder)
    assert [row[6] for row in found["exchange"]].count("completed") == 2
    assert len(found["exchange"]) == 4
    assert len(found["usage"]) == 4
    return found


@pytest.mark.parametrize("write", [write_database, write_files])
@pytest.mark.parametrize("seed", SEEDS)
def test_whenever_it_is_read_as_it_grows(
    write: Write, seed: int, expected: Content, tmp_path: Path
) -> None:
    chance = random.Random(seed)
    folder = tmp_path / "growing"
    folder.mkdir()
    with InProcess(Path(":memory:")) as known:
        rows = steps()
        while rows:
            size = chance.randint(1, chance.choice([1, 3, 9]))
            write(folder, rows[:size])
            rows = rows[size:]
            if chance.random() < 0.6:
                known.fault = lambda _: chance.choice([None, None, None, "drop", "lose"])
                read_on(known, folder)
            if chance.random() < 0.2:
                known.restart()
        known.fault = lambda _: None
        known.rescan(folder, AGENT)
        assert not differences(expected, known.content())
        assert not differences(expected, known.derived(AGENT))
        assert known.status()["opencode"]["lines_not_understood"] == 0


def read_on(known: InProcess, folder: Path) -> None:
    """Read once; a watcher that is killed begins another life and reads later."""
    try:
        known.rescan(folder, AGENT)
    except Unreachable:
        known.restart()


def test_a_session_in_both_forms_is_there_once(expected: Content, tmp_path: Path) -> None:
    """The tree stays where it is when its sessions were copied into the database."""
    rows = newest(steps())
    for order in (("storage", "opencode.db"), ("opencode.db", "storage")):
        folder = tmp_path / "-".join(order)
        folder.mkdir()
        write_database(folder, rows)
        write_files(folder, rows)
        with InProcess(Path(":memory:")) as known:
            for name in order:
                only = tmp_path / f"only {name} {order[0]}"
                only.mkdir()
                for path in folder.glob(f"{name}*"):
                    path.rename(only / path.name)
                known.rescan(only, AGENT)
            assert not differences(expected, known.content())


def test_the_older_layouts_of_the_tree(expected: Content, tmp_path: Path) -> None:
    """Parts below their session; and everything below the project, the session's in ``info``."""
    rows = newest(steps())
    nested, first = tmp_path / "nested", tmp_path / "first"
    for row in rows:
        path, data = file_of(tmp_path, row)
        inside = path.relative_to(tmp_path / "storage")
        if row.table == "part":
            inside = Path("part") / row.row["session_id"] / Path(*inside.parts[1:])
        info = Path("info") / inside.name if row.table == "session" else inside
        for target in (nested / "storage" / inside, first / "project/p1/storage/session" / info):
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
    for folder in (nested, first):
        assert not differences(expected, content(folder))
        for path in folder.rglob("*.json"):
            source = AGENT.source_of(path)
            assert source is not None
            assert AGENT.is_transcript(source)
            assert source.stem.startswith("ses_")


def test_a_torn_file_is_read_when_it_is_whole(expected: Content, tmp_path: Path) -> None:
    with InProcess(Path(":memory:")) as known:
        for row in steps():
            path, data = file_of(tmp_path, row)
            path.parent.mkdir(parents=True, exist_ok=True)
            for torn in (b"", data[: len(data) // 2], data):
                path.write_bytes(torn)
                known.rescan(tmp_path, AGENT)
        assert not differences(expected, known.content())


def test_rows_that_were_taken_back_stay_known(expected: Content, tmp_path: Path) -> None:
    write_database(tmp_path, steps())
    with InProcess(Path(":memory:")) as known:
        known.rescan(tmp_path, AGENT)
        with closing(sqlite3.connect(tmp_path / "opencode.db", isolation_level=None)) as database:
            database.execute("DELETE FROM part WHERE id > ?", (identifier("prt", 40),))
            database.execute("DELETE FROM message WHERE id > ?", (identifier("msg", 40),))
            database.execute("DELETE FROM session WHERE id = ?", (CHILD,))
        settle(tmp_path)
        known.rescan(tmp_path, AGENT)
        assert not differences(expected, known.content())
        states = {Path(file["path"]).name: file["state"] for file in known.files()}
        assert states[CHILD] == "gone"


def test_what_did_not_change_is_not_read_again(tmp_path: Path) -> None:
    write_database(tmp_path, steps())
    with InProcess(Path(":memory:")) as known:
        known.rescan(tmp_path, AGENT)
        settle(tmp_path)
        known.rescan(tmp_path, AGENT)
        before = len(known.appends)
        known.rescan(tmp_path, AGENT)
        assert len(known.appends) == before
        write_database(tmp_path, prompt(95_000, "One more"))
        known.rescan(tmp_path, AGENT)
        told = [
            each.source for each in known.appends[before:] if each.source and each.source.lines
        ]
        assert [Path(each.path).name for each in told] == [SESSION]
        # The session's own row is as it was: two rows more are two lines more.
        assert [each.lines for each in told] == [2]


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[RunningDaemon]:
    folder = tmp_path / "opencode"
    folder.mkdir()
    daemon = RunningDaemon(tmp_path / "home", environ={"OPENCODE_DB": str(folder / "opencode.db")})
    yield daemon
    daemon.stop()


def test_a_live_session_is_heard_of_and_can_be_derived_again(
    instance: RunningDaemon, tmp_path: Path
) -> None:
    folder = tmp_path / "opencode"
    call = answer(10, 0)
    live = [*steps()[:4], call, part(14, call, text="Two wrens.")]
    with closing(new_database(folder / "opencode.db")) as agent:
        instance.start()
        instance.captured()
        with instance.client() as client, client.subscribe(after=0) as events:
            store(agent, live)
            prompt_heard(events, "Name the wrens")
        store(agent, steps())
    shutil.rmtree(folder)
    folder.mkdir()
    write_database(folder, newest([*live, *steps()]))
    expected = content(folder)
    instance.captured()
    counts = status_of(instance)
    shutil.rmtree(folder)
    folder.mkdir()
    instance.captured()
    done = instance.steno("rederive", "capture")
    assert done.returncode == 0, done.stderr
    again = status_of(instance)
    assert again["human_prompts"] == counts["human_prompts"] == 3
    assert {file["state"] for file in json_of(instance, "capture", "status", "--files")["files"]} <= {
        "gone", "replaced",
    }  # fmt: skip
    instance.stop()
    assert not differences(expected, content_of_file(instance.database))


def test_the_real_states_of_a_database_one_after_the_other(
    shared_transcripts_real: Path, tmp_path: Path
) -> None:
    """A session, its fork, and the original that goes on: a copy of the folder after each run."""
    scenario = shared_transcripts_real / "opencode" / "s16_fork"
    states = [scenario / "steps" / name for name in ("run01", "run02", "run03")]
    folder = tmp_path / "opencode"
    with InProcess(Path(":memory:")) as known, InProcess(Path(":memory:")) as at_once:
        for state in [*states, scenario / "home"]:
            shutil.rmtree(folder, ignore_errors=True)
            shutil.copytree(state / ".local" / "share" / "opencode", folder)
            known.rescan(folder, AGENT)
            known.restart()
        at_once.rescan(folder, AGENT)
        assert len(at_once.content()["exchange"]) == 3
        assert not differences(at_once.content(), known.content())


REAL = "opencode/richardaiand+aiand-portfolio-web"


def young(table: str, data: str) -> str:
    """Return what a row held before it was written for the last time."""
    known = json.loads(data)
    if table == "message" and known["role"] == "assistant":
        known["tokens"] = {
            "input": 0,
            "output": 0,
            "reasoning": 0,
            "cache": {"read": 0, "write": 0},
        }
        known = {name: known[name] for name in known if name not in {"finish", "error"}} | {
            "cost": 0,
            "time": {"created": known["time"]["created"]},
        }
    elif known.get("type") == "tool":
        known["state"] = {"status": "running", "input": known["state"].get("input", {})}
    elif table == "part" and known["type"] in {"text", "reasoning"} and "time" in known:
        known["text"] = known["text"][: len(known["text"]) // 2]
    return json.dumps(known)


@pytest.mark.parametrize("seed", range(2))
def test_a_real_database_as_it_grew(seed: int, shared_transcripts: Path, tmp_path: Path) -> None:
    """Every row as it began and as it ended, in the order of their times, read now and then."""
    chance = random.Random(seed)
    source = shared_transcripts / REAL / "opencode.db"
    path = tmp_path / "growing" / "opencode.db"
    path.parent.mkdir()
    shutil.copyfile(source, path)
    with closing(sqlite3.connect(path, isolation_level=None)) as agent:
        agent.execute("PRAGMA synchronous=OFF")
        agent.execute("PRAGMA foreign_keys=OFF")
        writes: list[tuple[int, str, str, tuple[object, ...]]] = []
        for table in ("session", "message", "part"):
            rows = agent.execute(f"SELECT * FROM {table}")
            names = [column[0] for column in rows.description]
            for row in rows.fetchall():
                values = dict(zip(names, row, strict=True))
                statement = f"INSERT OR REPLACE INTO {table} VALUES ({','.join('?' * len(row))})"
                if table != "session":
                    first = values | {
                        "data": young(table, values["data"]),
                        "time_updated": values["time_created"],
                    }
                    writes.append(
                        (values["time_created"], table, statement, tuple(first.values()))
                    )
                writes.append((values["time_updated"], table, statement, row))
                if table == "session":
                    writes.append((values["time_created"], table, statement, row))
        for table in ("session", "message", "part"):
            agent.execute(f"DELETE FROM {table}")
        writes.sort(key=lambda write: write[0])
        with InProcess(Path(":memory:")) as known, InProcess(Path(":memory:")) as at_once:
            while writes:
                size = chance.randrange(1, 200)
                for _, _, statement, row in writes[:size]:
                    agent.execute(statement, row)
                writes = writes[size:]
                settle(path.parent)
                known.rescan(path.parent, AGENT)
                if chance.random() < 0.3:
                    known.restart()
            at_once.rescan(source.parent, AGENT)
            assert not differences(at_once.content(), known.content())


def test_a_project_that_stays_out_keeps_only_its_own_sessions_out(tmp_path: Path) -> None:
    secret = session(FORK, directory="/home/ada/secret")
    write_database(tmp_path, [*steps(), secret, *prompt(95_000, "Whisper", FORK)])
    with InProcess(Path(":memory:"), ignore=("/home/ada/secret",)) as known:
        known.rescan(tmp_path, AGENT)
        prompts = {row[0] for row in known.rows("SELECT content FROM message WHERE role = 'user'")}
        assert "Name the wrens" in prompts
        assert "Whisper" not in prompts
        kept = {Path(file["path"]).name: file["kept_bytes"] for file in known.files()}
        assert kept[SESSION] > 0
        assert kept[FORK] == 0
