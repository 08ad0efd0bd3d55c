"""Many processes save at once: everything is there, once, in order, whatever happens meanwhile.

*Lost* is an acknowledged id that is absent, *twice* one that is stored two times.
"""

import os
import random
import signal
from collections.abc import Iterator

import pytest

from steno_schema.replies import Done
from steno_schema.requests import Admin
from support.running import RunningDaemon
from support.saving import Savers, check_file, stored_exchanges

PROCESSES = 8
SAVES = 500
KILLS = int(os.environ.get("STENO_TEST_KILLS", "7"))
"""At random moments; the named ones come on top."""
SAVES_A_KILL = 80
SEED = int(os.environ.get("STENO_TEST_SEED", "20261121"))
NAMED_POINTS = ("writer.before_commit", "writer.after_commit", "spool.before_unlink")


def drain(daemon: RunningDaemon) -> None:
    """Wait until the spool was gone through, and assert that nothing of it is left."""
    with daemon.client(spool=False) as client:
        reply = client.request(Admin(action="drain_spool", arguments={"wait": True}))
    assert isinstance(reply, Done)
    assert (reply.result["waiting"], reply.result["quarantined"]) == (0, 0)


def check_everything_is_there_once(daemon: RunningDaemon, savers: Savers) -> None:
    """Compare the file with what the processes were told, order included."""
    rows = stored_exchanges(daemon.database)
    times = {uid: time for _, uid, _, time in rows}
    assert len(times) == len(rows)
    assert len({prompt for _, _, prompt, _ in rows}) == len(rows)
    for name, told in savers.told.items():
        lost = [record_id for record_id, _ in told if record_id not in times]
        assert lost == [], (name, len(lost))
        in_order = [times[record_id] for record_id, _ in told]
        assert in_order == sorted(in_order), name
    nobodys = times.keys() - {each for told in savers.told.values() for each, _ in told}
    assert [prompt for _, uid, prompt, _ in rows if uid in nobodys and "asks" in prompt] == []
    check_file(daemon.database)


def test_eight_processes_save_while_one_searches(daemon: RunningDaemon) -> None:
    savers = Savers(daemon, PROCESSES, SAVES)
    with daemon.client(spool=False) as client:
        searches = 0
        while savers.count() < PROCESSES * SAVES:
            marker = f"marker{searches}"
            client.history.save(f"{marker} here", session="searcher")
            found = client.history.search(marker)
            assert [each.prompt for each in found] == [f"{marker} here"] or not found.complete
            searches += 1
        savers.join()
        drain(daemon)
        client.request(Admin(action="flush"))
        assert len(list(found_prompts(client_pages(daemon)))) == PROCESSES * SAVES
    daemon.stop()
    assert [len(told) for told in savers.told.values()] == [SAVES] * PROCESSES
    check_everything_is_there_once(daemon, savers)


def client_pages(daemon: RunningDaemon) -> Iterator[list[str]]:
    """Yield page after page of a search that every save matches."""
    with daemon.client(spool=False) as client:
        cursor = None
        while True:
            page = client.history.search("answer", limit=1000, cursor=cursor)
            yield [each.prompt for each in page]
            cursor = page.next_cursor
            if cursor is None:
                return


def found_prompts(pages: Iterator[list[str]]) -> set[str]:
    """Return all prompts of the pages; each may be there once."""
    seen: set[str] = set()
    for page in pages:
        assert seen.isdisjoint(page)
        seen.update(page)
    return seen


@pytest.mark.parametrize("seed", [SEED])
def test_a_daemon_killed_again_and_again_loses_nothing(
    daemon_at_rest: RunningDaemon, seed: int
) -> None:
    print(f"seed {seed}")
    chance = random.Random(seed)
    daemon = daemon_at_rest
    savers = Savers(daemon, PROCESSES)
    points = [*NAMED_POINTS, *[""] * KILLS]
    chance.shuffle(points)
    for point in points:
        savers.ask_for(PROCESSES)  # nobody is there: they go to the spool
        savers.wait_for_all()
        passes = 1 if point.startswith("spool") else chance.randint(1, SAVES_A_KILL // PROCESSES)
        environ = {"STENO_FAILPOINTS": f"{point}=kill:{passes}"} if point else {}
        daemon.start("--no-capture", environ=environ)
        before = savers.count()
        savers.ask_for(SAVES_A_KILL)
        if point:
            assert daemon.wait() == -signal.SIGKILL, point
        else:
            savers.wait_for(before + chance.randint(0, SAVES_A_KILL))
            daemon.kill()
        savers.wait_for_all()
    daemon.start("--no-capture")
    savers.finish()
    drain(daemon)
    daemon.stop()
    assert savers.count("spool") >= PROCESSES * len(points)
    assert savers.count("daemon") > 0
    check_everything_is_there_once(daemon, savers)


def test_a_frozen_daemon_blocks_nobody(daemon: RunningDaemon) -> None:
    """A daemon that is there but does not answer: saves go to the spool, and are stored once."""
    savers = Savers(daemon, PROCESSES)
    savers.ask_for(PROCESSES)
    savers.wait_for_all()
    daemon.freeze()
    savers.ask_for(PROCESSES)
    savers.wait_for_all()
    assert savers.count("spool") >= PROCESSES
    daemon.thaw()
    savers.ask_for(PROCESSES)
    savers.finish()
    drain(daemon)
    daemon.stop()
    check_everything_is_there_once(daemon, savers)


def test_the_spool_is_taken_in_in_the_order_of_writing(daemon_at_rest: RunningDaemon) -> None:
    savers = Savers(daemon_at_rest, 2, 25)
    savers.join()
    assert savers.count("spool") == 50
    torn = sorted((daemon_at_rest.home / "spool").iterdir())[20]
    whole = torn.read_bytes()
    torn.write_bytes(whole[:-1])
    daemon_at_rest.start("--no-capture")
    with daemon_at_rest.client(spool=False) as client:
        reply = client.request(Admin(action="drain_spool", arguments={"wait": True}))
        aside = daemon_at_rest.home / "spool" / "quarantine" / torn.name
        assert isinstance(reply, Done)
        assert (reply.result["waiting"], reply.result["quarantined"]) == (0, 1)
        aside.with_suffix(".mended").write_bytes(whole)
        aside.with_suffix(".mended").rename(torn)
        client.request(Admin(action="drain_spool", arguments={"wait": True}))
    daemon_at_rest.stop()
    numbers = {uid: number for number, uid, _, _ in stored_exchanges(daemon_at_rest.database)}
    late = max(numbers.values())
    for told in savers.told.values():
        in_order = [numbers[record_id] for record_id, _ in told if numbers[record_id] != late]
        assert in_order == sorted(in_order)
    check_everything_is_there_once(daemon_at_rest, savers)
