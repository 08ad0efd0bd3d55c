"""The daemon's jobs: run when due, run when asked, told of by CLI and client, never in the way."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest

from steno import Client
from steno.errors import Refused
from steno_schema.config import ConfigError, Settings, load
from steno_schema.ids import uuid7
from steno_schema.jobsettings import Jobs
from steno_schema.paths import resolve
from steno_schema.records import Exchange
from steno_schema.requests import Append
from stenod.jobs import scheduler
from stenod.jobs.slices import Interrupted, OnWriter, Slices, Task
from stenod.jobs.table import JOBS
from support.inprocess import serving
from support.running import RunningDaemon
from support.store import Store


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDaemon]:
    """One daemon for the tests of this file."""
    daemon = RunningDaemon(tmp_path_factory.mktemp("jobs") / "home")
    daemon.start("--no-capture")
    yield daemon
    assert daemon.stop() == 0


def test_every_job_has_a_setting_and_every_setting_a_job() -> None:
    assert set(JOBS) == set(Jobs.__struct_fields__)
    for job in JOBS.values():
        assert (job.on_writer is None) != (job.beside is None), job.name


@pytest.mark.parametrize("name", sorted(set(JOBS) - {"publish"}))
def test_a_job_is_run_and_remembered(running: RunningDaemon, name: str) -> None:
    with running.client(spool=False) as client:
        client.history.save("something to look after")
        run = client.admin.run(name)
        assert (run.job, run.result) == (name, "done")
        assert run.duration_ms is not None
        told = next(job for job in client.admin.jobs() if job.name == name)
        assert told.last == run
        assert (told.next is None) == (told.every == "never")
        assert client.admin.integrity_check().ok


def test_the_command_line_shows_and_runs_them(running: RunningDaemon) -> None:
    done = running.steno("jobs", "run", "check", "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["detail"]["tables"] > 20
    listed = {job["name"]: job for job in json.loads(running.steno("jobs", "--json").stdout)}
    assert set(listed) == set(JOBS)
    assert listed["check"]["last"]["result"] == "done"
    table = running.steno("jobs").stdout.splitlines()
    assert [line.split("\t")[0] for line in table] == ["job", *JOBS]
    assert "pages after" in running.steno("vacuum").stdout


def test_a_job_that_does_not_exist_is_named(running: RunningDaemon) -> None:
    done = running.steno("jobs", "run", "x\x1b[31m")
    assert done.returncode == 2
    assert "There is no job" in done.stderr
    assert "checkpoint" in done.stderr
    assert "\x1b" not in done.stderr
    assert running.steno("jobs", "run").returncode == 2
    with running.client(spool=False) as client, pytest.raises(Refused, match="There is no job"):
        client.admin.run("nothing")


def test_forgotten_words_leave_the_index(daemon: RunningDaemon) -> None:
    """Also as the stems that the index keeps of them."""
    with daemon.client(spool=False) as client:
        saved = client.history.save("keep this")
        gone = client.history.save("the zebrafishing expedition")
        client.admin.run("merge")
        assert daemon.steno("forget", gone.id, "--yes").returncode == 0
        assert client.admin.run("merge").detail["whole"] is True
        assert client.admin.run("merge").detail["whole"] is False
        assert [found.id for found in client.history.search("keep")] == [saved.id]
    daemon.stop()
    assert b"zebrafish" not in daemon.database.read_bytes()


def test_free_pages_go_back_to_the_disk(daemon: RunningDaemon) -> None:
    with daemon.client(spool=False) as client:
        for _ in range(40):
            client.history.save("x" * 100_000, tags=["large"])
        before = client.status()["database"]
        daemon.steno("forget", "--tag", "large", "--yes")
        client.admin.run("merge")
        freed = client.admin.run("shrink").detail["pages_freed"]
        client.admin.checkpoint()
        after = client.status()["database"]
    assert freed > 500
    assert before["page_count"] - after["page_count"] >= freed - 100
    assert after["size_bytes"] == after["page_count"] * after["page_size"]


def test_what_is_due_runs_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scheduler, "SETTLE_S", 0.0)
    monkeypatch.setattr(scheduler, "IDLE_S", 0.0)
    with serving(tmp_path / "home"), Client(home=tmp_path / "home", spool=False) as client:
        wanted = {job.name for job in client.admin.jobs() if job.every != "never"}
        for _ in range(10 * len(JOBS)):  # what is asked for takes turns with what is due
            client.admin.run("vacuum")
            if wanted <= {job.name for job in client.admin.jobs() if job.last is not None}:
                return
        pytest.fail("not everything that was due was done")


def test_a_killed_job_was_stopped_and_comes_again(daemon_at_rest: RunningDaemon) -> None:
    daemon_at_rest.start("--no-capture", environ={"STENO_FAILPOINTS": "job.check=kill"})
    assert daemon_at_rest.steno("jobs", "run", "check").returncode != 0
    assert daemon_at_rest.wait() == -9
    daemon_at_rest.start("--no-capture")
    with daemon_at_rest.client(spool=False) as client:
        told = next(job for job in client.admin.jobs() if job.name == "check")
        assert told.last is not None
        assert told.last.result == "stopped"
        assert client.admin.run("check").result == "done"


def test_settings_are_read_again(daemon: RunningDaemon) -> None:
    (daemon.home / "config.toml").write_text('[jobs.check]\nevery = "2h"\nenabled = false\n')
    daemon.send_signal(signal.SIGHUP)
    daemon.wait_for_log("configuration read again")
    with daemon.client(spool=False) as client:
        told = {job.name: job for job in client.admin.jobs()}
    assert (told["check"].every, told["check"].enabled, told["check"].next) == ("2h", False, None)
    assert told["merge"].enabled
    shown = daemon.steno("config", "show", "--json").stdout
    assert json.loads(shown)["settings"]["jobs"]["check"] == {"enabled": False, "every": "2h"}


@pytest.mark.parametrize("every", ["1s", "0m", "", "-1d", "soon", "99999d"])
def test_a_cadence_that_makes_no_sense_is_refused(tmp_path: Path, every: str) -> None:
    (tmp_path / "config.toml").write_text(f'[jobs.check]\nevery = "{every}"\n')
    with pytest.raises(ConfigError, match="every"):
        load(resolve({}, home=tmp_path))


def exchange() -> Append:
    return Append(records=[Exchange(id=uuid7(), prompt="in between")])


def test_no_save_waits_for_a_job(tmp_path: Path) -> None:
    """A job of any length gives way after each slice."""
    store = Store(tmp_path, Settings())
    steps = SimpleQueue[int]()
    saved = False
    ended: SimpleQueue[Any] = SimpleQueue()

    def endless(_work: OnWriter) -> Slices:
        number = 0
        while not saved:
            steps.put(number)
            number += 1
            yield
        return {"steps": number}

    def told(result: dict[str, Any] | None = None, error: Exception | None = None) -> None:
        ended.put(result or error)

    store.give(Task(endless, 0.004, told))
    steps.get(timeout=60)
    store.ask(exchange())
    saved = True
    assert ended.get(timeout=60)["steps"] >= 1
    store.close()


def test_a_job_that_fails_harms_nobody(tmp_path: Path) -> None:
    store = Store(tmp_path, Settings())
    ended: SimpleQueue[Any] = SimpleQueue()

    def broken(work: OnWriter) -> Slices:
        yield
        work.connection.execute("BEGIN IMMEDIATE")
        work.connection.execute("DELETE FROM change")
        raise ZeroDivisionError

    def endless(_work: OnWriter) -> Slices:
        while True:
            yield

    def told(result: dict[str, Any] | None = None, error: Exception | None = None) -> None:
        ended.put(result or error)

    store.ask(exchange())
    store.give(Task(broken, 0.004, told))
    assert isinstance(ended.get(timeout=60), ZeroDivisionError)
    store.ask(exchange())
    assert store.reader.execute("SELECT count(*) FROM exchange").get == 2
    assert store.reader.execute("SELECT count(*) FROM change").get
    store.give(Task(endless, 0.004, told))
    store.close()
    assert isinstance(ended.get(timeout=60), Interrupted)
