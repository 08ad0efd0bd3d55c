"""Recording never holds the caller up, and loses nothing it can help: spool, exit, forks."""

import itertools
import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest

from steno import track_execution, track_prompt
from steno.tracking import configure, current, flush, recorder
from steno_schema.requests import Admin
from support.running import RunningDaemon
from support.tracked import Tracked


def count(daemon: RunningDaemon) -> int:
    """Return how many exchanges there are once the spool is taken in."""
    with daemon.client(spool=False) as client:
        client.request(Admin(action="drain_spool", arguments={"wait": True}))
        return int(client.sql("SELECT count(*) FROM history").rows[0][0])


def spooled(daemon: RunningDaemon) -> int:
    return len(list((daemon.home / "spool").glob("*.rec")))


def failures() -> int:
    return current.default_recorder().failures.count


def run(daemon: RunningDaemon, code: str, **environ: str) -> str:
    """Run a program that tracks, to its end; return what it printed."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        env=daemon.environ | environ,
        cwd=daemon.home.parent,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_a_daemon_that_hangs_holds_nobody_up_and_misses_nothing(
    daemon: RunningDaemon, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every call is back while the daemon stands still; it has them all when it goes on."""
    monkeypatch.setenv("STENO_HOME", str(daemon.home))
    configure()
    daemon.freeze()
    ids = {track_prompt(f"prompt number {number}") for number in range(3000)}
    assert len(ids - {None}) == 3000
    assert flush(60)
    assert spooled(daemon) > 0
    daemon.thaw()
    assert count(daemon) == 3000
    assert failures() == 0


def test_without_a_daemon_the_spool_keeps_everything(
    daemon_at_rest: RunningDaemon, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STENO_HOME", str(daemon_at_rest.home))
    configure()
    ids = [track_prompt(f"prompt number {number}") for number in range(20)]
    assert flush(60)
    daemon_at_rest.start("--no-capture")
    with daemon_at_rest.client() as client:
        client.request(Admin(action="drain_spool", arguments={"wait": True}))
        stored = client.sql("SELECT uid FROM history ORDER BY id").rows
    assert [row[0] for row in stored] == ids


def test_who_is_far_behind_asks_the_daemon_no_more(
    tracked: Tracked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder, "BEHIND_JOBS", -1)
    track_prompt("straight to the spool")
    assert flush(60)
    assert tracked.prompts() == ["straight to the spool"]
    with tracked.daemon.client() as client:
        assert client.status()["spool"]["taken"] >= 1


def test_a_queue_that_is_full_is_counted(
    tracked: Tracked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder, "QUEUE_MAX_CHARS", 100)
    assert track_prompt("x" * 101) is not None
    assert track_prompt("short enough") is not None
    assert tracked.prompts() == ["short enough"]
    assert failures() == 1


def test_many_threads_record_each_prompt_once(tracked: Tracked) -> None:
    def record(thread: int) -> None:
        for number in range(50):
            track_prompt(f"prompt {number} of thread {thread}")

    threads = [threading.Thread(target=record, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    prompts = tracked.prompts()
    assert len(prompts) == len(set(prompts)) == 400


def test_a_signal_in_the_middle_of_recording_may_record(tracked: Tracked) -> None:
    """A handler runs between any two steps of the code it interrupts, this one very often."""
    heard: list[str | None] = []
    numbers = itertools.count()

    def handler(_number: int, _frame: object) -> None:
        heard.append(track_prompt(f"signal number {next(numbers)}"))

    former = signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.0002, 0.0002)
    try:
        for number in range(1000):
            track_prompt(f"prompt number {number}")
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, former)
    assert heard
    assert len(tracked.prompts()) == 1000 + len(heard)


def test_one_record_that_breaks_a_rule_keeps_nothing_else_back(tracked: Tracked) -> None:
    prompts = ["the first prompt", "the second prompt", "the third prompt"]
    with track_execution("the run around them"):
        for rating, prompt in zip([5, 500, None], prompts, strict=True):
            track_prompt(prompt, rating=rating)
        track_prompt("a prompt with strange tokens", tokens={"unknown": 1})
        track_prompt("a prompt with half a character \ud800 in it")
    stored = set(tracked.prompts())
    assert {"the first prompt", "the third prompt", "the run around them"} < stored
    assert "the second prompt" not in stored
    assert "a prompt with half a character \ufffd in it" in stored
    assert failures() == 2


def test_the_end_of_a_process_stores_what_is_left(tracked: Tracked) -> None:
    run(
        tracked.daemon,
        """
        import atexit, steno
        atexit.register(lambda: steno.track_prompt("tracked at the very end"))
        for number in range(300):
            steno.track_prompt(f"prompt number {number}")
        atexit.register(lambda: steno.track_prompt("tracked near the end"))
        """,
    )
    prompts = tracked.prompts()
    assert len(prompts) == 302
    assert prompts[-2:] == ["tracked near the end", "tracked at the very end"]


def test_an_exception_at_the_end_changes_nothing(tracked: Tracked) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import steno; steno.track_prompt('a last word'); 1 / 0"],
        env=tracked.daemon.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "ZeroDivisionError" in done.stderr
    assert tracked.prompts() == ["a last word"]


def test_a_forked_child_records_its_own_and_only_that(tracked: Tracked) -> None:
    """The fork comes while records wait, so the child has a copy of the queue."""
    run(
        tracked.daemon,
        """
        import os, sys, steno
        for number in range(500):
            steno.track_prompt(f"parent's prompt {number}")
        child = os.fork()
        who = "parent" if child else "child"
        for number in range(500, 520):
            steno.track_prompt(f"{who}'s prompt {number}")
        assert steno.tracking.flush(30)
        if child:
            assert os.waitpid(child, 0)[1] == 0
        else:
            sys.exit()
        """,
    )
    prompts = tracked.prompts()
    assert len(prompts) == len(set(prompts)) == 540
    assert sum(prompt.startswith("child") for prompt in prompts) == 20
    sessions = tracked.sql("SELECT DISTINCT session_id FROM prompts")
    assert len(sessions) == 2


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_workers_of_multiprocessing_store_what_they_tracked(
    tracked: Tracked, method: str, tmp_path: Path
) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        textwrap.dedent(
            f"""
            import multiprocessing, steno

            def work(number):
                steno.track_prompt(f"prompt of worker {{number}}")

            if __name__ == "__main__":
                steno.track_prompt("prompt of the parent")
                context = multiprocessing.get_context({method!r})
                workers = [context.Process(target=work, args=(n,)) for n in range(3)]
                for worker in workers:
                    worker.start()
                for worker in workers:
                    worker.join()
            """
        )
    )
    subprocess.run(
        [sys.executable, str(program)], env=tracked.daemon.environ, check=True, timeout=120
    )
    assert sorted(tracked.prompts()) == [
        "prompt of the parent",
        *(f"prompt of worker {number}" for number in range(3)),
    ]


def test_what_was_tracked_before_goes_where_it_belongs(tracked: Tracked, tmp_path: Path) -> None:
    track_prompt("for the first instance")
    configure(tmp_path / "another")
    track_prompt("for the other instance")
    assert flush(60)
    assert len(list((tmp_path / "another" / "spool").glob("*.rec"))) == 1
    configure()
    assert tracked.prompts() == ["for the first instance"]


def test_importing_steno_loads_nothing_of_tracking(tracked: Tracked) -> None:
    code = "import sys, steno; print(*sys.modules)"
    assert "steno.tracking" not in run(tracked.daemon, code).split()
    code = "import sys, steno; steno.track_prompt; print(*sys.modules)"
    loaded = set(run(tracked.daemon, code).split())
    assert "steno.tracking" in loaded
    assert not {"asyncio", "logging", "apsw", "steno.middleware"} & loaded
